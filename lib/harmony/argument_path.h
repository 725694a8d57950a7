// SPDX-License-Identifier: Apache-2.0
// Follows a JSON text as it grows, and says which value each piece of it belongs to. Meant for call
// arguments while the model writes them: a text that is not JSON is noticed and otherwise harmless.
// No allocation once the path has had its greatest length. A value: copies are snapshots.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitalis::harmony {

enum class ArgumentState : uint8_t {
  kNone,        // not followed, or nothing but white space so far
  kIncomplete,  // a prefix of a JSON text
  kComplete,    // a JSON text
  kInvalid,     // neither
};

class ArgumentPath {
 public:
  // Takes bytes from the front of `text` as long as they belong to one value and returns how many;
  // at least one. Then path() is that value's JSON Pointer. The bytes of a string or number belong
  // to it, quotes included; keys and punctuation belong to the object or array around them.
  size_t take(std::string_view text);

  std::string_view path() const { return path_; }
  ArgumentState state() const;
  // Offset of the first byte that makes the text invalid.
  size_t error_offset() const { return offset_; }
  void reset();

 private:
  std::string path_;
  size_t offset_ = 0;
};

}  // namespace vitalis::harmony
