// SPDX-License-Identifier: Apache-2.0
// Rendering against the reference's tokens, and what the reference does not have: spans, replay.
#include "harmony/render.h"

#include <gtest/gtest.h>

#include "golden_file.h"
#include "harmony/harmony_json.h"
#include "o200k.h"

namespace vitalis::harmony {
namespace {

RenderOptions options_of(const Json& golden) {
  const Json& json = *golden.find("options");
  RenderOptions out;
  const std::string mode = text_of(json, "mode").value_or("completion");
  out.mode = mode == "completion"     ? RenderOptions::Mode::kCompletion
             : mode == "conversation" ? RenderOptions::Mode::kConversation
             : mode == "training"     ? RenderOptions::Mode::kTraining
                                      : RenderOptions::Mode::kMessage;
  if (const auto role = text_of(json, "next_role")) out.next_role = *role_named(*role);
  const Json* drop = json.find("auto_drop_analysis");
  out.auto_drop_analysis = drop && drop->is_boolean() && drop->truth();
  const Json* functions = json.find("has_function_tools");
  out.has_function_tools = functions && functions->is_boolean() && functions->truth();
  return out;
}

void check_file(const GoldenFile& goldens, size_t expected_cases) {
  ASSERT_EQ(goldens.cases().size(), expected_cases);
  const Format& format = o200k();
  for (const Json& golden : goldens.cases()) {
    const std::string& name = golden.find("name")->text();
    auto conversation = conversation_from_json(*golden.find("conversation"));
    ASSERT_TRUE(conversation.ok()) << name << ": " << conversation.status().message();
    std::vector<Token> tokens;
    std::vector<MessageSpan> spans;
    const Status status = render(*conversation, format, options_of(golden), tokens, &spans);
    if (golden.find("expected_error")) {
      EXPECT_FALSE(status.ok()) << name;
      EXPECT_TRUE(tokens.empty() && spans.empty()) << name;
      continue;
    }
    ASSERT_TRUE(status.ok()) << name << ": " << status.message();
    if (const Json* strip = golden.find("options")->find("strip_last_token");
        strip && strip->truth()) {
      tokens.pop_back();
    }
    EXPECT_EQ(format.decode(tokens), golden.find("expected_text")->text()) << name;
    EXPECT_EQ(tokens, tokens_of(*golden.find("expected_token_ids"))) << name;
    uint32_t end = 0;
    for (const MessageSpan& span : spans) {
      EXPECT_EQ(span.tokens.begin, end) << name;
      end = span.tokens.end;
      EXPECT_EQ(span.parts.size(), conversation->messages[span.message].parts.size()) << name;
    }
    // The JSON form keeps everything.
    const auto again = conversation_from_json(conversation_to_json(*conversation));
    ASSERT_TRUE(again.ok()) << name;
    EXPECT_EQ(*again, *conversation) << name;
  }
}

TEST(Render, OwnConversations) {
  check_file(GoldenFile("harmony_render.jsonl"), 89);
}

TEST(Render, RandomConversations) {
  check_file(GoldenFile("harmony_render_fuzz.jsonl"), 120);
}

TEST(Render, ChatsMappedToHarmony) {
  check_file(GoldenFile("chat_harmony_render.jsonl"), 56);
}

TEST(Render, CasesOfTheReference) {
  const auto folder = reference_folder();
  if (!folder) GTEST_SKIP() << "VITALIS_HARMONY_REFERENCE names no folder";
  check_file(GoldenFile(*folder, "reference_render.jsonl"), 27);
}

}  // namespace
}  // namespace vitalis::harmony
