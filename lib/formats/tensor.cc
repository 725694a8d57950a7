// SPDX-License-Identifier: Apache-2.0
#include "formats/tensor.h"

#include <array>

namespace vitalis::formats {
namespace {

constexpr std::array<DTypeInfo, 19> kInfo = {{
    {"BOOL", 1, 1, 1},
    {"U8", 1, 1, 1},
    {"I8", 1, 1, 1},
    {"F8_E4M3", 1, 1, 1},
    {"F8_E5M2", 1, 1, 1},
    {"F8_E8M0", 1, 1, 1},
    {"U16", 1, 2, 2},
    {"I16", 1, 2, 2},
    {"F16", 1, 2, 2},
    {"BF16", 1, 2, 2},
    {"U32", 1, 4, 4},
    {"I32", 1, 4, 4},
    {"F32", 1, 4, 4},
    {"U64", 1, 8, 8},
    {"I64", 1, 8, 8},
    {"F64", 1, 8, 8},
    {"Q8_0", 32, 34, 2},
    {"MXFP4", 32, 17, 1},
    {"MXFP4 (type 4)", 32, 17, 1},
}};
static_assert(static_cast<size_t>(DType::kMxfp4Early) + 1 == kInfo.size());

}  // namespace

const DTypeInfo& info(DType type) {
  return kInfo[static_cast<size_t>(type)];
}

std::optional<uint64_t> tensor_bytes(DType type, const std::vector<uint64_t>& shape) {
  const DTypeInfo& dtype = info(type);
  const uint64_t last = shape.empty() ? 1 : shape.back();
  if (last % dtype.block_elements != 0) return std::nullopt;
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(last / dtype.block_elements, dtype.block_bytes, &bytes)) {
    return std::nullopt;
  }
  for (size_t i = 0; i + 1 < shape.size(); ++i) {
    if (__builtin_mul_overflow(bytes, shape[i], &bytes)) return std::nullopt;
  }
  return bytes;
}

std::string shape_text(const std::vector<uint64_t>& shape) {
  constexpr size_t kMostTold = 8;
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i == kMostTold) return out + ", ...]";
    if (i) out += ", ";
    out += std::to_string(shape[i]);
  }
  return out + "]";
}

}  // namespace vitalis::formats
