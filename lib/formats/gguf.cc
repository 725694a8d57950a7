// SPDX-License-Identifier: Apache-2.0
#include "formats/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>

#include "base/problems.h"
#include "formats/cursor.h"

namespace vitalis::formats {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMostAlignment = 1 << 20;
constexpr uint32_t kMostDimensions = 4;

// Bytes of a value of each GgufType; 0 for those of no fixed size.
constexpr std::array<uint8_t, 13> kValueBytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// ggml's numbers for tensor types, by name so that a message can say what was found.
constexpr std::array<std::string_view, 40> kGgmlNames = {
    "F32",   "F16",        "Q4_0",       "Q4_1",       "Q4_2",     "Q4_3",     "Q5_0",
    "Q5_1",  "Q8_0",       "Q8_1",       "Q2_K",       "Q3_K",     "Q4_K",     "Q5_K",
    "Q6_K",  "Q8_K",       "IQ2_XXS",    "IQ2_XS",     "IQ3_XXS",  "IQ1_S",    "IQ4_NL",
    "IQ3_S", "IQ2_S",      "IQ4_XS",     "I8",         "I16",      "I32",      "I64",
    "F64",   "IQ1_M",      "BF16",       "Q4_0_4_4",   "Q4_0_4_8", "Q4_0_8_8", "TQ1_0",
    "TQ2_0", "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4"};

// Number 4 was another type once; early builds of Ollama gave it to MXFP4.
std::optional<DType> dtype_of(uint32_t ggml_type) {
  switch (ggml_type) {
    case 0:
      return DType::kF32;
    case 1:
      return DType::kF16;
    case 4:
      return DType::kMxfp4Early;
    case 8:
      return DType::kQ8_0;
    case 24:
      return DType::kI8;
    case 25:
      return DType::kI16;
    case 26:
      return DType::kI32;
    case 27:
      return DType::kI64;
    case 28:
      return DType::kF64;
    case 30:
      return DType::kBf16;
    case 39:
      return DType::kMxfp4;
    default:
      return std::nullopt;
  }
}

int64_t load_signed(std::span<const std::byte> bytes) {
  const size_t unused = 64 - 8 * bytes.size();
  return static_cast<int64_t>(load(bytes) << unused) >> unused;
}

class Reader {
 public:
  Reader(std::span<const std::byte> file, std::string_view file_name)
      : file_(file), cursor_(file), file_name_(file_name) {}

  Result<Gguf> read() {
    VITALIS_TRY(read_header());
    for (uint64_t i = 0; i < metadata_count_; ++i) VITALIS_TRY(read_metadata());
    VITALIS_TRY(read_alignment());
    for (uint64_t i = 0; i < tensor_count_; ++i) VITALIS_TRY(read_tensor());
    VITALIS_TRY(problems_.status(file_name_));
    place_tensors();
    VITALIS_TRY(problems_.status(file_name_));
    return std::move(out_);
  }

 private:
  template <class... Pieces>
  Status malformed(const Pieces&... pieces) const {
    return error(Code::kMalformed, file_name_, ": ", pieces...);
  }
  Status truncated(std::string_view inside) const {
    return malformed("ends inside ", inside, ", after byte ", cursor_.position(), " of ",
                     file_.size());
  }

  Status read_header() {
    if (!is_gguf(file_)) return malformed("does not begin with \"GGUF\"");
    cursor_.take(kMagic.size());
    out_.version = cursor_.u32();
    tensor_count_ = cursor_.u64();
    metadata_count_ = cursor_.u64();
    if (cursor_.failed()) return truncated("its header");
    if (out_.version == 2 || out_.version == 3) return {};
    if (out_.version >> 24 != 0 && (out_.version & 0xFFFF) == 0) {
      return error(Code::kUnsupported, file_name_, ": is big-endian; supported: little-endian");
    }
    return error(Code::kUnsupported, file_name_, ": is GGUF version ", out_.version,
                 "; supported: 2 and 3");
  }

