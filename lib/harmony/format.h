// SPDX-License-Identifier: Apache-2.0
// The control tokens of the harmony format in one tokenizer, looked up by name: their ids differ
// between models. Borrows the tokenizer, which must outlive it. Immutable; any thread may read.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "tokenizer/tokenizer.h"

namespace vitalis::harmony {

class Format {
 public:
  // One more than the highest id that has a name in o200k_harmony.
  static constexpr Token kNamedEnd = 201089;

  // kNotFound if the tokenizer lacks a control token; the message lists all that are missing. Ids
  // from tokenizer.size() to `named_end` exist without text of their own; they are spelled
  // <|reserved_ID|>. Pass the model's vocabulary size for other models than gpt-oss.
  static Result<Format> create(const Tokenizer& tokenizer, Token named_end = kNamedEnd);

  const Tokenizer& tokenizer() const { return *tokenizer_; }

  Token start, end, message, channel, constrain, return_token, call;

  // The end of a message: <|end|>, <|return|>, <|call|>.
  bool ends_message(Token t) const { return t == end || t == return_token || t == call; }
  // The end of the assistant's turn: <|return|>, <|call|>.
  bool ends_turn(Token t) const { return t == return_token || t == call; }
  bool is_control(Token t) const;
  bool exists(Token t) const;

  // Appends the bytes of a token, the spelling of a control or reserved one included; false if
  // there is no such token.
  bool append_bytes(Token t, std::string& out) const;

  // Text to tokens, where control tokens that the text spells become control tokens: for text that
  // is known to be a rendered prompt, never for what a user wrote.
  void encode_rendered(std::string_view text, std::vector<Token>& out) const;

  // Tokens to text, ill-formed UTF-8 and unknown ids replaced by U+FFFD.
  std::string decode(const std::vector<Token>& tokens) const;

 private:
  explicit Format(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  const Tokenizer* tokenizer_;
  Token named_end_ = kNamedEnd;
};

}  // namespace vitalis::harmony
