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

  // Fetches the step-th group's worth of the rows from n on.
  VITALIS_INLINE void fetch_group(size_t n, size_t step) const {
    fetch<kLanes * 64>(w + (n * row_blocks + step * kLanes) * kBlock);
  }

  template <size_t kRows, size_t kGroups>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t group_stride,
                                 V (&sum)[kGroups][kRows]) const {
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      group_sums(n, first + g * kLanes, x + g * group_stride, sum[g]);
    }
  }

  template <size_t kRows>
  VITALIS_INLINE void group_sums(size_t n, size_t first, const float* x, V (&sum)[kRows]) const {
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
    for (size_t r = 0; r < kRows; ++r) sum[r] = add(even[r], odd[r]);
  }

  template <size_t kCount>
  VITALIS_INLINE void fetch_blocks(size_t n, size_t block) const {
    fetch<kCount * 64>(w + (n * row_blocks + block) * kBlock);
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

  VITALIS_INLINE void fetch_group(size_t n, size_t step) const {
    const size_t block = n * row_blocks + step * kLanes;
    fetch<kLanes * 16>(blocks + block * 16);
    if (step * kLanes % 64 == 0) fetch<64>(scales + block);
  }

  // Lower and upper bytes of the 16 codes' bf16 bits, in each half.
  static VITALIS_INLINE Bits lower_bytes() {
    return _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, -0x80, -0x40, 0, 0x40, -0x80, -0x40, 0,
                                                     0, -0x80, -0x40, 0, 0x40, -0x80, -0x40));
  }
  static VITALIS_INLINE Bits upper_bytes() {
    return _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0x3F, 0x3F, 0x3F, 0x40, 0x40, 0x40, 0x40,
                                                     -0x80, -0x41, -0x41, -0x41, -0x40, -0x40,
                                                     -0x40, -0x40));
  }

  // 8 blocks in 4 registers, and 2^scale in the order of lane_of_block.
  VITALIS_INLINE void load_group(size_t n, size_t first, Bits (&z)[4], V& scale) const {
    const size_t at = n * row_blocks + first;
    const size_t left = row_blocks - first;
    const uint8_t* from = blocks + at * 16;
    uint64_t exponents = 0;
    if (left >= kLanes) {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) z[i] = load_bits(from + 32 * i);
      __builtin_memcpy(&exponents, scales + at, sizeof exponents);
    } else {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) {
        const size_t dwords = 4 * left > 8 * i ? 4 * left - 8 * i : 0;
        z[i] =
            _mm256_maskload_epi32(reinterpret_cast<const int*>(from + 32 * i), first_lanes(dwords));
      }
      for (size_t i = left; i > 0; --i) exponents = exponents << 8 | scales[at + i - 1];
    }
    const __m128i order = _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i bytes = _mm_cvtsi64_si128(static_cast<int64_t>(exponents));
    scale = _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_shuffle_epi8(bytes, order)), 23));
  }

  // Neighbouring bf16 terms of 8 blocks, in the order of lane_of_block, from 4 registers of 2
  // blocks.
  static VITALIS_INLINE void transpose_dwords(Bits (&z)[4]) {
    const Bits a = _mm256_unpacklo_epi32(z[0], z[1]), b = _mm256_unpackhi_epi32(z[0], z[1]);
    const Bits c = _mm256_unpacklo_epi32(z[2], z[3]), d = _mm256_unpackhi_epi32(z[2], z[3]);
    z[0] = _mm256_unpacklo_epi64(a, c);
    z[1] = _mm256_unpackhi_epi64(a, c);
    z[2] = _mm256_unpacklo_epi64(b, d);
    z[3] = _mm256_unpackhi_epi64(b, d);
  }

  // Adds 8 terms of one chain of each group, every second from x on.
  template <size_t kRows, size_t kGroups>
  static VITALIS_INLINE void add_terms(Bits (&z)[kGroups][4], const float* x, size_t group_stride,
                                       V (&chain)[kGroups][kRows]) {
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) transpose_dwords(z[g]);
    VITALIS_UNROLL
    for (size_t q = 0; q < 4; ++q) {
      VITALIS_UNROLL
      for (size_t g = 0; g < kGroups; ++g) {
        const V first = _mm256_castsi256_ps(_mm256_slli_epi32(z[g][q], 16));
        const V second =
            _mm256_castsi256_ps(_mm256_and_si256(z[g][q], _mm256_set1_epi32(-0x10000)));
        VITALIS_UNROLL
        for (size_t r = 0; r < kRows; ++r) {
          const float* at = x + g * group_stride + r * kGroupFloats + 4 * q * kLanes;
          chain[g][r] = fma(first, load(at), chain[g][r]);
          chain[g][r] = fma(second, load(at + 2 * kLanes), chain[g][r]);
        }
      }
    }
  }

  template <size_t kRows, size_t kGroups>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t group_stride,
                                 V (&sum)[kGroups][kRows]) const {
    Bits z[kGroups][4];
    V scale[kGroups], chain[2][kGroups][kRows];
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) load_group(n, first + g * kLanes, z[g], scale[g]);
    const Bits nibble = _mm256_set1_epi8(15), lower = lower_bytes(), upper = upper_bytes();
    VITALIS_UNROLL
    for (size_t odd = 0; odd < 2; ++odd) {
      Bits front[kGroups][4], back[kGroups][4];
      VITALIS_UNROLL
      for (size_t g = 0; g < kGroups; ++g) {
        VITALIS_UNROLL
        for (size_t r = 0; r < kRows; ++r) chain[odd][g][r] = zero();
        VITALIS_UNROLL
        for (size_t i = 0; i < 4; ++i) {
          const Bits codes =
              _mm256_and_si256(odd ? _mm256_srli_epi16(z[g][i], 4) : z[g][i], nibble);
          const Bits low = _mm256_shuffle_epi8(lower, codes);
          const Bits high = _mm256_shuffle_epi8(upper, codes);
          front[g][i] = _mm256_unpacklo_epi8(low, high);
          back[g][i] = _mm256_unpackhi_epi8(low, high);
        }
      }
      add_terms(front, x + odd * kLanes, group_stride, chain[odd]);
      add_terms(back, x + (16 + odd) * kLanes, group_stride, chain[odd]);
    }
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        sum[g][r] = mul(add(chain[0][g][r], chain[1][g][r]), scale[g]);
      }
    }
  }

  // Of the nibble that is the lowest in `at_bottom` and the highest in `at_top`: a look-up among 8
  // magnitudes, to which the fourth bit gives the sign.
  static VITALIS_INLINE V look_up(Bits at_bottom, Bits at_top) {
    const V magnitude = _mm256_permutevar8x32_ps(load(kFp4), at_bottom);
    return _mm256_or_ps(magnitude, _mm256_and_ps(_mm256_castsi256_ps(at_top), set1(-0.f)));
  }

  template <size_t kCount>
  VITALIS_INLINE void fetch_blocks(size_t n, size_t block) const {
    fetch<kCount * 16>(blocks + (n * row_blocks + block) * 16);
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