  Status read_metadata() {
    const std::string_view key = cursor_.string();
    if (cursor_.failed()) return truncated("a metadata key");
    const std::string what = text("metadata ", in_quotes(key));
    GgufValue value;
    uint32_t type = cursor_.u32();
    if (type == static_cast<uint32_t>(GgufType::kArray)) {
      value.array = true;
      type = cursor_.u32();
      value.count = cursor_.u64();
    }
    if (cursor_.failed()) return truncated(what);
    if (type >= kValueBytes.size() || type == static_cast<uint32_t>(GgufType::kArray)) {
      return malformed(what, " has values of the unknown type ", type);
    }
    value.type = static_cast<GgufType>(type);
    const uint64_t begin = cursor_.position();
    if (value.type == GgufType::kString) {
      for (uint64_t i = 0; i < value.count && !cursor_.failed(); ++i) cursor_.string();
    } else {
      uint64_t bytes = 0;
      if (__builtin_mul_overflow(value.count, kValueBytes[type], &bytes)) bytes = UINT64_MAX;
      cursor_.take(bytes);
    }
    if (cursor_.failed()) return truncated(what);
    value.bytes = file_.subspan(begin, cursor_.position() - begin);
    if (!out_.metadata.emplace(key, value).second) return malformed(what, " appears twice");
    return {};
  }

  Status read_alignment() {
    const GgufValue* value = out_.find("general.alignment");
    if (!value) return {};
    const auto alignment = value->unsigned_integer();
    if (!alignment || !std::has_single_bit(*alignment) || *alignment > kMostAlignment) {
      return malformed("metadata \"general.alignment\" should be a power of two up to ",
                       kMostAlignment);
    }
    alignment_ = *alignment;
    return {};
  }

  // Ends the reading only where the next description could not be found.
  Status read_tensor() {
    TensorRange tensor;
    const std::string_view name = cursor_.string();
    const uint32_t dimensions = cursor_.u32();
    if (cursor_.failed()) return truncated("a tensor's description");
    if (dimensions > kMostDimensions) {
      return malformed("tensor ", in_quotes(name), " has ", dimensions, " dimensions; at most ",
                       kMostDimensions, " are allowed");
    }
    tensor.name = name;
    for (uint32_t i = 0; i < dimensions; ++i) tensor.shape.push_back(cursor_.u64());
    std::reverse(tensor.shape.begin(), tensor.shape.end());  // stored fastest first
    const uint32_t type = cursor_.u32();
    tensor.offset = cursor_.u64();
    if (cursor_.failed()) return truncated(text("the description of tensor ", in_quotes(name)));
    if (!names_.insert(name).second) {
      problems_.add(malformed("tensor ", in_quotes(name), " appears twice"));
    }
    const std::optional<DType> dtype = dtype_of(type);
    if (!dtype) {
      problems_.add(Code::kUnsupported, file_name_, ": tensor ", in_quotes(name),
                    " is of ggml's type ", type, " (",
                    type < kGgmlNames.size() ? kGgmlNames[type] : "unknown",
                    "); supported: F32, F16, BF16, Q8_0, MXFP4");
      return {};
    }
    tensor.dtype = *dtype;
    const std::optional<uint64_t> bytes = tensor_bytes(*dtype, tensor.shape);
    if (!bytes) {
      problems_.add(malformed("tensor ", in_quotes(name), ": ", info(*dtype).name, ' ',
                              shape_text(tensor.shape),
                              " cuts a block or is more than 64 bits can count"));
      return {};
    }
    tensor.bytes = *bytes;
    out_.tensors.push_back(std::move(tensor));
    return {};
  }

