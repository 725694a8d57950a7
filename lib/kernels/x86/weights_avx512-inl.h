// SPDX-License-Identifier: Apache-2.0
// How the avx512 tier reads bf16 and MXFP4 weights; products-inl.h has the loops over them. A group
// is 16 blocks of 32 weights of one row, side by side in the lanes. Closed (see kernels/table.h).
#pragma once

#include "kernels/table.h"
#include "kernels/x86/vec_avx512-inl.h"

namespace vitalis::kernels {
namespace {

// From this many rows on lanes are rows and not blocks.
inline constexpr size_t kManyRows = 15;
inline constexpr size_t kGroupFloats = kLanes * kBlock;  // activations of one row for 16 blocks

// Where block b of a group of 16 stands: transposing the dwords of 4 registers of 4 blocks each
// leaves them in this order.
constexpr size_t lane_of_block(size_t b) {
  return b % 4 * 4 + b / 4;
}

// How many of a group's 16 blocks a row still has.
inline size_t in_group(size_t blocks, size_t first) {
  return blocks - first < kLanes ? blocks - first : kLanes;
}

struct Bf16 {
  const uint16_t* w;
  size_t row_blocks;

  // Fetches the step-th group's worth of the rows from n on.
  VITALIS_INLINE void fetch_group(size_t n, size_t step) const {
    fetch<kLanes * 64>(w + (n * row_blocks + step * kLanes) * kBlock);
  }

  VITALIS_INLINE void load_group(size_t n, size_t first, V (&pairs)[16]) const {
    const size_t count = in_group(row_blocks, first);
    const uint16_t* from = w + (n * row_blocks + first) * kBlock;
    if (count == kLanes) {
      VITALIS_UNROLL
      for (size_t b = 0; b < kLanes; ++b) {
        pairs[lane_of_block(b)] = _mm512_loadu_ps(from + b * kBlock);
      }
    } else {
      VITALIS_UNROLL
      for (size_t b = 0; b < kLanes; ++b) {
        pairs[lane_of_block(b)] = b < count ? _mm512_loadu_ps(from + b * kBlock) : zero();
      }
    }
    transpose(pairs);
  }

