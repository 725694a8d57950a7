// SPDX-License-Identifier: Apache-2.0
// Every load of a slot acquires and every store releases, so that neither moves across the sequence
// number's; on x86-64 both are plain moves.
#include "tokenizer/word_cache.h"

#include <algorithm>

namespace vitalis::tokenizer {
namespace {

constexpr uint64_t kCountBits = 8;
constexpr uint64_t kWriting = uint64_t{1} << kCountBits;
constexpr uint64_t kTokenMask = (uint64_t{1} << 21) - 1;

}  // namespace

WordCache::Word WordCache::word_of(std::string_view word) {
  if (word.size() <= kMaxShort) {
    const Key key = key_of(word.data(), word.size());
    return word_of(key, hash(key));
  }
  char bytes[32] = {};
  std::copy(word.begin(), word.end(), bytes);
  bytes[31] = static_cast<char>(word.size());
  Word out;
  std::memcpy(out.bytes.data(), bytes, sizeof bytes);
  out.hashed = mix(mix(out.bytes[0] ^ 0x9E3779B97F4A7C15u, out.bytes[1] ^ 0xD1B54A32D192ED03u),
                   mix(out.bytes[2] ^ 0x8BB84B93962EACC9u, out.bytes[3] ^ 0x4B33A62ED433D4A3u));
  return out;
}

Result<WordCache> WordCache::create() {
  WordCache cache;
  VITALIS_ASSIGN(cache.arena_, Arena::allocate(kSlots * sizeof(Slot)));
  return cache;
}

size_t WordCache::find(const Word& word, Token (&out)[kMaxTokens]) const {
  const Slot* slots = pair_of(word);
  const size_t n = read(slots[0], word, out);
  return n != 0 ? n : read(slots[1], word, out);
}

size_t WordCache::read(const Slot& s, const Word& word, Token (&out)[kMaxTokens]) {
  const uint64_t state = s.state.load(std::memory_order_acquire);
  for (size_t i = 0; i < word.bytes.size(); ++i) {
    if (s.bytes[i].load(std::memory_order_acquire) != word.bytes[i]) return 0;
  }
  uint64_t packed[3];
  for (int i = 0; i < 3; ++i) packed[i] = s.tokens[i].load(std::memory_order_acquire);
  if (state & kWriting || s.state.load(std::memory_order_relaxed) != state) return 0;
  for (size_t i = 0; i < kMaxTokens; ++i) {
    out[i] = static_cast<Token>(packed[i / 3] >> 21 * (i % 3) & kTokenMask);
  }
  return state & (kWriting - 1);
}

void WordCache::learn(const Word& word, std::span<const Token> tokens) const {
  if (tokens.size() > kMaxTokens) return;
  // The emptier of the two, else the one that a bit of the word's own hash picks.
  Slot* slots = pair_of(word);
  const bool full[2] = {slots[0].state.load(std::memory_order_relaxed) != 0,
                        slots[1].state.load(std::memory_order_relaxed) != 0};
  Slot& s = slots[full[0] == full[1] ? word.hashed & 1 : full[0]];
  uint64_t state = s.state.load(std::memory_order_relaxed);
  // Another thread is writing here: one of the two words is lost, as when it came later.
  if (state & kWriting ||
      !s.state.compare_exchange_strong(state, state + kWriting, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
    return;
  }
  uint64_t packed[3] = {};
  for (size_t i = 0; i < tokens.size(); ++i) {
    packed[i / 3] |= static_cast<uint64_t>(tokens[i]) << 21 * (i % 3);
  }
  for (size_t i = 0; i < word.bytes.size(); ++i) {
    s.bytes[i].store(word.bytes[i], std::memory_order_release);
  }
  for (int i = 0; i < 3; ++i) s.tokens[i].store(packed[i], std::memory_order_release);
  const uint64_t next = (state & ~(kWriting - 1)) + 2 * kWriting;
  s.state.store(next | tokens.size(), std::memory_order_release);
}

}  // namespace vitalis::tokenizer
