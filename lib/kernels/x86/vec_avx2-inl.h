// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary of the avx2 tier: 8 floats. vec_avx512-inl.h has the same words for 16 and
// says what they mean. Closed (see kernels/table.h).
#pragma once

#include <immintrin.h>

#include "kernels/math-inl.h"
#include "kernels/x86/loops-inl.h"

namespace vitalis::kernels {
namespace {

using V = __m256;
using Bits = __m256i;
inline constexpr size_t kLanes = 8;

// What 16 registers hold.
inline constexpr size_t kHeadsAtOnce = 4;
inline constexpr size_t kFewRowsAtOnce = 4;
inline constexpr size_t kGroupsAtOnce = 2;
inline constexpr size_t kTileSums = 6;
inline constexpr size_t kTileVectors = 2;

inline V zero() {
  return _mm256_setzero_ps();
}
inline V set1(float x) {
  return _mm256_set1_ps(x);
}
inline V load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline void store(float* p, V x) {
  _mm256_storeu_ps(p, x);
}
// All bits set in the first n lanes.
inline Bits first_lanes(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline V load_first(const float* p, size_t n) {
  return _mm256_maskload_ps(p, first_lanes(n));
}
inline void store_first(float* p, V x, size_t n) {
  _mm256_maskstore_ps(p, first_lanes(n), x);
}

inline V add(V a, V b) {
  return _mm256_add_ps(a, b);
}
inline V sub(V a, V b) {
  return _mm256_sub_ps(a, b);
}
inline V mul(V a, V b) {
  return _mm256_mul_ps(a, b);
}
inline V div(V a, V b) {
  return _mm256_div_ps(a, b);
}
inline V fma(V a, V b, V c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline V min_of(V a, V b) {
  return _mm256_min_ps(b, a);
}
inline V max_of(V a, V b) {
  return _mm256_max_ps(b, a);
}
inline V zero_where_below(V x, V a, V bound) {
  return _mm256_and_ps(x, _mm256_cmp_ps(a, bound, _CMP_NLT_UQ));
}
inline V select_lanes(V a, V b, size_t from, size_t to) {
  const Bits inside = _mm256_andnot_si256(first_lanes(from), first_lanes(to));
  return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(inside));
}

inline V round_to_integer(V x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline V scale_by_power(V p, V n) {
  const Bits shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), shift));
}

inline V round_bf16(V x) {
  const Bits bits = _mm256_castps_si256(x);
  const Bits odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const Bits up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const V nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
  const Bits quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const V rounded = _mm256_blendv_ps(_mm256_castsi256_ps(up), _mm256_castsi256_ps(quiet), nan);
  return _mm256_and_ps(rounded, _mm256_castsi256_ps(_mm256_set1_epi32(-0x10000)));
}
inline V load_bf16(const uint16_t* p) {
  const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(narrow), 16));
}
inline V load_bf16_first(const uint16_t* p, size_t n) {
  uint16_t first[kLanes] = {};
  for (size_t i = 0; i < n; ++i) first[i] = unaligned<uint16_t>(p, i);
  return load_bf16(first);
}
inline V load_f16(const uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p)));
}
inline V load_s8(const uint8_t* p) {
  return _mm256_cvtepi32_ps(
      _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(p))));
}

inline void load_pairs(const uint16_t* p, V& even, V& odd) {
  const Bits both = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p));
  even = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  odd = _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(-0x10000)));
}
inline void load_pairs(const float* p, V& even, V& odd) {
  const V a = load(p), b = load(p + 8);
  const __m256d low = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
  const __m256d high = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xDD));
  even = _mm256_castpd_ps(_mm256_permute4x64_pd(low, 0xD8));
  odd = _mm256_castpd_ps(_mm256_permute4x64_pd(high, 0xD8));
}

inline float fold(V x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float fold_max(V x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

VITALIS_INLINE void transpose(V (&x)[8]) {
  V t[8], u[8];
  VITALIS_UNROLL
  for (size_t i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
  }
  VITALIS_UNROLL
  for (size_t i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
  }
  VITALIS_UNROLL
  for (size_t i = 0; i < 4; ++i) {
    x[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    x[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}

}  // namespace
}  // namespace vitalis::kernels
