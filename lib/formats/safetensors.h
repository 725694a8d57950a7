// SPDX-License-Identifier: Apache-2.0
// The safetensors container: eight bytes of header length, a JSON header, then the tensors' bytes
// without gaps. The header is all that is read; tensors are ranges of the caller's mapping.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "formats/tensor.h"

namespace vitalis::formats {

struct Safetensors {
  std::vector<TensorRange> tensors;  // in the order of their bytes
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Which shard holds a tensor, by model.safetensors.index.json: (tensor, file name), in the order of
// tensor names. A file name is a plain one, without folders.
using SafetensorsIndex = std::vector<std::pair<std::string, std::string>>;
Result<SafetensorsIndex> parse_safetensors_index(std::string_view json, std::string_view file_name);

// Reads the header of a whole file. `file_name` names it in messages. kMalformed tells of every
// tensor whose entry is wrong, and of duplicate names, overlaps, gaps and a file that is too short
// or too long.
Result<Safetensors> parse_safetensors(std::span<const std::byte> file, std::string_view file_name);

}  // namespace vitalis::formats
