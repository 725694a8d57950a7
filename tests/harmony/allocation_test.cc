// SPDX-License-Identifier: Apache-2.0
// Inside a message the parser takes nothing from the heap, whatever the policy.
#include <gtest/gtest.h>

#include "count_allocations.h"
#include "harmony/parse.h"
#include "o200k.h"

namespace vitalis::harmony {
namespace {

// Allocations between the second and the last token of the content: the first may find buffers of
// the caller too small.
size_t allocations_in_content(std::string_view header, std::string_view piece, Policy policy) {
  std::vector<Token> begin;
  o200k().encode_rendered(header, begin);
  std::vector<Token> body;
  o200k().tokenizer().encode(piece, body);
  ParserOptions options;
  options.policy = policy;
  Parser parser(o200k(), options);
  EventBuffer events;
  const auto push = [&](const std::vector<Token>& tokens) {
    bool good = true;
    for (const Token t : tokens) {
      events.clear();
      good = parser.push(t, events).ok() && good;
    }
    return good;
  };
  EXPECT_TRUE(push(begin));
  EXPECT_TRUE(push(body));
  const size_t before = allocation_count();
  bool good = true;
  for (int i = 0; i < 100; ++i) good = push(body) && good;
  const size_t taken = allocation_count() - before;
  EXPECT_TRUE(good);
  EXPECT_EQ(parser.state(), Parser::State::kContent);
  return taken;
}

TEST(Allocation, NoneForATokenOfText) {
  const std::string header = "<|channel|>final<|message|>";
  const std::string piece = "Some plain words, Größe 東京 👍🏽 and a line.\n";
  for (const Policy policy : {Policy::kResilient, Policy::kStrict, Policy::kLenient}) {
    EXPECT_EQ(allocations_in_content(header, piece, policy), 0u);
  }
}

TEST(Allocation, NoneForATokenOfArguments) {
  const std::string header =
      "<|channel|>commentary to=functions.edit <|constrain|>json<|message|>[";
  const std::string piece = R"({"path":"a.py","edits":[{"old":"x\n","n":-1.5}],"ok":true},)";
  EXPECT_EQ(allocations_in_content(header, piece, Policy::kResilient), 0u);
}

}  // namespace
}  // namespace vitalis::harmony
