// SPDX-License-Identifier: Apache-2.0
#include "harmony/words.h"

#include "base/utf8.h"

namespace vitalis::harmony {

size_t space_size(std::string_view text) {
  if (text.empty()) return 0;
  const utf8::Piece piece = utf8::next(text);
  if (piece.kind != utf8::Piece::kCharacter) return 0;
  const char32_t c = piece.code_point;
  const bool space = (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 ||
                     c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
                     c == 0x202F || c == 0x205F || c == 0x3000;
  return space ? piece.size : 0;
}

std::string_view trim_front(std::string_view text) {
  while (const size_t size = space_size(text)) text.remove_prefix(size);
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_front(text);
  // White space has at most three bytes.
  for (bool again = true; again;) {
    again = false;
    for (size_t size = 1; size <= 3 && size <= text.size() && !again; ++size) {
      if (space_size(text.substr(text.size() - size)) == size) {
        text.remove_suffix(size);
        again = true;
      }
    }
  }
  return text;
}

std::string_view first_word(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && space_size(text.substr(end)) == 0) ++end;
  return text.substr(0, end);
}

}  // namespace vitalis::harmony
