// SPDX-License-Identifier: Apache-2.0
// Any bytes as a GGUF file. What is accepted must lie inside the file, and must make a config that
// keeps its promises or none.
#include <cstddef>
#include <cstdint>

#include "formats/gguf.h"
#include "model/gguf_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitalis;
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto gguf = formats::parse_gguf(file, "fuzz");
  if (!gguf.ok()) return 0;
  for (const formats::TensorRange& tensor : gguf->tensors) {
    if (tensor.offset > size || tensor.bytes > size - tensor.offset) __builtin_trap();
    if (formats::tensor_bytes(tensor.dtype, tensor.shape) != tensor.bytes) __builtin_trap();
  }
  for (const auto& [key, value] : gguf->metadata) {
    if (value.strings().size() > size || value.integers().size() > size) __builtin_trap();
    (void)value.number();
    (void)value.flag();
    (void)value.string();
  }
  const auto config = model::gguf_config(*gguf, "fuzz");
  if (config.ok() && (config->hidden % 32 != 0 || config->kv_heads == 0)) __builtin_trap();
  return 0;
}
