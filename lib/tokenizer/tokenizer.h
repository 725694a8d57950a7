// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE with the o200k pattern, from a model's tokenizer.json. Special tokens are known by
// name, never by a fixed id: demonstration models number them differently from gpt-oss.
// Immutable after loading: every const member may be called from any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tokenizer/vocabulary_source.h"

namespace vitalis {

class Tokenizer {
 public:
  // kNotFound, kIo, kMalformed (with what is wrong and where), kUnsupported (a tokenizer that is
  // not byte-level BPE with the o200k pattern).
  static Result<Tokenizer> open(const std::string& tokenizer_json);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Appends the tokens of `text` to `out`. The text is data: what spells a special token stays
  // text. Each ill-formed part of UTF-8 counts as U+FFFD.
  void encode(std::string_view text, std::vector<Token>& out) const;

  // Which of the special tokens that the text spells become tokens, and which are refused.
  struct Specials {
    std::vector<Token> allowed;
    std::vector<Token> refused;  // less those that are allowed
  };
  // Every special token of the vocabulary, for a list above.
  std::span<const Token> specials() const;

  // kInvalidArgument if the text spells a refused special token: the message has its name and byte
  // offset, and nothing is appended.
  Status encode(std::string_view text, const Specials& specials, std::vector<Token>& out) const;

  // The bytes a token stands for; a special token's name. Empty for ids outside the vocabulary.
  std::string_view bytes(Token token) const;

  // The id of a special token such as "<|start|>".
  std::optional<Token> special(std::string_view name) const;
  bool is_special(Token token) const;

  // One more than the highest id that the file names. Higher ids are padding rows of the model.
  size_t size() const;

 private:
  struct Tables;
  explicit Tokenizer(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace vitalis
