// SPDX-License-Identifier: Apache-2.0
#include "quantize/layout.h"

#include <map>

#include "base/mapped_file.h"
#include "formats/safetensors.h"
#include "hub/disk.h"
#include "hub/json_text.h"
#include "quantize/q8_0.h"

namespace vitalis::quantize {
namespace {

using formats::DType;
using formats::TensorRange;
using hub::json_string;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kHeaderUnit = 8;  // a header's size is a multiple of it, as readers like to see

std::string header_text(const formats::Safetensors& source,
                        const std::vector<TensorRange>& tensors) {
  std::string out = "{";
  if (!source.metadata.empty()) {
    out += "\"__metadata__\":{";
    for (const auto& [key, value] : source.metadata) {
      if (out.back() != '{') out += ',';
      out += json_string(key) + ':' + json_string(value);
    }
    out += '}';
  }
  uint64_t end = 0;
  for (const TensorRange& tensor : tensors) {
    if (out.size() > 1) out += ',';
    out += json_string(tensor.name) +
           text(":{\"dtype\":\"", formats::info(tensor.dtype).name, "\",\"shape\":[");
    for (const uint64_t size : tensor.shape) {
      if (out.back() != '[') out += ',';
      out += std::to_string(size);
    }
    out += text("],\"data_offsets\":[", end, ',', end + tensor.bytes, "]}");
    end += tensor.bytes;
  }
  out += '}';
  while (out.size() % kHeaderUnit != 0) out += ' ';
  return out;
}

// The blanks by which the most bytes that stay lie as they lay.
uint64_t padding(const std::vector<Segment>& segments) {
  std::map<uint64_t, uint64_t> bytes_by_shift;
  for (const Segment& segment : segments) {
    const uint64_t shift = (segment.source - segment.target) % hub::kShareUnit;
    if (!segment.rounds() && shift % kHeaderUnit == 0) {
      bytes_by_shift[shift] += segment.source_bytes;
    }
  }
  uint64_t best = 0, most = 0;
  for (const auto& [shift, bytes] : bytes_by_shift) {
    if (bytes > most) {
      best = shift;
      most = bytes;
    }
  }
  return best;
}

std::string little_endian(uint64_t number) {
  std::string out;
  for (uint64_t i = 0; i < kLengthBytes; ++i) out += static_cast<char>(number >> (8 * i));
  return out;
}

TensorRange rounded(TensorRange tensor) {
  tensor.dtype = DType::kU8;
  tensor.shape.back() /= kBlockNumbers;
  tensor.shape.push_back(kQ8BlockBytes);
  tensor.bytes = tensor.bytes / kBf16BlockBytes * kQ8BlockBytes;
  return tensor;
}

}  // namespace

Result<Shard> lay_out(const std::string& path, std::string_view name,
                      const std::function<bool(std::string_view)>& is_rounded) {
  VITALIS_ASSIGN(const MappedFile file, MappedFile::open(path));
  VITALIS_ASSIGN(const formats::Safetensors source, formats::parse_safetensors(file.bytes(), path));
  Shard out{.name = std::string(name), .source = path, .source_bytes = file.bytes().size()};
  std::vector<TensorRange> tensors;
  uint64_t end = 0;
  bool any = false;
  for (const TensorRange& tensor : source.tensors) {
    const bool rounds = is_rounded(tensor.name);
    any = any || rounds;
    tensors.push_back(rounds ? rounded(tensor) : tensor);
    const uint64_t bytes = tensors.back().bytes;
    if (rounds || out.segments.empty() || out.segments.back().rounds()) {
      out.segments.push_back(
          {tensor.offset, end, tensor.bytes, bytes, rounds ? tensor.name : std::string()});
    } else {
      out.segments.back().source_bytes += bytes;
      out.segments.back().target_bytes += bytes;
    }
    end += bytes;
  }
  out.tensor_bytes = end;
  if (!any) {
    out.segments = {{0, 0, out.source_bytes, out.source_bytes, {}}};
    out.target_bytes = out.source_bytes;
    return out;
  }
  const std::string header = header_text(source, tensors);
  for (Segment& segment : out.segments) segment.target += kLengthBytes + header.size();
  const uint64_t blanks = padding(out.segments);
  for (Segment& segment : out.segments) segment.target += blanks;
  out.header = little_endian(header.size() + blanks) + header + std::string(blanks, ' ');
  out.target_bytes = out.header.size() + end;
  return out;
}

}  // namespace vitalis::quantize
