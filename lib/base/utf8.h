// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629): validation, replacement of ill-formed parts, and streaming.
// "Ill-formed part" is the maximal subpart of Unicode 16.0, section 3.9: one U+FFFD for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vitalis::utf8 {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What stands at the front of a non-empty byte string.
struct Piece {
  enum Kind : uint8_t { kCharacter, kIllFormed, kIncomplete } kind;
  uint8_t size;  // bytes of the character, of the ill-formed part, or of the unfinished character
  char32_t code_point;  // U+FFFD unless kCharacter
};
Piece next(std::string_view bytes);

// Offset of the first ill-formed or unfinished byte, or bytes.size() if there is none.
size_t valid_prefix(std::string_view bytes);
inline bool is_valid(std::string_view bytes) {
  return valid_prefix(bytes) == bytes.size();
}

// The text with one U+FFFD for each ill-formed part; an unfinished character at the end is one
// part.
std::string replace_ill_formed(std::string_view bytes);

void append(std::string& out, char32_t code_point);

// Turns a stream of bytes into whole characters. Holds at most three bytes back.
class Stream {
 public:
  // Appends to `out` what has become certain, and returns how many ill-formed parts became U+FFFD.
  size_t push(std::string_view bytes, std::string& out);
  // The end of the stream: an unfinished character becomes U+FFFD.
  size_t finish(std::string& out);
  size_t held() const { return size_; }

 private:
  char held_[4] = {};
  uint8_t size_ = 0;
};

}  // namespace vitalis::utf8
