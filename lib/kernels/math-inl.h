// SPDX-License-Identifier: Apache-2.0
// Constants and scalar bit tricks that every tier shares. Closed (see table.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace vitalis::kernels {
namespace {

// exp(x) = 2^n * p(r): n = x * log2(e) to the nearest integer (ties to even), r = x - n ln 2 in two
// fused steps, p by Horner in fused steps. Below kExpLow the result is 0, above kExpHigh that of
// kExpHigh; exp(0) is 1. The coefficients are 1/i!, which on |r| <= ln(2)/2 leaves less than 2^-24.
inline constexpr float kExpLow = -87.0f;
inline constexpr float kExpHigh = 88.0f;
inline constexpr float kLog2E = 0x1.715476p+0f;
inline constexpr float kLn2High = 0x1.62e000p-1f;  // few enough bits that n * kLn2High is exact
inline constexpr float kLn2Low = 0x1.0bfbe8p-15f;
inline constexpr float kExpCoefficients[] = {  // of r^7 down to r^0
    0x1.a01a02p-13f, 0x1.6c16c2p-10f, 0x1.111112p-7f, 0x1.555556p-5f,
    0x1.555556p-3f,  0x1.0p-1f,       0x1.0p+0f,      0x1.0p+0f};

inline constexpr float kSwigluAlpha = 1.702f;

// E2M1 values of the 16 codes.
inline constexpr float kFp4[16] = {0.f,  0.5f,  1.f,  1.5f,  2.f,  3.f,  4.f,  6.f,
                                   -0.f, -0.5f, -1.f, -1.5f, -2.f, -3.f, -4.f, -6.f};

// The i-th number from `data` on, which need not be aligned.
template <class T>
T unaligned(const void* data, size_t i) {
  T x;
  __builtin_memcpy(&x, static_cast<const char*>(data) + i * sizeof x, sizeof x);
  return x;
}

inline float from_bits(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}
inline uint32_t to_bits(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}

inline float bf16_to_f32(uint16_t x) {
  return from_bits(static_cast<uint32_t>(x) << 16);
}

// To nearest, ties to even; a NaN stays one.
inline uint16_t f32_to_bf16(float x) {
  const uint32_t bits = to_bits(x);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
inline float round_to_bf16(float x) {
  return bf16_to_f32(f32_to_bf16(x));
}

// Exact: each f16 is a float, its denormals normal ones.
inline float f16_to_f32(uint16_t x) {
  const uint32_t sign = static_cast<uint32_t>(x & 0x8000) << 16;
  const uint32_t exponent = x >> 10 & 31;
  uint32_t fraction = x & 0x3FF;
  if (exponent == 31) {
    if (fraction != 0) fraction |= 0x200;  // a NaN is made quiet, as by hardware
    return from_bits(sign | 0x7F800000u | fraction << 13);
  }
  if (exponent != 0) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  if (fraction == 0) return from_bits(sign);
  const int shift = __builtin_clz(fraction) - 21;  // brings the highest bit to place 10
  return from_bits(sign | static_cast<uint32_t>(113 - shift) << 23 |
                   (fraction << shift & 0x3FF) << 13);
}

// Blocks that hold their scales.
inline constexpr size_t kQ8Bytes = 34;
inline constexpr size_t kPackedFp4Bytes = 17;
inline constexpr uint8_t kMetalScaleBias = 14;

inline float q8_scale(const uint8_t* block) {
  return f16_to_f32(unaligned<uint16_t>(block, 0));
}

// 2^(scale - 127) of an E8M0 byte. 0 gives zero, as 2^-127 is no normal float; 255 gives infinity.
inline float e8m0_to_f32(uint8_t scale) {
  return from_bits(static_cast<uint32_t>(scale) << 23);
}

// Element offsets in the cache layouts of table.h.
inline size_t k_offset(size_t slot, size_t d, size_t head_dim) {
  return (slot / 16 * (head_dim / 2) + d / 2) * 32 + slot % 16 * 2 + d % 2;
}
inline size_t v_offset(size_t slot, size_t d, size_t head_dim) {
  return (slot / 2 * head_dim + d) * 2 + slot % 2;
}

}  // namespace
}  // namespace vitalis::kernels
