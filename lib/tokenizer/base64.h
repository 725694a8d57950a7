// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648, section 4) as rank files use it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vitalis::tokenizer {

// Writes the decoded bytes to `out`, which has room for text.size() / 4 * 3, and returns how many;
// nothing if the text is not whole groups of four with padding only at the end.
std::optional<size_t> decode_base64(std::string_view text, char* out);

}  // namespace vitalis::tokenizer
