// SPDX-License-Identifier: Apache-2.0
// A checkpoint as its files tell it, before its tensors are bound: one function per container.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/problems.h"
#include "model/bind.h"
#include "model/checkpoint.h"
#include "model/config.h"
#include "model/name_tables.h"

namespace vitalis::model {

struct Source {
  Config config;
  std::span<const NameTable> tables;  // that the tensors may be named by
  Inventory inventory;
  std::vector<Checkpoint::Tensor> listing;
  std::vector<MappedFile> files;

  // Takes a file and the tensors in it; `name` is told in listings, the file's path in messages.
  void add(MappedFile file, std::vector<formats::TensorRange> tensors, std::string_view name);
};

// What keeps the rest from being looked at is returned; what is wrong with tensors or with single
// files goes to `problems`, so that binding can add to it.
Result<Source> open_safetensors(const std::string& folder, Problems& problems);
Result<Source> open_gguf(MappedFile file, Problems& problems);
Result<Source> open_metal(MappedFile file);

}  // namespace vitalis::model
