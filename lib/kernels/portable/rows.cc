// SPDX-License-Identifier: Apache-2.0
// Everything that works on one row of activations at a time.
#include "kernels/portable/rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "kernels/math-inl.h"

namespace vitalis::kernels::portable {

float exp(float x) {
  if (x < kExpLow) return 0;
  x = std::min(x, kExpHigh);
  const float n = std::nearbyint(x * kLog2E);
  float r = std::fma(n, -kLn2High, x);
  r = std::fma(n, -kLn2Low, r);
  float p = kExpCoefficients[0];
  for (size_t i = 1; i < std::size(kExpCoefficients); ++i) p = std::fma(p, r, kExpCoefficients[i]);
  if (p != p) return p;
  return from_bits(to_bits(p) + (static_cast<uint32_t>(static_cast<int32_t>(n)) << 23));
}

float fold(float* lane, size_t lanes) {
  for (size_t half = lanes / 2; half > 0; half /= 2) {
    for (size_t l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

float element(const Vector& x, size_t i) {
  return x.type == VectorType::kBf16 ? bf16_to_f32(unaligned<uint16_t>(x.data, i))
                                     : unaligned<float>(x.data, i);
}

size_t element_bytes(MatrixType type) {
  return type == MatrixType::kF32 ? 4 : 2;
}

void rms_norm(const float* x, const Vector& weight, size_t hidden, float eps, float* out) {
  float lane[32] = {};
  for (size_t i = 0; i < hidden; ++i) lane[i % 32] = std::fma(x[i], x[i], lane[i % 32]);
  const float mean = fold(lane, 32) / static_cast<float>(hidden);
  const float inverse = 1 / std::sqrt(mean + eps);
  for (size_t i = 0; i < hidden; ++i) out[i] = x[i] * inverse * element(weight, i);
}

void rope(float* x, size_t heads, size_t head_dim, const float* cos, const float* sin) {
  const size_t half = head_dim / 2;
  for (size_t h = 0; h < heads; ++h, x += head_dim) {
    for (size_t i = 0; i < half; ++i) {
      const float a = x[i], b = x[i + half];
      x[i] = a * cos[i] - b * sin[i];
      x[i + half] = b * cos[i] + a * sin[i];
    }
  }
}

void rope_pairs(float* x, size_t heads, size_t head_dim, const float* cos, const float* sin) {
  for (size_t h = 0; h < heads; ++h) {
    float* head = x + h * head_dim;
    float halves[kMostHeadDim];
    for (size_t i = 0; i < head_dim; ++i) halves[i % 2 * (head_dim / 2) + i / 2] = head[i];
    std::copy_n(halves, head_dim, head);
  }
  rope(x, heads, head_dim, cos, sin);
}

namespace {

float swiglu(float x, float y, float limit) {
  const float gate = std::min(x, limit);
  const float up = std::max(std::min(y, limit), -limit);
  return (up + 1) * (gate / (1 + exp(-kSwigluAlpha * gate)));
}

}  // namespace

void swiglu(const float* x, size_t n, float limit, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = swiglu(x[2 * i], x[2 * i + 1], limit);
}

void swiglu_apart(const float* gate, const float* up, size_t n, float limit, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = swiglu(gate[i], up[i], limit);
}

void widen(MatrixType type, const void* row, size_t n, float* out) {
  if (type == MatrixType::kQ8_0) {
    const auto* bytes = static_cast<const uint8_t*>(row);
    for (size_t i = 0; i < n; ++i) {
      const uint8_t* block = bytes + i / kBlock * kQ8Bytes;
      out[i] = static_cast<float>(static_cast<int8_t>(block[2 + i % kBlock])) * q8_scale(block);
    }
    return;
  }
  if (type == MatrixType::kF32) return void(std::memcpy(out, row, n * sizeof(float)));
  for (size_t i = 0; i < n; ++i) {
    const auto half = unaligned<uint16_t>(row, i);
    out[i] = type == MatrixType::kF16 ? f16_to_f32(half) : bf16_to_f32(half);
  }
}

void add_shares(const float* const* rows, const float* shares, size_t count, size_t n, float* x) {
  for (size_t i = 0; i < n; ++i) {
    float sum = 0;
    for (size_t r = 0; r < count; ++r) sum = std::fma(shares[r], rows[r][i], sum);
    x[i] += sum;
  }
}

void top_k(const float* logits, size_t n, size_t k, uint32_t* ids, float* shares) {
  size_t found = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const float value = logits[i] == logits[i] ? logits[i] : -INFINITY;
    size_t place = found;
    while (place > 0 && value > shares[place - 1]) --place;
    if (place == k) continue;
    found = std::min(found + 1, k);
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

}  // namespace vitalis::kernels::portable
