// SPDX-License-Identifier: Apache-2.0
// Binary headers within the bytes of a file, little-endian whatever the machine is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vitalis::formats {

inline uint64_t load(std::span<const std::byte> bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return value;
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads forward; after the first step past the end, every read gives nothing.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> file) : file_(file) {}

  uint64_t position() const { return position_; }
  bool failed() const { return failed_; }

  std::span<const std::byte> take(uint64_t bytes) {
    if (failed_ || bytes > file_.size() - position_) {
      failed_ = true;
      return {};
    }
    const auto out = file_.subspan(position_, bytes);
    position_ += bytes;
    return out;
  }
  uint16_t u16() { return static_cast<uint16_t>(load(take(2))); }
  uint32_t u32() { return static_cast<uint32_t>(load(take(4))); }
  uint64_t u64() { return load(take(8)); }
  std::string_view string() { return as_text(take(u64())); }

 private:
  std::span<const std::byte> file_;
  uint64_t position_ = 0;
  bool failed_ = false;
};

}  // namespace vitalis::formats
