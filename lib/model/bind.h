// SPDX-License-Identifier: Apache-2.0
// Joins the tensors found in files to the schema by a name table. Every tensor that is missing,
// unexpected, misshapen, of another type or misaligned becomes a problem of its own; nothing is
// read, so binding costs no more than the headers.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/problems.h"
#include "formats/tensor.h"
#include "model/name_tables.h"

namespace vitalis::model {

struct FoundTensor {
  formats::TensorRange range;
  const std::byte* data;  // the first byte, in the mapping
  std::string file;       // for messages
  // Bytes from one slice of the first axis to the next, where they lie apart; 0 where they do not.
  uint64_t stride = 0;
};

struct Inventory {
  std::map<std::string, FoundTensor, std::less<>> tensors;
  std::set<std::string, std::less<>> unreadable;  // in files whose own problems are already told
};

// The table whose names occur most among the tensors; null if none do.
const NameTable* recognize(std::span<const NameTable> tables, const Inventory& inventory);

Weights bind(const Config& config, const NameTable& table, const Inventory& inventory,
             std::string_view folder, Problems& problems);

}  // namespace vitalis::model
