// SPDX-License-Identifier: Apache-2.0
// Attention of the avx512bf16 tier over a cache of bf16, on pairs (pairs-inl.h); all but the
// products is attention-inl.h's. Closed (see kernels/table.h).
#pragma once

#include "kernels/x86/attention-inl.h"
#include "kernels/x86/pairs-inl.h"

namespace vitalis::kernels {
namespace {

// sum[h] += the sum of a block of 32 terms in each of 16 lanes: terms 2i and 2i + 1 stand side by
// side at rows + i * stride, their factors as pairs at x[h]. Meanwhile fetches as many bytes from
// `ahead`, evenly, so that there is always room for what is needed now.
template <size_t kHeads>
VITALIS_INLINE void add_block(const uint16_t* rows, size_t stride, const char* x, size_t x_stride,
                              const uint16_t* ahead, V (&sum)[kHeads]) {
  // Else the compiler keeps all broadcasts for the next block, on the stack.
  asm("" : "+r"(x));
  V even[kHeads] = {}, odd[kHeads] = {};
  const auto get = [=](size_t i, Bits & a, Bits & b) __attribute__((always_inline)) {
    fetch<128>(ahead + i * 64);
    const Bits front = load_bits(rows + 2 * i * stride);
    const Bits back = load_bits(rows + (2 * i + 1) * stride);
    constexpr __mmask32 kLower = 0x55555555;
    a = _mm512_mask_blend_epi16(kLower, _mm512_slli_epi32(front, 16), back);
    b = _mm512_mask_blend_epi16(kLower, front, _mm512_srli_epi32(back, 16));
  };
  multiply_pairs<kPairs / 2>(get, x, x_stride, even, odd);
  VITALIS_UNROLL
  for (size_t h = 0; h < kHeads; ++h) sum[h] = add(sum[h], add(even[h], odd[h]));
}

template <size_t kHeads>
class PairProducts {
 public:
  using Element = uint16_t;

  PairProducts(const float* q, size_t head_dim) : head_dim_(head_dim) {
    for (size_t h = 0; h < kHeads; ++h) set(h, q + h * head_dim, head_dim);
  }

  void score(const uint16_t* tile, float scale, float* p, const uint16_t* ahead) const {
    V sum[kHeads] = {};
    for (size_t d = 0; d < head_dim_; d += kBlock) {
      add_block(tile + d * kKeyTile, 2 * kKeyTile, pairs_[0] + d * 2, sizeof pairs_[0],
                ahead + d * kKeyTile, sum);
    }
    for (size_t h = 0; h < kHeads; ++h) store(p + h * kSegment, mul(sum[h], set1(scale)));
  }

  void set_weights(const float* p, size_t n) {
    for (size_t h = 0; h < kHeads; ++h) set(h, p + h * kSegment, n);
  }
  void weigh(size_t at, const uint16_t* rows, size_t dims, float* o, const uint16_t* ahead) const {
    for (size_t d = 0; d < dims; d += kLanes) {
      V sum[kHeads];
      for (size_t h = 0; h < kHeads; ++h) sum[h] = load(o + h * kDims + d);
      add_block(rows + 2 * d, 2 * head_dim_, pairs_[0] + at * 2, sizeof pairs_[0],
                ahead + d * kBlock, sum);
      for (size_t h = 0; h < kHeads; ++h) store(o + h * kDims + d, sum[h]);
    }
  }

 private:
  void set(size_t h, const float* x, size_t n) {
    for (size_t i = 0; i < n; i += kBlock) {
      const Bits pairs = in_pairs(narrow(load(x + i), load(x + i + kLanes)));
      _mm512_storeu_si512(pairs_[h] + i * 2, pairs);
    }
  }

  size_t head_dim_;
  static_assert(kMostHeadDim <= kSegment);
  // Queries, then weights: a dword for each two terms.
  alignas(64) char pairs_[kHeads][kSegment * 2];
};

inline void attend_bf16(const float* q, size_t heads, size_t head_dim, const KvHead& kv,
                        size_t begin, size_t end, float scale, const AttentionState& state) {
  attend_by<PairProducts>(q, heads, head_dim, kv, begin, end, scale, state);
}

}  // namespace
}  // namespace vitalis::kernels
