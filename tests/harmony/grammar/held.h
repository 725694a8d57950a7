// SPDX-License-Identifier: Apache-2.0
// A schema as a grammar over gpt-oss's vocabulary, and whether texts are of it.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>

#include "harmony/grammar/matcher.h"
#include "harmony/o200k.h"
#include "harmony/turn_grammar.h"

namespace vitalis::harmony::grammar {

inline std::shared_ptr<const TokenIndex> o200k_index() {
  static const auto index = TokenIndex::create(harmony::o200k().tokenizer()).take();
  return index;
}

inline Json json(std::string_view text) {
  auto parsed = Json::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? parsed.take() : Json();
}

inline Result<std::shared_ptr<const TokenGrammar>> hold(std::string_view schema) {
  return json_grammar(json(schema), o200k_index());
}

// Whether the grammar of the schema has exactly this text.
inline bool holds(std::string_view schema, std::string_view text) {
  const auto grammar = hold(schema);
  EXPECT_TRUE(grammar.ok()) << schema << ": " << grammar.status().message();
  if (!grammar.ok()) return false;
  Matcher matcher(**grammar);
  return matcher.accept_bytes(text) && matcher.done();
}

// The message of the error that the schema gives.
inline std::string refusal(std::string_view schema) {
  const auto grammar = hold(schema);
  EXPECT_FALSE(grammar.ok()) << schema;
  return grammar.ok() ? "" : grammar.status().message();
}

}  // namespace vitalis::harmony::grammar
