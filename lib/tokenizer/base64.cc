// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/base64.h"

#include <array>
#include <cstdint>

namespace vitalis::tokenizer {
namespace {

constexpr uint8_t kNoDigit = 64;

constexpr auto kDigitOf = [] {
  std::array<uint8_t, 256> table{};
  table.fill(kNoDigit);
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kDigits.size(); ++i) {
    table[static_cast<uint8_t>(kDigits[i])] = static_cast<uint8_t>(i);
  }
  return table;
}();

}  // namespace

std::optional<size_t> decode_base64(std::string_view text, char* out) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  size_t n = 0;
  for (size_t i = 0; i < text.size(); i += 4) {
    const size_t digits = i + 4 == text.size() ? 4 - padding : 4;
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      const uint8_t digit = k < digits ? kDigitOf[static_cast<uint8_t>(text[i + k])] : 0;
      if (digit == kNoDigit) return std::nullopt;
      group = group << 6 | digit;
    }
    // The bits that padding cuts off are zero in canonical text.
    if (digits < 4 && group & (digits == 3 ? 0xFFu : 0xFFFFu)) return std::nullopt;
    for (size_t k = 0; k + 1 < digits; ++k) out[n++] = static_cast<char>(group >> (16 - 8 * k));
  }
  return n;
}

}  // namespace vitalis::tokenizer
