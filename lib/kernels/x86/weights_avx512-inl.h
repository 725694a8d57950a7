// SPDX-License-Identifier: Apache-2.0
// How the avx512 tier reads weights; products-inl.h has the loops over them. A group is 16 blocks
// of 32 weights of one row, side by side in the lanes. Closed (see kernels/table.h).
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

// 16 bytes of each of 16 blocks that lie kStride bytes apart, four blocks to a register; zeros for
// those from `count` on.
template <size_t kStride>
VITALIS_INLINE void load_quarters(const uint8_t* from, size_t count, Bits (&z)[4]) {
  const auto block = [=](size_t b) {
    return b < count ? _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(from + b * kStride))
                     : _mm_setzero_si128();
  };
  VITALIS_UNROLL
  for (size_t i = 0; i < 4; ++i) {
    z[i] = _mm512_castsi128_si512(block(4 * i));
    z[i] = _mm512_inserti32x4(z[i], block(4 * i + 1), 1);
    z[i] = _mm512_inserti32x4(z[i], block(4 * i + 2), 2);
    z[i] = _mm512_inserti32x4(z[i], block(4 * i + 3), 3);
  }
}

// Dword q of 16 blocks, in the order of lane_of_block, from 4 registers of 4 blocks.
VITALIS_INLINE void transpose_dwords(const Bits (&z)[4], Bits (&dword)[4]) {
  const Bits a = _mm512_unpacklo_epi32(z[0], z[1]), b = _mm512_unpackhi_epi32(z[0], z[1]);
  const Bits c = _mm512_unpacklo_epi32(z[2], z[3]), d = _mm512_unpackhi_epi32(z[2], z[3]);
  dword[0] = _mm512_unpacklo_epi64(a, c);
  dword[1] = _mm512_unpackhi_epi64(a, c);
  dword[2] = _mm512_unpacklo_epi64(b, d);
  dword[3] = _mm512_unpackhi_epi64(b, d);
}

// Bytes in the order of blocks to one of lanes.
VITALIS_INLINE __m128i in_lane_order(__m128i bytes) {
  return _mm_shuffle_epi8(bytes,
                          _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}

// ---- 16 bits a weight ----

// What two neighbouring weights in a dword are.
struct Bf16 {
  static VITALIS_INLINE V low(Bits both) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
  }
  static VITALIS_INLINE V high(Bits both) {
    return _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(-0x10000)));
  }
};
struct F16 {
  static VITALIS_INLINE V low(Bits both) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(both)); }
  static VITALIS_INLINE V high(Bits both) { return low(_mm512_srli_epi32(both, 16)); }
};

template <class Format>
struct Narrow {
  static constexpr bool kScaled = false;
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
        const V low = Format::low(both), high = Format::high(both);
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
    const Bits both = _mm512_loadu_si512(w + (n * row_blocks + block) * kBlock);
    store(to, Format::low(both));
    store(to + 16, Format::high(both));
  }
};

// ---- floats ----

struct F32 {
  static constexpr bool kScaled = false;
  const float* w;
  size_t row_blocks;

  VITALIS_INLINE void fetch_group(size_t n, size_t step) const {
    fetch<kLanes * 128>(w + (n * row_blocks + step * kLanes) * kBlock);
  }

  template <size_t kRows, size_t kGroups>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t group_stride,
                                 V (&sum)[kGroups][kRows]) const {
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      const size_t count = in_group(row_blocks, first + g * kLanes);
      const float* from = w + (n * row_blocks + first + g * kLanes) * kBlock;
      V even[kRows], odd[kRows];
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
      for (size_t half = 0; half < kBlock; half += kLanes) {
        V term[kLanes];
        VITALIS_UNROLL
        for (size_t b = 0; b < kLanes; ++b) {
          term[lane_of_block(b)] = b < count ? load(from + b * kBlock + half) : zero();
        }
        transpose(term);
        VITALIS_UNROLL
        for (size_t i = 0; i < kLanes; i += 2) {
          VITALIS_UNROLL
          for (size_t r = 0; r < kRows; ++r) {
            const float* at = x + g * group_stride + r * kGroupFloats + (half + i) * kLanes;
            even[r] = fma(term[i], load(at), even[r]);
            odd[r] = fma(term[i + 1], load(at + kLanes), odd[r]);
          }
        }
      }
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) sum[g][r] = add(even[r], odd[r]);
    }
  }

  template <size_t kCount>
  VITALIS_INLINE void fetch_blocks(size_t n, size_t block) const {
    fetch<kCount * 128>(w + (n * row_blocks + block) * kBlock);
  }

  void decode(size_t n, size_t block, float* to) const {
    V even, odd;
    load_pairs(w + (n * row_blocks + block) * kBlock, even, odd);
    store(to, even);
    store(to + 16, odd);
  }
};

// ---- Q8_0 ----

struct Q8 {
  static constexpr bool kScaled = true;
  const uint8_t* w;
  size_t row_blocks;

