// SPDX-License-Identifier: Apache-2.0
// vitalis tokenize: the ids of a text's tokens and the bytes that each stands for.
#include <string>
#include <vector>

#include "commands.h"
#include "json_writer.h"
#include "library.h"
#include "text.h"

namespace vitalis::cli {

namespace {

struct Token {
  uint32_t id = 0;
  std::string bytes;
};

bool read_tokens(const Options& options, std::vector<Token>& tokens, Output& output) {
  const Tokenizer tokenizer = open_tokenizer(options, output);
  std::vector<uint32_t> ids;
  if (!tokenizer || !encode(tokenizer.get(), options.text, options.special, ids, output)) {
    return false;
  }
  for (const uint32_t id : ids) {
    vitalis_text bytes{};
    if (!succeeded(vitalis_tokenizer_token_bytes(tokenizer.get(), id, &bytes), output))
      return false;
    tokens.push_back({id, std::string(view(bytes))});
  }
  return true;
}

bool is_text(const Token& token) {
  return utf8_prefix(token.bytes) == token.bytes.size();
}

std::string as_json(const std::vector<Token>& tokens) {
  JsonWriter json;
  json.begin_object().key("count").value(uint64_t{tokens.size()}).key("tokens").begin_array();
  for (const Token& token : tokens) {
    json.begin_object().key("id").value(uint64_t{token.id}).key("text");
    is_text(token) ? json.value(token.bytes) : json.null();
    json.key("bytes").value(hexadecimal(token.bytes)).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

// A line for each token.
std::string for_people(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) {
    text += std::to_string(token.id) + '\t' + spell_token(token.bytes) + '\n';
  }
  return text;
}

}  // namespace

int tokenize(const Options& options, Output& output) {
  std::vector<Token> tokens;
  if (!read_tokens(options, tokens, output)) return kExitError;
  output.print(options.json ? as_json(tokens) : for_people(tokens));
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