  // Turns offsets into places in the file; each tensor begins where the one before ends, rounded
  // up.
  void place_tensors() {
    const uint64_t data = rounded_up(cursor_.position());
    auto& tensors = out_.tensors;
    std::stable_sort(
        tensors.begin(), tensors.end(),
        [](const TensorRange& a, const TensorRange& b) { return a.offset < b.offset; });
    uint64_t expected = data;
    for (TensorRange& tensor : tensors) {
      const uint64_t offset = tensor.offset;
      uint64_t end = 0;
      if (__builtin_add_overflow(offset, data, &tensor.offset) ||
          __builtin_add_overflow(tensor.offset, tensor.bytes, &end) || end > file_.size()) {
        problems_.add(malformed("tensor ", in_quotes(tensor.name), " takes ", tensor.bytes,
                                " bytes from byte ", offset, " of the data, which begin at byte ",
                                data, ", but the file has only ", file_.size(), " (truncated?)"));
        return;
      }
      if (tensor.offset != expected) {
        problems_.add(malformed("tensor ", in_quotes(tensor.name), " begins at byte ",
                                tensor.offset, "; expected ", expected,
                                ", where the tensor before it ends"));
      }
      expected = rounded_up(end);
    }
    if (file_.size() > expected) {
      problems_.add(
          malformed("has ", file_.size(), " bytes, but its tensors end at byte ", expected));
    }
  }

  uint64_t rounded_up(uint64_t value) const {
    return (value + alignment_ - 1) / alignment_ * alignment_;
  }

  std::span<const std::byte> file_;
  Cursor cursor_;
  std::string_view file_name_;
  uint64_t tensor_count_ = 0;
  uint64_t metadata_count_ = 0;
  uint64_t alignment_ = kDefaultAlignment;
  std::set<std::string_view> names_;
  Gguf out_;
  Problems problems_;
};

}  // namespace

std::optional<uint64_t> GgufValue::unsigned_integer() const {
  if (array) return std::nullopt;
  switch (type) {
    case GgufType::kU8:
    case GgufType::kU16:
    case GgufType::kU32:
    case GgufType::kU64:
      return load(bytes);
    case GgufType::kI8:
    case GgufType::kI16:
    case GgufType::kI32:
    case GgufType::kI64:
      if (load_signed(bytes) < 0) return std::nullopt;
      return load_signed(bytes);
    default:
      return std::nullopt;
  }
}

std::optional<double> GgufValue::number() const {
  if (array) return std::nullopt;
  if (type == GgufType::kF32) return std::bit_cast<float>(static_cast<uint32_t>(load(bytes)));
  if (type == GgufType::kF64) return std::bit_cast<double>(load(bytes));
  if (const auto integer = unsigned_integer()) return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<bool> GgufValue::flag() const {
  if (array || type != GgufType::kBool || load(bytes) > 1) return std::nullopt;
  return load(bytes) == 1;
}

std::optional<std::string_view> GgufValue::string() const {
  if (array || type != GgufType::kString) return std::nullopt;
  return as_text(bytes.subspan(8));
}

std::vector<std::string_view> GgufValue::strings() const {
  std::vector<std::string_view> out;
  if (!array || type != GgufType::kString) return out;
  out.reserve(count);
  Cursor cursor(bytes);
  for (uint64_t i = 0; i < count; ++i) out.push_back(cursor.string());
  return out;
}

std::vector<int32_t> GgufValue::integers() const {
  std::vector<int32_t> out;
  if (!array || (type != GgufType::kI32 && type != GgufType::kU32)) return out;
  out.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    out.push_back(static_cast<int32_t>(load(bytes.subspan(4 * i, 4))));
  }
  return out;
}

const GgufValue* Gguf::find(std::string_view key) const {
  const auto found = metadata.find(key);
  return found == metadata.end() ? nullptr : &found->second;
}

bool is_gguf(std::span<const std::byte> file) {
  return file.size() >= kMagic.size() && as_text(file.first(kMagic.size())) == kMagic;
}

Result<Gguf> parse_gguf(std::span<const std::byte> file, std::string_view file_name) {
  return Reader(file, file_name).read();
}

}  // namespace vitalis::formats
