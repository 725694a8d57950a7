// SPDX-License-Identifier: Apache-2.0
// What a tokenizer.json holds, as far as other files of weights repeat it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vitalis::model {

struct SpelledTokenizer {
  std::vector<std::string> tokens;  // by id, in byte-level text; special ones by name
  std::vector<std::string> merges;  // "left right"
  uint32_t first_special = 0;
  std::string regex;
};
SpelledTokenizer read_tokenizer(const std::string& tokenizer_json);

// The raw bytes that byte-level text spells.
std::string plain_bytes(const std::string& spelled);

}  // namespace vitalis::model
