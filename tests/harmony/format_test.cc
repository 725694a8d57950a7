// SPDX-License-Identifier: Apache-2.0
// Control tokens by name, stop sets, and ids without text.
#include "harmony/format.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "golden_file.h"
#include "o200k.h"

namespace vitalis::harmony {
namespace {

constexpr const char* kSmallTokenizer =
    VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json";

std::vector<Token> tokens_where(bool (*test)(const Format&, Token)) {
  std::vector<Token> out;
  for (Token t = 0; t < 201100; ++t) {
    if (test(o200k(), t)) out.push_back(t);
  }
  return out;
}

std::vector<Token> encoded(std::string_view text, bool rendered) {
  std::vector<Token> out;
  if (rendered) {
    o200k().encode_rendered(text, out);
  } else {
    o200k().tokenizer().encode(text, out);
  }
  return out;
}

TEST(Format, StopSets) {
  EXPECT_EQ(tokens_where([](const Format& f, Token t) { return f.ends_message(t); }),
            (std::vector<Token>{200002, 200007, 200012}));
  EXPECT_EQ(tokens_where([](const Format& f, Token t) { return f.ends_turn(t); }),
            (std::vector<Token>{200002, 200012}));
}

TEST(Format, NamesIdsBeyondTheTokenizer) {
  const Format& format = o200k();
  EXPECT_EQ(format.decode({200019}), "<|reserved_200019|>");
  EXPECT_EQ(format.decode({201087}), "<|reserved_201087|>");
  EXPECT_EQ(format.decode({201089, 250000}), "\uFFFD\uFFFD");
  EXPECT_TRUE(format.is_control(201087));
  EXPECT_TRUE(format.exists(201087));
  EXPECT_FALSE(format.exists(201089));
  EXPECT_FALSE(format.is_control(201089));
}

TEST(Format, OnlyRenderedTextHoldsControlTokens) {
  const Format& format = o200k();
  EXPECT_EQ(encoded("<|start|>", true), std::vector<Token>{format.start});
  const auto text = encoded("<|start|>", false);
  EXPECT_EQ(std::count_if(text.begin(), text.end(), [&](Token t) { return format.is_control(t); }),
            0);
  for (const char* odd : {"<|", "<|<|end|>", "<|end|", "<|end|>|>", "<|nope|><|end|>", "<||>"}) {
    EXPECT_EQ(format.decode(encoded(odd, true)), odd);
  }
  EXPECT_EQ(encoded("<|<|end|>", true).back(), format.end);
}

TEST(Format, LooksIdsUpByName) {
  const auto tokenizer = Tokenizer::open(kSmallTokenizer);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  const auto format = Format::create(*tokenizer, 2560);
  ASSERT_TRUE(format.ok());
  EXPECT_EQ(format->start, 2555u);
  EXPECT_EQ(format->call, 2558u);
  EXPECT_FALSE(format->exists(2560));
}

TEST(Format, NamesAllMissingControlTokens) {
  std::ifstream file(kSmallTokenizer);
  std::string json(std::istreambuf_iterator<char>(file), {});
  for (const std::string_view name : {"<|call|>", "<|constrain|>"}) {
    const size_t at = json.find(name);
    ASSERT_NE(at, std::string::npos);
    json.replace(at, name.size(), text("<|none_", at, "|>"));
  }
  const std::string path = testing::TempDir() + "/tokenizer_without_control_tokens.json";
  std::ofstream(path) << json;
  const auto tokenizer = Tokenizer::open(path);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  const auto format = Format::create(*tokenizer);
  ASSERT_FALSE(format.ok());
  EXPECT_EQ(format.status().code(), Code::kNotFound);
  EXPECT_NE(format.status().message().find("<|constrain|>, <|call|>"), std::string::npos)
      << format.status().message();
}

TEST(Format, FactsOfTheReference) {
  const auto folder = reference_folder();
  if (!folder) GTEST_SKIP() << "VITALIS_HARMONY_REFERENCE names no folder";
  const GoldenFile goldens(*folder, "reference_tokenizer.jsonl");
  ASSERT_EQ(goldens.cases().size(), 11u);
  for (const Json& golden : goldens.cases()) {
    SCOPED_TRACE(golden.find("name")->text());
    const std::string op = golden.find("op")->text();
    const std::string text = text_of(golden, "text").value_or("");
    std::vector<Token> ids;
    if (const Json* list = golden.find("ids")) ids = tokens_of(*list);
    std::vector<Token> expected;
    if (const Json* list = golden.find("expected_ids")) expected = tokens_of(*list);
    if (op == "stop_tokens") {
      EXPECT_EQ(tokens_where([](const Format& f, Token t) { return f.ends_message(t); }), expected);
    } else if (op == "stop_tokens_for_assistant_actions") {
      EXPECT_EQ(tokens_where([](const Format& f, Token t) { return f.ends_turn(t); }), expected);
    } else if (op == "encode_ordinary" || op == "encode_with_special") {
      EXPECT_EQ(encoded(text, op == "encode_with_special"), expected);
    } else if (op == "is_special") {
      EXPECT_EQ(o200k().is_control(static_cast<Token>(golden.find("id")->real())),
                golden.find("expected")->truth());
    } else if (text_of(golden, "expected_error") == "invalid_token") {
      EXPECT_FALSE(o200k().exists(ids.front()));
    } else {
      const auto lossy = text_of(golden, "expected_text_lossy");
      EXPECT_EQ(o200k().decode(ids), lossy ? *lossy : golden.find("expected_text")->text());
    }
  }
}

}  // namespace
}  // namespace vitalis::harmony
