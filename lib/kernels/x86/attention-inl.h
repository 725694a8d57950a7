// SPDX-License-Identifier: Apache-2.0
// Attention over a segment of the KV cache, in the tier's vocabulary (vec-inl.h). Lanes are keys
// while scores are formed and dimensions while values are summed; all heads that share the KV head
// use each load of it. Closed (see kernels/table.h).
#pragma once

#include "kernels/table.h"
#include "kernels/x86/rows-inl.h"

namespace vitalis::kernels {
namespace {

// How many of the positions [at, at + kLanes) lie before `limit`.
inline size_t lanes_before(size_t limit, size_t at) {
  if (limit <= at) return 0;
  return limit - at < kLanes ? limit - at : kLanes;
}

// p[h][key] = (q[h] . key) * scale for the 16 keys of a tile [head_dim / 2][16][2].
template <size_t kHeads, class T>
inline void score_tile(const float* q, size_t head_dim, const T* tile, float scale, float* p) {
  for (size_t part = 0; part < kKeyTile; part += kLanes) {
    V sum[kHeads];
    for (V& s : sum) s = zero();
    for (size_t d = 0; d < head_dim; d += kBlock) {
      V even[kHeads], odd[kHeads];
      for (size_t h = 0; h < kHeads; ++h) even[h] = odd[h] = zero();
      for (size_t i = d; i < d + kBlock; i += 2) {
        V low, high;
        load_pairs(tile + (i / 2 * kKeyTile + part) * 2, low, high);
        for (size_t h = 0; h < kHeads; ++h) {
          even[h] = fma(set1(q[h * head_dim + i]), low, even[h]);
          odd[h] = fma(set1(q[h * head_dim + i + 1]), high, odd[h]);
        }
      }
      for (size_t h = 0; h < kHeads; ++h) sum[h] = add(sum[h], add(even[h], odd[h]));
    }
    for (size_t h = 0; h < kHeads; ++h) {
      store(p + h * kSegment + part, mul(sum[h], set1(scale)));
    }
  }
}

// Turns the scores of positions [begin, end), stored from position `first` on, into exp(score - m);
// elsewhere in the blocks they become 0.
struct SegmentSum {
  float max;
  float sum;
};
template <class T>
inline SegmentSum softmax(float* p, size_t first, size_t last, size_t begin, size_t end) {
  V top = set1(-__builtin_inff());
  for (size_t at = first; at < last; at += kLanes) {
    const V score = select_lanes(load(p + at - first), set1(-__builtin_inff()),
                                 lanes_before(begin, at), lanes_before(end, at));
    top = max_of(top, score);
  }
  const float max = fold_max(top);
  constexpr size_t kParts = 16 / kLanes;
  V lane[kParts];
  for (V& l : lane) l = zero();
  for (size_t tile = first; tile < last; tile += kKeyTile) {
    for (size_t part = 0; part < kParts; ++part) {
      const size_t at = tile + part * kLanes;
      const V e = select_lanes(exp(sub(load(p + at - first), set1(max))), zero(),
                               lanes_before(begin, at), lanes_before(end, at));
      lane[part] = add(lane[part], e);
      store(p + at - first, sizeof(T) == 2 ? round_bf16(e) : e);
    }
  }
  for (size_t part = 1; part < kParts; ++part) lane[0] = add(lane[0], lane[part]);
  return {max, fold(lane[0])};
}

// The segment's maximum and sum into the state's; keep and take are what the values of each are
// then multiplied by.
inline void fold_segment(const SegmentSum& segment, float& max, float& sum, float& keep,
                         float& take) {
  const float both = larger(max, segment.max);
  keep = exp(max - both);
  take = exp(segment.max - both);
  max = both;
  sum = fma(segment.sum, take, sum * keep);
}
VITALIS_INLINE void fold_values(const float* o, size_t dims, float keep, float take, float* out) {
  for (size_t d = 0; d < dims; d += kLanes) {
    store(out + d, fma(load(o + d), set1(take), mul(load(out + d), set1(keep))));
  }
}

inline constexpr size_t kDims =
    64;  // summed at a time, so that a block of values is read as it lies

// o[h][kDims] += sum over a block of 32 positions of p[h] * v, for dims <= kDims dimensions from
// where `rows` points into the V cache.
template <size_t kHeads, class T>
inline void weigh_block(const float* p, const T* rows, size_t head_dim, size_t dims, float* o) {
  for (size_t d = 0; d < dims; d += kLanes) {
    const T* row = rows + 2 * d;
    V even[kHeads], odd[kHeads];
    for (size_t h = 0; h < kHeads; ++h) even[h] = odd[h] = zero();
    for (size_t i = 0; i < kBlock; i += 2, row += 2 * head_dim) {
      V low, high;
      load_pairs(row, low, high);
      for (size_t h = 0; h < kHeads; ++h) {
        even[h] = fma(set1(p[h * kSegment + i]), low, even[h]);
        odd[h] = fma(set1(p[h * kSegment + i + 1]), high, odd[h]);
      }
    }
    for (size_t h = 0; h < kHeads; ++h) {
      float* to = o + h * kDims + d;
      store(to, add(load(to), add(even[h], odd[h])));
    }
  }
}

// The products of attention by multiply-adds: queries, or weights after softmax, [kHeads] times
// elements of the cache.
template <size_t kHeads, class T>
class MultiplyAdds {
 public:
  using Element = T;
  MultiplyAdds(const float* q, size_t head_dim) : q_(q), head_dim_(head_dim) {}

