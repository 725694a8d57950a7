// SPDX-License-Identifier: Apache-2.0
// How the avx2 tier reads bf16 and MXFP4 weights; products-inl.h has the loops over them. A group
// is 8 blocks of 32 weights of one row, side by side in the lanes. Closed (see kernels/table.h).
#pragma once

#include "kernels/table.h"
#include "kernels/x86/vec_avx2-inl.h"

namespace vitalis::kernels {
namespace {

// From this many rows on lanes are rows and not blocks.
inline constexpr size_t kManyRows = 8;
inline constexpr size_t kGroupFloats = kLanes * kBlock;  // activations of one row for a group

// Where block b of a group stands: transposing the dwords of 4 registers of 2 blocks each leaves
// them in this order.
constexpr size_t lane_of_block(size_t b) {
  return b % 2 * 4 + b / 2;
}

inline Bits load_bits(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i_u*>(p));
}

struct Bf16 {
  const uint16_t* w;
  size_t row_blocks;

  // Fetches the step-th of `steps` parts of the kLanes rows from n on, or `count` parts from there.
  VITALIS_INLINE void fetch(size_t n, size_t step, size_t steps, size_t count) const {
    fetch_part(w + n * row_blocks * kBlock, row_blocks * kBlock * 2 * kLanes, step, steps, count);
  }

  template <size_t kRows>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t,
                                 V (&sum)[1][kRows]) const {
    const size_t left = row_blocks - first;
    const uint16_t* from = w + (n * row_blocks + first) * kBlock;
    V even[kRows], odd[kRows];
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
    VITALIS_UNROLL
    for (size_t half = 0; half < 2; ++half) {
      V pairs[8];
      VITALIS_UNROLL
      for (size_t b = 0; b < kLanes; ++b) {
        pairs[lane_of_block(b)] =
            b < left ? _mm256_castsi256_ps(load_bits(from + b * kBlock + half * 16)) : zero();
      }
      transpose(pairs);
      VITALIS_UNROLL
      for (size_t i = 0; i < 8; ++i) {
        const Bits both = _mm256_castps_si256(pairs[i]);
        const V low = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
        const V high = _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(-0x10000)));
        VITALIS_UNROLL
        for (size_t r = 0; r < kRows; ++r) {
          const float* at = x + r * kGroupFloats + (half * 16 + 2 * i) * kLanes;
          even[r] = fma(low, load(at), even[r]);
          odd[r] = fma(high, load(at + kLanes), odd[r]);
        }
      }
    }
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) sum[0][r] = add(even[r], odd[r]);
  }

  // One block to floats: its 16 even terms, then its 16 odd ones.
  void decode(size_t n, size_t block, float* to) const {
    for (size_t i = 0; i < 16; i += kLanes) {
      V even, odd;
      load_pairs(w + (n * row_blocks + block) * kBlock + 2 * i, even, odd);
      store(to + i, even);
      store(to + 16 + i, odd);
    }
  }
};

struct Mxfp4 {
  const uint8_t* blocks;
  const uint8_t* scales;
  size_t row_blocks;

  VITALIS_INLINE void fetch(size_t n, size_t step, size_t steps, size_t count) const {
    fetch_part(blocks + n * row_blocks * 16, row_blocks * 16 * kLanes, step, steps, count);
    if (step % 4 == 0) {
      fetch_part(scales + n * row_blocks, row_blocks * kLanes, step / 4, steps / 4, 1);
    }
  }

  // Of the nibble that is the lowest in `at_bottom` and the highest in `at_top`: magnitudes of the
  // 8 codes, to which the fourth bit gives the sign.
  static VITALIS_INLINE V look_up(Bits at_bottom, Bits at_top) {
    const V magnitude = _mm256_permutevar8x32_ps(load(kFp4), at_bottom);
    return _mm256_or_ps(magnitude, _mm256_and_ps(_mm256_castsi256_ps(at_top), set1(-0.f)));
  }

  // Dword q of 8 blocks, in the order of lane_of_block, and 2^scale.
  VITALIS_INLINE void load_group(size_t n, size_t first, Bits (&dword)[4], V& scale) const {
    const size_t at = n * row_blocks + first;
    const size_t left = row_blocks - first;
    const uint8_t* from = blocks + at * 16;
    const uint8_t* exponents = scales + at;
    uint8_t rest[kLanes * 16], rest_scales[kLanes];
    if (left < kLanes) {
      __builtin_memset(rest, 0, sizeof rest);
      __builtin_memset(rest_scales, 0, sizeof rest_scales);
      __builtin_memcpy(rest, from, left * 16);
      __builtin_memcpy(rest_scales, exponents, left);
      from = rest;
      exponents = rest_scales;
    }
    const Bits z0 = load_bits(from), z1 = load_bits(from + 32);
    const Bits z2 = load_bits(from + 64), z3 = load_bits(from + 96);
    const Bits a = _mm256_unpacklo_epi32(z0, z1), b = _mm256_unpackhi_epi32(z0, z1);
    const Bits c = _mm256_unpacklo_epi32(z2, z3), d = _mm256_unpackhi_epi32(z2, z3);
    dword[0] = _mm256_unpacklo_epi64(a, c);
    dword[1] = _mm256_unpackhi_epi64(a, c);
    dword[2] = _mm256_unpacklo_epi64(b, d);
    dword[3] = _mm256_unpackhi_epi64(b, d);
    const __m128i order = _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(exponents));
    scale = _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_shuffle_epi8(bytes, order)), 23));
  }

  // Terms 8 q + kTerm and the next, which stand in dword q of each block.
  template <int kTerm, size_t kRows>
  static VITALIS_INLINE void add_terms(Bits dword, const float* x, V (&even)[kRows],
                                       V (&odd)[kRows]) {
    const V low =
        look_up(_mm256_srli_epi32(dword, 4 * kTerm), _mm256_slli_epi32(dword, 28 - 4 * kTerm));
    const V high =
        look_up(_mm256_srli_epi32(dword, 4 * kTerm + 4), _mm256_slli_epi32(dword, 24 - 4 * kTerm));
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      const float* at = x + r * kGroupFloats + kTerm * kLanes;
      even[r] = fma(low, load(at), even[r]);
      odd[r] = fma(high, load(at + kLanes), odd[r]);
    }
  }

  template <size_t kRows>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t,
                                 V (&sum)[1][kRows]) const {
    Bits dword[4];
    V scale, even[kRows], odd[kRows];
    load_group(n, first, dword, scale);
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
    VITALIS_UNROLL
    for (size_t q = 0; q < 4; ++q) {
      const float* from = x + 8 * q * kLanes;
      add_terms<0>(dword[q], from, even, odd);
      add_terms<2>(dword[q], from, even, odd);
      add_terms<4>(dword[q], from, even, odd);
      add_terms<6>(dword[q], from, even, odd);
    }
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) sum[0][r] = mul(add(even[r], odd[r]), scale);
  }

  void decode(size_t n, size_t block, float* to) const {
    const size_t at = n * row_blocks + block;
    const V scale = set1(e8m0_to_f32(scales[at]));
    for (size_t i = 0; i < 16; i += kLanes, to += kLanes) {
      const Bits bytes = _mm256_cvtepu8_epi32(
          _mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(blocks + at * 16 + i)));
      store(to, mul(look_up(bytes, _mm256_slli_epi32(bytes, 28)), scale));
      store(to + 16,
            mul(look_up(_mm256_srli_epi32(bytes, 4), _mm256_slli_epi32(bytes, 24)), scale));
    }
  }
};

}  // namespace
}  // namespace vitalis::kernels
