// SPDX-License-Identifier: Apache-2.0
// Products of the avx512bf16 tier: on pairs of bf16 (pairs-inl.h) where activations are such, else
// those of avx512. Lanes are 16 rows of weights, so that blocks' sums are added in order as they
// come, and no lane idles at a row's end; activations are broadcast.
//
// Weights are read in 16 places side by side, which the caches' own prefetchers do not follow: the
// 16 rows below are fetched meanwhile, in the order of memory. Closed (see kernels/table.h).
//
// Packed activations begin with a Header, since products don't know how they were rounded: then
// follow floats as in products-inl.h, or pairs, the even chain's 8 of a block first,
//   [rows, as many as rows_in_groups() says][blocks][16 pairs].
#pragma once

#include "kernels/x86/pairs-inl.h"
#include "kernels/x86/products-inl.h"

namespace vitalis::kernels {
namespace {

// ---- packing ----

// Rows of activations are multiplied 8 at a time; then 4, 2 or 1, or so many and some of zeros
// behind them.
inline constexpr size_t kGroupRows = 8;

inline size_t group_of(size_t rows) {
  return rows > 4 ? kGroupRows : rows > 2 ? 4 : rows;
}
inline size_t rows_in_groups(size_t rows) {
  const size_t rest = rows % kGroupRows;
  return rows - rest + group_of(rest);
}

inline constexpr size_t kRowBlockBytes = kPairs * 4;  // of a block of one row of activations

inline size_t packed_bytes_bf16(size_t rows, size_t k) {
  const size_t pairs = rows_in_groups(rows) * (k / kBlock) * kRowBlockBytes;
  const size_t floats = packed_bytes(rows, k);
  return kHeaderBytes + (pairs > floats ? pairs : floats);
}

inline void pack_bf16(const float* source, size_t stride, const uint32_t* index, size_t rows,
                      size_t k, Round round, void* packed) {
  const Header header = {round};
  __builtin_memcpy(packed, &header, sizeof header);
  char* out = static_cast<char*>(packed) + kHeaderBytes;
  if (round != Round::kBf16) return pack(source, stride, index, rows, k, round, out);
  const size_t row_bytes = k / kBlock * kRowBlockBytes;
  for (size_t r = 0; r < rows; ++r) {
    const float* row = source + (index ? index[r] : r) * stride;
    for (size_t at = 0; at < k; at += kBlock, out += kRowBlockBytes) {
      const V first = load_rounded(row + at, round), last = load_rounded(row + at + kLanes, round);
      _mm512_storeu_si512(out, in_pairs(narrow(first, last)));
    }
  }
  __builtin_memset(out, 0, (rows_in_groups(rows) - rows) * row_bytes);
}

// ---- sums of blocks ----

// The sums of blocks of 16 rows of weights, one after another. What looks up and multiplies waits
// long for its results, and the CPU has room for little more than one block of it: the weights of
// the next step are loaded and transposed before those of this are multiplied.
template <class Weights>
class PairSums {
 public:
  VITALIS_INLINE PairSums(const Weights& w, size_t n, size_t count)
      : w_(w), n_(n), rows_(w, n, count), ahead_(rows_, 0, 0) {}

  VITALIS_INLINE void load_scales(size_t block, size_t count, Scales& scales) const {
    rows_.load_scales(block, count, scales);
  }
  VITALIS_INLINE static V scaled(V sum, const Scales& scales, size_t b) {
    return Rows::scaled(sum, scales, b);
  }

  // Of `block`, which is the one after that of the last call, with the same block of each row of
  // activations, `stride` bytes apart.
  template <size_t kRows>
  VITALIS_INLINE void next(size_t block, const char* x, size_t stride, V (&sum)[kRows]) {
    w_.fetch_group(n_ + kLanes, block);
    V even[kRows] = {}, odd[kRows] = {};
    VITALIS_UNROLL
    for (size_t part = 0; part < Rows::kParts; ++part) {
      Part now = take(block, part);
      const auto get = [&](size_t i, Bits & a, Bits & b) __attribute__((always_inline)) {
        now.pairs(i, a, b);
      };
      multiply_pairs<kSteps>(get, x + part * kSteps * 4, stride, even, odd);
      if constexpr (Rows::kSparse) seen_ = _mm512_or_si512(seen_, now.seen);
    }
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) sum[r] = add(even[r], odd[r]);
  }

  // Whether some of the sums are wrong, for want of a number.
  VITALIS_INLINE bool missed() const {
    if constexpr (Rows::kSparse) return Rows::missed(seen_);
    return false;
  }

 private:
  using Rows = PairRows<Weights>;
  using Part = typename Rows::Part;
  static constexpr size_t kSteps = kPairs / 2 / Rows::kParts;