  template <size_t kRows, size_t kGroups>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t group_stride,
                                 V (&sum)[kGroups][kRows]) const {
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      V pairs[16];
      load_group(n, first + g * kLanes, pairs);
      V even[kRows], odd[kRows];
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
      VITALIS_UNROLL
      for (size_t i = 0; i < 16; ++i) {
        const Bits both = _mm512_castps_si512(pairs[i]);
        const V low = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
        const V high = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(-0x10000)));
        VITALIS_UNROLL
        for (size_t r = 0; r < kRows; ++r) {
          const float* at = x + g * group_stride + r * kGroupFloats + 2 * i * kLanes;
          even[r] = fma(low, load(at), even[r]);
          odd[r] = fma(high, load(at + kLanes), odd[r]);
        }
      }
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) sum[g][r] = add(even[r], odd[r]);
    }
  }

  template <size_t kCount>
  VITALIS_INLINE void fetch_blocks(size_t n, size_t block) const {
    fetch<kCount * 64>(w + (n * row_blocks + block) * kBlock);
  }

  // One block to floats: its 16 even terms, then its 16 odd ones.
  void decode(size_t n, size_t block, float* to) const {
    V even, odd;
    load_pairs(w + (n * row_blocks + block) * kBlock, even, odd);
    store(to, even);
    store(to + 16, odd);
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

  static V values() { return _mm512_loadu_ps(kFp4); }
  // bf16 bits of the 16 codes, twice: look-ups take 5 bits, of which the upper is not the code's.
  static Bits codes() {
    return _mm512_broadcast_i64x4(_mm256_setr_epi16(0, 0x3F00, 0x3F80, 0x3FC0, 0x4000, 0x4040,
                                                    0x4080, 0x40C0, -0x8000, -0x4100, -0x4080,
                                                    -0x4040, -0x4000, -0x3FC0, -0x3F80, -0x3F40));
  }

  // Dword q of 16 blocks, in the order of lane_of_block, and 2^scale.
  VITALIS_INLINE void load_group(size_t n, size_t first, Bits (&dword)[4], V& scale) const {
    const size_t at = n * row_blocks + first;
    const size_t count = in_group(row_blocks, first);
    const uint8_t* from = blocks + at * 16;
    Bits z[4];
    __m128i bytes;
    if (count == kLanes) {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) z[i] = _mm512_loadu_si512(from + i * 64);
      bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(scales + at));
    } else {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) {
        const uint64_t dwords = (uint64_t{1} << 4 * count) - 1;
        z[i] = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(dwords >> 16 * i), from + i * 64);
      }
      bytes = _mm_maskz_loadu_epi8(first_lanes(count), scales + at);
    }
    const Bits a = _mm512_unpacklo_epi32(z[0], z[1]), b = _mm512_unpackhi_epi32(z[0], z[1]);
    const Bits c = _mm512_unpacklo_epi32(z[2], z[3]), d = _mm512_unpackhi_epi32(z[2], z[3]);
    dword[0] = _mm512_unpacklo_epi64(a, c);
    dword[1] = _mm512_unpackhi_epi64(a, c);
    dword[2] = _mm512_unpacklo_epi64(b, d);
    dword[3] = _mm512_unpackhi_epi64(b, d);
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    scale = _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu8_epi32(_mm_shuffle_epi8(bytes, order)), 23));
  }

  template <size_t kRows, size_t kGroups>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t group_stride,
                                 V (&sum)[kGroups][kRows]) const {
    Bits dword[kGroups][4];
    V scale[kGroups], even[kGroups][kRows], odd[kGroups][kRows];
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      load_group(n, first + g * kLanes, dword[g], scale[g]);
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) even[g][r] = odd[g][r] = zero();
    }
    const Bits narrow = codes();
    const V wide = values();
    VITALIS_UNROLL
    for (size_t q = 0; q < 4; ++q) {
      VITALIS_UNROLL
      for (size_t g = 0; g < kGroups; ++g) {
        // Nibble i of the lower half of a dword is term i, of the upper half term 4 + i. A look-up
        // of dwords sees the nibble at the bottom, one of words that keeps the odd words the other.
        const Bits nibble[4] = {dword[g][q], _mm512_srli_epi16(dword[g][q], 4),
                                _mm512_srli_epi16(dword[g][q], 8),
                                _mm512_srli_epi16(dword[g][q], 12)};
        VITALIS_UNROLL
        for (size_t i = 0; i < 8; i += 2) {
          const auto term = [&](size_t j) {
            return j < 4 ? _mm512_permutexvar_ps(nibble[j], wide)
                         : _mm512_castsi512_ps(
                               _mm512_maskz_permutexvar_epi16(0xAAAAAAAA, nibble[j - 4], narrow));
          };
          const V low = term(i), high = term(i + 1);
          VITALIS_UNROLL
          for (size_t r = 0; r < kRows; ++r) {
            const float* at = x + g * group_stride + r * kGroupFloats + (8 * q + i) * kLanes;
            even[g][r] = fma(low, load(at), even[g][r]);
            odd[g][r] = fma(high, load(at + kLanes), odd[g][r]);
          }
        }
      }
    }
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) sum[g][r] = mul(add(even[g][r], odd[g][r]), scale[g]);
    }
  }

  template <size_t kCount>
  VITALIS_INLINE void fetch_blocks(size_t n, size_t block) const {
    fetch<kCount * 16>(blocks + (n * row_blocks + block) * 16);
  }

  void decode(size_t n, size_t block, float* to) const {
    const size_t at = n * row_blocks + block;
    const V wide = values();
    const V scale = set1(e8m0_to_f32(scales[at]));
    const Bits bytes =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(blocks + at * 16)));
    store(to, mul(_mm512_permutexvar_ps(bytes, wide), scale));
    store(to + 16, mul(_mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), wide), scale));
  }
};

}  // namespace
}  // namespace vitalis::kernels
