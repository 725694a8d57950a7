// SPDX-License-Identifier: Apache-2.0
// Any bytes as a safetensors file and as an index. What is accepted must cover the file exactly.
#include <cstddef>
#include <cstdint>

#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitalis::formats;
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  if (const auto parsed = parse_safetensors(file, "fuzz"); parsed.ok()) {
    uint64_t end = parsed->tensors.empty() ? size : parsed->tensors.front().offset;
    for (const TensorRange& tensor : parsed->tensors) {
      if (tensor.offset != end) __builtin_trap();
      if (tensor_bytes(tensor.dtype, tensor.shape) != tensor.bytes) __builtin_trap();
      end += tensor.bytes;
    }
    if (end != size) __builtin_trap();
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto index = parse_safetensors_index(text, "fuzz"); index.ok()) {
    for (const auto& [tensor, shard] : *index) {
      if (shard.empty() || shard.find('/') != shard.npos) __builtin_trap();
    }
  }
  return 0;
}
