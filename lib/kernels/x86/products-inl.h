// SPDX-License-Identifier: Apache-2.0
// Packing and products of the x86 tiers, in the tier's vocabulary (vec-inl.h) and over its
// weights: types with row_blocks, fetch_group, fetch_blocks, block_sums and decode; kScaled if sums
// of what decode gives are still to be multiplied by scale(). Closed (see kernels/table.h).
//
// Packed activations, floats:
//   few rows   [blocks / kLanes][rows][32][kLanes]: lanes are blocks of 32 (lane_of_block), so that
//              one row of weights is read as it lies in memory, each group of kLanes blocks once.
//   many rows  [rows / kLanes][k][kLanes]: lanes are rows; a panel of weights is decoded to floats
//              once and each weight broadcast.
#pragma once

#include "kernels/table.h"
#include "kernels/x86/rows-inl.h"

namespace vitalis::kernels {
namespace {

// A panel of decoded weights. Its height is a multiple of that of all tiles.
inline constexpr size_t kWeightRows = 48;
inline constexpr size_t kRowsPerPanel = 256;  // of activations, for which a panel is decoded once

inline size_t divide_up(size_t a, size_t b) {
  return (a + b - 1) / b;
}
inline bool few(size_t rows) {
  return rows < kManyRows;
}
inline size_t few_floats(size_t rows, size_t k) {
  return rows * divide_up(k / kBlock, kLanes) * kLanes * kBlock;
}

// ---- packing ----

inline size_t packed_bytes(size_t rows, size_t k) {
  const size_t most_few = few_floats(rows < kManyRows ? rows : kManyRows - 1, k);
  const size_t many = few(rows) ? 0 : divide_up(rows, kLanes) * kLanes * k;
  return (many > most_few ? many : most_few) * sizeof(float);
}

inline V load_rounded(const float* x, Round round) {
  const V v = load(x);
  return round == Round::kBf16 ? round_bf16(v) : v;
}

// One row of activations into its place in each group of blocks.
inline void pack_few(const float* x, size_t rows, size_t k, Round round, float* out) {
  const size_t blocks = k / kBlock;
  for (size_t group = 0; group < blocks; group += kLanes, out += rows * kGroupFloats) {
    for (size_t i = 0; i < kBlock; i += kLanes) {
      V t[kLanes];
      for (size_t b = 0; b < kLanes; ++b) {
        const size_t block = group + b;
        t[lane_of_block(b)] = block < blocks ? load_rounded(x + block * kBlock + i, round) : zero();
      }
      transpose(t);
      for (size_t j = 0; j < kLanes; ++j) store(out + (i + j) * kLanes, t[j]);
    }
  }
}

inline void pack(const float* source, size_t stride, const uint32_t* index, size_t rows, size_t k,
                 Round round, void* packed) {
  float* out = static_cast<float*>(packed);
  const auto row = [=](size_t r) { return source + (index ? index[r] : r) * stride; };
  if (few(rows)) {
    for (size_t r = 0; r < rows; ++r) pack_few(row(r), rows, k, round, out + r * kGroupFloats);
    return;
  }
  for (size_t r = 0; r < rows; r += kLanes) {
    const float* x[kLanes];
    for (size_t j = 0; j < kLanes; ++j) x[j] = r + j < rows ? row(r + j) : nullptr;
    for (size_t i = 0; i < k; i += kLanes, out += kLanes * kLanes) {
      V t[kLanes];
      for (size_t j = 0; j < kLanes; ++j) t[j] = x[j] ? load_rounded(x[j] + i, round) : zero();
      transpose(t);
      for (size_t j = 0; j < kLanes; ++j) store(out + j * kLanes, t[j]);
    }
  }
}

// What tiers with layouts of their own for bf16 put in front: products are not told how activations
// were rounded.
inline constexpr size_t kHeaderBytes = 64;

struct Header {
  Round round;
};

// ---- results ----

struct Results {
  Vector bias;
  float* out;
  size_t stride;
  size_t begin;

  // Outputs of one row for weight rows [n, n + count).
  VITALIS_INLINE void put(size_t row, size_t n, size_t count, V sum) const {
    if (bias.data) sum = add(sum, load(bias, n, count));
    store(out + row * stride + n - begin, sum, count);
  }
};

// ---- few rows ----

template <size_t>
struct Width {};

// Activations as floats.
struct FloatGroups {
  static constexpr size_t kBytes = kGroupFloats * sizeof(float);  // of a group of blocks of a row

