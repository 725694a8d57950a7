// SPDX-License-Identifier: Apache-2.0
// Short entries by their own bytes: the shape of the table that finds them. Plain types, and
// nothing of std, since closed ISA files read it too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/mix.h"

namespace vitalis::tokenizer {

inline constexpr uint32_t kNone = 0xFFFFFFFF;
inline constexpr size_t kMaxShort = 15;

// The bytes of a short piece, zero-filled, and its length in the last byte.
struct Key {
  uint64_t low, high;
  bool operator==(const Key&) const = default;
};
// What longer pieces have instead: no entry's.
inline constexpr uint64_t kLongKeySize = 0xFF;

[[gnu::always_inline]] inline uint64_t hash(const Key& key) {
  return mix(key.low ^ 0x9E3779B97F4A7C15u, key.high ^ 0xD1B54A32D192ED03u);
}

struct alignas(64) Bucket {
  Key keys[3];  // a free place has length 0, which no entry has
  uint32_t ids[3];
  uint32_t overflow;  // entries that hash here and lie further on
};
static_assert(sizeof(Bucket) == 64);

}  // namespace vitalis::tokenizer
