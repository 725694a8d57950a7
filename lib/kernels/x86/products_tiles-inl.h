// SPDX-License-Identifier: Apache-2.0
// Products on tiles (tiles-inl.h), whose sums are the tile order by definition. Weights are the
// left factor, as they lie in memory; activations the right one. 32 rows of weights by 32 of
// activations are four tiles of sums; 9 blocks of these weights at a time, as bf16, are a panel
// that stays in the first cache while the activations pass by, and the sums go on from panel to
// panel. For few rows, and for numbers that bf16 does not hold, the tier below does the work.
// Closed (see kernels/table.h).
//
// Packed activations begin with a Header; then follow floats as in products-inl.h, or on tiles
//   [rows / 16][blocks][16 pairs of terms][16 rows][2]    bf16.
#pragma once

#include "kernels/x86/products-inl.h"

namespace vitalis::kernels {
namespace {

// From this many rows on tiles are reckoned to pay (docs/performance.md): 5 to 7 are two or three
// passes of products-inl.h over the weights, 8 are bound by arithmetic there.
inline constexpr size_t kLeastTileRows = 5;

inline constexpr size_t kTileRows = 16;
inline constexpr size_t kTileBytes = 1024;
inline constexpr size_t kPanelHeight = 2 * kTileRows;  // of weights
// Panel and activations of so many blocks take 36 KiB; 9 divides gpt-oss's 90 blocks.
inline constexpr size_t kPanelBlocks = 9;
// Where blocks have scales, their sums leave the tiles one by one: those of 4 take 16 KiB.
inline constexpr size_t kScaledBlocks = 4;

inline bool on_tiles(size_t rows, Round round) {
  return round == Round::kBf16 && rows >= kLeastTileRows;
}

// ---- packing ----

inline size_t packed_bytes_tiles(size_t rows, size_t k) {
  const size_t floats = packed_bytes(rows, k);
  const size_t tiles = rows < kLeastTileRows ? 0 : divide_up(rows, kTileRows) * kTileRows * k * 2;
  return kHeaderBytes + (floats > tiles ? floats : tiles);
}

// 32 floats that are bf16 values, as words in their order.
inline Bits upper_words(V first, V last) {
  const Bits places = _mm512_setr_epi32(1 | 3 << 16, 5 | 7 << 16, 9 | 11 << 16, 13 | 15 << 16,
                                        17 | 19 << 16, 21 | 23 << 16, 25 | 27 << 16, 29 | 31 << 16,
                                        33 | 35 << 16, 37 | 39 << 16, 41 | 43 << 16, 45 | 47 << 16,
                                        49 | 51 << 16, 53 | 55 << 16, 57 | 59 << 16, 61 | 63 << 16);
  return _mm512_permutex2var_epi16(_mm512_castps_si512(first), places, _mm512_castps_si512(last));
}
// 32 floats, rounded.
inline V to_bf16(const float* x) {
  return _mm512_castsi512_ps(upper_words(round_bf16(load(x)), round_bf16(load(x + kLanes))));
}

inline void pack_tiles(const float* source, size_t stride, const uint32_t* index, size_t rows,
                       size_t k, Round round, void* packed) {
  const Header header = {round};
  __builtin_memcpy(packed, &header, sizeof header);
  float* out = reinterpret_cast<float*>(static_cast<char*>(packed) + kHeaderBytes);
  if (!on_tiles(rows, round)) return pack(source, stride, index, rows, k, round, out);
  for (size_t r = 0; r < rows; r += kTileRows) {
    const float* x[kTileRows];
    for (size_t j = 0; j < kTileRows; ++j) {
      x[j] = r + j < rows ? source + (index ? index[r + j] : r + j) * stride : nullptr;
    }
    for (size_t at = 0; at < k; at += kBlock, out += kTileRows * kTileRows) {
      V t[kTileRows];
      for (size_t j = 0; j < kTileRows; ++j) t[j] = x[j] ? to_bf16(x[j] + at) : zero();
      transpose(t);
      for (size_t j = 0; j < kTileRows; ++j) store(out + j * kTileRows, t[j]);
    }
  }
}

// Activations on tiles, for weights that bf16 does not hold.
struct PairTerms {
  const uint32_t* x;  // [terms / 2][16 rows]: an even and an odd term

