// SPDX-License-Identifier: Apache-2.0
// The GGUF container, versions 2 and 3, little-endian: typed metadata, tensor descriptions, then
// aligned tensors. Views lead into the caller's mapping, which must outlive them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "formats/tensor.h"

namespace vitalis::formats {

enum class GgufType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};

// A metadata value as it is stored; its bounds are checked, its meaning is the reader's.
struct GgufValue {
  GgufType type = GgufType::kU8;  // of the value, or of an array's elements
  bool array = false;
  uint64_t count = 1;                // elements of an array
  std::span<const std::byte> bytes;  // strings with their lengths before them

  // Nothing unless the value is one number, flag or string.
  std::optional<uint64_t> unsigned_integer() const;
  std::optional<double> number() const;
  std::optional<bool> flag() const;
  std::optional<std::string_view> string() const;
  // The elements of an array of strings, of 32-bit integers; empty for anything else.
  std::vector<std::string_view> strings() const;
  std::vector<int32_t> integers() const;
};

struct Gguf {
  uint32_t version = 0;
  std::map<std::string_view, GgufValue> metadata;
  std::vector<TensorRange> tensors;  // in the order of their bytes

  const GgufValue* find(std::string_view key) const;
};

bool is_gguf(std::span<const std::byte> file);

// `file_name` names the file in messages. kMalformed and kUnsupported tell of every tensor that is
// wrong at once; metadata that cannot be followed ends the reading.
Result<Gguf> parse_gguf(std::span<const std::byte> file, std::string_view file_name);

}  // namespace vitalis::formats
