// SPDX-License-Identifier: Apache-2.0
// White space and words in header text. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace vitalis::harmony {

// The bytes of the white space character (Unicode's White_Space) at the front of `text`; 0 if there
// is none.
size_t space_size(std::string_view text);

// Without white space at the front, at the end.
std::string_view trim_front(std::string_view text);
std::string_view trim(std::string_view text);

// Up to the first white space.
std::string_view first_word(std::string_view text);

inline bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace vitalis::harmony
