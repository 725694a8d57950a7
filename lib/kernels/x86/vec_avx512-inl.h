// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary of the avx512 tier: 16 floats, and what the shared loops (rows-inl.h,
// attention-inl.h, products-inl.h) ask of them. vec_avx2-inl.h has the same words for 8.
// Closed (see kernels/table.h).
#pragma once

#include <immintrin.h>

#include "kernels/math-inl.h"
#include "kernels/x86/loops-inl.h"

namespace vitalis::kernels {
namespace {

using V = __m512;
using Bits = __m512i;
inline constexpr size_t kLanes = 16;

// What 32 registers hold.
inline constexpr size_t kHeadsAtOnce = 8;    // attention: two chains and a sum for each head
inline constexpr size_t kFewRowsAtOnce = 8;  // products with few rows: two chains for each
inline constexpr size_t kGroupsAtOnce = 2;   // of blocks, with one row: chains that overlap
inline constexpr size_t kTileSums = 12;      // products with many: two chains for each output
inline constexpr size_t kTileVectors = 3;    // of which at most so many side by side in a row

inline V zero() {
  return _mm512_setzero_ps();
}
inline V set1(float x) {
  return _mm512_set1_ps(x);
}
inline V load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void store(float* p, V x) {
  _mm512_storeu_ps(p, x);
}
inline __mmask16 first_lanes(size_t n) {
  return static_cast<__mmask16>((1u << n) - 1);
}
// The first n < kLanes elements; the other lanes are zero, and memory behind is not touched.
inline V load_first(const float* p, size_t n) {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
inline void store_first(float* p, V x, size_t n) {
  _mm512_mask_storeu_ps(p, first_lanes(n), x);
}

inline V add(V a, V b) {
  return _mm512_add_ps(a, b);
}
inline V sub(V a, V b) {
  return _mm512_sub_ps(a, b);
}
inline V mul(V a, V b) {
  return _mm512_mul_ps(a, b);
}
inline V div(V a, V b) {
  return _mm512_div_ps(a, b);
}
inline V fma(V a, V b, V c) {
  return _mm512_fmadd_ps(a, b, c);
}
// std::min(a, b) and std::max(a, b): a where neither is smaller or one is NaN.
inline V min_of(V a, V b) {
  return _mm512_min_ps(b, a);
}
inline V max_of(V a, V b) {
  return _mm512_max_ps(b, a);
}
// x, or +0 in the lanes where `a` is below `bound`.
inline V zero_where_below(V x, V a, V bound) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, bound, _CMP_NLT_UQ), x);
}
// a in lanes [from, to), b elsewhere; from <= to <= kLanes.
inline V select_lanes(V a, V b, size_t from, size_t to) {
  return _mm512_mask_mov_ps(b, static_cast<__mmask16>((1u << to) - (1u << from)), a);
}

inline V round_to_integer(V x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// The bits of p plus n << 23: p times 2^n.
inline V scale_by_power(V p, V n) {
  const Bits shift = _mm512_slli_epi32(_mm512_cvtps_epi32(n), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), shift));
}

inline V round_bf16(V x) {
  const Bits bits = _mm512_castps_si512(x);
  const Bits odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const Bits up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  const Bits quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  return _mm512_castsi512_ps(
      _mm512_and_si512(_mm512_mask_mov_epi32(up, nan, quiet), _mm512_set1_epi32(-0x10000)));
}
inline V load_bf16(const uint16_t* p) {
  const __m256i narrow = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
}
inline V load_bf16_first(const uint16_t* p, size_t n) {
  const __m256i narrow = _mm256_maskz_loadu_epi16(first_lanes(n), p);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
}
inline V load_f16(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p)));
}
// Signed bytes.
inline V load_s8(const uint8_t* p) {
  return _mm512_cvtepi32_ps(
      _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p))));
}
// 2 * kLanes values side by side: those at even places and those at odd ones.
inline void load_pairs(const uint16_t* p, V& even, V& odd) {
  const Bits both = _mm512_loadu_si512(p);
  even = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
  odd = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(-0x10000)));
}
inline void load_pairs(const float* p, V& even, V& odd) {
  const Bits places = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const V a = load(p), b = load(p + 16);
  even = _mm512_permutex2var_ps(a, places, b);
  odd = _mm512_permutex2var_ps(a, _mm512_or_si512(places, _mm512_set1_epi32(1)), b);
}

// Lanes folded in halves, each register's upper half onto its lower.
inline float fold(V x) {
  const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), upper);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float fold_max(V x) {
  const __m256 upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), upper);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

// In place: lane n of register l from lane l of register n.
VITALIS_INLINE void transpose(V (&x)[16]) {
  Bits t[16], u[16];
  VITALIS_UNROLL
  for (size_t i = 0; i < 16; i += 2) {
    const Bits a = _mm512_castps_si512(x[i]), b = _mm512_castps_si512(x[i + 1]);
    t[i] = _mm512_unpacklo_epi32(a, b);
    t[i + 1] = _mm512_unpackhi_epi32(a, b);
  }
  VITALIS_UNROLL
  for (size_t i = 0; i < 16; i += 4) {
    u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  VITALIS_UNROLL
  for (size_t i = 0; i < 4; ++i) {
    const Bits ab = _mm512_shuffle_i32x4(u[i], u[i + 4], 0x44);
    const Bits ab2 = _mm512_shuffle_i32x4(u[i], u[i + 4], 0xEE);
    const Bits cd = _mm512_shuffle_i32x4(u[i + 8], u[i + 12], 0x44);
    const Bits cd2 = _mm512_shuffle_i32x4(u[i + 8], u[i + 12], 0xEE);
    x[i] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(ab, cd, 0x88));
    x[i + 4] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(ab, cd, 0xDD));
    x[i + 8] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(ab2, cd2, 0x88));
    x[i + 12] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(ab2, cd2, 0xDD));
  }
}

}  // namespace
}  // namespace vitalis::kernels
