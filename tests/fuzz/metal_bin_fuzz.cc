// SPDX-License-Identifier: Apache-2.0
// Any bytes as the header of metal/model.bin. Views must lie inside the file.
#include <cstddef>
#include <cstdint>

#include "formats/metal_bin.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitalis::formats;
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto bin = parse_metal_bin(file, "fuzz");
  if (!bin.ok()) return 0;
  uint64_t bytes = bin->regex.size() + 16 * bin->special_tokens.size();
  for (const std::string_view token : bin->text_tokens) bytes += token.size();
  if (bytes > size || bin->weights_offset % kMetalPage != 0) __builtin_trap();
  return 0;
}
