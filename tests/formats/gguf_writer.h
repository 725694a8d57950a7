// SPDX-License-Identifier: Apache-2.0
// Writes GGUF files, good ones and, by its members, bad ones.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitalis::formats {

class GgufWriter {
 public:
  struct Tensor {
    std::string name;
    std::vector<uint64_t> shape;  // slowest first
    uint32_t type;                // ggml's number
    std::string bytes;
  };

  uint32_t version = 3;
  uint64_t alignment = 32;  // written only if it is not the default
  std::vector<Tensor> tensors;

  void add(std::string_view key, uint32_t value) { put(key, 4, number(value, 4)); }
  void add(std::string_view key, float value) {
    put(key, 6, number(std::bit_cast<uint32_t>(value), 4));
  }
  void add(std::string_view key, std::string_view value) { put(key, 8, string(value)); }
  void add_u16(std::string_view key, uint16_t value) { put(key, 2, number(value, 2)); }
  void add_strings(std::string_view key, const std::vector<std::string>& values) {
    std::string content = number(8, 4) + number(values.size(), 8);
    for (const std::string& value : values) content += string(value);
    put(key, 9, content);
  }
  // A value of any type, its bytes as given.
  void put(std::string_view key, uint32_t type, const std::string& content) {
    metadata_ += string(key) + number(type, 4) + content;
    ++count_;
  }

  std::string file() {
    if (alignment != 32) add("general.alignment", static_cast<uint32_t>(alignment));
    std::string out = "GGUF" + number(version, 4) + number(tensors.size(), 8) + number(count_, 8);
    out += metadata_;
    std::string data;
    for (const Tensor& tensor : tensors) {
      out += string(tensor.name) + number(tensor.shape.size(), 4);
      for (size_t i = tensor.shape.size(); i-- > 0;) out += number(tensor.shape[i], 8);
      out += number(tensor.type, 4) + number(data.size(), 8);
      data += tensor.bytes;
      pad(data);
    }
    pad(out);
    return out + data;
  }

  static std::string number(uint64_t value, int bytes) {
    std::string out;
    for (int byte = 0; byte < bytes; ++byte) out += static_cast<char>(value >> 8 * byte);
    return out;
  }
  static std::string string(std::string_view value) {
    return number(value.size(), 8) + std::string(value);
  }

 private:
  void pad(std::string& out) const {
    out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
  }

  std::string metadata_;
  uint64_t count_ = 0;
};

}  // namespace vitalis::formats
