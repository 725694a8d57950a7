// SPDX-License-Identifier: Apache-2.0
// Pairs of bf16, of which vdpbf16ps takes two terms of a chain at once: in each lane
//   acc = fma(a.low, b.low, fma(a.high, b.high, acc)),
// as products of bf16 are exact in fp32 (Intel SDM volume 2, VDPBF16PS; AMD's Zen 4 does the same).
// So a pair holds the earlier term in its upper half and the later term of the same chain in its
// lower half, and bits are those of the tile order.
//
// And weights as such pairs, read where they lie: 16 rows side by side, one to a lane, block after
// block. Closed (see kernels/table.h).
#pragma once

#include "kernels/table.h"
#include "kernels/x86/weights_avx512-inl.h"

namespace vitalis::kernels {
namespace {

inline constexpr size_t kPairs = kBlock / 2;

inline Bits load_bits(const void* from) {
  return _mm512_loadu_si512(from);
}

// The values of 32 words in the order of pairs: (2, 0), (6, 4) ... (30, 28), (3, 1) ... (31, 29).
inline Bits in_pairs(Bits words) {
  const Bits places =
      _mm512_setr_epi32(2, 6 | 4 << 16, 10 | 8 << 16, 14 | 12 << 16, 18 | 16 << 16, 22 | 20 << 16,
                        26 | 24 << 16, 30 | 28 << 16, 3 | 1 << 16, 7 | 5 << 16, 11 | 9 << 16,
                        15 | 13 << 16, 19 | 17 << 16, 23 | 21 << 16, 27 | 25 << 16, 31 | 29 << 16);
  return _mm512_permutexvar_epi16(places, words);
}

// 32 floats that are bf16 values, as words.
inline Bits narrow(V first, V last) {
  return (Bits)_mm512_cvtne2ps_pbh(last, first);
}

inline V dot_pairs(V sum, Bits a, Bits b) {
  return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

// The same pair in all lanes.
VITALIS_INLINE Bits broadcast_pair(const char* from) {
  int pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return _mm512_set1_epi32(pair);
}

// get(i, a, b) gives the i-th pairs of both chains in the lanes; rows at x, `stride` bytes apart,
// have their factors, the odd chain's 8 pairs behind the even one's.
template <size_t kSteps, size_t kRows, class Get>
VITALIS_INLINE void multiply_pairs(const Get& get, const char* x, size_t stride, V (&even)[kRows],
                                   V (&odd)[kRows]) {
  VITALIS_UNROLL
  for (size_t i = 0; i < kSteps; ++i) {
    Bits a, b;
    get(i, a, b);
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      const char* at = x + r * stride + i * 4;
      even[r] = dot_pairs(even[r], a, broadcast_pair(at));
      odd[r] = dot_pairs(odd[r], b, broadcast_pair(at + kPairs * 2));
    }
  }
}

// The terms of pairs, as floats.
inline V earlier(Bits pairs) {
  return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)));
}
inline V later(Bits pairs) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
}

// Where each of 16 rows begins. Past the last there is the last again, whose sums nobody keeps.
struct RowStarts {
  const uint8_t* at[kLanes];

  VITALIS_INLINE RowStarts(const void* from, size_t stride, size_t count) {
    for (size_t j = 0; j < kLanes; ++j) {
      at[j] = static_cast<const uint8_t*>(from) + (j < count ? j : count - 1) * stride;
    }
  }

  // load(row) gives 16 bytes; of those, dword q of all rows.
  template <class Load>
  VITALIS_INLINE void load_dwords(const Load& load, Bits (&dword)[4]) const {
    Bits z[4];
    VITALIS_UNROLL
    for (size_t i = 0; i < 4; ++i) {
      z[i] = _mm512_castsi128_si512(load(at[i]));
      z[i] = _mm512_inserti32x4(z[i], load(at[i + 4]), 1);
      z[i] = _mm512_inserti32x4(z[i], load(at[i + 8]), 2);
      z[i] = _mm512_inserti32x4(z[i], load(at[i + 12]), 3);
    }
    transpose_dwords(z, dword);
  }
  // The same of the 16 bytes at `offset` in each row.
  VITALIS_INLINE void load_dwords(size_t offset, Bits (&dword)[4]) const {
    const auto load = [offset](const uint8_t* row) __attribute__((always_inline)) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(row + offset));
    };
    load_dwords(load, dword);
  }
};

