// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding of one piece: merges neighbours, the lowest rank first, the leftmost of equal
// ranks first. Short pieces take no heap memory; any piece takes at most O(n log n).
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// Appends the tokens of `piece`, without looking the whole piece up first.
void merge(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out);

}  // namespace vitalis::tokenizer
