// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/byte_level.h"

#include <array>
#include <cstdint>

namespace vitalis::tokenizer {
namespace {

constexpr uint16_t kNoByte = 256;

constexpr bool stands_for_itself(unsigned c) {
  return (c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF);
}

// By code point.
constexpr auto kByteOf = [] {
  std::array<uint16_t, 0x100 + 68> table{};
  unsigned next = 0x100;
  for (auto& byte : table) byte = kNoByte;
  for (unsigned c = 0; c < 0x100; ++c) {
    table[stands_for_itself(c) ? c : next++] = static_cast<uint16_t>(c);
  }
  return table;
}();

}  // namespace

std::optional<size_t> decode_byte_level(std::string_view text, char* out) {
  size_t n = 0;
  for (size_t i = 0; i < text.size(); ++n) {
    unsigned c = static_cast<uint8_t>(text[i++]);
    if (c >= 0x80) {
      // Two bytes are enough: no character above U+0143 stands for anything.
      if (c < 0xC2 || c > 0xC5 || i == text.size()) return std::nullopt;
      const unsigned second = static_cast<uint8_t>(text[i++]);
      if ((second & 0xC0) != 0x80) return std::nullopt;
      c = (c & 0x1F) << 6 | (second & 0x3F);
    }
    if (c >= kByteOf.size() || kByteOf[c] == kNoByte) return std::nullopt;
    out[n] = static_cast<char>(kByteOf[c]);
  }
  return n;
}

}  // namespace vitalis::tokenizer
