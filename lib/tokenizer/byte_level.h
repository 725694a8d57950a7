// SPDX-License-Identifier: Apache-2.0
// The spelling of bytes in byte-level vocabularies (tokenizer.json, GGUF): printable Latin-1
// characters stand for themselves, the other 68 bytes for U+0100, U+0101 and so on, in order.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vitalis::tokenizer {

// Writes the bytes that `text` spells to `out`, which has room for text.size() of them, and returns
// how many; nothing if a character stands for no byte.
std::optional<size_t> decode_byte_level(std::string_view text, char* out);

}  // namespace vitalis::tokenizer
