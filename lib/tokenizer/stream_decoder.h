// SPDX-License-Identifier: Apache-2.0
// Tokens to text, one at a time. Text handed out is always whole characters: bytes of a character
// that is not complete are held back, at most three, and an ill-formed part becomes U+FFFD as soon
// as that is certain. A special token's name also ends what is held. Borrows the tokenizer; one
// thread at a time.
#pragma once

#include <string>

#include "base/utf8.h"
#include "tokenizer/tokenizer.h"

namespace vitalis {

class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}

  // Appends what has become certain.
  void push(Token token, std::string& out) { stream_.push(tokenizer_->bytes(token), out); }
  // The end: an unfinished character becomes U+FFFD. The decoder may be used again.
  void finish(std::string& out) { stream_.finish(out); }
  // Bytes held back.
  size_t held() const { return stream_.held(); }

 private:
  const Tokenizer* tokenizer_;
  utf8::Stream stream_;
};

}  // namespace vitalis
