// SPDX-License-Identifier: Apache-2.0
// Remembers how pieces that are not entries were merged. A fixed table, shared by all threads
// without locks: each slot is guarded by a sequence number that is odd while it is written, and a
// reader that sees it change takes the slot for another word's. New words overwrite old ones.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

class WordCache {
 public:
  static constexpr size_t kMaxWord = 31;   // bytes
  static constexpr size_t kMaxTokens = 9;  // of 21 bits each, three in 64

  struct Word {
    std::array<uint64_t, 4> bytes;  // zero-filled; the last byte is the length
    uint64_t hashed;
  };
  // word.size() <= kMaxWord
  static Word word_of(std::string_view word);
  // The same from a short word's key.
  static Word word_of(const Key& key, uint64_t hashed) {
    constexpr uint64_t kSize = uint64_t{0xFF} << 56;
    return {{key.low, key.high & ~kSize, 0, key.high & kSize}, hashed};
  }
  void prefetch(const Word& word) const { __builtin_prefetch(pair_of(word)); }

  // kOutOfMemory. The 8 MiB are touched only as they fill.
  static Result<WordCache> create();

  // Writes the word's tokens to `out` and returns how many there are; 0 if it is not known.
  size_t find(const Word& word, Token (&out)[kMaxTokens]) const;
  void learn(const Word& word, std::span<const Token> tokens) const;

 private:
  static constexpr size_t kSlots = size_t{1} << 17;

  struct alignas(64) Slot {
    std::atomic<uint64_t> state;  // number of tokens, and above 8 bits the sequence number
    std::atomic<uint64_t> bytes[4];
    std::atomic<uint64_t> tokens[3];
  };
  static_assert(sizeof(Slot) == 64 && std::atomic<uint64_t>::is_always_lock_free);

  static size_t read(const Slot& slot, const Word& word, Token (&out)[kMaxTokens]);

  // A word lies in one of two neighbouring slots.
  Slot* pair_of(const Word& word) const {
    return arena_.at<Slot>(0) + (word.hashed >> 47 & ~uint64_t{1});
  }

  Arena arena_;
};

}  // namespace vitalis::tokenizer
