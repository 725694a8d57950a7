// SPDX-License-Identifier: Apache-2.0
// Ids against the goldens, on the published vocabulary. Cases of mode "bytes" (a private entry of
// the reference, approximate by its own words) have no counterpart here.
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tokenizer/golden.h"

namespace vitalis {
namespace {

std::vector<Token> ids_of(const Tokenizer& tokenizer, const std::vector<std::string>& names) {
  std::vector<Token> out;
  for (const auto& name : names) {
    if (const auto id = tokenizer.special(name)) out.push_back(*id);
  }
  return out;
}

Tokenizer::EncodeOptions options_of(const Tokenizer& tokenizer, const EncodeCase& c) {
  Tokenizer::EncodeOptions out;
  const auto all = tokenizer.specials();
  out.allowed = ids_of(tokenizer, c.allowed);
  if (c.mode == "all") out.allowed.assign(all.begin(), all.end());
  if (c.mode == "disallow" && c.disallowed) out.refused = ids_of(tokenizer, *c.disallowed);
  if (c.mode == "disallow" && !c.disallowed) out.refused.assign(all.begin(), all.end());
  return out;
}

void expect_ids(const EncodeCase& c, const std::vector<Token>& ids) {
  if (c.n) {
    EXPECT_EQ(ids.size(), *c.n) << c.name;
    EXPECT_EQ(sha256(ids), c.ids_sha256) << c.name;
  } else {
    EXPECT_EQ(ids, c.ids) << c.name;
  }
}

TEST(Encode, EqualsTheGoldens) {
  ASSERT_TRUE(published());
  size_t n = 0;
  for (const EncodeCase& c : encode_cases()) {
    if (c.mode != "ordinary" && c.mode != "lossy") continue;
    std::vector<Token> ids;
    published()->encode(c.text, ids);
    expect_ids(c, ids);
    ++n;
  }
  EXPECT_EQ(n, 826u);
}

TEST(Encode, TakesOnlyTheSpecialTokensThatAreAllowed) {
  ASSERT_TRUE(published());
  size_t n = 0;
  for (const EncodeCase& c : encode_cases()) {
    if (c.mode != "all" && c.mode != "some" && c.mode != "disallow") continue;
    std::vector<Token> ids;
    const Status status = published()->encode(c.text, options_of(*published(), c), ids);
    if (c.error_token.empty()) {
      EXPECT_TRUE(status.ok()) << c.name << ": " << status.message();
      expect_ids(c, ids);
    } else {
      EXPECT_EQ(status.code(), Code::kInvalidArgument) << c.name;
      EXPECT_NE(status.message().find(c.error_token), std::string::npos) << status.message();
      EXPECT_NE(status.message().find(text("byte ", c.error_byte)), std::string::npos)
          << status.message();
      EXPECT_TRUE(ids.empty()) << c.name;
    }
    ++n;
  }
  EXPECT_EQ(n, 48u);
}

}  // namespace
}  // namespace vitalis
