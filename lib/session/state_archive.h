// SPDX-License-Identifier: Apache-2.0
// Values to bytes and back, for the state of a session: numbers as they lie in memory, vectors and
// texts after their size in 64 bits. The same list of
// calls, one for each value, writes and reads. A reader is given any bytes at all: it never leaves
// them, and once they do not suffice, or say what no value is, it has failed and gives zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vitalis::session {

class StateWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(const T& value) { append(value); }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(const std::vector<T>& values) {
    append(uint64_t{values.size()});
    out_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void operator()(const std::string& text) {
    append(uint64_t{text.size()});
    out_ += text;
  }
  void operator()(const std::vector<std::string>& texts) {
    append(uint64_t{texts.size()});
    for (const std::string& text : texts) (*this)(text);
  }
  std::string& bytes() { return out_; }

 private:
  template <class T>
  void append(const T& value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  std::string out_;
};

class StateReader {
 public:
  explicit StateReader(std::string_view from) : left_(from) {}

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = 0;
      take(&byte, 1);
      if (byte > 1) failed_ = true;
      value = byte == 1;
    } else if (!take(&value, sizeof value)) {
      value = {};
    }
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void operator()(std::vector<T>& values) {
    values.resize(count(sizeof(T)));
    take(values.data(), values.size() * sizeof(T));
  }
  void operator()(std::string& text) {
    text.resize(count(1));
    take(text.data(), text.size());
  }
  void operator()(std::vector<std::string>& texts) {
    texts.resize(count(sizeof(uint64_t)));
    for (std::string& text : texts) (*this)(text);
  }
  // Nothing failed and nothing is left.
  bool is_whole() const { return !failed_ && left_.empty(); }

 private:
  bool take(void* to, size_t size) {
    if (size > left_.size()) failed_ = true;
    if (failed_) return false;
    if (size > 0) std::memcpy(to, left_.data(), size);
    left_.remove_prefix(size);
    return true;
  }
  // How many elements follow, each of at least `element` bytes.
  size_t count(size_t element) {
    uint64_t n = 0;
    (*this)(n);
    if (n > left_.size() / element) failed_ = true;
    return failed_ ? 0 : static_cast<size_t>(n);
  }

  std::string_view left_;
  bool failed_ = false;
};

}  // namespace vitalis::session