  VITALIS_INLINE Part take(size_t block, size_t part) {
    if constexpr (!Rows::kAhead) return Part(rows_, block, part);
    const Part now = ahead_;
    const bool last = part + 1 == Rows::kParts;
    // Behind the last block there is nothing: that is loaded again.
    const size_t next = last && block + 1 < w_.row_blocks ? block + 1 : block;
    ahead_ = Part(rows_, next, last ? 0 : part + 1);
    return now;
  }

  const Weights& w_;
  size_t n_;
  Rows rows_;
  Part ahead_;
  Bits seen_ = _mm512_setzero_si512();
};

// The same by multiply-adds, for numbers that bf16 or a look-up does not hold.
template <class Weights>
class FloatSums {
 public:
  FloatSums(const Weights& w, size_t n, size_t count) : w_(w), n_(n), count_(count) {}

  void load_scales(size_t block, size_t count, Scales& scales) const {
    if constexpr (kHasPairs<Weights>) {
      PairRows<Weights>(w_, n_, count_).load_scales(block, count, scales);
    }
  }
  static V scaled(V sum, const Scales& scales, size_t b) {
    if constexpr (kHasPairs<Weights>) return PairRows<Weights>::scaled(sum, scales, b);
    return sum;
  }
  static bool missed() { return false; }

  template <size_t kRows>
  void next(size_t block, const char* x, size_t stride, V (&sum)[kRows]) const {
    float terms[kLanes][kBlock] = {};  // the even ones first
    for (size_t j = 0; j < count_; ++j) w_.decode(n_ + j, block, terms[j]);
    V chain[2][kLanes];  // in lanes
    for (size_t j = 0; j < kLanes; ++j) {
      chain[0][j] = load(terms[j]);
      chain[1][j] = load(terms[j] + kLanes);
    }
    transpose(chain[0]);
    transpose(chain[1]);
    for (size_t r = 0; r < kRows; ++r) {
      V link[2] = {zero(), zero()};
      for (size_t c = 0; c < 2; ++c) {
        for (size_t i = 0; i < kPairs / 2; ++i) {
          const Bits pair = broadcast_pair(x + r * stride + (c * kPairs / 2 + i) * 4);
          link[c] = fma(chain[c][2 * i], earlier(pair), link[c]);
          link[c] = fma(chain[c][2 * i + 1], later(pair), link[c]);
        }
      }
      sum[r] = add(link[0], link[1]);
    }
  }

 private:
  const Weights& w_;
  size_t n_, count_;
};

// ---- some blocks ----

// Adds to `total` the sums of `many` <= 16 blocks from `first` on, with kRows rows of activations
// at x.
template <size_t kRows, class Sums>
VITALIS_INLINE void add_blocks(Sums& sums, const Scales& scales, size_t first, size_t many,
                               const char* x, size_t stride, V (&total)[kRows]) {
  for (size_t b = 0; b < many; ++b) {
    V sum[kRows];
    sums.next(first + b, x + (first + b) * kRowBlockBytes, stride, sum);
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) total[r] = add(total[r], Sums::scaled(sum[r], scales, b));
  }
}

// 16 blocks of 16 rows of weights as pairs, to be multiplied with many rows of activations.
template <class Weights>
class PairPanel {
 public:
  // Blocks [first, first + many) of `rows`, which begin with row n of w; false if some numbers have
  // no pairs.
  bool decode(const Weights& w, size_t n, const PairRows<Weights>& rows, size_t first,
              size_t many) {
    using Part = typename PairRows<Weights>::Part;
    constexpr size_t kSteps = kPairs / 2 / PairRows<Weights>::kParts;
    Bits seen = _mm512_setzero_si512();
    for (size_t b = 0; b < many; ++b) {
      w.fetch_group(n + kLanes, first + b);
      VITALIS_UNROLL
      for (size_t part = 0; part < PairRows<Weights>::kParts; ++part) {
        Part now(rows, first + b, part);
        VITALIS_UNROLL
        for (size_t i = 0; i < kSteps; ++i) {
          now.pairs(i, pairs_[b][part * kSteps + i], pairs_[b][kPairs / 2 + part * kSteps + i]);
        }
        if constexpr (PairRows<Weights>::kSparse) seen = _mm512_or_si512(seen, now.seen);
      }
    }
    first_ = first;
    if constexpr (PairRows<Weights>::kSparse) return !PairRows<Weights>::missed(seen);
    return true;
  }