// What the sums of up to 16 blocks are multiplied by, each a register of 16 rows.
using Scales = V[kLanes];

// 64 bytes of so many, from `offset` on; zeros behind the end.
VITALIS_INLINE Bits load_window(const uint8_t* from, size_t offset, size_t bytes) {
  if (offset + 64 <= bytes) return load_bits(from + offset);
  const __mmask64 left = offset < bytes ? (__mmask64{1} << (bytes - offset)) - 1 : 0;
  return _mm512_maskz_loadu_epi8(left, from + offset);
}

// 16 rows of weights from row n on, of which `count` exist.
//   load_scales   those of `count` blocks from `block` on
//   Part          one block of each row, or one of kParts of it: pairs(i) are its i-th of each
//                 chain
//   kAhead        parts take few enough registers to be loaded one step ahead
//   kDirectRows   with more rows of activations, weights are decoded once for all of them and not
//                 once for each eight (docs/performance.md has the rates)
//   kSparse       pairs() does not know every number: missed() tells after all pairs were taken
template <class Weights>
struct PairRows;

// Whether bf16 holds the weights, short of a scale.
template <class Weights>
inline constexpr bool kHasPairs = true;
template <>
inline constexpr bool kHasPairs<Narrow<F16>> = false;
template <>
inline constexpr bool kHasPairs<F32> = false;

// ---- bf16 ----

template <>
struct PairRows<Narrow<Bf16>> {
  static constexpr size_t kParts = 1, kDirectRows = 8;
  static constexpr bool kAhead = false, kSparse = false;
  RowStarts rows;

  VITALIS_INLINE PairRows(const Narrow<Bf16>& w, size_t n, size_t count)
      : rows(w.w + n * w.row_blocks * kBlock, w.row_blocks * kBlock * 2, count) {}

  VITALIS_INLINE void load_scales(size_t, size_t, Scales&) const {}
  VITALIS_INLINE static V scaled(V sum, const Scales&, size_t) { return sum; }

  struct Part {
    V of_lanes[kPairs];

    VITALIS_INLINE Part(const PairRows& w, size_t block, size_t) {
      VITALIS_UNROLL
      for (size_t j = 0; j < kLanes; ++j) {
        of_lanes[j] = _mm512_castsi512_ps(in_pairs(load_bits(w.rows.at[j] + block * 64)));
      }
      transpose(of_lanes);
    }
    VITALIS_INLINE void pairs(size_t i, Bits& even, Bits& odd) const {
      even = _mm512_castps_si512(of_lanes[i]);
      odd = _mm512_castps_si512(of_lanes[kPairs / 2 + i]);
    }
  };
};

// ---- Q8_0 ----

// bf16 of 0 to 127, by bytes.
struct ByteTable {
  uint8_t low[128], high[128];

  constexpr ByteTable() : low(), high() {
    for (unsigned i = 1; i < 128; ++i) {
      unsigned exponent = 0;
      while (i >> exponent > 1) ++exponent;
      const unsigned bits = (127 + exponent) << 7 | (i << (7 - exponent) & 0x7F);
      low[i] = static_cast<uint8_t>(bits);
      high[i] = static_cast<uint8_t>(bits >> 8);
    }
  }
};
alignas(64) inline constexpr ByteTable kByteTable;

VITALIS_INLINE Bits look_up(const uint8_t (&table)[128], Bits index) {
  return _mm512_permutex2var_epi8(load_bits(table), index, load_bits(table + 64));
}

// Places for a permutation of two registers: of each dword, byte `lower` of both into the lower
// word, byte `upper` of both into the upper.
template <char kUpper, char kLower>
VITALIS_INLINE Bits words_of_bytes() {
  const Bits of_lane = _mm512_broadcast_i32x4(
      _mm_setr_epi8(kLower, kLower + 64, kUpper, kUpper + 64, kLower + 4, kLower + 68, kUpper + 4,
                    kUpper + 68, kLower + 8, kLower + 72, kUpper + 8, kUpper + 72, kLower + 12,
                    kLower + 76, kUpper + 12, kUpper + 76));
  return _mm512_add_epi8(
      of_lane, _mm512_setr_epi32(0, 0, 0, 0, 0x10101010, 0x10101010, 0x10101010, 0x10101010,
                                 0x20202020, 0x20202020, 0x20202020, 0x20202020, 0x30303030,
                                 0x30303030, 0x30303030, 0x30303030));
}

