// SPDX-License-Identifier: Apache-2.0
// Packing and products, in the order of sums that table.h states.
#include "kernels/portable/products.h"

#include <cmath>
#include <cstring>

#include "kernels/math-inl.h"
#include "kernels/portable/rows.h"

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

// One block to floats; returns what its sum is multiplied by.
float decode(const Matrix& w, size_t block, float* values) {
  const auto* bytes = static_cast<const uint8_t*>(w.data);
  const auto fp4 = [&](const uint8_t* codes, uint8_t exponent, size_t step, size_t apart) {
    const float scale = e8m0_to_f32(exponent);
    for (size_t j = 0; j < kBlock / 2; ++j) {
      values[step * j] = kFp4[codes[j] & 15] * scale;
      values[step * j + apart] = kFp4[codes[j] >> 4] * scale;
    }
    return 1.f;
  };
  const uint8_t* packed = bytes + block * kPackedFp4Bytes;
  switch (w.type) {
    case MatrixType::kMxfp4:
      return fp4(bytes + block * 16, w.scales[block], 2, 1);
    case MatrixType::kMxfp4Metal: {
      const uint8_t biased = w.scales[block];
      const uint8_t scale =
          biased < kMetalScaleBias ? 0 : static_cast<uint8_t>(biased - kMetalScaleBias);
      return fp4(bytes + block * 16, scale, 2, 1);
    }
    case MatrixType::kMxfp4Ollama:
      return fp4(packed + 1, packed[0], 2, 1);
    case MatrixType::kMxfp4Ggml:
      return fp4(packed + 1, packed[0], 1, 16);
    case MatrixType::kQ8_0:
      for (size_t i = 0; i < kBlock; ++i) {
        values[i] = static_cast<int8_t>(bytes[block * kQ8Bytes + 2 + i]);
      }
      return q8_scale(bytes + block * kQ8Bytes);
    default:
      widen(w.type, bytes + block * kBlock * element_bytes(w.type), kBlock, values);
      return 1;
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

void matmul(const void* packed, size_t rows, size_t k, const Matrix& w, size_t begin, size_t end,
            const Vector& bias, float* out, size_t out_stride) {
  const float* x = static_cast<const float*>(packed);
  const size_t blocks = k / kBlock;
  for (size_t n = begin; n < end; ++n) {
    for (size_t r = 0; r < rows; ++r) out[r * out_stride + n - begin] = 0;
    for (size_t block = 0; block < blocks; ++block) {
      float values[kBlock];
      const float scale = decode(w, n * blocks + block, values);
      for (size_t r = 0; r < rows; ++r) {
        out[r * out_stride + n - begin] += block_sum(x + r * k + block * kBlock, values) * scale;
      }
    }
    if (!bias.data) continue;
    for (size_t r = 0; r < rows; ++r) out[r * out_stride + n - begin] += element(bias, n);
  }
}

}  // namespace vitalis::kernels::portable
