// SPDX-License-Identifier: Apache-2.0
// Weights as the kernels take them: what a format does differently becomes the type of a matrix.
#pragma once

#include "kernels/math-inl.h"
#include "kernels/table.h"
#include "model/weights.h"

namespace vitalis::engine {

inline kernels::Matrix matrix(const model::Dense& w) {
  using enum kernels::MatrixType;
  constexpr kernels::MatrixType kTypes[] = {kBf16, kF32, kF16, kQ8_0};  // by model::DenseType
  return {kTypes[static_cast<size_t>(w.type)], w.data, nullptr};
}

inline kernels::Matrix matrix(const model::Mxfp4& w, size_t expert) {
  using enum kernels::MatrixType;
  constexpr kernels::MatrixType kTypes[] = {kMxfp4, kMxfp4Ggml, kMxfp4Ollama, kMxfp4Metal};
  return {kTypes[static_cast<size_t>(w.layout)], w.blocks + expert * w.blocks_stride,
          w.scales ? w.scales + expert * w.scales_stride : nullptr};
}

// A row of a tensor that is bf16 or f32; none if there is no tensor.
inline kernels::Vector vector(const model::Dense& w, size_t row = 0) {
  return {w.data ? w.data + row * w.row_stride : nullptr, w.type == model::DenseType::kF32
                                                              ? kernels::VectorType::kF32
                                                              : kernels::VectorType::kBf16};
}

inline float element(const kernels::Vector& x, size_t i) {
  return x.type == kernels::VectorType::kBf16
             ? kernels::bf16_to_f32(kernels::unaligned<uint16_t>(x.data, i))
             : kernels::unaligned<float>(x.data, i);
}

}  // namespace vitalis::engine
