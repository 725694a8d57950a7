// SPDX-License-Identifier: Apache-2.0
#include "formats/safetensors.h"

#include <algorithm>
#include <optional>

#include "base/problems.h"
#include "formats/json.h"

namespace vitalis::formats {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kLongestHeader = 100'000'000;  // the limit of the reference implementation

// Little-endian whatever the machine is.
uint64_t header_length(std::span<const std::byte> file) {
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) length = length << 8 | std::to_integer<uint64_t>(file[i]);
  return length;
}

Result<std::string_view> find_header(std::span<const std::byte> file, std::string_view file_name) {
  if (file.size() < kLengthBytes) {
    return error(Code::kMalformed, file_name, ": has ", file.size(),
                 " bytes; a safetensors file begins with the 8 bytes of its header's length");
  }
  const uint64_t length = header_length(file);
  if (length > file.size() - kLengthBytes) {
    return error(Code::kMalformed, file_name, ": the header should have ", length,
                 " bytes, but only ", file.size() - kLengthBytes, " follow its length");
  }
  if (length > kLongestHeader) {
    return error(Code::kUnsupported, file_name, ": the header has ", length, " bytes; at most ",
                 kLongestHeader, " are allowed");
  }
  return std::string_view(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
}

std::optional<DType> dtype_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(DType::kF64); ++i) {
    if (info(static_cast<DType>(i)).name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::optional<std::vector<uint64_t>> unsigned_array(dom::element value) {
  dom::array array;
  if (value.get(array)) return std::nullopt;
  std::vector<uint64_t> out;
  for (const dom::element item : array) {
    uint64_t number = 0;
    if (item.get(number)) return std::nullopt;
    out.push_back(number);
  }
  return out;
}

// An index must not lead out of its folder.
bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

// Reads one file's header; what is wrong goes to `problems_`, each sentence with file and tensor.
class HeaderReader {
 public:
  HeaderReader(std::string_view file_name, uint64_t data_begin, uint64_t data_bytes)
      : file_name_(file_name), data_begin_(data_begin), data_bytes_(data_bytes) {}

  Result<Safetensors> read(dom::object header) {
    for (const dom::key_value_pair field : header) {
      if (field.key == "__metadata__") {
        read_metadata(field.value);
      } else {
        read_tensor(field.key, field.value);
      }
    }
    check_names();
    if (problems_.empty()) check_layout();
    VITALIS_TRY(problems_.status(file_name_));
    return std::move(out_);
  }

 private:
  template <class... Pieces>
  void wrong(const Pieces&... pieces) {
    problems_.add(Code::kMalformed, file_name_, ": ", pieces...);
  }

  void read_metadata(dom::element value) {
    dom::object entries;
    if (has_metadata_) wrong("__metadata__ appears twice");
    has_metadata_ = true;
    if (value.get(entries)) {
      return wrong("__metadata__ should be an object, found ", json_kind(value));
    }
    for (const dom::key_value_pair entry : entries) {
      std::string_view content;
      if (entry.value.get(content)) {
        wrong("__metadata__ ", in_quotes(entry.key), " should be a string, found ",
              json_kind(entry.value));
      } else {
        out_.metadata.emplace_back(entry.key, content);
      }
    }
  }

  void read_tensor(std::string_view name, dom::element value) {
    dom::object fields;
    if (value.get(fields)) {
      return wrong("tensor ", in_quotes(name), ": expected an object, found ", json_kind(value));
    }
    std::optional<DType> dtype;
    std::optional<std::vector<uint64_t>> shape;
    std::optional<std::vector<uint64_t>> range;
    int count = 0;
    for (const dom::key_value_pair field : fields) {
      ++count;
      if (field.key == "dtype") {
        std::string_view type;
        if (field.value.get(type)) type = json_kind(field.value);
        dtype = dtype_named(type);
        if (!dtype) return wrong("tensor ", in_quotes(name), ": unknown dtype ", in_quotes(type));
      } else if (field.key == "shape") {
        shape = unsigned_array(field.value);
      } else if (field.key == "data_offsets") {
        range = unsigned_array(field.value);
      } else {
        return wrong("tensor ", in_quotes(name), ": unknown field ", in_quotes(field.key));
      }
    }
    if (count != 3 || !dtype || !shape || !range || range->size() != 2) {
      return wrong("tensor ", in_quotes(name),
                   ": expected dtype, shape and data_offsets once each, with unsigned numbers and "
                   "two offsets");
    }
    add_tensor(name, *dtype, std::move(*shape), (*range)[0], (*range)[1]);
  }

  void add_tensor(std::string_view name, DType dtype, std::vector<uint64_t> shape, uint64_t begin,
                  uint64_t end) {
    if (begin > end) {
      return wrong("tensor ", in_quotes(name), ": begins at byte ", begin,
                   " of the data and ends at ", end);
    }
    if (end > data_bytes_) {
      return wrong("tensor ", in_quotes(name), ": ends at byte ", end,
                   " of the data, but the file ", "has only ", data_bytes_, " (truncated?)");
    }
    const std::optional<uint64_t> expected = tensor_bytes(dtype, shape);
    if (!expected) {
      return wrong("tensor ", in_quotes(name), ": ", info(dtype).name, ' ', shape_text(shape),
                   " is more than 64 bits can count");
    }
    if (*expected != end - begin) {
      return wrong("tensor ", in_quotes(name), ": ", info(dtype).name, ' ', shape_text(shape),
                   " takes ", *expected, " bytes, but its range holds ", end - begin);
    }
    out_.tensors.push_back(
        {std::string(name), dtype, std::move(shape), data_begin_ + begin, end - begin});
  }

  void check_names() {
    std::vector<std::string_view> names;
    names.reserve(out_.tensors.size());
    for (const TensorRange& tensor : out_.tensors) names.push_back(tensor.name);
    std::sort(names.begin(), names.end());
    for (size_t i = 1; i < names.size(); ++i) {
      if (names[i] == names[i - 1]) wrong("tensor ", in_quotes(names[i]), " appears twice");
    }
  }

  // Sorts by place, then sees that every byte of the data belongs to exactly one tensor.
  void check_layout() {
    std::vector<TensorRange>& tensors = out_.tensors;
    std::sort(tensors.begin(), tensors.end(), [](const TensorRange& a, const TensorRange& b) {
      return a.offset != b.offset ? a.offset < b.offset : a.bytes < b.bytes;
    });
    uint64_t end = data_begin_;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const TensorRange& tensor = tensors[i];
      if (tensor.offset < end) {
        wrong("tensor ", in_quotes(tensor.name), ": overlaps ", in_quotes(tensors[i - 1].name),
              " by ", end - tensor.offset, " bytes");
      } else if (tensor.offset > end) {
        wrong("tensor ", in_quotes(tensor.name), ": follows a gap of ", tensor.offset - end,
              " bytes that belong to no tensor");
      }
      end = std::max(end, tensor.offset + tensor.bytes);
    }
    const uint64_t file_end = data_begin_ + data_bytes_;
    if (end < file_end) {
      wrong("has ", file_end, " bytes, but its tensors end at byte ", end);
    }
  }

  std::string_view file_name_;
  uint64_t data_begin_;
  uint64_t data_bytes_;
  bool has_metadata_ = false;
  Safetensors out_;
  Problems problems_;
};

}  // namespace

