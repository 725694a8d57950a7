// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "base/utf8.h"
#include "tokenizer/encoder.h"
#include "tokenizer/load_json.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_cache.h"

namespace vitalis {

using tokenizer::Encoder;
using tokenizer::kNone;
using tokenizer::Vocabulary;
using tokenizer::WordCache;

struct Tokenizer::Tables {
  Tables(Vocabulary v, WordCache c)
      : vocabulary(std::move(v)), cache(std::move(c)), encoder(vocabulary, cache) {}

  struct Found {
    size_t at;
    Token token;  // kNone: the text spells none of the list from here on
  };
  Found find_special(std::string_view text, size_t from, const std::vector<Token>& list) const {
    Found found{text.size(), kNone};
    for (const Token token : list) {
      const std::string_view name = vocabulary.bytes(token);
      const size_t at = name.empty() ? text.npos : text.find(name, from);
      if (at < found.at) found = {at, token};
    }
    return found;
  }

  Vocabulary vocabulary;
  WordCache cache;
  Encoder encoder;
};

Result<Tokenizer> Tokenizer::open(const std::string& tokenizer_json) {
  VITALIS_ASSIGN(Vocabulary vocabulary, tokenizer::load_json(tokenizer_json));
  VITALIS_ASSIGN(WordCache cache, WordCache::create());
  return Tokenizer(std::make_unique<const Tables>(std::move(vocabulary), std::move(cache)));
}

Tokenizer::Tokenizer(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

void Tokenizer::encode(std::string_view text, std::vector<Token>& out) const {
  if (utf8::is_valid(text)) {
    tables_->encoder.encode(text, out);
  } else {
    tables_->encoder.encode(utf8::replace_ill_formed(text), out);
  }
}

Status Tokenizer::encode(std::string_view text, const Specials& specials,
                         std::vector<Token>& out) const {
  std::vector<Token> refused;
  for (const Token token : specials.refused) {
    if (std::find(specials.allowed.begin(), specials.allowed.end(), token) ==
        specials.allowed.end()) {
      refused.push_back(token);
    }
  }
  if (const auto found = tables_->find_special(text, 0, refused); found.token != kNone) {
    return error(Code::kInvalidArgument, "the text spells the special token ", bytes(found.token),
                 " at byte ", found.at, ", where none is allowed");
  }
  for (size_t begin = 0; begin < text.size();) {
    const auto found = tables_->find_special(text, begin, specials.allowed);
    encode(text.substr(begin, found.at - begin), out);
    if (found.token == kNone) break;
    out.push_back(found.token);
    begin = found.at + bytes(found.token).size();
  }
  return {};
}

std::span<const Token> Tokenizer::specials() const {
  return tables_->vocabulary.specials();
}

std::string_view Tokenizer::bytes(Token token) const {
  return tables_->vocabulary.bytes(token);
}

std::optional<Token> Tokenizer::special(std::string_view name) const {
  const Token id = tables_->vocabulary.special(name);
  return id == kNone ? std::nullopt : std::optional<Token>(id);
}

bool Tokenizer::is_special(Token token) const {
  return tables_->vocabulary.is_special(token);
}

size_t Tokenizer::size() const {
  return tables_->vocabulary.size();
}

}  // namespace vitalis
