// SPDX-License-Identifier: Apache-2.0
// How each published format names the tensors of the schema. A table is all that a further naming
// costs: one row per tensor, or per part of one that is stored in parts.
#pragma once

#include <span>
#include <string_view>

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

}  // namespace vitalis::model
