// SPDX-License-Identifier: Apache-2.0
// From bf16 to Q8_0: 32 numbers become an f16 scale, little-endian, and 32 signed bytes. The rule
// is that of GGUF's converters, step by step in fp32, so the blocks are those of a GGUF file:
// d = greatest / 127, byte = x * (1 / d) to the nearest, halves away from zero, scale = d in f16,
// to the nearest, ties to even.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitalis::quantize {

inline constexpr size_t kBlockNumbers = 32;
inline constexpr size_t kBf16BlockBytes = 64;
inline constexpr size_t kQ8BlockBytes = 34;

// Returns how many of the blocks were written: fewer than `blocks` if the next one holds a number
// that is not finite, or too great for a scale in f16.
size_t bf16_to_q8_0(const std::byte* from, size_t blocks, std::byte* to);

}  // namespace vitalis::quantize
