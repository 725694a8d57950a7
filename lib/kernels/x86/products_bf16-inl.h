// SPDX-License-Identifier: Apache-2.0
// Products with many rows by vdpbf16ps, which takes two terms of a chain at once: in each lane
//   acc = fma(a.low, b.low, fma(a.high, b.high, acc)),
// as products of bf16 are exact in fp32 (Intel SDM volume 2, VDPBF16PS; AMD's Zen 4 does the same).
// So a pair holds the earlier term in its upper half and the later term of the same chain in its
// lower half, and bits are those of the tile order. Closed (see kernels/table.h).
//
// Packed activations begin with a Header, since products don't know how they were rounded: then
// follow floats as in products-inl.h, or if all are bf16, the even chain's 8 pairs of a block
// first,
//   few rows   [blocks / 16][rows][16 pairs][16 blocks]
//   many rows  [rows / 16][blocks][16 pairs][16 rows].
#pragma once

#include "kernels/x86/products-inl.h"

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

// The terms of pairs, as floats.
inline V earlier(Bits pairs) {
  return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)));
}
inline V later(Bits pairs) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
}

// ---- weights: a block to pairs of bf16, where its values are such, short of the scale ----

inline Bits pairs_of(const Narrow<Bf16>& w, size_t n, size_t block) {
  return in_pairs(load_bits(w.w + (n * w.row_blocks + block) * kBlock));
}

inline Bits pairs_of(const Q8& w, size_t n, size_t block) {
  const uint8_t* bytes = w.at(n, block) + 2;
  return in_pairs(narrow(load_s8(bytes), load_s8(bytes + 16)));
}

// 16 bytes of codes to the indices of 32 look-ups, whose upper bits do not count.
inline Bits indices_of(__m128i bytes, Pairs) {
  const __m128i swapped =
      _mm_shuffle_epi8(bytes, _mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
  const __m256i low = _mm256_cvtepu8_epi16(swapped);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), _mm256_srli_epi16(low, 4), 1);
}
inline Bits indices_of(__m128i bytes, Halves) {
  const __m128i parted =
      _mm_shuffle_epi8(bytes, _mm_setr_epi8(2, 0, 6, 4, 10, 8, 14, 12, 3, 1, 7, 5, 11, 9, 15, 13));
  const __m256i low = _mm256_cvtepu8_epi16(parted);
  const Bits both = _mm512_inserti64x4(_mm512_castsi256_si512(low), _mm256_srli_epi16(low, 4), 1);
  return _mm512_shuffle_i64x2(both, both, 0xD8);  // quarters 0, 2, 1, 3
}

template <class Storage, class Order>
Bits pairs_of(const Mxfp4<Storage, Order>& w, size_t n, size_t block) {
  const uint8_t* from = w.storage.codes(n * w.row_blocks + block);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(from));
  return _mm512_permutexvar_epi16(indices_of(bytes, Order()), w.codes());
}

inline float scale_of(const Narrow<Bf16>&, size_t, size_t) {
  return 1;
}
inline float scale_of(const Q8& w, size_t n, size_t block) {
  return w.scale(n, block);
}
template <class Storage, class Order>
float scale_of(const Mxfp4<Storage, Order>& w, size_t n, size_t block) {
  return e8m0_to_f32(w.storage.exponent(n * w.row_blocks + block));
}

// ---- packing ----

inline size_t packed_bytes_bf16(size_t rows, size_t k) {
  return kHeaderBytes + packed_bytes(rows, k);
}

// 16 blocks of 32 values, some of them null and so zero, to pairs in whose lanes they are.
inline void pack_blocks(const float* const (&x)[kLanes], void* to) {
  V t[kLanes];
  for (size_t j = 0; j < kLanes; ++j) {
    t[j] = x[j] ? _mm512_castsi512_ps(in_pairs(narrow(load_rounded(x[j], Round::kBf16),
                                                      load_rounded(x[j] + 16, Round::kBf16))))
                : zero();
  }
  transpose(t);
  for (size_t j = 0; j < kLanes; ++j) store(static_cast<float*>(to) + j * kLanes, t[j]);
}

inline constexpr size_t kPairBytes = kPairs * sizeof(V);  // of a block in each lane

