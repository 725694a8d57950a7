// SPDX-License-Identifier: Apache-2.0
// The one arithmetic step of every hash here: a 64 by 64 bit product, folded. Always inlined, so
// that closed ISA files may use it.
#pragma once

#include <stdint.h>

namespace vitalis::tokenizer {

__extension__ using Uint128 = unsigned __int128;

[[gnu::always_inline]] inline uint64_t mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<Uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// A hash as an index below n, without a division.
[[gnu::always_inline]] inline uint64_t scale(uint64_t hashed, uint64_t n) {
  return static_cast<uint64_t>(static_cast<Uint128>(hashed) * n >> 64);
}

}  // namespace vitalis::tokenizer
