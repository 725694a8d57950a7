// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding of one piece: merges neighbours, the lowest rank first, the leftmost of equal
// ranks first. Short pieces take no heap memory; any piece takes at most O(n log n).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// Neither looks the whole piece up first.

inline constexpr size_t kSmallPiece = 64;
struct SmallMerge {
  const char* bytes;
  size_t size;    // 1 to kSmallPiece
  Token* tokens;  // room for as many
  size_t n;       // how many came out
};
// Merges several pieces in turns, so that each waits for memory while the others work.
void merge_small(const Vocabulary& vocabulary, std::span<SmallMerge> merges);

// Appends the tokens of any piece.
void merge(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out);

}  // namespace vitalis::tokenizer
