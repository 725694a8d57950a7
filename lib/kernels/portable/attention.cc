// SPDX-License-Identifier: Apache-2.0
// The KV cache's layout and attention over a segment of it, one query head after another.
#include "kernels/portable/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/math-inl.h"
#include "kernels/portable/rows.h"

namespace vitalis::kernels::portable {
namespace {

template <class T>
float load(T x) {
  if constexpr (sizeof(T) == 2) return bf16_to_f32(x);
  return static_cast<float>(x);
}

template <class T>
float dot(const float* q, const T* k, size_t slot, size_t head_dim) {
  float sum = 0;
  for (size_t block = 0; block < head_dim; block += kBlock) {
    float chain[2] = {};
    for (size_t d = block; d < block + kBlock; ++d) {
      chain[d % 2] = std::fma(q[d], load(k[k_offset(slot, d, head_dim)]), chain[d % 2]);
    }
    sum += chain[0] + chain[1];
  }
  return sum;
}

// p [first, first + blocks * 32), the cache's slots wrapped at its capacity.
template <class T>
float weighted_sum(const float* p, const T* v, size_t first, size_t count, size_t capacity,
                   size_t d, size_t head_dim) {
  float sum = 0;
  for (size_t block = 0; block < count; block += kBlock) {
    float chain[2] = {};
    for (size_t i = block; i < block + kBlock; ++i) {
      const size_t slot = (first + i) % capacity;
      chain[i % 2] = std::fma(p[i], load(v[v_offset(slot, d, head_dim)]), chain[i % 2]);
    }
    sum += chain[0] + chain[1];
  }
  return sum;
}

template <class T>
void attend_head(const float* q, size_t head_dim, const T* k, const T* v, size_t capacity,
                 size_t begin, size_t end, float scale, float* max, float* sum, float* out) {
  const size_t first = begin / kBlock * kBlock;
  const size_t count = (end - first + kBlock - 1) / kBlock * kBlock;
  float p[kSegment] = {};
  float m = -INFINITY;
  for (size_t i = begin; i < end; ++i) {
    p[i - first] = dot(q, k, i % capacity, head_dim) * scale;
    m = std::max(m, p[i - first]);
  }
  float lane[16] = {};
  for (size_t i = begin; i < end; ++i) {
    const float e = exp(p[i - first] - m);
    lane[i % 16] += e;
    p[i - first] = sizeof(T) == 2 ? round_to_bf16(e) : e;
  }
  const float total = fold(lane, 16);
  const float both = std::max(*max, m);
  const float a = exp(*max - both), b = exp(m - both);
  *max = both;
  *sum = std::fma(total, b, *sum * a);
  for (size_t d = 0; d < head_dim; ++d) {
    const float o = weighted_sum(p, v, first, count, capacity, d, head_dim);
    out[d] = std::fma(o, b, out[d] * a);
  }
}

template <class T>
void store(const float* k, const float* v, size_t head_dim, size_t slot, const KvHead& kv) {
  const auto narrow = [](float x) {
    if constexpr (sizeof(T) == 2)
      return f32_to_bf16(x);
    else
      return x;
  };
  for (size_t d = 0; d < head_dim; ++d) {
    static_cast<T*>(kv.k)[k_offset(slot, d, head_dim)] = narrow(k[d]);
    static_cast<T*>(kv.v)[v_offset(slot, d, head_dim)] = narrow(v[d]);
  }
}

}  // namespace

void store_kv(const float* k, const float* v, size_t head_dim, size_t slot, const KvHead& kv) {
  if (kv.type == KvType::kBf16) return store<uint16_t>(k, v, head_dim, slot, kv);
  store<float>(k, v, head_dim, slot, kv);
}

void attend(const float* q, size_t heads, size_t head_dim, const KvHead& kv, size_t begin,
            size_t end, float scale, const AttentionState& state) {
  for (size_t h = 0; h < heads; ++h) {
    const auto run = [&]<class T>(const T*) {
      attend_head(q + h * head_dim, head_dim, static_cast<const T*>(kv.k),
                  static_cast<const T*>(kv.v), kv.capacity, begin, end, scale, state.max + h,
                  state.sum + h, state.out + h * head_dim);
    };
    if (kv.type == KvType::kBf16) {
      run(static_cast<const uint16_t*>(nullptr));
    } else {
      run(static_cast<const float*>(nullptr));
    }
  }
}

void merge(const AttentionState& into, const AttentionState& from, size_t heads, size_t head_dim) {
  for (size_t h = 0; h < heads; ++h) {
    const float m = std::max(into.max[h], from.max[h]);
    const float a = exp(into.max[h] - m), b = exp(from.max[h] - m);
    into.max[h] = m;
    into.sum[h] = std::fma(from.sum[h], b, into.sum[h] * a);
    for (size_t d = h * head_dim; d < (h + 1) * head_dim; ++d) {
      into.out[d] = std::fma(from.out[d], b, into.out[d] * a);
    }
  }
}

void finish(const AttentionState& state, size_t heads, size_t head_dim, float* out) {
  for (size_t i = 0; i < heads * head_dim; ++i) out[i] = state.out[i] / state.sum[i / head_dim];
}

}  // namespace vitalis::kernels::portable
