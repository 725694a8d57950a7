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

constexpr size_t kAtOnce = 4;  // tokens that are copied without a branch

struct Append {
  std::vector<Token>& out;
  void operator()(const Token* tokens, size_t n) { out.insert(out.end(), tokens, tokens + n); }
};

}  // namespace

// A piece that is neither in its bucket of the vocabulary nor among the remembered short ones.
struct Encoder::Miss {
  size_t after;  // so many tokens of its batch
  std::string_view piece;
  bool may_be_entry;
  ShortWords::Word word;  // unless the piece is too long
};

template <class Sink>
void Encoder::encode_miss(const Miss& miss, Sink& sink) const {
  const std::string_view piece = miss.piece;
  if (miss.may_be_entry) {
    const Token id = vocabulary_.find(piece);
    if (id != kNone) return sink(&id, 1);
  }
  if (piece.size() > ShortWords::kMaxWord) return encode_long(piece, sink);
  Token known[ShortWords::kMaxTokens];
  if (const size_t n = memory_.short_words.find(miss.word, known)) return sink(known, n);
  if (piece.size() > ShortWords::kMaxTokens) return encode_long(piece, sink);
  Token merged[kSmallPiece];
  const size_t n = merge_small(vocabulary_, piece, merged);
  learn(miss.word, merged, n);
  sink(merged, n);
}

void Encoder::learn(const ShortWords::Word& word, const Token* tokens, size_t n) const {
  const size_t size = word.bytes.back() >> 56;
  if (size <= kMaxShort && n <= Pieces::kMaxTokens) {
    const uint64_t size_byte = static_cast<uint64_t>(size) << 56;
    memory_.pieces.learn({{word.bytes[0], word.bytes[1] | size_byte}, word.hashed}, tokens, n);
  } else {
    memory_.short_words.learn(word, tokens, n);
  }
}

// A word that is long, or may have too many tokens to be remembered as a short one.
template <class Sink>
void Encoder::encode_long(std::string_view piece, Sink& sink) const {
  if (piece.size() > LongWords::kMaxWord) {
    std::vector<Token> merged;
    merge(vocabulary_, piece, merged);
    return sink(merged.data(), merged.size());
  }
  const LongWords::Word word = LongWords::word_of(piece);
  Token known[LongWords::kMaxTokens];
  if (const size_t n = memory_.long_words.find(word, known)) return sink(known, n);
  Token merged[kSmallPiece];
  const size_t n = merge_small(vocabulary_, piece, merged);
  if (n <= ShortWords::kMaxTokens && piece.size() <= ShortWords::kMaxWord) {
    learn(ShortWords::word_of(piece), merged, n);
  } else if (n <= LongWords::kMaxTokens) {
    memory_.long_words.learn(word, merged, n);
  }
  sink(merged, n);
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
            memory_.pieces.find_padded(Pieces::word_of(keys[i], hashes[i]), ids + n_ids)) {
      n_ids += known;
      continue;
    }
    const size_t from = i == 0 ? begin : ends[i - 1];
    misses[n_misses++] = miss_of(text.substr(from, ends[i] - from), keys[i], hashes[i], n_ids);
  }
  take_found(n);

  size_t done = 0;
  for (size_t k = 0; k < n_misses; ++k) {
    sink(ids + done, misses[k].after - done);
    encode_miss(misses[k], sink);
    done = misses[k].after;
  }
  sink(ids + done, n_ids - done);
}

// What is needed to encode such a piece is asked for already.
Encoder::Miss Encoder::miss_of(std::string_view piece, const Key& key, uint64_t hashed,
                               size_t after) const {
  Miss miss;
  miss.after = after;
  miss.piece = piece;
  miss.may_be_entry = vocabulary_.whole_pieces_first() &&
                      (piece.size() > kMaxShort || vocabulary_.home(hashed).overflow != 0);
  if (piece.size() <= ShortWords::kMaxWord) {
    miss.word =
        piece.size() <= kMaxShort ? ShortWords::word_of(key, hashed) : ShortWords::word_of(piece);
    memory_.short_words.prefetch(miss.word.hashed);
  }
  return miss;
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
