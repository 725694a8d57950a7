// SPDX-License-Identifier: Apache-2.0
// The cases of goldens/tokenizer, whose README says what each field means, and the vocabulary that
// they are for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace vitalis {

struct EncodeCase {
  std::string name, mode, text;
  std::vector<Token> ids;
  std::vector<size_t> pieces;  // empty where the case does not give them
  std::vector<std::string> allowed;
  std::optional<std::vector<std::string>> disallowed;  // nothing: all
  // Big cases.
  std::optional<size_t> n;
  std::string ids_sha256;
  // Cases that end in an error.
  std::string error_token;
  size_t error_byte = 0;
};
std::vector<EncodeCase> encode_cases();

struct DecodeCase {
  std::string name, bytes, flush;
  std::vector<Token> ids;
  std::vector<std::string> chunks;
};
std::vector<DecodeCase> decode_cases();

// Hexadecimal SHA-256 of the ids as little-endian 32-bit numbers.
std::string sha256(const std::vector<Token>& ids);
std::string sha256(std::string_view bytes);

// The real vocabulary; loaded once. Null where tests/fetch_data.sh has not been run: the test then
// fails by an expectation here.
const Tokenizer* published();
const Tokenizer* tiny();

}  // namespace vitalis
