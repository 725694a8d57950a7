// SPDX-License-Identifier: Apache-2.0
// Packing and products, in the order of sums that table.h states.
#include "kernels/portable/products.h"

#include <cmath>
#include <cstring>

#include "kernels/math-inl.h"

namespace vitalis::kernels::portable {
namespace {

// Two chains over one block of 32, added.
float block_sum(const float* x, const float* w) {
  float even = 0, odd = 0;
  for (size_t i = 0; i < kBlock; i += 2) {
    even = std::fma(x[i], w[i], even);
    odd = std::fma(x[i + 1], w[i + 1], odd);
  }
  return even + odd;
}

// decode(n, block, w[32]) writes a block of row n.
template <class Decode>
void matmul(const void* packed, size_t rows, size_t k, size_t begin, size_t end,
            const uint16_t* bias, float* out, size_t out_stride, const Decode& decode) {
  const float* x = static_cast<const float*>(packed);
  for (size_t n = begin; n < end; ++n) {
    for (size_t r = 0; r < rows; ++r) out[r * out_stride + n - begin] = 0;
    for (size_t block = 0; block < k / kBlock; ++block) {
      float w[kBlock];
      decode(n, block, w);
      for (size_t r = 0; r < rows; ++r) {
        out[r * out_stride + n - begin] += block_sum(x + r * k + block * kBlock, w);
      }
    }
    if (!bias) continue;
    for (size_t r = 0; r < rows; ++r) out[r * out_stride + n - begin] += bf16_to_f32(bias[n]);
  }
}

}  // namespace

size_t packed_bytes(size_t rows, size_t k) {
  return rows * k * sizeof(float);
}

void pack(const float* source, size_t stride, const uint32_t* index, size_t rows, size_t k,
          Round round, void* packed) {
  float* out = static_cast<float*>(packed);
  for (size_t r = 0; r < rows; ++r, out += k) {
    const float* x = source + (index ? index[r] : r) * stride;
    for (size_t i = 0; i < k; ++i) out[i] = round == Round::kBf16 ? round_to_bf16(x[i]) : x[i];
  }
}

void matmul_bf16(const void* x, size_t rows, size_t k, const uint16_t* w, size_t begin, size_t end,
                 const uint16_t* bias, float* out, size_t out_stride) {
  matmul(x, rows, k, begin, end, bias, out, out_stride, [=](size_t n, size_t block, float* values) {
    for (size_t i = 0; i < kBlock; ++i) {
      values[i] = bf16_to_f32(w[n * k + block * kBlock + i]);
    }
  });
}

void matmul_mxfp4(const void* x, size_t rows, size_t k, const uint8_t* blocks,
                  const uint8_t* scales, size_t begin, size_t end, const uint16_t* bias, float* out,
                  size_t out_stride) {
  matmul(x, rows, k, begin, end, bias, out, out_stride, [=](size_t n, size_t block, float* values) {
    const size_t at = n * (k / kBlock) + block;
    const float scale = e8m0_to_f32(scales[at]);
    for (size_t j = 0; j < kBlock / 2; ++j) {
      const uint8_t byte = blocks[at * 16 + j];
      values[2 * j] = kFp4[byte & 15] * scale;
      values[2 * j + 1] = kFp4[byte >> 4] * scale;
    }
  });
}

}  // namespace vitalis::kernels::portable
