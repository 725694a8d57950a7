// SPDX-License-Identifier: Apache-2.0
// The character classes that the o200k pattern tells apart, by the tables of Unicode 16.0. The
// version is frozen: it is the one that the reference tokenizers use, and ids depend on it. Code
// points that it does not assign are kOther. The tables are generated (unicode/).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace vitalis::tokenizer {

enum CharClass : uint8_t {
  kOther = 0,     // punctuation, symbols, controls, unassigned
  kUpper = 1,     // Lu Lt
  kLower = 2,     // Ll
  kCaseless = 3,  // Lm Lo
  kMark = 4,      // M
  kNumber = 5,    // N
  kSpace = 6,     // White_Space except CR and LF
  kNewline = 7,   // CR LF
};

extern const uint16_t kClassBlock[0x110000 / 64];
extern const uint8_t kClassOfBlock[][64];

// The same, for closed ISA files, which cannot name them.
struct ClassTables {
  const uint16_t* block;
  const uint8_t (*of)[64];
};

inline CharClass class_of(char32_t c) {
  return static_cast<CharClass>(kClassOfBlock[kClassBlock[c >> 6]][c & 63]);
}

}  // namespace vitalis::tokenizer
