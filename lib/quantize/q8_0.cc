// SPDX-License-Identifier: Apache-2.0
#include "quantize/q8_0.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace vitalis::quantize {
namespace {

constexpr float kGreatestScale = 65504;  // of f16

// 0 <= x <= kGreatestScale.
uint16_t to_f16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (x < 0x1p-14F) return static_cast<uint16_t>(std::nearbyint(x * 0x1p24F));  // subnormal
  // The lower 13 bits go: to nearest, ties to even; a carry moves into the exponent, as it should.
  const uint32_t rounded = bits + 0xFFF + (bits >> 13 & 1);
  return static_cast<uint16_t>((rounded >> 13) - ((127 - 15) << 10));
}

bool block_to_q8_0(const std::byte* from, std::byte* to) {
  float x[kBlockNumbers];
  uint32_t greatest_bits = 0;  // magnitudes are in the order of their bits
  for (size_t i = 0; i < kBlockNumbers; ++i) {
    const auto low = std::to_integer<uint32_t>(from[2 * i]);
    const auto high = std::to_integer<uint32_t>(from[2 * i + 1]);
    const uint32_t bits = high << 24 | low << 16;
    x[i] = std::bit_cast<float>(bits);
    greatest_bits = std::max(greatest_bits, bits & 0x7FFF'FFFF);
  }
  const float scale = std::bit_cast<float>(greatest_bits) / 127;
  if (!(scale <= kGreatestScale)) return false;  // nor a NaN
  // Below the normal numbers an inverse may be infinite; the scale is stored as zero there.
  const float inverse = scale >= 0x1p-126F ? 1 / scale : 0;
  const uint16_t stored = to_f16(scale);
  to[0] = static_cast<std::byte>(stored);
  to[1] = static_cast<std::byte>(stored >> 8);
  for (size_t i = 0; i < kBlockNumbers; ++i) {
    const float steps = x[i] * inverse;
    const auto whole = static_cast<int32_t>(steps);
    const float rest = steps - static_cast<float>(whole);  // exact
    to[2 + i] = static_cast<std::byte>(whole + (rest >= 0.5F) - (rest <= -0.5F));
  }
  return true;
}

}  // namespace

size_t bf16_to_q8_0(const std::byte* from, size_t blocks, std::byte* to) {
  for (size_t b = 0; b < blocks; ++b) {
    if (!block_to_q8_0(from + b * kBf16BlockBytes, to + b * kQ8BlockBytes)) return b;
  }
  return blocks;
}

}  // namespace vitalis::quantize