  VITALIS_INLINE PairTerms from(size_t term) const { return {x + term / 2 * kLanes}; }
  VITALIS_INLINE void get(size_t term, V& even, V& odd) const {
    const Bits both = _mm512_loadu_si512(x + term / 2 * kLanes);
    even = Bf16::low(both);
    odd = Bf16::high(both);
  }
};

// ---- weights: a block as bf16 in the order of its terms, short of a scale ----

inline Bits terms_of(const Narrow<Bf16>& w, size_t n, size_t block) {
  return _mm512_loadu_si512(w.w + (n * w.row_blocks + block) * kBlock);
}

inline Bits terms_of(const Q8& w, size_t n, size_t block) {
  const uint8_t* bytes = w.at(n, block) + 2;
  return upper_words(load_s8(bytes), load_s8(bytes + 16));
}

// kFp4[code] * e8m0_to_f32(scale) as bf16, denormals flushed.
constexpr uint16_t scaled_code(unsigned code, unsigned scale) {
  constexpr unsigned kExponents[] = {0, 126, 127, 127, 128, 128, 129, 129};
  constexpr unsigned kFractions[] = {0, 0, 0, 0x40, 0, 0x40, 0, 0x40};
  constexpr unsigned kInfinity = 0x7F80, kNaN = 0x7FC0;
  const unsigned magnitude = code & 7, sign = (code & 8) << 12;
  if (magnitude == 0) return static_cast<uint16_t>(scale == 255 ? kNaN : sign);
  const unsigned raised = kExponents[magnitude] + scale;  // by 127
  if (scale == 0 || raised <= 127) return static_cast<uint16_t>(sign);
  if (scale == 255 || raised >= 127 + 255) return static_cast<uint16_t>(sign | kInfinity);
  return static_cast<uint16_t>(sign | (raised - 127) << 7 | kFractions[magnitude]);
}

struct ScaledCodes {
  uint16_t of_scale[256][16];

  constexpr ScaledCodes() : of_scale() {
    for (unsigned scale = 0; scale < 256; ++scale) {
      for (unsigned code = 0; code < 16; ++code) of_scale[scale][code] = scaled_code(code, scale);
    }
  }
};
alignas(64) inline constexpr ScaledCodes kScaledCodes;

// 16 bytes of codes to the indices of 32 look-ups, of which 5 bits count.
inline Bits places_of(__m128i bytes, Pairs) {
  const Bits wide = _mm512_cvtepu8_epi32(bytes);
  return _mm512_or_si512(wide, _mm512_slli_epi32(wide, 12));
}
inline Bits places_of(__m128i bytes, Halves) {
  const __m256i low = _mm256_cvtepu8_epi16(bytes);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), _mm256_srli_epi16(low, 4), 1);
}

// The codes twice, so that the fifth bit may be anything.
template <class Storage, class Order>
Bits terms_of(const Mxfp4<Storage, Order>& w, size_t n, size_t block) {
  const size_t at = n * w.row_blocks + block;
  const uint16_t* codes = kScaledCodes.of_scale[w.storage.exponent(at)];
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(w.storage.codes(at)));
  const __m256i once = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
  return _mm512_permutexvar_epi16(places_of(bytes, Order()), _mm512_broadcast_i64x4(once));
}

// Where a block lies, and the fetching of scales that lie apart, for blocks counted through all
// rows.
inline const uint8_t* bytes_of(const Narrow<Bf16>& w, size_t block) {
  return reinterpret_cast<const uint8_t*>(w.w + block * kBlock);
}
inline const uint8_t* bytes_of(const Q8& w, size_t block) {
  return w.w + block * kQ8Bytes;
}
template <class Storage, class Order>
const uint8_t* bytes_of(const Mxfp4<Storage, Order>& w, size_t block) {
  return w.storage.codes(block);
}
template <class Weights>
void fetch_scales(const Weights&, size_t, size_t) {}
template <class Storage, class Order>
void fetch_scales(const Mxfp4<Storage, Order>& w, size_t block, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) w.storage.fetch_scales(block + i, i / kLanes);
}

// Weights on their way from memory to the second cache: some lines at each step of a panel, until
// the panel's share of the rows below has been asked for.
class Ahead {
 public:
  Ahead(const uint8_t* from, size_t bytes, size_t steps)
      : at_(from), end_(from + bytes), step_(divide_up(divide_up(bytes, 64), steps) * 64) {}

  VITALIS_INLINE void step() {
    const size_t left = static_cast<size_t>(end_ - at_);
    const uint8_t* to = at_ + (step_ < left ? step_ : left);
    for (; at_ < to; at_ += 64) fetch<64>(at_);
    at_ = to;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
  size_t step_;
};

// From row n + kPanelHeight on, as many bytes as a panel from `block` on takes, one after another.
template <class Weights>
Ahead fetch_rows_below(const Weights& w, size_t n, size_t block, size_t depth, size_t steps) {
  const size_t from = (n + kPanelHeight) * w.row_blocks + block * kPanelHeight;
  const size_t count = kPanelHeight * depth;
  fetch_scales(w, from, count);
  const uint8_t* bytes = bytes_of(w, from);
  return {bytes, static_cast<size_t>(bytes_of(w, from + count) - bytes), steps};
}

// ---- products ----

// Where the left factor lies: tiles of 16 rows `row_stride` bytes apart; in each, from block to
// block and from row 0 to row 16.
struct LeftFactor {
  const char* data;
  size_t row_stride, block_stride, half_stride;
};

template <class Weights>
struct TilePanel {
  static constexpr bool kScaled = Weights::kScaled;
  static constexpr size_t kBlocks = kScaled ? kScaledBlocks : kPanelBlocks;
  alignas(64) uint16_t w[kBlocks][kPanelHeight][kBlock];
  float scales[kScaled ? kPanelHeight : 1][kBlocks];

