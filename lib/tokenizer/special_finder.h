// SPDX-License-Identifier: Apache-2.0
// Finds where a text spells special tokens, in one pass from left to right. Borrows the vocabulary.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

class SpecialFinder {
 public:
  // Ids in `tokens` that are not special tokens are passed over.
  SpecialFinder(const Vocabulary& vocabulary, std::span<const Token> tokens);

  struct Found {
    size_t at;    // text.size() if there is none
    Token token;  // kNone
  };
  // The leftmost spelling from `from` on; of several there, the longest.
  Found next(std::string_view text, size_t from) const;

 private:
  struct Name {
    std::string_view text;
    Token token;
  };

  std::vector<Name> names_;  // the longest first
  std::array<bool, 256> begins_name_{};
};

}  // namespace vitalis::tokenizer
