// SPDX-License-Identifier: Apache-2.0
#include "model/spelled_tokenizer.h"

#include <algorithm>
#include <simdjson.h>
#include <stdexcept>

#include "tokenizer/byte_level.h"

namespace vitalis::model {

SpelledTokenizer read_tokenizer(const std::string& tokenizer_json) {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.load(tokenizer_json);
  SpelledTokenizer out;
  out.first_special = UINT32_MAX;
  const auto put = [&](uint64_t id, std::string_view text) {
    if (out.tokens.size() <= id) out.tokens.resize(id + 1);
    out.tokens[id] = text;
  };
  for (const auto& [text, id] : root["model"]["vocab"].get_object()) put(id.get_uint64(), text);
  for (const simdjson::dom::element added : root["added_tokens"]) {
    const uint64_t id = added["id"].get_uint64();
    put(id, added["content"].get_string());
    out.first_special = std::min(out.first_special, static_cast<uint32_t>(id));
  }
  for (const simdjson::dom::element merge : root["model"]["merges"]) {
    const std::string_view left = merge.at(0).get_string(), right = merge.at(1).get_string();
    out.merges.push_back(std::string(left) + ' ' + std::string(right));
  }
  const std::string_view regex =
      root["pre_tokenizer"]["pretokenizers"].at(0)["pattern"]["Regex"].get_string();
  out.regex = regex;
  return out;
}

std::string plain_bytes(const std::string& spelled) {
  std::string out(spelled.size(), '\0');
  const auto size = tokenizer::decode_byte_level(spelled, out.data());
  if (!size) throw std::runtime_error(spelled + " is not byte-level text");
  out.resize(*size);
  return out;
}

}  // namespace vitalis::model
