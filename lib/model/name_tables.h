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
  kWhole,   // a dense tensor in bf16
  kBlocks,  // the codes of an MXFP4 tensor: [..., columns / 32, 16] bytes
  kScales,  // its scales: [..., columns / 32] bytes
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
};
std::span<const NameTable> name_tables();

// The name for one layer, and the type and shape of what is stored under it.
std::string expand_name(std::string_view name, size_t layer);
formats::DType stored_type(Part part);
std::vector<uint64_t> stored_shape(std::span<const NameRow> fused, const Config& config);

}  // namespace vitalis::model
