// SPDX-License-Identifier: Apache-2.0
// How each published format names the tensors of the schema. A table is all that a further naming
// costs: one row per tensor, or per part of one that is stored in parts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tensor.h"
#include "model/schema.h"

namespace vitalis::model {

enum class Part : uint8_t {
  kWhole,   // a dense tensor
  kBlocks,  // the codes of an MXFP4 tensor: [..., columns / 32, 16] bytes
  kScales,  // its scales: [..., columns / 32] bytes
  kPacked,  // an MXFP4 tensor whose blocks hold their scales
};

struct NameRow {
  TensorId id;
  Part part;
  std::string_view name;  // "{}" stands for the number of the layer
};

// Rows that follow one another under one name are fused: the tensor of that name holds their rows
// in this order.
struct NameTable {
  std::string_view format;
  std::span<const NameRow> rows;
  std::span<const formats::DType> matrix_types;  // that dense tensors may be stored in
  std::span<const formats::DType> vector_types;
  Mxfp4Layout mxfp4_layout = Mxfp4Layout::kSeparate;
  RotaryPairs rotary_pairs = RotaryPairs::kHalves;
  float q_scale = 1;
  float k_scale = 1;
  // Where the schema says eight_bit, [rows, columns / 32, 34] bytes: blocks of Q8_0.
  bool eight_bit = false;

  bool in_q8_0(TensorId id) const { return eight_bit && schema(id).eight_bit; }
};
// The tables that a container may hold tensors by.
std::span<const NameTable> safetensors_tables(bool eight_bit = false);
std::span<const NameTable> gguf_tables();
std::span<const NameTable> metal_tables();

// The name for one layer, and the types and shape of what may be stored under it.
std::string expand_name(std::string_view name, size_t layer);
std::span<const formats::DType> stored_types(const NameRow& row, const NameTable& table);
std::vector<uint64_t> stored_shape(std::span<const NameRow> fused, const NameTable& table,
                                   const Config& config);

}  // namespace vitalis::model
