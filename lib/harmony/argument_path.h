// SPDX-License-Identifier: Apache-2.0
// Follows a JSON text as it grows, and says which value each piece of it belongs to. Meant for call
// arguments while the model writes them: a text that is not JSON is noticed and otherwise harmless.
// No allocation once the path has had its greatest length. A value: copies are snapshots.
#pragma once

#include <cstddef>
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
  // Deeper nesting and longer paths count as invalid, so that a hostile text costs no more than its
  // length.
  static constexpr size_t kMaxDepth = 128;
  static constexpr size_t kMaxPathBytes = 4096;

  // Takes bytes from the front of a non-empty `text` as long as they belong to one value, and
  // returns how many: at least one. Then path() is that value's JSON Pointer. The bytes of a string
  // or a number belong to it, quotes included; keys and punctuation to the object or array around
  // them.
  size_t take(std::string_view text);

  std::string_view path() const { return path_; }
  ArgumentState state() const;
  // Offset of the first byte that makes the text invalid.
  size_t error_offset() const { return offset_; }
  // Ready for the next text.
  void reset();

 private:
  enum class Phase : uint8_t {
    kValue,      // a value must come
    kFirstItem,  // a value, or the end of an empty array
    kFirstKey,   // a key, or the end of an empty object
    kKey,        // a key must come
    kInKey,
    kColon,
    kAfterValue,  // a comma or the end of the container; only white space after the root
    kInString,
    kInNumber,
    kInLiteral,
    kBroken,
  };
  enum class Number : uint8_t { kMinus, kZero, kDigits, kPoint, kFraction, kE, kESign, kExponent };
  struct Container {
    bool object;
    uint32_t path_size;  // of its own path
    uint32_t index;      // arrays: of the item at hand
  };

  bool expects_value() const { return phase_ == Phase::kValue || phase_ == Phase::kFirstItem; }
  bool enter_value();
  bool begin_value(char c);
  bool structure(char c);
  bool string_byte(char c);
  bool escape_byte(char c);
  bool number_byte(char c);
  bool number_is_whole() const;
  bool literal_byte(char c);
  void add_to_key(char c);
  void leave_value();
  void fail() { phase_ = Phase::kBroken; }

  std::string path_;
  std::string key_;  // escaped for a JSON Pointer
  std::vector<Container> containers_;
  size_t offset_ = 0;
  Phase phase_ = Phase::kValue;
  Number number_ = Number::kMinus;
  bool leaving_ = false;  // the value that path_ names has ended
  bool started_ = false;
  bool escaped_ = false;      // after a backslash
  uint8_t hex_digits_ = 0;    // still to come of \uXXXX
  char32_t unit_ = 0;         // of \uXXXX
  char32_t high_ = 0;         // a high surrogate that waits for its low one
  std::string_view literal_;  // what must still come of true, false, null
};

}  // namespace vitalis::harmony
