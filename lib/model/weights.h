// SPDX-License-Identifier: Apache-2.0
// The weights of a model as views into mapped files. Nothing is converted: what the published
// formats do differently is told here as data, and the engine picks kernels by it.
// Matrices are row-major, rows are output features. The defaults are Hugging Face's layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/config.h"

namespace vitalis::model {

enum class DenseType : uint8_t {
  kBf16,
  kF32,
  kF16,
  kQ8_0,  // blocks of 32 columns, 34 bytes each: an f16 scale, then 32 signed bytes
};

// [rows][cols] of one of the dense types. A vector has one row. Vectors and biases are bf16 or f32.
struct Dense {
  const std::byte* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  DenseType type = DenseType::kBf16;
  size_t row_stride = 0;  // bytes from a row to the next; more than a row's own in model.bin
};

// Columns that share one scale.
inline constexpr size_t kMxfp4Group = 32;

enum class Mxfp4Layout : uint8_t {
  kSeparate,  // codes and scales apart; in byte j the low nibble is element 2j, the high one 2j + 1
  kGgml,      // 17 bytes a block, the scale first; byte j of the rest holds elements j and j + 16
  kOllama,    // 17 bytes a block, the scale first; nibbles in pairs as in kSeparate
  kMetal,     // as kSeparate, but scale bytes are 14 greater and experts lie apart
};

// [experts][rows][cols] in MXFP4 (OCP Microscaling Formats 1.0): blocks of 32 columns, 16 bytes of
// E2M1 codes and one E8M0 scale each.
struct Mxfp4 {
  const uint8_t* blocks = nullptr;  // [experts][rows][cols / 32][16 or 17]
  const uint8_t* scales = nullptr;  // [experts][rows][cols / 32]; null where blocks hold them
  size_t experts = 0;
  size_t rows = 0;
  size_t cols = 0;
  Mxfp4Layout layout = Mxfp4Layout::kSeparate;
  size_t blocks_stride = 0;  // bytes from an expert to the next
  size_t scales_stride = 0;
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
  // Instead of gate_up, where a format keeps the two apart: [experts][intermediate][hidden].
  Mxfp4 gate_proj, up_proj;
  Dense gate_bias, up_bias;  // [experts][intermediate]
};

enum class RotaryPairs : uint8_t {
  kHalves,    // i and i + head_dim / 2 turn together
  kAdjacent,  // 2i and 2i + 1: the rows of q and k are permuted so
};

struct Weights {
  Dense embed_tokens;  // [vocab][hidden]
  std::vector<Layer> layers;
  Dense norm;     // [hidden]
  Dense lm_head;  // [vocab][hidden]
  RotaryPairs rotary_pairs = RotaryPairs::kHalves;
  float q_scale = 1;  // already multiplied into the rows and biases of q and k
  float k_scale = 1;
};

// Bytes of the numbers of a tensor as it is stored, and how many numbers there are.
uint64_t stored_bytes(const Dense& w);
uint64_t stored_bytes(const Mxfp4& w);
inline uint64_t elements(const Dense& w) {
  return uint64_t{w.rows} * w.cols;
}
inline uint64_t elements(const Mxfp4& w) {
  return uint64_t{w.experts} * w.rows * w.cols;
}

// What one token reads of a tensor.
enum class Reads : uint8_t {
  kRow,      // one row: the embedding
  kAll,      // each number
  kExperts,  // the parts of its experts
};

// visit(tensor, reads) for each tensor of a model that is there, a Dense or an Mxfp4. What is said
// of all weights is said by this.
template <class Visit>
void for_each_tensor(const Weights& weights, const Visit& visit) {
  const auto some = [&](Reads reads, const auto&... tensors) { (visit(tensors, reads), ...); };
  some(Reads::kRow, weights.embed_tokens);
  some(Reads::kAll, weights.norm, weights.lm_head);
  for (const Layer& w : weights.layers) {
    some(Reads::kAll, w.input_layernorm, w.q_proj, w.k_proj, w.v_proj, w.o_proj, w.q_bias, w.k_bias,
         w.v_bias, w.o_bias, w.sinks, w.post_attention_layernorm, w.router, w.router_bias);
    some(Reads::kExperts, w.down_proj, w.down_bias);
    if (w.gate_up_proj.blocks) {
      some(Reads::kExperts, w.gate_up_proj, w.gate_up_bias);
    } else {
      some(Reads::kExperts, w.gate_proj, w.up_proj, w.gate_bias, w.up_bias);
    }
  }
}

}  // namespace vitalis::model
