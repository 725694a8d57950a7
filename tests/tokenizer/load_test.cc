// SPDX-License-Identifier: Apache-2.0
// Vocabularies from files: the published one, the demonstration model's, and damaged ones.
#include <gtest/gtest.h>
#include <set>
#include <simdjson.h>
#include <string>
#include <unordered_map>
#include <vector>

#include "tokenizer/golden.h"

namespace vitalis {
namespace {

using simdjson::dom::element;

TEST(Load, PublishedVocabularyIsWhole) {
  ASSERT_TRUE(published());
  EXPECT_EQ(published()->size(), 200019u);
  EXPECT_EQ(published()->specials().size(), 21u);
  EXPECT_EQ(published()->special("<|start|>"), 200006u);
  EXPECT_EQ(published()->special("<|endofprompt|>"), 200018u);
  EXPECT_FALSE(published()->special("<|reserved_200018|>"));
  EXPECT_FALSE(published()->special("start"));
  EXPECT_TRUE(published()->is_special(200018));
  EXPECT_FALSE(published()->is_special(199997));
  EXPECT_EQ(published()->bytes(13225), "Hello");
  EXPECT_EQ(published()->bytes(200019), "");
  EXPECT_EQ(published()->bytes(0xFFFFFFFF), "");
}

TEST(Load, DemonstrationVocabularyNumbersItsSpecialTokensItself) {
  ASSERT_TRUE(tiny());
  EXPECT_EQ(tiny()->size(), 2560u);
  EXPECT_EQ(tiny()->special("<|start|>"), 2555u);
  EXPECT_EQ(tiny()->special("<|reserved_200004|>"), 2553u);
  EXPECT_EQ(tiny()->specials().size(), 13u);
}

// The conversations were encoded by the tool that trained the vocabulary. Its merges do not follow
// from its ids, so this is also the test of merging by pairs.
TEST(Load, DemonstrationVocabularyEncodesItsConversations) {
  ASSERT_TRUE(tiny());
  const auto all = tiny()->specials();
  const Tokenizer::Specials specials{{all.begin(), all.end()}, {}};
  simdjson::dom::parser parser;
  size_t n = 0;
  for (const element c : parser.load_many(
           VITALIS_SOURCE_DIR "/tests/goldens/numerics/vitalis-tiny-logprobs.jsonl", 1 << 24)) {
    std::vector<Token> expected, ids;
    std::string text;
    for (const element id : c["prompt"]) {
      expected.push_back(static_cast<Token>(uint64_t(id)));
      text += tiny()->bytes(expected.back());
    }
    EXPECT_TRUE(tiny()->encode(text, specials, ids).ok());
    EXPECT_EQ(ids, expected);
    ++n;
  }
  EXPECT_EQ(n, 60u);
}

// What lets the loader pass over the published merges: they are every split of every entry into two
// entries, in the order of the result's id.
TEST(Load, PublishedMergesFollowFromTheIds) {
  simdjson::dom::parser parser;
  const element model = parser.load(VITALIS_TEST_DATA "/tokenizer.json")["model"];
  std::unordered_map<std::string_view, uint64_t> ids;
  for (const auto entry : model["vocab"].get_object()) ids[entry.key] = entry.value;
  std::set<std::pair<std::string_view, std::string_view>> merges;
  uint64_t last = 0;
  for (const element merge : model["merges"]) {
    const std::string_view left = merge.at(0), right = merge.at(1);
    const auto result = ids.find(std::string(left).append(right));
    ASSERT_NE(result, ids.end());
    ASSERT_LE(last, result->second);
    last = result->second;
    merges.emplace(left, right);
  }
  size_t splits = 0;
  for (const auto& [text, id] : ids) {
    for (size_t i = 1; i < text.size(); ++i) {
      if (!ids.contains(text.substr(0, i)) || !ids.contains(text.substr(i))) continue;
      ASSERT_TRUE(merges.contains({text.substr(0, i), text.substr(i)})) << text;
      ++splits;
    }
  }
  EXPECT_EQ(splits, merges.size());
  EXPECT_EQ(splits, 446189u);
}

}  // namespace
}  // namespace vitalis