inline void pack_bf16(const float* source, size_t stride, const uint32_t* index, size_t rows,
                      size_t k, Round round, void* packed) {
  const Header header = {round};
  __builtin_memcpy(packed, &header, sizeof header);
  char* out = static_cast<char*>(packed) + kHeaderBytes;
  if (round != Round::kBf16) return pack(source, stride, index, rows, k, round, out);
  const auto row = [=](size_t r) { return source + (index ? index[r] : r) * stride; };
  const float* x[kLanes];
  if (few(rows)) {
    for (size_t at = 0; at < k; at += kLanes * kBlock) {
      for (size_t r = 0; r < rows; ++r, out += kPairBytes) {
        for (size_t b = 0; b < kLanes; ++b) {
          x[lane_of_block(b)] = at + b * kBlock < k ? row(r) + at + b * kBlock : nullptr;
        }
        pack_blocks(x, out);
      }
    }
    return;
  }
  for (size_t r = 0; r < rows; r += kLanes) {
    for (size_t at = 0; at < k; at += kBlock, out += kPairBytes) {
      for (size_t j = 0; j < kLanes; ++j) x[j] = r + j < rows ? row(r + j) + at : nullptr;
      pack_blocks(x, out);
    }
  }
}

// ---- few rows ----

// 16 blocks of a weight row, from block `first` on: their pairs, in the order of lane_of_block, and
// what the blocks' sums are multiplied by.
template <class Weights>
struct PairGroup;

template <>
struct PairGroup<Narrow<Bf16>> {
  V pairs[kPairs];

  VITALIS_INLINE PairGroup(const Narrow<Bf16>& w, size_t n, size_t first) {
    const size_t count = in_group(w.row_blocks, first);
    const uint16_t* from = w.w + (n * w.row_blocks + first) * kBlock;
    VITALIS_UNROLL
    for (size_t b = 0; b < kLanes; ++b) {
      pairs[lane_of_block(b)] =
          b < count ? _mm512_castsi512_ps(in_pairs(load_bits(from + b * kBlock))) : zero();
    }
    transpose(pairs);
  }
  VITALIS_INLINE void get(size_t i, Bits& even, Bits& odd) const {
    even = _mm512_castps_si512(pairs[i]);
    odd = _mm512_castps_si512(pairs[kPairs / 2 + i]);
  }
  VITALIS_INLINE V scaled(V sum) const { return sum; }
};

template <>
struct PairGroup<Q8> {
  Bits dword[2][4];
  V scale;

  VITALIS_INLINE PairGroup(const Q8& w, size_t n, size_t first) {
    const size_t count = in_group(w.row_blocks, first);
    const uint8_t* from = w.at(n, first);
    scale = Q8::load_scales(from, count);
    VITALIS_UNROLL
    for (size_t half = 0; half < 2; ++half) {
      Bits z[4];
      load_quarters<kQ8Bytes>(from + 2 + half * 16, count, z);
      transpose_dwords(z, dword[half]);
    }
  }
  VITALIS_INLINE void get(size_t i, Bits& even, Bits& odd) const {
    const Bits four = dword[i / 4][i % 4];
    const auto term = [four](unsigned k) {
      const Bits top = k == 3 ? four : _mm512_slli_epi32(four, 24 - 8 * k);
      return _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_srai_epi32(top, 24)));
    };
    // A byte's float has no bits in its lower half.
    even = _mm512_or_si512(term(0), _mm512_srli_epi32(term(2), 16));
    odd = _mm512_or_si512(term(1), _mm512_srli_epi32(term(3), 16));
  }
  VITALIS_INLINE V scaled(V sum) const { return mul(sum, scale); }
};

template <class Storage, class Order>
struct PairGroup<Mxfp4<Storage, Order>> {
  using Weights = Mxfp4<Storage, Order>;
  Bits dword[4];
  V scale;

  VITALIS_INLINE PairGroup(const Weights& w, size_t n, size_t first) {
    w.load_group(n, first, dword, scale);
  }
  VITALIS_INLINE void get(size_t i, Bits& even, Bits& odd) const {
    Bits even_index, odd_index;
    indices(i, even_index, odd_index, Order());
    even = _mm512_permutexvar_epi16(even_index, Weights::codes());
    odd = _mm512_permutexvar_epi16(odd_index, Weights::codes());
  }
  VITALIS_INLINE V scaled(V sum) const { return mul(sum, scale); }

 private:
  // Of each dword, bytes into both bytes of its upper and its lower word.
  template <char kUpper, char kLower>
  VITALIS_INLINE static Bits spread(Bits dwords) {
    const __m128i places = _mm_setr_epi8(
        kLower, kLower, kUpper, kUpper, kLower + 4, kLower + 4, kUpper + 4, kUpper + 4, kLower + 8,
        kLower + 8, kUpper + 8, kUpper + 8, kLower + 12, kLower + 12, kUpper + 12, kUpper + 12);
    return _mm512_shuffle_epi8(dwords, _mm512_broadcast_i32x4(places));
  }
  // The look-ups' indices are the lowest bits of each word.
  VITALIS_INLINE void indices(size_t i, Bits& even, Bits& odd, Pairs) const {
    const Bits four = dword[i / 2];
    even = i % 2 == 0 ? spread<0, 1>(four) : spread<2, 3>(four);
    odd = _mm512_srli_epi16(even, 4);
  }
  VITALIS_INLINE void indices(size_t i, Bits& even, Bits& odd, Halves) const {
    const Bits four = dword[i % 4];
    const unsigned shift = i < 4 ? 0 : 4;
    const Bits even_bytes = spread<0, 2>(four), odd_bytes = spread<1, 3>(four);
    even = _mm512_srli_epi16(even_bytes, shift);
    odd = _mm512_srli_epi16(odd_bytes, shift);
  }
};

