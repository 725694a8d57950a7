// SPDX-License-Identifier: Apache-2.0
// What every weight format comes down to: named, typed, shaped byte ranges of a file.
// A range that a parser returns lies inside its file and has exactly the bytes that its type and
// shape ask for; its alignment is the file's affair and is checked by whoever reads elements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitalis::formats {

enum class DType : uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kF8E8M0,
  kU16,
  kI16,
  kF16,
  kBf16,
  kU32,
  kI32,
  kF32,
  kU64,
  kI64,
  kF64,
  kQ8_0,        // 32 signed bytes after their f16 scale
  kMxfp4,       // 32 E2M1 codes after their E8M0 scale, in ggml's order
  kMxfp4Early,  // the same in the order of pairs
};

// Types are stored in blocks along the last axis; a plain type has blocks of one element.
struct DTypeInfo {
  std::string_view name;
  uint32_t block_elements;
  uint32_t block_bytes;
  uint32_t alignment;
};
const DTypeInfo& info(DType type);

struct TensorRange {
  std::string name;
  DType dtype;
  std::vector<uint64_t> shape;  // slowest axis first
  uint64_t offset;              // from the start of the file
  uint64_t bytes;
};

// The bytes of a tensor, or nothing if they do not fit 64 bits or cut a block.
std::optional<uint64_t> tensor_bytes(DType type, const std::vector<uint64_t>& shape);

// "[8, 64]"
std::string shape_text(const std::vector<uint64_t>& shape);

}  // namespace vitalis::formats