  void score(const T* tile, float scale, float* p, const T*) const {
    score_tile<kHeads>(q_, head_dim_, tile, scale, p);
  }
  // p [kHeads][kSegment], of which n are used.
  void set_weights(const float* p, size_t) { p_ = p; }
  // For the block of 32 positions from number `at` of the weights on.
  void weigh(size_t at, const T* rows, size_t dims, float* o, const T*) const {
    weigh_block<kHeads>(p_ + at, rows, head_dim_, dims, o);
  }

 private:
  const float* q_;
  size_t head_dim_;
  const float* p_ = nullptr;
};

// `ahead` is what products may fetch meanwhile, as many bytes as they read: the values that belong
// to keys, and the keys of the next segment, if there is one, while values are summed.
template <size_t kHeads, class Products>
void attend_heads(const float* q, size_t head_dim, const KvHead& kv, size_t begin, size_t end,
                  float scale, float* max, float* sum, float* out) {
  using T = typename Products::Element;
  const auto key = [&](size_t at) {
    return static_cast<const T*>(kv.k) + k_offset(at % kv.capacity, 0, head_dim);
  };
  const auto value = [&](size_t at, size_t from) {
    return static_cast<const T*>(kv.v) + v_offset(at % kv.capacity, from, head_dim);
  };
  const size_t first = begin / kBlock * kBlock;
  const size_t last = (end + kBlock - 1) / kBlock * kBlock;
  Products products(q, head_dim);
  float p[kHeads * kSegment];
  for (size_t at = first; at < last; at += kKeyTile) {
    products.score(key(at), scale, p + at - first, value(at, 0));
  }
  float keep[kHeads], take[kHeads];
  for (size_t h = 0; h < kHeads; ++h) {
    const SegmentSum segment = softmax<T>(p + h * kSegment, first, last, begin, end);
    fold_segment(segment, max[h], sum[h], keep[h], take[h]);
  }
  products.set_weights(p, last - first);
  for (size_t from = 0; from < head_dim; from += kDims) {
    const size_t dims = head_dim - from < kDims ? head_dim - from : kDims;
    float o[kHeads * kDims] = {};
    for (size_t at = first; at < last; at += kBlock) {
      const T* ahead = end % kSegment == 0 ? key(at + kSegment) + from * kBlock : value(at, from);
      products.weigh(at - first, value(at, from), dims, o, ahead);
    }
    for (size_t h = 0; h < kHeads; ++h) {
      fold_values(o + h * kDims, dims, keep[h], take[h], out + h * head_dim + from);
    }
  }
}

// Of<kHeads> are the products of a cache of bf16.
template <template <size_t> class Of, size_t kHeads>
size_t attend_some(const float* q, size_t heads, size_t from, size_t head_dim, const KvHead& kv,
                   size_t begin, size_t end, float scale, const AttentionState& state) {
  for (; from + kHeads <= heads; from += kHeads) {
    const auto run = kv.type == KvType::kBf16 ? attend_heads<kHeads, Of<kHeads>>
                                              : attend_heads<kHeads, MultiplyAdds<kHeads, float>>;
    run(q + from * head_dim, head_dim, kv, begin, end, scale, state.max + from, state.sum + from,
        state.out + from * head_dim);
  }
  return from;
}

template <template <size_t> class Of>
void attend_by(const float* q, size_t heads, size_t head_dim, const KvHead& kv, size_t begin,
               size_t end, float scale, const AttentionState& state) {
  size_t done = 0;
  done = attend_some<Of, kHeadsAtOnce>(q, heads, done, head_dim, kv, begin, end, scale, state);
  done = attend_some<Of, 2>(q, heads, done, head_dim, kv, begin, end, scale, state);
  attend_some<Of, 1>(q, heads, done, head_dim, kv, begin, end, scale, state);
}

template <size_t kHeads>
using Bf16MultiplyAdds = MultiplyAdds<kHeads, uint16_t>;

inline void attend(const float* q, size_t heads, size_t head_dim, const KvHead& kv, size_t begin,
                   size_t end, float scale, const AttentionState& state) {
  attend_by<Bf16MultiplyAdds>(q, heads, head_dim, kv, begin, end, scale, state);
}

inline void merge(const AttentionState& into, const AttentionState& from, size_t heads,
                  size_t head_dim) {
  for (size_t h = 0; h < heads; ++h) {
    const float m = larger(into.max[h], from.max[h]);
    const float a = exp(into.max[h] - m), b = exp(from.max[h] - m);
    into.max[h] = m;
    into.sum[h] = fma(from.sum[h], b, into.sum[h] * a);
    for (size_t d = h * head_dim; d < (h + 1) * head_dim; d += kLanes) {
      store(into.out + d, fma(load(from.out + d), set1(b), mul(load(into.out + d), set1(a))));
    }
  }
}

inline void finish(const AttentionState& state, size_t heads, size_t head_dim, float* out) {
  for (size_t h = 0; h < heads; ++h) {
    for (size_t d = h * head_dim; d < (h + 1) * head_dim; d += kLanes) {
      store(out + d, div(load(state.out + d), set1(state.sum[h])));
    }
  }
}

// From a row to its places in the cache.
template <class T>
inline void store_kv(const float* k, const float* v, size_t head_dim, size_t slot,
                     const KvHead& kv) {
  T* keys = static_cast<T*>(kv.k) + k_offset(slot, 0, head_dim);
  T* values = static_cast<T*>(kv.v) + v_offset(slot, 0, head_dim);
  const auto narrow = [](float x) {
    if constexpr (sizeof(T) == 2) {
      return f32_to_bf16(x);
    } else {
      return x;
    }
  };
  for (size_t d = 0; d < head_dim; ++d) {
    keys[d / 2 * 2 * kKeyTile + d % 2] = narrow(k[d]);
    values[2 * d] = narrow(v[d]);
  }
}

inline void store_kv(const float* k, const float* v, size_t head_dim, size_t slot,
                     const KvHead& kv) {
  if (kv.type == KvType::kBf16) return store_kv<uint16_t>(k, v, head_dim, slot, kv);
  store_kv<float>(k, v, head_dim, slot, kv);
}

}  // namespace
}  // namespace vitalis::kernels
