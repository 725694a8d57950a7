// SPDX-License-Identifier: Apache-2.0
// Works on batches of pieces in passes: where they end, the cache line that each would be found in
// (asked for early), and then the ids. So the misses of a table larger than the inner caches
// overlap, and no pass waits for another's branches.
#include "tokenizer/encoder.h"

#include <algorithm>
#include <cstring>

#include "tokenizer/merge.h"

namespace vitalis::tokenizer {
namespace {

constexpr size_t kMissesAtOnce = 16;
constexpr size_t kAtOnce = 4;  // tokens that are copied without a branch

struct Append {
  std::vector<Token>& out;
  void operator()(const Token* tokens, size_t n) { out.insert(out.end(), tokens, tokens + n); }
};

}  // namespace

// A piece that is neither in its bucket of the vocabulary nor among the remembered short ones.
struct Encoder::Miss {
  size_t after;  // so many tokens of its batch
  const char* bytes;
  size_t size;
  uint64_t hashed;
  bool may_be_entry;

  std::string_view piece() const { return {bytes, size}; }
};

// What it knows of a piece without merging it: how many tokens it wrote; 0 if it must be merged.
size_t Encoder::recall(const Miss& miss, Token* tokens) const {
  const std::string_view piece = miss.piece();
  if (miss.may_be_entry) {
    tokens[0] = piece.size() > kMaxShort ? vocabulary_.find_long(piece, miss.hashed)
                                         : vocabulary_.find(piece);
    if (tokens[0] != kNone) return 1;
  }
  if (piece.size() <= ShortWords::kMaxWord) {
    const size_t n = memory_.short_words.find(ShortWords::word_of(piece, miss.hashed), tokens);
    if (n != ShortWords::kElsewhere) return n;
  }
  if (piece.size() > LongWords::kMaxWord) return 0;
  return memory_.long_words.find(LongWords::word_of(piece, miss.hashed), tokens);
}

void Encoder::learn(const Miss& miss, const Token* tokens, size_t n) const {
  const std::string_view piece = miss.piece();
  if (piece.size() <= Pieces::kMaxWord && n <= Pieces::kMaxTokens) {
    memory_.pieces.learn(Pieces::word_of(piece, miss.hashed), tokens, n);
  } else if (piece.size() <= ShortWords::kMaxWord && n <= ShortWords::kMaxTokens) {
    memory_.short_words.learn(ShortWords::word_of(piece, miss.hashed), tokens, n);
  } else if (piece.size() <= LongWords::kMaxWord && n <= LongWords::kMaxTokens) {
    if (piece.size() <= ShortWords::kMaxWord) {
      memory_.short_words.learn_elsewhere(ShortWords::word_of(piece, miss.hashed));
    }
    memory_.long_words.learn(LongWords::word_of(piece, miss.hashed), tokens, n);
  }
}

// Gives the sink the tokens of the batch, ids[0..n_ids), with those of the misses among them.
template <class Sink>
void Encoder::encode_misses(std::span<const Miss> misses, const Token* ids, size_t n_ids,
                            Sink& sink) const {
  constexpr size_t kRoom = std::max(LongWords::kMaxTokens, kSmallPiece);
  Token tokens[kMissesAtOnce][kRoom];
  size_t counts[kMissesAtOnce];
  SmallMerge merges[kMissesAtOnce];
  size_t merged_by[kMissesAtOnce];
  size_t done = 0;
  for (size_t first = 0; first < misses.size(); first += kMissesAtOnce) {
    const size_t n = std::min(kMissesAtOnce, misses.size() - first);
    size_t n_merges = 0;
    for (size_t k = 0; k < n; ++k) {
      const Miss& miss = misses[first + k];
      counts[k] = recall(miss, tokens[k]);
      if (counts[k] != 0 || miss.size > kSmallPiece) continue;
      merges[n_merges] = {miss.bytes, miss.size, tokens[k], 0};
      merged_by[n_merges++] = k;
    }
    merge_small(vocabulary_, {merges, n_merges});
    for (size_t m = 0; m < n_merges; ++m) {
      counts[merged_by[m]] = merges[m].n;
      learn(misses[first + merged_by[m]], merges[m].tokens, merges[m].n);
    }
    for (size_t k = 0; k < n; ++k) {
      const Miss& miss = misses[first + k];
      sink(ids + done, miss.after - done);
      done = miss.after;
      if (counts[k] != 0) {
        sink(tokens[k], counts[k]);
      } else {
        std::vector<Token> merged;
        merge(vocabulary_, miss.piece(), merged);
        sink(merged.data(), merged.size());
      }
    }
  }
  sink(ids + done, n_ids - done);
}

template <class Sink>
void Encoder::encode_batch(std::string_view text, size_t begin, const size_t* ends, size_t n,
                           Sink& sink) const {
  Key keys[kMaxPieces];
  uint64_t hashes[kMaxPieces];
  Token found[kMaxPieces + kAtOnce];
  uint8_t missing[kMaxPieces];
  const auto buckets = vocabulary_.buckets();
  size_t n_missing = kernels_.look_up(text.data(), text.size(), begin, ends, n, buckets.data(),
                                      buckets.size(), keys, hashes, found, missing);
  if (!vocabulary_.whole_pieces_first()) {
    for (size_t i = 0; i < n; ++i) missing[i] = static_cast<uint8_t>(i);
    n_missing = n;
  }
  for (size_t k = 0; k < n_missing; ++k) memory_.pieces.prefetch(hashes[missing[k]]);

  Token ids[kMaxPieces * Pieces::kMaxTokens + kAtOnce];
  size_t n_ids = 0, n_misses = 0, next = 0;
  const auto take_found = [&](size_t to) {
    for (size_t i = next; i < to; i += kAtOnce) {
      std::memcpy(ids + n_ids + (i - next), found + i, kAtOnce * sizeof(Token));
    }
    n_ids += to - next;
    next = to + 1;
  };
  Miss misses[kMaxPieces];
  for (size_t k = 0; k < n_missing; ++k) {
    const size_t i = missing[k];
    take_found(i);
    if (const size_t known =
            memory_.pieces.find_padded({{keys[i].low, keys[i].high}, hashes[i]}, ids + n_ids)) {
      n_ids += known;
      continue;
    }
    const size_t from = i == 0 ? begin : ends[i - 1];
    misses[n_misses++] = miss_of(text.substr(from, ends[i] - from), hashes[i], n_ids);
  }
  take_found(n);

  encode_misses(std::span<const Miss>(misses, n_misses), ids, n_ids, sink);
}

// Asks for the memory in which such a piece will be looked for.
Encoder::Miss Encoder::miss_of(std::string_view piece, uint64_t key_hash, size_t after) const {
  const bool is_long = piece.size() > kMaxShort;
  const uint64_t hashed = is_long ? hash(piece) : key_hash;
  if (piece.size() <= ShortWords::kMaxWord) {
    memory_.short_words.prefetch(hashed);
  } else if (piece.size() <= LongWords::kMaxWord) {
    memory_.long_words.prefetch(hashed);
  }
  const bool may_be_entry =
      vocabulary_.whole_pieces_first() &&
      (is_long ? vocabulary_.may_have(hashed) : vocabulary_.home(hashed).overflow != 0);
  return {after, piece.data(), piece.size(), hashed, may_be_entry};
}

template <class Sink>
void Encoder::each_batch(std::string_view text, Sink&& sink) const {
  size_t ends[kMaxPieces];
  for (size_t begin = 0; begin < text.size();) {
    const size_t n = split(kernels_, text, begin, ends);
    encode_batch(text, begin, ends, n, sink);
    begin = ends[n - 1];
  }
}

void Encoder::encode(std::string_view text, std::vector<Token>& out) const {
  each_batch(text, Append{out});
}

size_t Encoder::count(std::string_view text) const {
  size_t total = 0;
  each_batch(text, [&](const Token*, size_t n) { total += n; });
  return total;
}

size_t Encoder::encode_up_to(std::string_view text, size_t limit, std::vector<Token>& out) const {
  std::vector<Token> tokens;
  Append append{tokens};
  size_t ends[kMaxPieces];
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t n = split(kernels_, text, begin, ends);
    for (size_t i = 0; i < n; ++i) {
      tokens.clear();
      encode_batch(text, begin, &ends[i], 1, append);
      if (tokens.size() > limit) return begin;
      limit -= tokens.size();
      out.insert(out.end(), tokens.begin(), tokens.end());
      begin = ends[i];
    }
  }
  return begin;
}

}  // namespace vitalis::tokenizer
