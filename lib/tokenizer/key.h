// SPDX-License-Identifier: Apache-2.0
// Keys of short pieces, made in plain C++.
#pragma once

#include <array>
#include <cstring>

#include "tokenizer/bucket.h"

namespace vitalis::tokenizer {

struct KeyMask {
  uint64_t low, high, size;
};
inline constexpr auto kKeyMasks = [] {
  std::array<KeyMask, kMaxShort + 1> table{};
  for (size_t size = 0; size <= kMaxShort; ++size) {
    const auto bits = [](size_t n) { return n >= 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * n) - 1; };
    table[size] = {bits(size), size > 8 ? bits(size - 8) : 0, static_cast<uint64_t>(size) << 56};
  }
  return table;
}();

// The key of text[0..size), size <= kMaxShort. Reads 16 bytes from `text`.
inline Key key_of_padded(const char* text, size_t size) {
  const KeyMask& mask = kKeyMasks[size];
  Key key;
  std::memcpy(&key, text, sizeof key);
  key.low &= mask.low;
  key.high = (key.high & mask.high) | mask.size;
  return key;
}
// The same, reading no more than the bytes themselves.
inline Key key_of(const char* text, size_t size) {
  char padded[16] = {};
  std::memcpy(padded, text, size);
  return key_of_padded(padded, size);
}

}  // namespace vitalis::tokenizer