template <>
struct PairRows<Q8> {
  static constexpr size_t kParts = 2, kDirectRows = 8;
  static constexpr bool kAhead = true, kSparse = true;
  RowStarts rows;

  VITALIS_INLINE PairRows(const Q8& w, size_t n, size_t count)
      : rows(w.at(n, 0), w.row_blocks * kQ8Bytes, count) {}

  void load_scales(size_t block, size_t count, Scales& scales) const {
    for (size_t j = 0; j < kLanes; ++j) {
      const uint8_t* from = rows.at[j] + block * kQ8Bytes;
      if (count == kLanes) {
        scales[j] = of_windows([=](size_t i) __attribute__((always_inline)) {
          return load_bits(from + 64 * i);
        });
      } else {
        scales[j] = of_windows([=](size_t i) __attribute__((always_inline)) {
          return load_window(from, 64 * i, count * kQ8Bytes);
        });
      }
    }
    transpose(scales);
  }
  VITALIS_INLINE static V scaled(V sum, const Scales& scales, size_t b) {
    return mul(sum, scales[b]);
  }

  struct Part {
    Bits dword[4];
    Bits seen = _mm512_setzero_si512();

    VITALIS_INLINE Part(const PairRows& w, size_t block, size_t part) {
      w.rows.load_dwords(block * kQ8Bytes + 2 + part * 16, dword);
    }
    VITALIS_INLINE void pairs(size_t i, Bits& even, Bits& odd) {
      const Bits four = dword[i], magnitude = _mm512_abs_epi8(four);
      seen = _mm512_or_si512(seen, magnitude);
      const Bits low = look_up(kByteTable.low, magnitude);
      const Bits high =
          _mm512_ternarylogic_epi32(look_up(kByteTable.high, magnitude), four,
                                    _mm512_set1_epi8(-128), 0xF8);  // the first, or the sign
      even = _mm512_permutex2var_epi8(low, words_of_bytes<0, 2>(), high);
      odd = _mm512_permutex2var_epi8(low, words_of_bytes<1, 3>(), high);
    }
  };
  // -128, which quantizers do not write.
  VITALIS_INLINE static bool missed(Bits seen) { return _mm512_movepi8_mask(seen) != 0; }

 private:
  // Every fourth block begins two windows that hold the scales of four, at words 17 b modulo 64.
  template <class Window>
  VITALIS_INLINE static V of_windows(const Window& window) {
    const Bits places =
        _mm512_setr_epi32(0 | 17 << 16, 34 | 51 << 16, 4 | 21 << 16, 38 | 55 << 16, 8 | 25 << 16,
                          42 | 59 << 16, 12 | 29 << 16, 46 | 63 << 16, 0, 0, 0, 0, 0, 0, 0, 0);
    const auto four = [&](size_t i) __attribute__((always_inline)) {
      return _mm512_permutex2var_epi16(window(2 * i), places, window(2 * i + 1));
    };
    const Bits front = _mm512_mask_blend_epi16(0x00F0, four(0), four(1));
    const Bits back = _mm512_mask_blend_epi16(0xF000, four(2), four(3));
    const Bits all = _mm512_mask_blend_epi16(0xFF00, front, back);
    return _mm512_cvtph_ps(_mm512_castsi512_si256(all));
  }
};

// ---- MXFP4 ----

// The rows of each way of storing it: codes from byte kFirstCode on; scale_bytes, those of `count`
// blocks from `block` on in a row of scale_rows().
template <class Storage>
struct CodeRows;

template <uint8_t kBias>
struct CodeRows<Apart<kBias>> {
  static constexpr size_t kFirstCode = 0;
  RowStarts codes, scales;

  VITALIS_INLINE CodeRows(const Apart<kBias>& w, size_t row_blocks, size_t n, size_t count)
      : codes(w.codes(n * row_blocks), row_blocks * 16, count),
        scales(w.scales + n * row_blocks, row_blocks, count) {}

  VITALIS_INLINE const RowStarts& scale_rows() const { return scales; }
  VITALIS_INLINE static __m128i scale_bytes(const uint8_t* row, size_t block, size_t count) {
    const __m128i bytes = _mm_maskz_loadu_epi8(first_lanes(count), row + block);
    return _mm_subs_epu8(bytes, _mm_set1_epi8(kBias));
  }
};

