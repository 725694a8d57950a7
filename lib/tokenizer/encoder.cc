// SPDX-License-Identifier: Apache-2.0
// Works on batches of pieces in passes: where they end, the cache line that each would be found in
// (asked for early), and then the ids. So the misses of a table larger than the inner caches
// overlap, and no pass waits for another's branches.
#include "tokenizer/encoder.h"

#include <algorithm>

#include "tokenizer/merge.h"

namespace vitalis::tokenizer {
namespace {

constexpr size_t kReadable = 16;  // bytes that a key is cut from

struct Append {
  std::vector<Token>& out;
  void operator()(const Token* tokens, size_t n) { out.insert(out.end(), tokens, tokens + n); }
};

}  // namespace

// A piece that is not in its bucket: too long for one, overflowed, or no entry.
struct Encoder::Miss {
  size_t at;  // in the batch
  const char* bytes;
  size_t size;
  bool may_be_entry;
  ShortWords::Word word;  // unless the piece is too long
};

template <class Sink>
void Encoder::encode_miss(const Miss& miss, Sink& sink) const {
  const std::string_view piece(miss.bytes, miss.size);
  if (miss.may_be_entry) {
    const Token id = vocabulary_.find(piece);
    if (id != kNone) return sink(&id, 1);
  }
  if (piece.size() > ShortWords::kMaxWord) return encode_long(piece, sink);
  Token known[ShortWords::kMaxTokens];
  if (const size_t n = short_words_.find(miss.word, known)) return sink(known, n);
  if (piece.size() > ShortWords::kMaxTokens) return encode_long(piece, sink);
  Token merged[kSmallPiece];
  const size_t n = merge_small(vocabulary_, piece, merged);
  short_words_.learn(miss.word, merged, n);
  sink(merged, n);
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
  if (const size_t n = long_words_.find(word, known)) return sink(known, n);
  Token merged[kSmallPiece];
  const size_t n = merge_small(vocabulary_, piece, merged);
  if (n <= ShortWords::kMaxTokens && piece.size() <= ShortWords::kMaxWord) {
    short_words_.learn(ShortWords::word_of(piece), merged, n);
  } else if (n <= LongWords::kMaxTokens) {
    long_words_.learn(word, merged, n);
  }
  sink(merged, n);
}

template <class Sink>
void Encoder::encode_batch(std::string_view text, size_t begin, const size_t* ends, size_t n,
                           Sink& sink) const {
  Key keys[kMaxPieces];
  uint64_t hashes[kMaxPieces];
  Token ids[kMaxPieces];
  Miss misses[kMaxPieces];

  const char* const text_end = text.data() + text.size();
  const auto readable = [&](const char* bytes) {
    return static_cast<size_t>(text_end - bytes) >= kReadable;
  };
  size_t at = begin;
  for (size_t i = 0; i < n; ++i) {
    const size_t size = ends[i] - at;
    const char* piece = text.data() + at;
    at = ends[i];
    if (size > kMaxShort) {
      keys[i] = {~uint64_t{0}, ~uint64_t{0}};  // nobody's
    } else {
      keys[i] = readable(piece) ? key_of_padded(piece, size) : key_of(piece, size);
    }
    hashes[i] = hash(keys[i]);
    __builtin_prefetch(&vocabulary_.home(hashes[i]));
  }

  const bool whole_first = vocabulary_.whole_pieces_first();
  size_t n_misses = 0;
  for (size_t i = 0; i < n; ++i) {
    ids[i] = whole_first ? vocabulary_.find_at_home(keys[i], hashes[i]) : kNone;
    misses[n_misses].at = i;
    n_misses += ids[i] == kNone;
  }

  for (size_t k = 0; k < n_misses; ++k) {
    Miss& miss = misses[k];
    const size_t from = miss.at == 0 ? begin : ends[miss.at - 1];
    miss.bytes = text.data() + from;
    miss.size = ends[miss.at] - from;
    miss.may_be_entry =
        whole_first && (miss.size > kMaxShort || vocabulary_.home(hashes[miss.at]).overflow != 0);
    if (miss.size <= ShortWords::kMaxWord) {
      miss.word = miss.size <= kMaxShort ? ShortWords::word_of(keys[miss.at], hashes[miss.at])
                                         : ShortWords::word_of({miss.bytes, miss.size});
      short_words_.prefetch(miss.word);
    }
  }

  size_t done = 0;
  for (size_t k = 0; k < n_misses; ++k) {
    sink(ids + done, misses[k].at - done);
    encode_miss(misses[k], sink);
    done = misses[k].at + 1;
  }
  sink(ids + done, n - done);
}

template <class Sink>
void Encoder::each_batch(std::string_view text, Sink sink) const {
  size_t ends[kMaxPieces];
  for (size_t begin = 0; begin < text.size();) {
    const size_t n = split(text, begin, ends);
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
    const size_t n = split(text, begin, ends);
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
