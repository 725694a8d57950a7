// SPDX-License-Identifier: Apache-2.0
// Remembers how pieces that are not entries were merged. A table of fixed size, shared by all
// threads without locks: each slot is guarded by a sequence number that is odd while it is written,
// and a reader that sees it change takes the slot for another word's. New words overwrite old ones.
// Every load of a slot acquires and every store releases, so that none moves across the sequence
// number's; on x86-64 both are plain moves.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <sys/mman.h>

#include "base/arena.h"
#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// Words of less than 8 * kWords bytes and at most 3 * kTriples tokens, in 2^kSlotBits slots.
template <size_t kWords, size_t kTriples, int kSlotBits>
class WordCache {
 public:
  static constexpr size_t kMaxWord = 8 * kWords - 1;
  static constexpr size_t kMaxTokens = 3 * kTriples;

  struct Word {
    std::array<uint64_t, kWords> bytes;  // zero-filled; the last byte is the length
    uint64_t hashed;
  };
  // word.size() <= kMaxWord; `hashed` is any hash of it, always the same one.
  static Word word_of(std::string_view word, uint64_t hashed) {
    char bytes[8 * kWords] = {};
    std::memcpy(bytes, word.data(), word.size());
    bytes[kMaxWord] = static_cast<char>(word.size());
    Word out;
    std::memcpy(out.bytes.data(), bytes, sizeof bytes);
    out.hashed = hashed;
    return out;
  }

  // kOutOfMemory. Memory is touched only as it fills.
  static Result<WordCache> create() {
    WordCache cache;
    constexpr size_t kBytes = (size_t{1} << kSlotBits) * sizeof(Slot);
    VITALIS_ASSIGN(cache.arena_, Arena::allocate(kBytes));
    // Slots are met at random: one fault for many of them. A hint, never an error.
    ::madvise(cache.arena_.template at<char>(0), kBytes, MADV_HUGEPAGE);
    return cache;
  }

  void prefetch(uint64_t hashed) const { __builtin_prefetch(pair_of(hashed)); }

  // Writes the word's tokens to `out`, which has room for kMaxTokens, and returns how many there
  // are; 0 if it is not known.
  size_t find(const Word& word, Token* out) const {
    const Slot* slots = pair_of(word.hashed);
    const size_t n = read(slots[0], word, out);
    return n != 0 ? n : read(slots[1], word, out);
  }

  // The same without branches; always writes kMaxTokens tokens.
  size_t find_padded(const Word& word, Token* out) const requires(kTriples == 1) {
    const Slot* slots = pair_of(word.hashed);
    const Packed a = read_packed(slots[0], word), b = read_packed(slots[1], word);
    const uint64_t tokens = a.tokens | b.tokens;
    for (size_t i = 0; i < kMaxTokens; ++i) {
      out[i] = static_cast<Token>(tokens >> kTokenBits * i) & kMaxRank;
    }
    return a.n | b.n;
  }

  // The word is known, but has more tokens than fit: then find returns kElsewhere.
  static constexpr size_t kElsewhere = kMaxTokens + 1;
  void learn_elsewhere(const Word& word) const { learn(word, nullptr, kElsewhere); }

  // n <= kMaxTokens
  void learn(const Word& word, const Token* tokens, size_t n) const {
    // The emptier of the two slots, else the one that a bit of the word's own hash picks.
    Slot* slots = pair_of(word.hashed);
    const bool full[2] = {slots[0].state.load(std::memory_order_relaxed) != 0,
                          slots[1].state.load(std::memory_order_relaxed) != 0};
    write(slots[full[0] == full[1] ? word.hashed & 1 : full[0]], word, tokens, n);
  }

 private:
  struct alignas(kWords == 2 ? 32 : 64) Slot {
    std::atomic<uint64_t> state;  // number of tokens, and above 8 bits the sequence number
    std::atomic<uint64_t> bytes[kWords];
    std::atomic<uint64_t> tokens[kTriples];  // of 21 bits each
  };
  static_assert(sizeof(Slot) == 8 * (1 + kWords + kTriples));
  static_assert(std::atomic<uint64_t>::is_always_lock_free);

