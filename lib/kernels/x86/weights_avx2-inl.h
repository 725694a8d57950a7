// SPDX-License-Identifier: Apache-2.0
// How the avx2 tier reads weights; products-inl.h has the loops over them. A group is 8 blocks of
// 32 weights of one row, side by side in the lanes. Closed (see kernels/table.h).
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

inline __m128i load_half(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i_u*>(p));
}

// 16 bytes of each of 8 blocks that lie kStride bytes apart, two blocks to a register; zeros for
// those from `count` on.
template <size_t kStride>
VITALIS_INLINE void load_halves(const uint8_t* from, size_t count, Bits (&z)[4]) {
  const auto block = [=](size_t b) {
    return b < count ? load_half(from + b * kStride) : _mm_setzero_si128();
  };
  VITALIS_UNROLL
  for (size_t i = 0; i < 4; ++i) {
    z[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(block(2 * i)), block(2 * i + 1), 1);
  }
}

// Dwords of 8 blocks, in the order of lane_of_block, from 4 registers of 2 blocks.
VITALIS_INLINE void transpose_dwords(Bits (&z)[4]) {
  const Bits a = _mm256_unpacklo_epi32(z[0], z[1]), b = _mm256_unpackhi_epi32(z[0], z[1]);
  const Bits c = _mm256_unpacklo_epi32(z[2], z[3]), d = _mm256_unpackhi_epi32(z[2], z[3]);
  z[0] = _mm256_unpacklo_epi64(a, c);
  z[1] = _mm256_unpackhi_epi64(a, c);
  z[2] = _mm256_unpacklo_epi64(b, d);
  z[3] = _mm256_unpackhi_epi64(b, d);
}

// ---- 16 bits a weight ----

