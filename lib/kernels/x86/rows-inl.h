// SPDX-License-Identifier: Apache-2.0
// Entries that work on one row at a time, in the tier's vocabulary (vec-inl.h). Orders of
// sums are those of kernels/table.h. Closed.
#pragma once

#include "kernels/table.h"
#include "kernels/x86/vec-inl.h"

namespace vitalis::kernels {
namespace {

inline V exp(V x) {
  const V bound = set1(kExpLow);
  const V y = min_of(x, set1(kExpHigh));
  const V n = round_to_integer(mul(y, set1(kLog2E)));
  V r = fma(n, set1(-kLn2High), y);
  r = fma(n, set1(-kLn2Low), r);
  V p = set1(kExpCoefficients[0]);
  for (size_t i = 1; i < sizeof kExpCoefficients / sizeof(float); ++i) {
    p = fma(p, r, set1(kExpCoefficients[i]));
  }
  return zero_where_below(scale_by_power(p, n), x, bound);
}

inline float exp(float x) {
  float out[kLanes];
  store(out, exp(set1(x)));
  return out[0];
}

inline float fma(float a, float b, float c) {
  return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
inline float larger(float a, float b) {
  return a < b ? b : a;
}

// f(i, count) for i = 0, kLanes, ...; count is kLanes but in the last call.
template <class F>
inline void over(size_t n, const F& f) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, kLanes);
  if (i < n) f(i, n - i);
}
inline V load(const float* p, size_t count) {
  return count == kLanes ? load(p) : load_first(p, count);
}
inline V load_bf16(const uint16_t* p, size_t count) {
  return count == kLanes ? load_bf16(p) : load_bf16_first(p, count);
}
inline V load(const Vector& x, size_t i, size_t count) {
  return x.type == VectorType::kBf16 ? load_bf16(static_cast<const uint16_t*>(x.data) + i, count)
                                     : load(static_cast<const float*>(x.data) + i, count);
}
inline void store(float* p, V x, size_t count) {
  if (count == kLanes) return store(p, x);
  store_first(p, x, count);
}

inline void rms_norm(const float* x, const Vector& weight, size_t hidden, float eps, float* out) {
  constexpr size_t kParts = 32 / kLanes;
  V lane[kParts];
  for (V& l : lane) l = zero();
  for (size_t i = 0; i < hidden; i += 32) {
    for (size_t part = 0; part < kParts; ++part) {
      const V v = load(x + i + part * kLanes);
      lane[part] = fma(v, v, lane[part]);
    }
  }
  for (size_t half = kParts / 2; half > 0; half /= 2) {
    for (size_t part = 0; part < half; ++part) lane[part] = add(lane[part], lane[part + half]);
  }
  const float mean = fold(lane[0]) / static_cast<float>(hidden);
  const float root = _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(mean + eps)));
  const V inverse = set1(1 / root);
  for (size_t i = 0; i < hidden; i += kLanes) {
    store(out + i, mul(mul(load(x + i), inverse), load(weight, i, kLanes)));
  }
}

inline void rope(float* x, size_t heads, size_t head_dim, const float* cos, const float* sin) {
  const size_t half = head_dim / 2;
  for (size_t h = 0; h < heads; ++h, x += head_dim) {
    for (size_t i = 0; i < half; i += kLanes) {
      const V a = load(x + i), b = load(x + i + half), c = load(cos + i), s = load(sin + i);
      store(x + i, sub(mul(a, c), mul(b, s)));
      store(x + i + half, add(mul(b, c), mul(a, s)));
    }
  }
}

inline void rope_pairs(float* x, size_t heads, size_t head_dim, const float* cos,
                       const float* sin) {
  const size_t half = head_dim / 2;
  for (size_t h = 0; h < heads; ++h, x += head_dim) {
    float second[kMostHeadDim / 2];  // the first half is never ahead of what is read
    for (size_t i = 0; i < half; i += kLanes) {
      const V c = load(cos + i), s = load(sin + i);
      V a, b;
      load_pairs(x + 2 * i, a, b);
      store(x + i, sub(mul(a, c), mul(b, s)));
      store(second + i, add(mul(b, c), mul(a, s)));
    }
    for (size_t i = 0; i < half; i += kLanes) store(x + half + i, load(second + i));
  }
}

inline V swiglu(V x, V y, float limit) {
  const V gate = min_of(x, set1(limit));
  const V up = max_of(min_of(y, set1(limit)), set1(-limit));
  const V one = set1(1);
  const V denominator = add(one, exp(mul(set1(-kSwigluAlpha), gate)));
  return mul(add(up, one), div(gate, denominator));
}

inline void swiglu(const float* x, size_t n, float limit, float* out) {
  over(n, [=](size_t i, size_t count) {
    float tail[2 * kLanes] = {};
    const float* from = x + 2 * i;
    if (count < kLanes) {
      __builtin_memcpy(tail, from, 2 * count * sizeof(float));
      from = tail;
    }
    V gate, up;
    load_pairs(from, gate, up);
    store(out + i, swiglu(gate, up, limit), count);
  });
}

inline void swiglu_apart(const float* gate, const float* up, size_t n, float limit, float* out) {
  over(n, [=](size_t i, size_t count) {
    store(out + i, swiglu(load(gate + i, count), load(up + i, count), limit), count);
  });
}

inline void widen(MatrixType type, const void* row, size_t n, float* out) {
  const auto* halves = static_cast<const uint16_t*>(row);
  const auto* bytes = static_cast<const uint8_t*>(row);
  for (size_t i = 0; i < n; i += kLanes) {
    V x;
    if (type == MatrixType::kF32) {
      x = load(static_cast<const float*>(row) + i);
    } else if (type == MatrixType::kF16) {
      x = load_f16(halves + i);
    } else if (type == MatrixType::kQ8_0) {
      const uint8_t* block = bytes + i / kBlock * kQ8Bytes;
      x = mul(load_s8(block + 2 + i % kBlock), set1(q8_scale(block)));
    } else {
      x = load_bf16(halves + i);
    }
    store(out + i, x);
  }
}

inline void add_shares(const float* const* rows, const float* shares, size_t count, size_t n,
                       float* x) {
  over(n, [=](size_t i, size_t lanes) {
    V sum = zero();
    for (size_t r = 0; r < count; ++r) {
      sum = fma(set1(shares[r]), load(rows[r] + i, lanes), sum);
    }
    store(x + i, add(load(x + i, lanes), sum), lanes);
  });
}

// Scalar: one row of 32 or 128 logits takes less than a microsecond.
inline void top_k(const float* logits, size_t n, size_t k, uint32_t* ids, float* shares) {
  size_t found = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const float value = logits[i] == logits[i] ? logits[i] : -__builtin_inff();
    size_t place = found;
    while (place > 0 && value > shares[place - 1]) --place;
    if (place == k) continue;
    if (found < k) ++found;
    for (size_t j = found - 1; j > place; --j) {
      ids[j] = ids[j - 1];
      shares[j] = shares[j - 1];
    }
    ids[place] = i;
    shares[place] = value;
  }
  const float best = shares[0];
  float sum = 0;
  for (size_t i = 0; i < k; ++i) sum += shares[i] = exp(shares[i] - best);
  for (size_t i = 0; i < k; ++i) shares[i] /= sum;
}

}  // namespace
}  // namespace vitalis::kernels