  static constexpr uint64_t kWriting = uint64_t{1} << 8;
  static constexpr uint64_t kCountMask = kWriting - 1;
  static constexpr int kTokenBits = 21;
  static_assert(kMaxRank < 1u << kTokenBits);

  // A word lies in one of two neighbouring slots.
  Slot* pair_of(uint64_t hashed) const {
    return arena_.at<Slot>(0) + (hashed >> (64 - kSlotBits) & ~uint64_t{1});
  }

  static size_t read(const Slot& s, const Word& word, Token* out) {
    const uint64_t state = s.state.load(std::memory_order_acquire);
    uint64_t differ = 0;
    for (size_t i = 0; i < kWords; ++i) {
      differ |= s.bytes[i].load(std::memory_order_acquire) ^ word.bytes[i];
    }
    if (differ != 0) return 0;
    uint64_t packed[kTriples];
    for (size_t i = 0; i < kTriples; ++i) packed[i] = s.tokens[i].load(std::memory_order_acquire);
    if (state & kWriting || s.state.load(std::memory_order_relaxed) != state) return 0;
    for (size_t i = 0; i < kMaxTokens; ++i) {
      out[i] = static_cast<Token>(packed[i / 3] >> kTokenBits * (i % 3)) & kMaxRank;
    }
    return state & kCountMask;
  }

  struct Packed {
    uint64_t tokens, n;
  };
  // Zeros if it is not the word's. A word is in one slot of its pair at most, unless two threads
  // learn it at once.
  static Packed read_packed(const Slot& s, const Word& word) requires(kTriples == 1) {
    const uint64_t state = s.state.load(std::memory_order_acquire);
    uint64_t differ = state & kWriting;
    for (size_t i = 0; i < kWords; ++i) {
      differ |= s.bytes[i].load(std::memory_order_acquire) ^ word.bytes[i];
    }
    const uint64_t tokens = s.tokens[0].load(std::memory_order_acquire);
    differ |= s.state.load(std::memory_order_relaxed) ^ state;
    const uint64_t same = differ == 0 ? ~uint64_t{0} : 0;
    return {tokens & same, state & kCountMask & same};
  }

  static void write(Slot& s, const Word& word, const Token* tokens, size_t n) {
    uint64_t state = s.state.load(std::memory_order_relaxed);
    // Another thread is writing here: one of the two words is lost, as when it came later.
    if (state & kWriting ||
        !s.state.compare_exchange_strong(state, state + kWriting, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      return;
    }
    uint64_t packed[kTriples] = {};
    for (size_t i = 0; tokens != nullptr && i < n; ++i) {
      packed[i / 3] |= static_cast<uint64_t>(tokens[i]) << kTokenBits * (i % 3);
    }
    for (size_t i = 0; i < kWords; ++i) {
      s.bytes[i].store(word.bytes[i], std::memory_order_release);
    }
    for (size_t i = 0; i < kTriples; ++i) s.tokens[i].store(packed[i], std::memory_order_release);
    const uint64_t next = (state & ~kCountMask) + 2 * kWriting;
    s.state.store(next | n, std::memory_order_release);
  }

  Arena arena_;
};

using Pieces = WordCache<2, 1, 18>;      // 8 MiB; words that a Key holds
using ShortWords = WordCache<4, 3, 17>;  // 8 MiB
using LongWords = WordCache<8, 7, 16>;   // 8 MiB

struct WordMemory {
  Pieces pieces;
  ShortWords short_words;
  LongWords long_words;

  // kOutOfMemory
  static Result<WordMemory> create() {
    WordMemory memory;
    VITALIS_ASSIGN(memory.pieces, Pieces::create());
    VITALIS_ASSIGN(memory.short_words, ShortWords::create());
    VITALIS_ASSIGN(memory.long_words, LongWords::create());
    return memory;
  }
};

}  // namespace vitalis::tokenizer