template <class Weights>
inline constexpr bool kHasPairs = requires(const Weights& w) {
  pairs_of(w, size_t{}, size_t{});
};

// Activations as pairs.
struct PairGroups {
  static constexpr size_t kBytes = kPairBytes;

  template <size_t kRows, size_t kGroups, class Weights>
  VITALIS_INLINE static void block_sums(const Weights& w, size_t n, size_t first, const char* x,
                                        size_t stride, V (&sum)[kGroups][kRows]) {
    VITALIS_UNROLL
    for (size_t g = 0; g < kGroups; ++g) {
      if constexpr (kHasPairs<Weights>) {
        of_pairs(PairGroup<Weights>(w, n, first + g * kLanes), x + g * stride, sum[g]);
      } else {
        of_floats(w, n, first + g * kLanes, x + g * stride, sum[g]);
      }
    }
  }

 private:
  template <size_t kRows, class Group>
  VITALIS_INLINE static void of_pairs(const Group& group, const char* x, V (&sum)[kRows]) {
    V even[kRows] = {}, odd[kRows] = {};
    VITALIS_UNROLL
    for (size_t i = 0; i < kPairs / 2; ++i) {
      Bits a, b;
      group.get(i, a, b);
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        const char* at = x + r * kBytes + i * sizeof(V);
        even[r] = dot_pairs(even[r], a, load_bits(at));
        odd[r] = dot_pairs(odd[r], b, load_bits(at + kBytes / 2));
      }
    }
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) sum[r] = group.scaled(add(even[r], odd[r]));
  }

  // Weights that bf16 does not hold, a rare form of GGUF.
  template <size_t kRows, class Weights>
  static void of_floats(const Weights& w, size_t n, size_t first, const char* x, V (&sum)[kRows]) {
    float terms[kLanes][kBlock] = {};  // lanes are blocks
    const size_t count = in_group(w.row_blocks, first);
    for (size_t b = 0; b < count; ++b) w.decode(n, first + b, terms[lane_of_block(b)]);
    const Bits lanes =
        _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                           _mm512_set1_epi32(kBlock));
    const auto term = [&](size_t i) { return _mm512_i32gather_ps(lanes, &terms[0][i], 4); };
    V even[kRows] = {}, odd[kRows] = {};
    for (size_t i = 0; i < kPairs / 2; ++i) {
      const V a = term(2 * i), b = term(2 * i + 1), c = term(kPairs + 2 * i),
              d = term(kPairs + 2 * i + 1);
      for (size_t r = 0; r < kRows; ++r) {
        const Bits low = load_bits(x + r * kBytes + i * sizeof(V));
        const Bits high = load_bits(x + r * kBytes + kBytes / 2 + i * sizeof(V));
        even[r] = fma(b, later(low), fma(a, earlier(low), even[r]));
        odd[r] = fma(d, later(high), fma(c, earlier(high), odd[r]));
      }
    }
    for (size_t r = 0; r < kRows; ++r) sum[r] = add(even[r], odd[r]);
  }
};

// ---- many rows ----

// Activations and weights as pairs. Sums take the blocks' scales.
class PairTiles {
 public:
  static constexpr size_t kBlocks = 4;  // in as many bytes as 2 blocks of floats

  template <class Weights>
  struct Panel {
    uint32_t w[kWeightRows][kBlocks][kPairs];
    float scales[kWeightRows][kBlocks];

    VITALIS_INLINE void decode(const Weights& weights, size_t n, size_t block, size_t i, size_t b) {
      _mm512_storeu_si512(w[i][b], pairs_of(weights, n, block));
      scales[i][b] = scale_of(weights, n, block);
    }
  };

  PairTiles(const char* x, size_t k) : x_(x), k_(k) {}

  template <size_t kVectors, class Weights>
  void multiply(size_t vector, size_t block, const Panel<Weights>& panel, size_t count,
                size_t blocks, float* sums) const {
    constexpr size_t kHeight = kTileSums / kVectors;
    const char* x = x_ + (vector * k_ / kBlock + block) * kPairBytes;
    for (size_t n = 0; n < count; n += kHeight) {
      tile<kVectors, kHeight>(x, panel.w[n][0], panel.scales[n], blocks, sums + n * kLanes);
    }
  }