  VITALIS_INLINE const uint8_t* at(size_t n, size_t block) const {
    return w + (n * row_blocks + block) * kQ8Bytes;
  }
  VITALIS_INLINE void fetch_group(size_t n, size_t step) const {
    fetch<kLanes * kQ8Bytes>(at(n, step * kLanes));
  }

  // Of `count` blocks, in the order of lane_of_block.
  static VITALIS_INLINE V load_scales(const uint8_t* from, size_t count) {
    uint16_t scales[kLanes] = {};
    VITALIS_UNROLL
    for (size_t b = 0; b < kLanes; ++b) {
      if (b < count) __builtin_memcpy(scales + lane_of_block(b), from + b * kQ8Bytes, 2);
    }
    return load_f16(scales);
  }

  template <size_t kRows, size_t kGroups>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t group_stride,
                                 V (&sum)[kGroups][kRows]) const {
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      const size_t count = in_group(row_blocks, first + g * kLanes);
      const uint8_t* from = at(n, first + g * kLanes);
      const V scale = load_scales(from, count);
      V even[kRows], odd[kRows];
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
      for (size_t half = 0; half < kBlock; half += 16) {
        Bits z[4], dword[4];
        load_quarters<kQ8Bytes>(from + 2 + half, count, z);
        transpose_dwords(z, dword);
        VITALIS_UNROLL
        for (size_t q = 0; q < 4; ++q) {
          const auto term = [&](int i) {
            const Bits top = i == 3 ? dword[q] : _mm512_slli_epi32(dword[q], 24 - 8 * i);
            return _mm512_cvtepi32_ps(_mm512_srai_epi32(top, 24));
          };
          const V terms[4] = {term(0), term(1), term(2), term(3)};
          VITALIS_UNROLL
          for (size_t i = 0; i < 4; i += 2) {
            VITALIS_UNROLL
            for (size_t r = 0; r < kRows; ++r) {
              const float* to =
                  x + g * group_stride + r * kGroupFloats + (half + 4 * q + i) * kLanes;
              even[r] = fma(terms[i], load(to), even[r]);
              odd[r] = fma(terms[i + 1], load(to + kLanes), odd[r]);
            }
          }
        }
      }
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) sum[g][r] = mul(add(even[r], odd[r]), scale);
    }
  }

  template <size_t kCount>
  VITALIS_INLINE void fetch_blocks(size_t n, size_t block) const {
    fetch<kCount * kQ8Bytes>(at(n, block));
  }

  void decode(size_t n, size_t block, float* to) const {
    const uint8_t* bytes = at(n, block) + 2;
    float terms[kBlock];
    store(terms, load_s8(bytes));
    store(terms + 16, load_s8(bytes + 16));
    V even, odd;
    load_pairs(terms, even, odd);
    store(to, even);
    store(to + 16, odd);
  }

  float scale(size_t n, size_t block) const { return q8_scale(at(n, block)); }
};

// ---- MXFP4 ----

// Where codes and scales lie. load_group: four blocks of codes to a register, and the scale bytes
// in the order of lane_of_block, a dword each.
template <uint8_t kBias>
struct Apart {
  static constexpr size_t kCodeBytes = 16;
  const uint8_t* blocks;
  const uint8_t* scales;

  VITALIS_INLINE void fetch_group(size_t block) const { fetch<kLanes * 16>(blocks + block * 16); }
  // `step` is the number of the group: one line of scales serves four.
  VITALIS_INLINE void fetch_scales(size_t block, size_t step) const {
    if (step * kLanes % 64 == 0) fetch<64>(scales + block);
  }

  VITALIS_INLINE void load_group(size_t at, size_t count, Bits (&z)[4], Bits& exponents) const {
    const uint8_t* from = blocks + at * 16;
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
    if constexpr (kBias != 0) bytes = _mm_subs_epu8(bytes, _mm_set1_epi8(kBias));
    exponents = _mm512_cvtepu8_epi32(in_lane_order(bytes));
  }

  const uint8_t* codes(size_t block) const { return blocks + block * 16; }
  uint8_t exponent(size_t block) const {
    return scales[block] < kBias ? 0 : static_cast<uint8_t>(scales[block] - kBias);
  }
};

struct Together {
  static constexpr size_t kCodeBytes = kPackedFp4Bytes;
  const uint8_t* blocks;

  VITALIS_INLINE void fetch_group(size_t block) const {
    fetch<kLanes * kPackedFp4Bytes>(blocks + block * kPackedFp4Bytes);
  }
  VITALIS_INLINE void fetch_scales(size_t, size_t) const {}