// What two neighbouring weights in a dword are.
struct Bf16 {
  static VITALIS_INLINE V low(Bits both) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  }
  static VITALIS_INLINE V high(Bits both) {
    return _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(-0x10000)));
  }
};
struct F16 {
  static VITALIS_INLINE V upper_zero(Bits wide) {
    const Bits packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(wide, wide), 0x08);
    return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
  }
  static VITALIS_INLINE V low(Bits both) {
    return upper_zero(_mm256_and_si256(both, _mm256_set1_epi32(0xFFFF)));
  }
  static VITALIS_INLINE V high(Bits both) { return upper_zero(_mm256_srli_epi32(both, 16)); }
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
        const V low = Format::low(both), high = Format::high(both);
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
      const Bits both = load_bits(w + (n * row_blocks + block) * kBlock + 2 * i);
      store(to + i, Format::low(both));
      store(to + 16 + i, Format::high(both));
    }
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
      const size_t left = row_blocks - first - g * kLanes;
      const float* from = w + (n * row_blocks + first + g * kLanes) * kBlock;
      V even[kRows], odd[kRows];
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
      for (size_t quarter = 0; quarter < kBlock; quarter += kLanes) {
        V term[kLanes];
        VITALIS_UNROLL
        for (size_t b = 0; b < kLanes; ++b) {
          term[lane_of_block(b)] = b < left ? load(from + b * kBlock + quarter) : zero();
        }
        transpose(term);
        VITALIS_UNROLL
        for (size_t i = 0; i < kLanes; i += 2) {
          VITALIS_UNROLL
          for (size_t r = 0; r < kRows; ++r) {
            const float* at = x + g * group_stride + r * kGroupFloats + (quarter + i) * kLanes;
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
    for (size_t i = 0; i < 16; i += kLanes) {
      V even, odd;
      load_pairs(w + (n * row_blocks + block) * kBlock + 2 * i, even, odd);
      store(to + i, even);
      store(to + 16 + i, odd);
    }
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
      const size_t count = row_blocks - first - g * kLanes;
      const uint8_t* from = at(n, first + g * kLanes);
      const V scale = load_scales(from, count);
      V even[kRows], odd[kRows];
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
      for (size_t half = 0; half < kBlock; half += 16) {
        Bits dword[4];
        load_halves<kQ8Bytes>(from + 2 + half, count, dword);
        transpose_dwords(dword);
        VITALIS_UNROLL
        for (size_t q = 0; q < 4; ++q) {
          const auto term = [&](int i) {
            const Bits top = i == 3 ? dword[q] : _mm256_slli_epi32(dword[q], 24 - 8 * i);
            return _mm256_cvtepi32_ps(_mm256_srai_epi32(top, 24));
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
    for (size_t i = 0; i < 16; i += kLanes) {
      float terms[2 * kLanes];
      store(terms, load_s8(bytes + 2 * i));
      store(terms + kLanes, load_s8(bytes + 2 * i + kLanes));
      V even, odd;
      load_pairs(terms, even, odd);
      store(to + i, even);
      store(to + 16 + i, odd);
    }
  }

  float scale(size_t n, size_t block) const { return q8_scale(at(n, block)); }
};

// ---- MXFP4 ----

// Where codes and scales lie. load_group: two blocks of codes to a register, and the scale bytes,
// that of block b as byte b.
template <uint8_t kBias>
struct Apart {
  static constexpr size_t kCodeBytes = 16;
  const uint8_t* blocks;
  const uint8_t* scales;

  VITALIS_INLINE void fetch_group(size_t block) const { fetch<kLanes * 16>(blocks + block * 16); }
  // `step` is the number of the group: one line of scales serves eight.
  VITALIS_INLINE void fetch_scales(size_t block, size_t step) const {
    if (step * kLanes % 64 == 0) fetch<64>(scales + block);
  }

  VITALIS_INLINE void load_group(size_t at, size_t left, Bits (&z)[4], __m128i& exponents) const {
    const uint8_t* from = blocks + at * 16;
    uint64_t bytes = 0;
    if (left >= kLanes) {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) z[i] = load_bits(from + 32 * i);
      __builtin_memcpy(&bytes, scales + at, sizeof bytes);
    } else {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) {
        const size_t dwords = 4 * left > 8 * i ? 4 * left - 8 * i : 0;
        z[i] =
            _mm256_maskload_epi32(reinterpret_cast<const int*>(from + 32 * i), first_lanes(dwords));
      }
      for (size_t i = left; i > 0; --i) bytes = bytes << 8 | scales[at + i - 1];
    }
    exponents = _mm_cvtsi64_si128(static_cast<int64_t>(bytes));
    if constexpr (kBias != 0) exponents = _mm_subs_epu8(exponents, _mm_set1_epi8(kBias));
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

  VITALIS_INLINE void load_group(size_t at, size_t left, Bits (&z)[4], __m128i& exponents) const {
    const uint8_t* from = blocks + at * kPackedFp4Bytes;
    load_halves<kPackedFp4Bytes>(from + 1, left, z);
    uint64_t bytes = 0;
    VITALIS_UNROLL
    for (size_t b = 0; b < kLanes; ++b) {
      if (b < left) bytes |= static_cast<uint64_t>(from[b * kPackedFp4Bytes]) << 8 * b;
    }
    exponents = _mm_cvtsi64_si128(static_cast<int64_t>(bytes));
  }

  const uint8_t* codes(size_t block) const { return blocks + block * kPackedFp4Bytes + 1; }
  uint8_t exponent(size_t block) const { return blocks[block * kPackedFp4Bytes]; }
};

// Which nibbles are which terms. Of the 16-bit terms that come from the lower (or upper) nibbles of
// 4 or 8 bytes, two neighbours in a dword belong to chains first_chain and second_chain; the first
// of dword q is term `term(upper, back) + q * kStep`, the second `kApart` further on.
struct Pairs {  // byte j: terms 2j and 2j + 1
  static constexpr size_t kStep = 4, kApart = 2;
  static constexpr size_t term(size_t upper, size_t back) { return upper + 16 * back; }
  static constexpr size_t first_chain(size_t upper) { return upper; }
  static constexpr size_t second_chain(size_t upper) { return upper; }
};
struct Halves {  // byte j: terms j and j + 16
  static constexpr size_t kStep = 2, kApart = 1;
  static constexpr size_t term(size_t upper, size_t back) { return 16 * upper + 8 * back; }
  static constexpr size_t first_chain(size_t) { return 0; }
  static constexpr size_t second_chain(size_t) { return 1; }
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
    __m128i bytes;
    storage.load_group(n * row_blocks + first, row_blocks - first, z, bytes);
    const __m128i order = _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, -1, -1, -1, -1, -1, -1, -1, -1);
    scale = _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_shuffle_epi8(bytes, order)), 23));
  }

  // Adds the terms of 8 bytes' lower or upper nibbles of each group; x points to the first.
  template <size_t kRows, size_t kGroups>
  static VITALIS_INLINE void add_terms(Bits (&z)[kGroups][4], const float* x, size_t group_stride,
                                       V (&first_chain)[kGroups][kRows],
                                       V (&second_chain)[kGroups][kRows]) {
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
          const float* at = x + g * group_stride + r * kGroupFloats + Order::kStep * q * kLanes;
          first_chain[g][r] = fma(first, load(at), first_chain[g][r]);
          second_chain[g][r] = fma(second, load(at + Order::kApart * kLanes), second_chain[g][r]);
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
    for (size_t g = 0; g < kGroups; ++g) {
      load_group(n, first + g * kLanes, z[g], scale[g]);
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) chain[0][g][r] = chain[1][g][r] = zero();
    }
    const Bits nibble = _mm256_set1_epi8(15), lower = lower_bytes(), upper = upper_bytes();
    VITALIS_UNROLL
    for (size_t high_nibble = 0; high_nibble < 2; ++high_nibble) {
      Bits front[kGroups][4], back[kGroups][4];
      VITALIS_UNROLL
      for (size_t g = 0; g < kGroups; ++g) {
        VITALIS_UNROLL
        for (size_t i = 0; i < 4; ++i) {
          const Bits codes =
              _mm256_and_si256(high_nibble ? _mm256_srli_epi16(z[g][i], 4) : z[g][i], nibble);
          const Bits low = _mm256_shuffle_epi8(lower, codes);
          const Bits high = _mm256_shuffle_epi8(upper, codes);
          front[g][i] = _mm256_unpacklo_epi8(low, high);
          back[g][i] = _mm256_unpackhi_epi8(low, high);
        }
      }
      auto& one = chain[Order::first_chain(high_nibble)];
      auto& other = chain[Order::second_chain(high_nibble)];
      add_terms(front, x + Order::term(high_nibble, 0) * kLanes, group_stride, one, other);
      add_terms(back, x + Order::term(high_nibble, 1) * kLanes, group_stride, one, other);
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
    fetch<kCount * Storage::kCodeBytes>(storage.codes(n * row_blocks + block));
  }

  void decode(size_t n, size_t block, float* to) const {
    const size_t at = n * row_blocks + block;
    const V scale = set1(e8m0_to_f32(storage.exponent(at)));
    V lower[2], upper[2];
    for (size_t i = 0; i < 2; ++i) {
      const Bits bytes = _mm256_cvtepu8_epi32(
          _mm_loadl_epi64(reinterpret_cast<const __m128i_u*>(storage.codes(at) + i * kLanes)));
      lower[i] = mul(look_up(bytes, _mm256_slli_epi32(bytes, 28)), scale);
      upper[i] = mul(look_up(_mm256_srli_epi32(bytes, 4), _mm256_slli_epi32(bytes, 24)), scale);
    }
    if constexpr (Order::kApart == 2) {  // the nibbles are the chains
      for (size_t i = 0; i < 2; ++i) {
        store(to + i * kLanes, lower[i]);
        store(to + 16 + i * kLanes, upper[i]);
      }
    } else {
      float terms[kBlock];
      for (size_t i = 0; i < 2; ++i) {
        store(terms + i * kLanes, lower[i]);
        store(terms + 16 + i * kLanes, upper[i]);
      }
      for (size_t i = 0; i < 2; ++i) {
        V even, odd;
        load_pairs(terms + 2 * i * kLanes, even, odd);
        store(to + i * kLanes, even);
        store(to + 16 + i * kLanes, odd);
      }
    }
  }
};

}  // namespace
}  // namespace vitalis::kernels
