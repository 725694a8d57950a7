// SPDX-License-Identifier: Apache-2.0
// The pre-tokenizer: cuts text into the pieces that the o200k pattern matches, without a regex
// engine. The pattern is context free at a piece's start, so a piece is found from its first byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vitalis::tokenizer {

// The pattern as tokenizer.json spells it.
extern const std::string_view kPattern;

// The end of the piece that starts at `begin` < text.size(). The text is well-formed UTF-8, `begin`
// is a character's start, and text.size() counts as the end of the input.
size_t piece_end(std::string_view text, size_t begin);

}  // namespace vitalis::tokenizer