Result<SafetensorsIndex> parse_safetensors_index(std::string_view json,
                                                 std::string_view file_name) {
  VITALIS_ASSIGN(const JsonDocument document, JsonDocument::parse(json, file_name));
  dom::object map;
  if (document.root().at_key("weight_map").get(map)) {
    return error(Code::kMalformed, file_name, ": expected an object \"weight_map\"");
  }
  Problems problems;
  SafetensorsIndex index;
  for (const dom::key_value_pair entry : map) {
    std::string_view shard;
    if (entry.value.get(shard) || !is_plain_file_name(shard)) {
      problems.add(Code::kMalformed, file_name, ": tensor ", in_quotes(entry.key), " is in ",
                   excerpt(simdjson::minify(entry.value)),
                   "; expected the name of a file in the same folder");
    }
    index.emplace_back(entry.key, shard);
  }
  std::sort(index.begin(), index.end());
  for (size_t i = 1; i < index.size(); ++i) {
    if (index[i].first == index[i - 1].first) {
      problems.add(Code::kMalformed, file_name, ": tensor ", in_quotes(index[i].first),
                   " appears twice");
    }
  }
  if (index.empty()) problems.add(Code::kMalformed, file_name, ": names no tensor");
  VITALIS_TRY(problems.status(file_name));
  return index;
}

Result<Safetensors> parse_safetensors(std::span<const std::byte> file, std::string_view file_name) {
  VITALIS_ASSIGN(const std::string_view header, find_header(file, file_name));
  VITALIS_ASSIGN(const JsonDocument json, JsonDocument::parse(header, text(file_name, ": header")));
  const uint64_t data_begin = kLengthBytes + header.size();
  return HeaderReader(file_name, data_begin, file.size() - data_begin).read(json.root());
}

}  // namespace vitalis::formats
