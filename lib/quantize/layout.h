// SPDX-License-Identifier: Apache-2.0
// What a file of safetensors becomes: the same tensors in the same order, some of them in Q8_0. A
// header, then segments without gaps; nothing is read but headers. The header is padded so that as
// many bytes as possible keep their place within a file system's block, and can be shared.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::quantize {

struct Segment {
  uint64_t source;  // where its bytes are in the source
  uint64_t target;
  uint64_t source_bytes;
  uint64_t target_bytes;
  std::string tensor;  // that is rounded; empty: bytes of one or more tensors that stay as they are

  bool rounds() const { return !tensor.empty(); }
};

struct Shard {
  std::string name;    // of the file
  std::string source;  // its path
  std::string header;  // with the 8 bytes of its length; empty: nothing is rounded, the file stays
  std::vector<Segment> segments;
  uint64_t source_bytes = 0;
  uint64_t target_bytes = 0;
  uint64_t tensor_bytes = 0;  // without the header, as an index counts them
};

// `is_rounded` tells by its name whether a tensor, which then is bf16 with a multiple of 32
// columns, becomes Q8_0. Errors are those of opening and parsing the file.
Result<Shard> lay_out(const std::string& path, std::string_view name,
                      const std::function<bool(std::string_view)>& is_rounded);

}  // namespace vitalis::quantize