  static V scaled(V sum, const Scales& scales, size_t b) {
    return PairRows<Weights>::scaled(sum, scales, b);
  }
  template <size_t kRows>
  VITALIS_INLINE void next(size_t block, const char* x, size_t stride, V (&sum)[kRows]) const {
    const Bits* pairs = pairs_[block - first_];
    V even[kRows] = {}, odd[kRows] = {};
    const auto get = [=](size_t i, Bits & a, Bits & b) __attribute__((always_inline)) {
      a = pairs[i];
      b = pairs[kPairs / 2 + i];
    };
    multiply_pairs<kPairs / 2>(get, x, stride, even, odd);
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) sum[r] = add(even[r], odd[r]);
  }

 private:
  Bits pairs_[kLanes][kPairs];
  size_t first_ = 0;
};

// ---- products ----

// 16 rows of weights, or `count` of them, from row n on, times the rows of activations at x.
template <class Weights>
struct Stripe {
  const Weights& w;
  size_t n, count;
  const char* x;
  size_t stride;  // from row to row
  const Results& results;

  template <size_t kRows>
  VITALIS_INLINE void put(const V (&total)[kRows], size_t row, size_t rows) const {
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      if (r < rows) results.put(row + r, n, count, total[r]);
    }
  }

  // kRows rows from `row` on, of which `rows` exist. False, and nothing is written, if Sums has not
  // all numbers.
  template <size_t kRows, template <class> class Sums>
  bool multiply(size_t row, size_t rows) const {
    Sums<Weights> sums(w, n, count);
    V total[kRows] = {};
    for (size_t first = 0; first < w.row_blocks; first += kLanes) {
      const size_t many = in_group(w.row_blocks, first);
      Scales scales;
      sums.load_scales(first, many, scales);
      add_blocks(sums, scales, first, many, x + row * stride, stride, total);
    }
    if (sums.missed()) return false;
    put(total, row, rows);
    return true;
  }

  // Up to kRowsPerPanel rows from `row` on.
  bool multiply_panels(size_t row, size_t rows) const {
    const PairRows<Weights> weights(w, n, count);
    PairPanel<Weights> panel;
    V totals[kRowsPerPanel];
    for (size_t r = 0; r < rows_in_groups(rows); ++r) totals[r] = zero();
    for (size_t first = 0; first < w.row_blocks; first += kLanes) {
      const size_t many = in_group(w.row_blocks, first);
      Scales scales;
      weights.load_scales(first, many, scales);
      if (!panel.decode(w, n, weights, first, many)) return false;
      for (size_t r = 0; r < rows; r += kGroupRows) {
        each_group(
            rows - r, [&]<size_t kRows>(Width<kRows>) __attribute__((always_inline)) {
              V total[kRows];
              VITALIS_UNROLL
              for (size_t i = 0; i < kRows; ++i) total[i] = totals[r + i];
              add_blocks(panel, scales, first, many, x + (row + r) * stride, stride, total);
              VITALIS_UNROLL
              for (size_t i = 0; i < kRows; ++i) totals[r + i] = total[i];
            });
      }
    }
    for (size_t r = 0; r < rows; ++r) results.put(row + r, n, count, totals[r]);
    return true;
  }

  // run(Width<kRows>) for the group of which `rows` exist.
  template <class Run>
  VITALIS_INLINE static void each_group(size_t rows, const Run& run) {
    switch (group_of(rows)) {
      case 1:
        return run(Width<1>());
      case 2:
        return run(Width<2>());
      case 4:
        return run(Width<4>());
      default:
        return run(Width<kGroupRows>());
    }
  }

  template <template <class> class Sums>
  bool multiply_groups(size_t rows) const {
    bool right = true;
    for (size_t r = 0; r < rows; r += kGroupRows) {
      each_group(
          rows - r, [&]<size_t kRows>(Width<kRows>) __attribute__((always_inline)) {
            right = right && multiply<kRows, Sums>(r, rows - r);
          });
    }
    return right;
  }

  bool multiply_pairs(size_t rows) const {
    if (rows <= PairRows<Weights>::kDirectRows) return multiply_groups<PairSums>(rows);
    for (size_t r = 0; r < rows; r += kRowsPerPanel) {
      if (!multiply_panels(r, rows - r < kRowsPerPanel ? rows - r : kRowsPerPanel)) return false;
    }
    return true;
  }
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
    for (size_t n = begin; n < end; n += kLanes) {
      const size_t count = end - n < kLanes ? end - n : kLanes;
      const Stripe<Weights> stripe = {weights, n, count, x, k / kBlock * kRowBlockBytes, results};
      bool right = false;
      if constexpr (kHasPairs<Weights>) right = stripe.multiply_pairs(rows);
      if (!right) stripe.template multiply_groups<FloatSums>(rows);
    }
  });
}

}  // namespace
}  // namespace vitalis::kernels