  // 64 bytes from every fourth block on hold the scales of four, that of the j-th as byte j of
  // 128-bit lane j.
  VITALIS_INLINE void load_group(size_t at, size_t count, Bits (&z)[4], Bits& exponents) const {
    const uint8_t* from = blocks + at * kPackedFp4Bytes;
    load_quarters<kPackedFp4Bytes>(from + 1, count, z);
    exponents = _mm512_setzero_si512();
    const Bits lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    VITALIS_UNROLL
    for (size_t i = 0; i < 4; ++i) {
      Bits four;
      if (count == kLanes) {
        four = _mm512_loadu_si512(from + i * 4 * kPackedFp4Bytes);
      } else {
        const size_t left = count > 4 * i ? (count - 4 * i) * kPackedFp4Bytes : 0;
        const __mmask64 bytes = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
        four = _mm512_maskz_loadu_epi8(bytes, from + i * 4 * kPackedFp4Bytes);
      }
      // The byte goes to dword i of its lane; the others become zero.
      const Bits picked =
          _mm512_maskz_shuffle_epi8(__mmask64{0x0001000100010001} << 4 * i, four, lane);
      exponents = _mm512_or_si512(exponents, picked);
    }
  }

  const uint8_t* codes(size_t block) const { return blocks + block * kPackedFp4Bytes + 1; }
  uint8_t exponent(size_t block) const { return blocks[block * kPackedFp4Bytes]; }
};

// Which nibbles are which terms. words(): four registers in whose 16-bit words a nibble is at the
// bottom; term t of the eight from 8q on is that in the lower (half 0) or upper word of each dword
// of register place(t).
struct Pairs {  // byte j: terms 2j and 2j + 1
  struct Place {
    size_t word, half;
  };
  static VITALIS_INLINE void words(const Bits (&dword)[4], size_t q, Bits (&out)[4]) {
    out[0] = dword[q];
    out[1] = _mm512_srli_epi16(dword[q], 4);
    out[2] = _mm512_srli_epi16(dword[q], 8);
    out[3] = _mm512_srli_epi16(dword[q], 12);
  }
  static constexpr Place place(size_t term) { return {term % 4, term / 4}; }
  // 16 bytes, one to a dword, to even and odd terms.
  static VITALIS_INLINE void split(Bits bytes, V wide, V& even, V& odd) {
    even = _mm512_permutexvar_ps(bytes, wide);
    odd = _mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), wide);
  }
};
struct Halves {  // byte j: terms j and j + 16
  static VITALIS_INLINE void words(const Bits (&dword)[4], size_t q, Bits (&out)[4]) {
    const unsigned shift = q < 2 ? 0 : 4;
    VITALIS_UNROLL
    for (size_t i = 0; i < 2; ++i) {
      const Bits four = dword[q % 2 * 2 + i];
      out[2 * i] = _mm512_srli_epi16(four, shift);
      out[2 * i + 1] = _mm512_srli_epi16(four, 8 + shift);
    }
  }
  static constexpr Pairs::Place place(size_t term) {
    return {term / 4 * 2 + term % 2, term % 4 / 2};
  }
  static VITALIS_INLINE void split(Bits bytes, V wide, V& even, V& odd) {
    const V front = _mm512_permutexvar_ps(bytes, wide);
    const V back = _mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), wide);
    const Bits places =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    even = _mm512_permutex2var_ps(front, places, back);
    odd = _mm512_permutex2var_ps(front, _mm512_or_si512(places, _mm512_set1_epi32(1)), back);
  }
};

template <class Storage, class Order>
struct Mxfp4 {
  static constexpr bool kScaled = false;
  Storage storage;
  size_t row_blocks;

  VITALIS_INLINE void fetch_group(size_t n, size_t step) const {
    const size_t block = n * row_blocks + step * kLanes;
    storage.fetch_group(block);
    storage.fetch_scales(block, step);
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
    Bits z[4], exponents;
    storage.load_group(n * row_blocks + first, in_group(row_blocks, first), z, exponents);
    transpose_dwords(z, dword);
    scale = _mm512_castsi512_ps(_mm512_slli_epi32(exponents, 23));
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
        Bits nibble[4];
        Order::words(dword[g], q, nibble);
        VITALIS_UNROLL
        for (size_t i = 0; i < 8; i += 2) {
          // A look-up of dwords sees the nibble at the bottom, one of words that keeps the odd
          // words the other.
          const auto term = [&](size_t t) {
            const Bits& words = nibble[Order::place(t).word];
            return Order::place(t).half == 0 ? _mm512_permutexvar_ps(words, wide)
                                             : _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(
                                                   0xAAAAAAAA, words, narrow));
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
    fetch<kCount * Storage::kCodeBytes>(storage.codes(n * row_blocks + block));
  }

  void decode(size_t n, size_t block, float* to) const {
    const size_t at = n * row_blocks + block;
    const V scale = set1(e8m0_to_f32(storage.exponent(at)));
    const Bits bytes = _mm512_cvtepu8_epi32(
        _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(storage.codes(at))));
    V even, odd;
    Order::split(bytes, values(), even, odd);
    store(to, mul(even, scale));
    store(to + 16, mul(odd, scale));
  }
};

}  // namespace
}  // namespace vitalis::kernels
