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

// Tokens on their way to a sink, a few at a time.
template <class Sink>
class Outbox {
 public:
  explicit Outbox(Sink& sink) : sink_(sink) {}
  ~Outbox() { flush(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Room for at least WordCache::kMaxTokens.
  Token* room() {
    if (n_ + WordCache::kMaxTokens > kSize) flush();
    return tokens_ + n_;
  }
  void advance(size_t n) { n_ += n; }
  void put(const std::vector<Token>& tokens) {
    flush();
    sink_(tokens.data(), tokens.size());
  }

 private:
  static constexpr size_t kSize = 512;

  void flush() {
    if (n_ != 0) sink_(tokens_, n_);
    n_ = 0;
  }

  Sink& sink_;
  size_t n_ = 0;
  Token tokens_[kSize];
};

struct Append {
  std::vector<Token>& out;
  void operator()(const Token* tokens, size_t n) { out.insert(out.end(), tokens, tokens + n); }
};

}  // namespace

template <class Sink>
void Encoder::encode_batch(std::string_view text, size_t begin, const size_t* ends, size_t n,
                           Sink& sink) const {
  Key keys[kMaxPieces];
  uint64_t hashes[kMaxPieces];
  const char* const last_readable = text.data() + text.size() - std::min(kReadable, text.size());
  size_t at = begin;
  for (size_t i = 0; i < n; ++i) {
    const size_t size = std::min(ends[i] - at, kMaxShort + 1);
    const char* piece = text.data() + at;
    at = ends[i];
    if (size > kMaxShort) {
      keys[i] = {};
      hashes[i] = 0;
      continue;
    }
    keys[i] = piece > last_readable ? key_of(piece, size) : key_of_padded(piece, size);
    hashes[i] = hash(keys[i]);
    __builtin_prefetch(&vocabulary_.home(hashes[i]));
  }

  Outbox<Sink> outbox(sink);
  std::vector<Token> merged;
  at = begin;
  for (size_t i = 0; i < n; ++i) {
    const std::string_view piece = text.substr(at, ends[i] - at);
    at = ends[i];
    Token* room = outbox.room();
    if (vocabulary_.whole_pieces_first()) {
      const Token id =
          hashes[i] != 0 ? vocabulary_.find(keys[i], hashes[i]) : vocabulary_.find(piece);
      if (id != kNone) {
        *room = id;
        outbox.advance(1);
        continue;
      }
    }
    if (piece.size() > WordCache::kMaxWord) {
      merged.clear();
      merge(vocabulary_, piece, merged);
      outbox.put(merged);
      continue;
    }
    const WordCache::Word word = WordCache::word_of(piece);
    Token known[WordCache::kMaxTokens];
    const size_t n_known = cache_.find(word, known);
    if (n_known != 0) {
      std::copy_n(known, WordCache::kMaxTokens, room);
      outbox.advance(n_known);
      continue;
    }
    merged.clear();
    merge(vocabulary_, piece, merged);
    cache_.learn(word, merged);
    outbox.put(merged);
  }
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