  // The sums of blocks of weight row n, kGroups groups from block `first` on, times the groups of
  // kRows rows at x; `stride` bytes from group to group.
  template <size_t kRows, size_t kGroups, class Weights>
  VITALIS_INLINE static void block_sums(const Weights& w, size_t n, size_t first, const char* x,
                                        size_t stride, V (&sum)[kGroups][kRows]) {
    w.block_sums(n, first, reinterpret_cast<const float*>(x), stride / sizeof(float), sum);
  }
};

// kLanes rows of weights after one another; then, lanes being these rows, their blocks' sums are
// added in order. Meanwhile the next kLanes rows are fetched, a group's worth at each step. With
// one row of activations each row of weights is read to its end; with more, activations of one
// group of blocks stay in the first cache.
template <class Groups, size_t kRows, class Weights>
void product_rows(const char* x, size_t stride, const Weights& w, size_t begin, size_t end,
                  const Results& results) {
  constexpr size_t kGroups = kRows == 1 ? 16 : 1;
  constexpr size_t kSideBySide = kRows == 1 ? kGroupsAtOnce : 1;
  const size_t blocks = w.row_blocks, groups = divide_up(blocks, kLanes);
  float sums[kRows][kGroups][kLanes][kLanes] = {};
  for (size_t n = begin; n < end; n += kLanes) {
    const size_t count = end - n < kLanes ? end - n : kLanes;
    V total[kRows];
    for (V& t : total) t = zero();
    for (size_t from = 0; from < groups; from += kGroups) {
      const size_t to = from + kGroups < groups ? from + kGroups : groups;
      for (size_t i = 0; i < count; ++i) {
        const auto some = [&]<size_t kMany>(size_t g, Width<kMany>) __attribute__((always_inline)) {
          V sum[kMany][kRows];
          Groups::block_sums(w, n + i, g * kLanes, x + g * stride, stride, sum);
          VITALIS_UNROLL
          for (size_t j = 0; j < kMany; ++j) {
            w.fetch_group(n + kLanes, from * kLanes + i * (to - from) + g + j - from);
            VITALIS_UNROLL
            for (size_t r = 0; r < kRows; ++r) store(sums[r][g + j - from][i], sum[j][r]);
          }
        };
        size_t g = from;
        for (; g + kSideBySide <= to; g += kSideBySide) some(g, Width<kSideBySide>());
        for (; g < to; ++g) some(g, Width<1>());
      }
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t g = from; g < to; ++g) {
          V t[kLanes];
          VITALIS_UNROLL
          for (size_t i = 0; i < kLanes; ++i) t[i] = load(sums[r][g - from][i]);
          transpose(t);
          const size_t left = blocks - g * kLanes;
          VITALIS_UNROLL
          for (size_t b = 0; b < kLanes; ++b) {
            if (b < left) total[r] = add(total[r], t[lane_of_block(b)]);
          }
        }
      }
    }
    for (size_t r = 0; r < kRows; ++r) results.put(r, n, count, total[r]);
  }
}

// ---- many rows ----

// Adds a block's two chains to the sums [vector][kWeightRows][kLanes]. scales: that of each row, a
// panel's depth apart.
template <bool kScaled, size_t kDepth, size_t kVectors, size_t kHeight>
VITALIS_INLINE void add_sums(const V (&even)[kVectors][kHeight], const V (&odd)[kVectors][kHeight],
                             const float* scales, float* sums) {
  VITALIS_UNROLL
  for (size_t v = 0; v < kVectors; ++v) {
    VITALIS_UNROLL
    for (size_t n = 0; n < kHeight; ++n) {
      float* sum = sums + (v * kWeightRows + n) * kLanes;
      V both = add(even[v][n], odd[v][n]);
      if constexpr (kScaled) both = mul(both, set1(scales[n * kDepth]));
      store(sum, add(load(sum), both));
    }
  }
}

// From sums, whose lanes are rows, to the outputs of weight rows [n, n + count).
template <size_t kHeight>
void put_many(const float (*sums)[kHeight][kLanes], size_t vectors, size_t row, size_t rows,
              size_t n, size_t count, const Results& results) {
  for (size_t v = 0; v < vectors; ++v) {
    const size_t at = row + v * kLanes;
    for (size_t i = 0; i < count; i += kLanes) {
      V t[kLanes];
      for (size_t j = 0; j < kLanes; ++j) t[j] = load(sums[v][i + j]);
      transpose(t);
      for (size_t j = 0; j < kLanes && at + j < rows; ++j) {
        results.put(at + j, n + i, count - i < kLanes ? count - i : kLanes, t[j]);
      }
    }
  }
}

