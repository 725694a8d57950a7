// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding of one piece: merges neighbours, the lowest rank first, the leftmost of equal
// ranks first. Short pieces take no heap memory; any piece takes at most O(n log n).
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// Neither looks the whole piece up first.

// Writes the tokens of a piece of at most kSmallPiece bytes, and returns how many there are.
inline constexpr size_t kSmallPiece = 64;
size_t merge_small(const Vocabulary& vocabulary, std::string_view piece, Token (&out)[kSmallPiece]);

// Appends the tokens of any piece.
void merge(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out);

}  // namespace vitalis::tokenizer