  // `count` rows from n on, `depth` blocks from `block` on; rows that are missing are zero.
  void decode(const Weights& weights, size_t n, size_t count, size_t block, size_t depth) {
    for (size_t i = 0; i < count; ++i) {
      for (size_t b = 0; b < depth; ++b) {
        _mm512_store_si512(w[b][i], terms_of(weights, n + i, block + b));
        if constexpr (kScaled) scales[i][b] = weights.scale(n + i, block + b);
      }
    }
    for (size_t i = count; i < kPanelHeight; ++i) {
      for (size_t b = 0; b < depth; ++b) {
        _mm512_store_si512(w[b][i], _mm512_setzero_si512());
        if constexpr (kScaled) scales[i][b] = 0;
      }
    }
  }
  LeftFactor factor(size_t b = 0) const {
    return {reinterpret_cast<const char*>(w[b]), kBlock * 2, sizeof w[0], kTileBytes};
  }
};

template <class Weights>
inline constexpr bool kLieAsTerms = false;
template <>
inline constexpr bool kLieAsTerms<Narrow<Bf16>> = true;

inline LeftFactor in_place(const Narrow<Bf16>& w, size_t n, size_t block) {
  const size_t stride = w.row_blocks * kBlock * 2;
  return {reinterpret_cast<const char*>(w.w + (n * w.row_blocks + block) * kBlock), stride,
          kBlock * 2, kTileRows * stride};
}

// Whether the tiles of sums begin at zero, and whether they go to memory when a panel is done.
struct Course {
  bool from_zero, from_memory, to_memory;
};

// A panel times kColumns tiles of activations at x, `column` bytes apart, onto the sums
// [kColumns][kPanelHeight][16 rows of activations].
template <size_t kColumns, class Tiles>
VITALIS_INLINE void multiply(Tiles& tiles, const LeftFactor& left, const char* x, size_t column,
                             size_t depth, Course course, Ahead& ahead, float* sums) {
  constexpr size_t kRow = kTileRows * sizeof(float), kTileFloats = kTileRows * kTileRows;
  if (course.from_zero) {
    tiles.template zero<0>();
    tiles.template zero<1>();
    if (kColumns == 2) tiles.template zero<2>();
    if (kColumns == 2) tiles.template zero<3>();
  } else if (course.from_memory) {
    tiles.template load<0>(sums, kRow);
    tiles.template load<1>(sums + kTileFloats, kRow);
    if (kColumns == 2) tiles.template load<2>(sums + 2 * kTileFloats, kRow);
    if (kColumns == 2) tiles.template load<3>(sums + 3 * kTileFloats, kRow);
  }
  const char* w = left.data;
  for (size_t b = 0; b < depth; ++b, w += left.block_stride, x += kTileBytes) {
    tiles.template load<4>(w, left.row_stride);
    tiles.template load<6>(x, kRow);
    tiles.template multiply<0, 4, 6>();
    tiles.template load<5>(w + left.half_stride, left.row_stride);
    tiles.template multiply<1, 5, 6>();
    if (kColumns == 2) tiles.template load<7>(x + column, kRow);
    if (kColumns == 2) tiles.template multiply<2, 4, 7>();
    if (kColumns == 2) tiles.template multiply<3, 5, 7>();
    ahead.step();
  }
  if (!course.to_memory) return;
  tiles.template store<0>(sums, kRow);
  tiles.template store<1>(sums + kTileFloats, kRow);
  if (kColumns == 2) tiles.template store<2>(sums + 2 * kTileFloats, kRow);
  if (kColumns == 2) tiles.template store<3>(sums + 3 * kTileFloats, kRow);
}

// The same where each block's sum is multiplied by its scale before it is added.
template <size_t kColumns, class Tiles, class Panel>
VITALIS_INLINE void multiply_scaled(Tiles& tiles, const Panel& panel, const char* x, size_t column,
                                    size_t depth, Ahead& ahead, float* sums) {
  constexpr size_t kVectors = kColumns * kPanelHeight;
  alignas(64) float block_sums[Panel::kBlocks][kVectors][kLanes];
  for (size_t b = 0; b < depth; ++b) {
    multiply<kColumns>(tiles, panel.factor(b), x + b * kTileBytes, column, 1, {true, false, true},
                       ahead, block_sums[b][0]);
  }
  for (size_t i = 0; i < kVectors; ++i) {
    V sum = load(sums + i * kLanes);
    for (size_t b = 0; b < depth; ++b) {
      const V scale = set1(panel.scales[i % kPanelHeight][b]);
      sum = add(sum, mul(load(block_sums[b][i]), scale));
    }
    store(sums + i * kLanes, sum);
  }
}

// Up to kRowsPerPanel rows of activations times the weight rows [n, n + count).
template <class Tiles, class Weights>
void product_panels(Tiles& tiles, const char* x, size_t columns, const Weights& w, size_t n,
                    size_t count, float (*sums)[kPanelHeight][kLanes]) {
  using Panel = TilePanel<Weights>;
  Panel panel;
  const size_t blocks = w.row_blocks, column = blocks * kTileBytes;
  const bool few_columns = columns <= 2;  // then sums stay in their tiles
  if (Panel::kScaled) __builtin_memset(sums, 0, columns * sizeof sums[0]);
  for (size_t block = 0; block < blocks; block += Panel::kBlocks) {
    const size_t depth = blocks - block < Panel::kBlocks ? blocks - block : Panel::kBlocks;
    const Course course = {block == 0, !few_columns, !few_columns || block + depth == blocks};
    LeftFactor left = panel.factor();
    bool decoded = true;
    if constexpr (kLieAsTerms<Weights>) {
      // Read once, they need no panel. Read again and again, they do: their rows share the cache's
      // sets, and their lines are not aligned.
      decoded = !few_columns || count < kPanelHeight;
      if (!decoded) left = in_place(w, n, block);
    }
    if (decoded) panel.decode(w, n, count, block, depth);
    Ahead ahead = fetch_rows_below(w, n, block, depth, divide_up(columns, 2) * depth);
    const auto some = [&]<size_t kColumns>(size_t c, Width<kColumns>)
        __attribute__((always_inline)) {
      const char* from = x + c * column + block * kTileBytes;
      if constexpr (Panel::kScaled) {
        multiply_scaled<kColumns>(tiles, panel, from, column, depth, ahead, sums[c][0]);
      } else {
        multiply<kColumns>(tiles, left, from, column, depth, course, ahead, sums[c][0]);
      }
    };
    size_t c = 0;
    for (; c + 2 <= columns; c += 2) some(c, Width<2>());
    if (c < columns) some(c, Width<1>());
  }
}

template <class Tiles, class Weights>
void product_tiles(const char* x, size_t rows, const Weights& w, size_t begin, size_t end,
                   const Results& results) {
  alignas(64) float sums[kRowsPerPanel / kTileRows][kPanelHeight][kLanes];
  Tiles tiles;
  for (size_t row = 0; row < rows; row += kRowsPerPanel) {
    const size_t some = rows - row < kRowsPerPanel ? rows - row : kRowsPerPanel;
    const size_t columns = divide_up(some, kTileRows);
    const char* from = x + row / kTileRows * w.row_blocks * kTileBytes;
    for (size_t n = begin; n < end; n += kPanelHeight) {
      const size_t count = end - n < kPanelHeight ? end - n : kPanelHeight;
      product_panels(tiles, from, columns, w, n, count, sums);
      put_many(sums, columns, row, rows, n, count, results);
    }
  }
}

// ---- entries ----

template <class Weights>
inline constexpr bool kHasTerms = requires(const Weights& w) {
  terms_of(w, size_t{}, size_t{});
};

template <class Tiles>
void matmul_tiles(const void* packed, size_t rows, size_t k, const Matrix& w, size_t begin,
                  size_t end, const Vector& bias, float* out, size_t out_stride) {
  Header header;
  __builtin_memcpy(&header, packed, sizeof header);
  const char* x = static_cast<const char*>(packed) + kHeaderBytes;
  if (!on_tiles(rows, header.round)) {
    return matmul(x, rows, k, w, begin, end, bias, out, out_stride);
  }
  const Results results = {bias, out, out_stride, begin};
  with_weights(w, k / kBlock, [&]<class Weights>(const Weights& weights) {
    if constexpr (kHasTerms<Weights>) {
      product_tiles<Tiles>(x, rows, weights, begin, end, results);
    } else {
      const FloatTiles<PairTerms> tiles({reinterpret_cast<const uint32_t*>(x)}, k);
      product_many(tiles, rows, weights, begin, end, results);
    }
  });
}

}  // namespace
}  // namespace vitalis::kernels