template <>
struct CodeRows<Together> {
  static constexpr size_t kFirstCode = 1;
  RowStarts codes;

  VITALIS_INLINE CodeRows(const Together& w, size_t row_blocks, size_t n, size_t count)
      : codes(w.blocks + n * row_blocks * kPackedFp4Bytes, row_blocks * kPackedFp4Bytes, count) {}

  VITALIS_INLINE const RowStarts& scale_rows() const { return codes; }
  // 64 bytes from every fourth block on hold the scales of four, at 17 b modulo 64.
  VITALIS_INLINE static __m128i scale_bytes(const uint8_t* row, size_t block, size_t count) {
    const Bits places = _mm512_castsi128_si512(
        _mm_setr_epi8(0, 17, 34, 51, 4, 21, 38, 55, 8, 25, 42, 59, 12, 29, 46, 63));
    const uint8_t* from = row + block * kPackedFp4Bytes;
    Bits bytes = _mm512_setzero_si512();
    VITALIS_UNROLL
    for (size_t i = 0; i < 4; ++i) {
      const Bits window = load_window(from, 64 * i, count * kPackedFp4Bytes);
      bytes = _mm512_mask_permutexvar_epi8(bytes, __mmask64{15} << 4 * i, places, window);
    }
    return _mm512_castsi512_si128(bytes);
  }
};

template <class Storage, class Order>
struct PairRows<Mxfp4<Storage, Order>> {
  static constexpr size_t kParts = 1, kDirectRows = 24;
  static constexpr bool kAhead = true, kSparse = false;
  CodeRows<Storage> rows;

  VITALIS_INLINE PairRows(const Mxfp4<Storage, Order>& w, size_t n, size_t count)
      : rows(w.storage, w.row_blocks, n, count) {}

  void load_scales(size_t block, size_t count, Scales& scales) const {
    const auto load = [=](const uint8_t* row) __attribute__((always_inline)) {
      return CodeRows<Storage>::scale_bytes(row, block, count);
    };
    Bits dword[4];
    rows.scale_rows().load_dwords(load, dword);
    VITALIS_UNROLL
    for (size_t b = 0; b < kLanes; ++b) {
      const Bits moved = _mm512_srli_epi32(dword[b / 4], 8 * (b % 4));
      const Bits exponent = _mm512_and_si512(moved, _mm512_set1_epi32(0xFF));
      scales[b] = _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
    }
  }
  VITALIS_INLINE static V scaled(V sum, const Scales& scales, size_t b) {
    return mul(sum, scales[b]);
  }

  struct Part {
    // Of each dword, the bytes in whose nibbles the pairs stand above one another: a look-up of
    // words sees those at the bottom.
    Bits dword[4];

    VITALIS_INLINE Part(const PairRows& w, size_t block, size_t) {
      const size_t offset = CodeRows<Storage>::kFirstCode + block * Storage::kCodeBytes;
      w.rows.codes.load_dwords(offset, dword);
      const Bits places = _mm512_broadcast_i32x4(in_words(Order()));
      VITALIS_UNROLL
      for (Bits& four : dword) four = _mm512_shuffle_epi8(four, places);
    }
    VITALIS_INLINE void pairs(size_t i, Bits& even, Bits& odd) const { get(i, even, odd, Order()); }

   private:
    static __m128i in_words(Pairs) {
      return _mm_setr_epi8(1, 3, 0, 2, 5, 7, 4, 6, 9, 11, 8, 10, 13, 15, 12, 14);
    }
    static __m128i in_words(Halves) {
      return _mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    }
    VITALIS_INLINE static Bits values(Bits words, unsigned shift) {
      return _mm512_permutexvar_epi16(_mm512_srli_epi16(words, shift),
                                      Mxfp4<Storage, Order>::codes());
    }
    VITALIS_INLINE void get(size_t i, Bits& even, Bits& odd, Pairs) const {
      even = values(dword[i / 2], i % 2 * 8);
      odd = values(dword[i / 2], i % 2 * 8 + 4);
    }
    VITALIS_INLINE void get(size_t i, Bits& even, Bits& odd, Halves) const {
      even = values(dword[i % 4], i / 4 * 4);
      odd = values(dword[i % 4], i / 4 * 4 + 8);
    }
  };
};

}  // namespace
}  // namespace vitalis::kernels
