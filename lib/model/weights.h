// SPDX-License-Identifier: Apache-2.0
// The weights of a model as views into mapped files. Nothing is converted: what the published
// formats do differently is told here as data, and the engine picks kernels by it.
// Matrices are row-major, rows are output features.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/mapped_file.h"
#include "model/config.h"

namespace vitalis::model {

enum class DenseType : uint8_t { kBf16, kF32 };

// [rows][cols] of one of the dense types, rows without gaps. A vector has one row.
struct Dense {
  const std::byte* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  DenseType type = DenseType::kBf16;
};

// Columns that share one scale.
inline constexpr size_t kMxfp4Group = 32;

// [experts][rows][cols] in MXFP4 (OCP Microscaling Formats 1.0): blocks of 32 columns, 16 bytes of
// E2M1 codes and one E8M0 scale each. In byte j the low nibble is element 2j, the high one 2j + 1.
struct Mxfp4 {
  const uint8_t* blocks = nullptr;  // [experts][rows][cols / 32][16]
  const uint8_t* scales = nullptr;  // [experts][rows][cols / 32]
  size_t experts = 0;
  size_t rows = 0;
  size_t cols = 0;
};

struct Layer {
  Dense input_layernorm;                 // [hidden]
  Dense q_proj, k_proj, v_proj, o_proj;  // [q_width | kv_width][hidden], [hidden][q_width]
  Dense q_bias, k_bias, v_bias, o_bias;
  Dense sinks;                     // [heads]
  Dense post_attention_layernorm;  // [hidden]
  Dense router, router_bias;       // [experts][hidden], [experts]
  Mxfp4 gate_up_proj;              // [experts][2 intermediate][hidden], gate even, up odd
  Dense gate_up_bias;              // [experts][2 intermediate]
  Mxfp4 down_proj;                 // [experts][hidden][intermediate]
  Dense down_bias;                 // [experts][hidden]
};

struct Weights {
  Dense embed_tokens;  // [vocab][hidden]
  std::vector<Layer> layers;
  Dense norm;     // [hidden]
  Dense lm_head;  // [vocab][hidden]
};

}  // namespace vitalis::model
