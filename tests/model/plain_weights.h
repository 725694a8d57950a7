// SPDX-License-Identifier: Apache-2.0
// What a single element of a tensor is in any of the layouts of weights.h: the plain meaning that
// formats are compared by, one element at a time.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>

#include "model/weights.h"

namespace vitalis::model {

inline float bf16_at(const std::byte* data, size_t index) {
  uint16_t bits;
  std::memcpy(&bits, data + 2 * index, 2);
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

inline float f16(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const float fraction = static_cast<float>(bits & 1023);
  const float magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

inline float element(const Dense& tensor, size_t row, size_t col) {
  const std::byte* data = tensor.data + row * tensor.row_stride;
  if (tensor.type == DenseType::kBf16) return bf16_at(data, col);
  if (tensor.type == DenseType::kF32) {
    float value;
    std::memcpy(&value, data + 4 * col, 4);
    return value;
  }
  if (tensor.type == DenseType::kF16) {
    uint16_t bits;
    std::memcpy(&bits, data + 2 * col, 2);
    return f16(bits);
  }
  const std::byte* block = data + col / 32 * 34;
  uint16_t scale;
  std::memcpy(&scale, block, 2);
  return f16(scale) * static_cast<float>(static_cast<int8_t>(block[2 + col % 32]));
}

inline float element(const Mxfp4& tensor, size_t expert, size_t row, size_t col) {
  constexpr float kMagnitudes[] = {0, 0.5F, 1, 1.5F, 2, 3, 4, 6};
  const bool packed = tensor.layout == Mxfp4Layout::kGgml || tensor.layout == Mxfp4Layout::kOllama;
  const size_t group = row * (tensor.cols / 32) + col / 32;
  const uint8_t* block = tensor.blocks + expert * tensor.blocks_stride + group * (packed ? 17 : 16);
  int scale = packed ? block[0] : tensor.scales[expert * tensor.scales_stride + group];
  if (tensor.layout == Mxfp4Layout::kMetal) scale -= 14;
  const uint8_t* codes = block + (packed ? 1 : 0);
  const size_t i = col % 32;
  const bool halves = tensor.layout == Mxfp4Layout::kGgml;
  const uint8_t byte = halves ? codes[i % 16] : codes[i / 2];
  const int code = (halves ? i >= 16 : i % 2 == 1) ? byte >> 4 : byte & 15;
  const float value = std::ldexp(kMagnitudes[code & 7], scale - 127);
  return code & 8 ? -value : value;
}

// Row `row` of the joined gate and up, whichever way they are stored.
inline float gate_up_element(const Layer& layer, size_t expert, size_t row, size_t col) {
  if (layer.gate_up_proj.blocks) return element(layer.gate_up_proj, expert, row, col);
  return element(row % 2 == 0 ? layer.gate_proj : layer.up_proj, expert, row / 2, col);
}
inline float gate_up_bias(const Layer& layer, size_t expert, size_t row) {
  if (layer.gate_up_bias.data) return element(layer.gate_up_bias, expert, row);
  return element(row % 2 == 0 ? layer.gate_bias : layer.up_bias, expert, row / 2);
}

}  // namespace vitalis::model