// The even and odd terms of 16 rows of packed activations.
struct FloatTerms {
  const float* x;

  VITALIS_INLINE FloatTerms from(size_t term) const { return {x + term * kLanes}; }
  VITALIS_INLINE void get(size_t term, V& even, V& odd) const {
    even = load(x + term * kLanes);
    odd = load(x + (term + 1) * kLanes);
  }
};

// Panels of weights as floats, and the products with activations as Terms gives them.
template <class Terms = FloatTerms>
class FloatTiles {
 public:
  // The depth of a panel: it and the activations of so many terms stay in the first cache together.
  static constexpr size_t kBlocks = 2;

  // Decoded weights, some blocks of some rows: in a block the even terms first.
  template <class Weights>
  struct Panel {
    static constexpr bool kScaled = Weights::kScaled;
    float w[kWeightRows][kBlocks][kBlock];
    float scales[kScaled ? kWeightRows : 1][kBlocks];

    VITALIS_INLINE void decode(const Weights& weights, size_t n, size_t block, size_t i, size_t b) {
      weights.decode(n, block, w[i][b]);
      if constexpr (kScaled) scales[i][b] = weights.scale(n, block);
    }
  };

  FloatTiles(Terms x, size_t k) : x_(x), k_(k) {}

  // kVectors vectors of rows from `vector` on, times a panel from `block` on, onto `sums`
  // [vector][kWeightRows][kLanes].
  template <size_t kVectors, class Weights>
  void multiply(size_t vector, size_t block, const Panel<Weights>& panel, size_t count,
                size_t blocks, float* sums) const {
    constexpr bool kScaled = Weights::kScaled;
    constexpr size_t kHeight = kTileSums / kVectors;
    const Terms x = x_.from(vector * k_ + block * kBlock);
    for (size_t n = 0; n < count; n += kHeight) {
      tile<kScaled, kVectors, kHeight>(x, panel.w[n][0], panel.scales[kScaled ? n : 0], blocks,
                                       sums + n * kLanes);
    }
  }

 private:
  template <bool kScaled, size_t kVectors, size_t kHeight>
  VITALIS_INLINE void tile(Terms x, const float* w, const float* scales, size_t blocks,
                           float* sums) const {
    for (size_t block = 0; block < blocks; ++block, x = x.from(kBlock), w += kBlock) {
      V even[kVectors][kHeight] = {}, odd[kVectors][kHeight] = {};
      for (size_t i = 0; i < kBlock / 2; ++i) {
        V low[kVectors], high[kVectors];
        VITALIS_UNROLL
        for (size_t v = 0; v < kVectors; ++v) x.get(v * k_ + 2 * i, low[v], high[v]);
        VITALIS_UNROLL
        for (size_t n = 0; n < kHeight; ++n) {
          const float* row = w + n * kBlocks * kBlock + i;
          const V a = set1(row[0]), b = set1(row[kBlock / 2]);
          VITALIS_UNROLL
          for (size_t v = 0; v < kVectors; ++v) {
            even[v][n] = fma(low[v], a, even[v][n]);
            odd[v][n] = fma(high[v], b, odd[v][n]);
          }
        }
      }
      add_sums<kScaled, kBlocks>(even, odd, scales + block, sums);
    }
  }

  Terms x_;
  size_t k_;
};