 private:
  template <size_t kVectors, size_t kHeight>
  VITALIS_INLINE void tile(const char* x, const uint32_t* w, const float* scales, size_t blocks,
                           float* sums) const {
    const size_t stride = k_ / kBlock * kPairBytes;  // from vector to vector
    for (size_t block = 0; block < blocks; ++block, x += kPairBytes, w += kPairs) {
      V even[kVectors][kHeight] = {}, odd[kVectors][kHeight] = {};
      for (size_t i = 0; i < kPairs / 2; ++i) {
        Bits low[kVectors], high[kVectors];
        VITALIS_UNROLL
        for (size_t v = 0; v < kVectors; ++v) {
          low[v] = load_bits(x + v * stride + i * sizeof(V));
          high[v] = load_bits(x + v * stride + kPairBytes / 2 + i * sizeof(V));
        }
        VITALIS_UNROLL
        for (size_t n = 0; n < kHeight; ++n) {
          const uint32_t* row = w + n * kBlocks * kPairs + i;
          const Bits a = _mm512_set1_epi32(static_cast<int>(row[0]));
          const Bits b = _mm512_set1_epi32(static_cast<int>(row[kPairs / 2]));
          VITALIS_UNROLL
          for (size_t v = 0; v < kVectors; ++v) {
            even[v][n] = dot_pairs(even[v][n], low[v], a);
            odd[v][n] = dot_pairs(odd[v][n], high[v], b);
          }
        }
      }
      add_sums<true, kBlocks>(even, odd, scales + block, sums);
    }
  }

  const char* x_;
  size_t k_;
};

// Activations as pairs, for weights that bf16 does not hold: panels of floats. A rare form of
// GGUF, so one vector at a time will do.
class WideTiles {
 public:
  static constexpr size_t kBlocks = FloatTiles<>::kBlocks;
  template <class Weights>
  using Panel = FloatTiles<>::Panel<Weights>;

  WideTiles(const char* x, size_t k) : x_(x), k_(k) {}

  template <size_t kVectors, class Weights>
  void multiply(size_t vector, size_t block, const Panel<Weights>& panel, size_t count,
                size_t blocks, float* sums) const {
    for (size_t v = 0; v < kVectors; ++v) {
      const char* x = x_ + ((vector + v) * k_ / kBlock + block) * kPairBytes;
      for (size_t n = 0; n < count; n += kHeight) {
        tile(x, panel.w[n][0], blocks, sums + (v * kWeightRows + n) * kLanes);
      }
    }
  }

 private:
  static constexpr size_t kHeight = kTileSums;

  VITALIS_INLINE static void tile(const char* x, const float* w, size_t blocks, float* sums) {
    for (size_t block = 0; block < blocks; ++block, x += kPairBytes, w += kBlock) {
      V even[1][kHeight] = {}, odd[1][kHeight] = {};
      for (size_t i = 0; i < kPairs / 2; ++i) {
        const Bits low = load_bits(x + i * sizeof(V));
        const Bits high = load_bits(x + (kPairs / 2 + i) * sizeof(V));
        VITALIS_UNROLL
        for (size_t n = 0; n < kHeight; ++n) {
          const float* row = w + n * kBlocks * kBlock + 2 * i;
          even[0][n] = fma(earlier(low), set1(row[0]), even[0][n]);
          even[0][n] = fma(later(low), set1(row[1]), even[0][n]);
          odd[0][n] = fma(earlier(high), set1(row[kPairs]), odd[0][n]);
          odd[0][n] = fma(later(high), set1(row[kPairs + 1]), odd[0][n]);
        }
      }
      add_sums<false, 1>(even, odd, nullptr, sums);
    }
  }

  const char* x_;
  size_t k_;
};

// ---- entries ----

inline void matmul_bf16(const void* packed, size_t rows, size_t k, const Matrix& w, size_t begin,
                        size_t end, const Vector& bias, float* out, size_t out_stride) {
  Header header;
  __builtin_memcpy(&header, packed, sizeof header);
  const char* x = static_cast<const char*>(packed) + kHeaderBytes;
  if (header.round != Round::kBf16) return matmul(x, rows, k, w, begin, end, bias, out, out_stride);
  const Results results = {bias, out, out_stride, begin};
  with_weights(w, k / kBlock, [&]<class Weights>(const Weights& weights) {
    if (few(rows)) return product_few<PairGroups>(x, rows, weights, begin, end, results);
    if constexpr (kHasPairs<Weights>) {
      product_many(PairTiles(x, k), rows, weights, begin, end, results);
    } else {
      product_many(WideTiles(x, k), rows, weights, begin, end, results);
    }
  });
}

}  // namespace
}  // namespace vitalis::kernels
