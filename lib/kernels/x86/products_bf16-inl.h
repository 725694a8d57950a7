// SPDX-License-Identifier: Apache-2.0
// Products with many rows by vdpbf16ps, which takes two terms of a chain at once: in each lane
//   acc = fma(a.low, b.low, fma(a.high, b.high, acc)),
// as products of bf16 are exact in fp32 (Intel SDM volume 2, VDPBF16PS; AMD's Zen 4 does the same).
// So a pair holds the earlier term in its upper half and the later term of the same chain in its
// lower half, and bits are those of the tile order. Closed (see kernels/table.h).
//
// Packed activations of many rows begin with a Header, since products don't know how they were
// rounded: then follow floats as in products-inl.h, or if all are bf16
//   [rows / 16][k / 32][16 pairs][16 rows], the even chain's 8 pairs first.
#pragma once

#include "kernels/x86/products-inl.h"

namespace vitalis::kernels {
namespace {

inline constexpr size_t kHeaderBytes = 64;
inline constexpr size_t kPairs = kBlock / 2;

struct Header {
  Round round;
};

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
  return packed_bytes(rows, k) + (few(rows) ? 0 : kHeaderBytes);
}

// 16 rows of 32 values to pairs in whose lanes the rows are.
inline void pack_block(const float* const (&x)[kLanes], size_t at, void* to) {
  V t[kLanes];
  for (size_t j = 0; j < kLanes; ++j) {
    t[j] = x[j] ? _mm512_castsi512_ps(in_pairs(narrow(load_rounded(x[j] + at, Round::kBf16),
                                                      load_rounded(x[j] + at + 16, Round::kBf16))))
                : zero();
  }
  transpose(t);
  for (size_t j = 0; j < kLanes; ++j) store(static_cast<float*>(to) + j * kLanes, t[j]);
}

inline void pack_bf16(const float* source, size_t stride, const uint32_t* index, size_t rows,
                      size_t k, Round round, void* packed) {
  if (few(rows)) return pack(source, stride, index, rows, k, round, packed);
  const Header header = {round};
  __builtin_memcpy(packed, &header, sizeof header);
  char* out = static_cast<char*>(packed) + kHeaderBytes;
  if (round != Round::kBf16) return pack(source, stride, index, rows, k, round, out);
  for (size_t r = 0; r < rows; r += kLanes) {
    const float* x[kLanes];
    for (size_t j = 0; j < kLanes; ++j) {
      x[j] = r + j < rows ? source + (index ? index[r + j] : r + j) * stride : nullptr;
    }
    for (size_t at = 0; at < k; at += kBlock, out += kPairs * sizeof(V)) pack_block(x, at, out);
  }
}

// ---- products ----

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
    const char* x = x_ + (vector * k_ / kBlock + block) * kPairs * sizeof(V);
    for (size_t n = 0; n < count; n += kHeight) {
      tile<kVectors, kHeight>(x, panel.w[n][0], panel.scales[n], blocks, sums + n * kLanes);
    }
  }

 private:
  template <size_t kVectors, size_t kHeight>
  VITALIS_INLINE void tile(const char* x, const uint32_t* w, const float* scales, size_t blocks,
                           float* sums) const {
    const size_t stride = k_ / kBlock * kPairs * sizeof(V);  // from vector to vector
    for (size_t block = 0; block < blocks; ++block, x += kPairs * sizeof(V), w += kPairs) {
      V even[kVectors][kHeight] = {}, odd[kVectors][kHeight] = {};
      for (size_t i = 0; i < kPairs / 2; ++i) {
        __m512bh low[kVectors], high[kVectors];
        VITALIS_UNROLL
        for (size_t v = 0; v < kVectors; ++v) {
          low[v] = (__m512bh)load_bits(x + v * stride + i * sizeof(V));
          high[v] = (__m512bh)load_bits(x + v * stride + (kPairs / 2 + i) * sizeof(V));
        }
        VITALIS_UNROLL
        for (size_t n = 0; n < kHeight; ++n) {
          const uint32_t* row = w + n * kBlocks * kPairs + i;
          const auto a = (__m512bh)_mm512_set1_epi32(static_cast<int>(row[0]));
          const auto b = (__m512bh)_mm512_set1_epi32(static_cast<int>(row[kPairs / 2]));
          VITALIS_UNROLL
          for (size_t v = 0; v < kVectors; ++v) {
            even[v][n] = _mm512_dpbf16_ps(even[v][n], low[v], a);
            odd[v][n] = _mm512_dpbf16_ps(odd[v][n], high[v], b);
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
  static constexpr size_t kBlocks = FloatTiles::kBlocks;
  template <class Weights>
  using Panel = FloatTiles::Panel<Weights>;

  WideTiles(const char* x, size_t k) : x_(x), k_(k) {}

  template <size_t kVectors, class Weights>
  void multiply(size_t vector, size_t block, const Panel<Weights>& panel, size_t count,
                size_t blocks, float* sums) const {
    for (size_t v = 0; v < kVectors; ++v) {
      const char* x = x_ + ((vector + v) * k_ / kBlock + block) * kPairs * sizeof(V);
      for (size_t n = 0; n < count; n += kHeight) {
        tile(x, panel.w[n][0], blocks, sums + (v * kWeightRows + n) * kLanes);
      }
    }
  }

 private:
  static constexpr size_t kHeight = kTileSums;

  static V upper(Bits pair) {
    return _mm512_castsi512_ps(_mm512_and_si512(pair, _mm512_set1_epi32(-0x10000)));
  }
  static V lower(Bits pair) { return _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16)); }

  VITALIS_INLINE static void tile(const char* x, const float* w, size_t blocks, float* sums) {
    for (size_t block = 0; block < blocks; ++block, x += kPairs * sizeof(V), w += kBlock) {
      V even[1][kHeight] = {}, odd[1][kHeight] = {};
      for (size_t i = 0; i < kPairs / 2; ++i) {
        const Bits low = load_bits(x + i * sizeof(V));
        const Bits high = load_bits(x + (kPairs / 2 + i) * sizeof(V));
        VITALIS_UNROLL
        for (size_t n = 0; n < kHeight; ++n) {
          const float* row = w + n * kBlocks * kBlock + 2 * i;
          even[0][n] = fma(upper(low), set1(row[0]), even[0][n]);
          even[0][n] = fma(lower(low), set1(row[1]), even[0][n]);
          odd[0][n] = fma(upper(high), set1(row[kPairs]), odd[0][n]);
          odd[0][n] = fma(lower(high), set1(row[kPairs + 1]), odd[0][n]);
        }
      }
      add_sums<false, 1>(even, odd, nullptr, sums);
    }
  }

  const char* x_;
  size_t k_;
};

template <class Weights>
inline constexpr bool kHasPairs = requires(const Weights& w) {
  pairs_of(w, size_t{}, size_t{});
};

inline void matmul_bf16(const void* packed, size_t rows, size_t k, const Matrix& w, size_t begin,
                        size_t end, const Vector& bias, float* out, size_t out_stride) {
  if (few(rows)) return matmul(packed, rows, k, w, begin, end, bias, out, out_stride);
  Header header;
  __builtin_memcpy(&header, packed, sizeof header);
  const char* x = static_cast<const char*>(packed) + kHeaderBytes;
  if (header.round != Round::kBf16) return matmul(x, rows, k, w, begin, end, bias, out, out_stride);
  const Results results = {bias, out, out_stride, begin};
  with_weights(w, k / kBlock, [&]<class Weights>(const Weights& weights) {
    if constexpr (kHasPairs<Weights>) {
      product_many(PairTiles(x, k), rows, weights, begin, end, results);
    } else {
      product_many(WideTiles(x, k), rows, weights, begin, end, results);
    }
  });
}

}  // namespace
}  // namespace vitalis::kernels