// The loops over panels of weights; Tiles says how these are decoded and multiplied.
template <class Tiles, class Weights>
void product_many(const Tiles& tiles, size_t rows, const Weights& w, size_t begin, size_t end,
                  const Results& results) {
  constexpr size_t kVectors = kRowsPerPanel / kLanes, kBlocks = Tiles::kBlocks;
  typename Tiles::template Panel<Weights> panel = {};
  for (size_t n = begin; n < end; n += kWeightRows) {
    const size_t count = end - n < kWeightRows ? end - n : kWeightRows;
    for (size_t row = 0; row < rows; row += kRowsPerPanel) {
      const size_t vectors =
          divide_up(rows - row < kRowsPerPanel ? rows - row : kRowsPerPanel, kLanes);
      float sums[kVectors][kWeightRows][kLanes];
      __builtin_memset(sums, 0, vectors * sizeof sums[0]);
      for (size_t block = 0; block < w.row_blocks; block += kBlocks) {
        const size_t left = w.row_blocks - block;
        const size_t blocks = left < kBlocks ? left : kBlocks;
        const size_t next = block + kBlocks;
        for (size_t i = 0; i < count; ++i) {
          if (next < w.row_blocks) {
            w.template fetch_blocks<kBlocks>(n + i, next);
          } else {
            w.template fetch_blocks<kBlocks>(n + i + kWeightRows, 0);
          }
          for (size_t b = 0; b < blocks; ++b) panel.decode(w, n + i, block + b, i, b);
        }
        for (size_t v = 0; v < vectors;) {
          const size_t vector = row / kLanes + v, rest = vectors - v;
          if (kTileVectors >= 3 && rest >= 3 && rest != 4) {
            tiles.template multiply<kTileVectors>(vector, block, panel, count, blocks, sums[v][0]);
            v += kTileVectors;
          } else if (rest >= 2) {
            tiles.template multiply<2>(vector, block, panel, count, blocks, sums[v][0]);
            v += 2;
          } else {
            tiles.template multiply<1>(vector, block, panel, count, blocks, sums[v][0]);
            v += 1;
          }
        }
      }
      put_many(sums, vectors, row, rows, n, count, results);
    }
  }
}

// ---- entries ----

template <class Groups, size_t kRows, class Weights>
size_t product_some(const char* x, size_t rows, size_t from, const Weights& w, size_t begin,
                    size_t end, Results results) {
  for (; from + kRows <= rows; from += kRows) {
    Results some = results;
    some.out += from * results.stride;
    product_rows<Groups, kRows>(x + from * Groups::kBytes, rows * Groups::kBytes, w, begin, end,
                                some);
  }
  return from;
}

template <class Groups, class Weights>
void product_few(const void* packed, size_t rows, const Weights& w, size_t begin, size_t end,
                 const Results& results) {
  const char* x = static_cast<const char*>(packed);
  size_t done = product_some<Groups, kFewRowsAtOnce>(x, rows, 0, w, begin, end, results);
  done = product_some<Groups, 4>(x, rows, done, w, begin, end, results);
  done = product_some<Groups, 2>(x, rows, done, w, begin, end, results);
  product_some<Groups, 1>(x, rows, done, w, begin, end, results);
}

// run(weights) for a matrix of rows of so many blocks.
template <class Run>
VITALIS_INLINE void with_weights(const Matrix& w, size_t blocks, const Run& run) {
  switch (w.type) {
    case MatrixType::kBf16:
      return run(Narrow<Bf16>{static_cast<const uint16_t*>(w.data), blocks});
    case MatrixType::kF32:
      return run(F32{static_cast<const float*>(w.data), blocks});
    case MatrixType::kF16:
      return run(Narrow<F16>{static_cast<const uint16_t*>(w.data), blocks});
    case MatrixType::kQ8_0:
      return run(Q8{static_cast<const uint8_t*>(w.data), blocks});
    case MatrixType::kMxfp4:
      return run(Mxfp4<Apart<0>, Pairs>{{static_cast<const uint8_t*>(w.data), w.scales}, blocks});
    case MatrixType::kMxfp4Metal:
      return run(Mxfp4<Apart<kMetalScaleBias>, Pairs>{
          {static_cast<const uint8_t*>(w.data), w.scales}, blocks});
    case MatrixType::kMxfp4Ollama:
      return run(Mxfp4<Together, Pairs>{{static_cast<const uint8_t*>(w.data)}, blocks});
    case MatrixType::kMxfp4Ggml:
      return run(Mxfp4<Together, Halves>{{static_cast<const uint8_t*>(w.data)}, blocks});
  }
}

inline void matmul(const void* packed, size_t rows, size_t k, const Matrix& w, size_t begin,
                   size_t end, const Vector& bias, float* out, size_t out_stride) {
  const Results results = {bias, out, out_stride, begin};
  with_weights(w, k / kBlock, [&](const auto& weights) {
    if (few(rows)) return product_few<FloatGroups>(packed, rows, weights, begin, end, results);
    const FloatTiles<> tiles({static_cast<const float*>(packed)}, k);
    product_many(tiles, rows, weights, begin, end, results);
  });
}

}  // namespace
}  // namespace vitalis::kernels
