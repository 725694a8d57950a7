// SPDX-License-Identifier: Apache-2.0
// text.hpp, without weights: the tokenizer opened on its own, streams, conversations from JSON and
// back, prompts, and the parser. The goldens behind the C interface are tested elsewhere; here that
// the wrapper hands everything over.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <vitalis/text.hpp>

namespace {

using namespace vitalis;  // NOLINT(google-build-using-namespace)

const char* const kModel = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";
constexpr std::string_view kText = "Grüße aus Łódź, 北京 🙂 don't";
constexpr std::string_view kTurn =
    "<|channel|>analysis<|message|>Hm.<|end|>"
    "<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>"
    R"({"city": "Łódź"})"
    "<|call|>";

static_assert(std::is_nothrow_move_constructible_v<Decoder> &&
              !std::is_copy_constructible_v<Decoder>);
static_assert(std::is_nothrow_move_constructible_v<Parser> &&
              !std::is_copy_constructible_v<Parser>);

class WrapperText : public testing::Test {
 protected:
  Tokenizer tokenizer{kModel};
  const std::vector<uint32_t> turn = tokenizer.encode(kTurn, {.special = true});
};

TEST_F(WrapperText, EncodesWithOptions) {
  const uint32_t start = tokenizer.special("<|start|>");
  const uint32_t end = tokenizer.special("<|end|>");
  const std::string text = "a<|start|>b<|end|>";
  const auto with_end = tokenizer.encode(text, {.allowed = {end}});
  EXPECT_EQ(std::ranges::count(with_end, end), 1);
  EXPECT_EQ(std::ranges::count(with_end, start), 0);
  const auto refused = tokenizer.try_encode(text, {.allowed = {end}, .refused = {start, end}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  EXPECT_NE(std::string_view(refused.error().what()).find("<|start|>"), std::string_view::npos);
  EXPECT_EQ(tokenizer.encode("a\xff"), tokenizer.encode("a\uFFFD"));
  EXPECT_THROW((void)tokenizer.encode("a\xff", {.strict = true}), Error);
  EXPECT_TRUE(tokenizer.encode({}).empty());
}

TEST_F(WrapperText, OffsetsCountsAndPrefixes) {
  const auto [tokens, ends] = tokenizer.encode_with_offsets(kText);
  EXPECT_EQ(tokens, tokenizer.encode(kText));
  ASSERT_EQ(ends.size(), tokens.size());
  size_t begin = 0;
  for (size_t i = 0; i < tokens.size(); begin = ends[i++]) {
    EXPECT_EQ(tokenizer.token_bytes(tokens[i]), kText.substr(begin, ends[i] - begin));
  }
  EXPECT_EQ(begin, kText.size());
  EXPECT_EQ(tokenizer.count(kText), tokens.size());
  for (const size_t limit : {size_t{0}, size_t{5}, size_t{12}, SIZE_MAX}) {
    const auto [prefix, bytes] = tokenizer.encode_up_to(kText, limit);
    EXPECT_LE(prefix.size(), limit);
    EXPECT_EQ(prefix, tokenizer.encode(kText.substr(0, bytes)));
  }
  EXPECT_EQ(tokenizer.encode_up_to(kText, SIZE_MAX).bytes, kText.size());
  // Each ill-formed byte is a token or three: more than the first buffer holds.
  const std::string broken(4000, '\xff');
  EXPECT_EQ(tokenizer.encode_with_offsets(broken).ends.back(), broken.size());
  EXPECT_EQ(tokenizer.encode_up_to(broken, SIZE_MAX).bytes, broken.size());
}

TEST_F(WrapperText, Batches) {
  const std::vector<std::string> many(200, std::string(kText));
  std::vector<std::string_view> texts(many.begin(), many.end());
  texts[7] = {};
  const Engine engine({.threads = 2});
  const auto alone = tokenizer.encode_batch(texts);
  ASSERT_EQ(alone.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(alone[i], tokenizer.encode(texts[i])) << i;
  EXPECT_EQ(tokenizer.encode_batch(texts, &engine), alone);
  EXPECT_TRUE(tokenizer.encode_batch({}).empty());
}

TEST_F(WrapperText, DecodesAndFinds) {
  const auto tokens = tokenizer.encode(kText);
  EXPECT_EQ(tokenizer.decode(tokens), kText);
  std::string text;
  Decoder decoder(tokenizer);
  for (const uint32_t token : tokens) text += decoder.push(token);
  EXPECT_EQ(text, kText);
  EXPECT_EQ(decoder.finish(), "");
  const uint32_t first_byte = tokenizer.find("\xf0");
  EXPECT_EQ(tokenizer.token_bytes(first_byte), "\xf0");
  EXPECT_EQ(decoder.push(first_byte), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD");
  EXPECT_EQ(tokenizer.try_find("no such token").error().code(), Code::kNotFound);
  EXPECT_LT(first_byte, tokenizer.size());
}

TEST_F(WrapperText, KeepsACompiledForm) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "vitalis-wrapper-text";
  std::filesystem::create_directories(folder);
  for (int pass = 0; pass < 2; ++pass) {
    const Tokenizer cached(kModel, folder.c_str());
    EXPECT_EQ(cached.encode(kText), tokenizer.encode(kText));
    EXPECT_FALSE(std::filesystem::is_empty(folder));
  }
  std::filesystem::remove_all(folder);
}

TEST_F(WrapperText, ConversationsFromJsonAndBack) {
  const char* const chat = R"({"messages": [{"role": "user", "content": "Hello"}]})";
  const char* const responses = R"({"input": "Hello"})";
  Conversation first;
  Conversation second;
  first.load_json(chat);
  second.load_json(responses, JsonForm::kResponses);
  EXPECT_EQ(first.render(tokenizer), second.render(tokenizer));
  Conversation third;
  third.load_json(first.to_json(), JsonForm::kHarmony);
  EXPECT_EQ(third.render(tokenizer), first.render(tokenizer));
  EXPECT_EQ(third.to_json(), first.to_json());
  EXPECT_EQ(first.try_load_json(responses).error().code(), Code::kInvalidArgument);
}

TEST_F(WrapperText, RendersByOptions) {
  Conversation conversation;
  conversation.user("Hello");
  conversation.add({.role = Role::kAssistant, .text = "Hm.", .channel = "analysis"});
  conversation.add({.role = Role::kAssistant, .text = "Hi.", .channel = "final"});
  const auto text = [&](const RenderOptions& options) {
    return tokenizer.decode(conversation.render(tokenizer, options));
  };
  EXPECT_TRUE(text({}).ends_with("Hi.<|end|><|start|>assistant"));
  EXPECT_EQ(text({}).find("Hm."), std::string::npos);
  EXPECT_NE(text({.keep_analysis = true}).find("Hm."), std::string::npos);
  EXPECT_TRUE(text({.mode = RenderMode::kConversation}).ends_with("Hi.<|end|>"));
  EXPECT_TRUE(text({.mode = RenderMode::kTraining}).ends_with("Hi.<|return|>"));
}

TEST_F(WrapperText, RendersTheTemplate) {
  const char* const chat = R"({"messages": [{"role": "user", "content": "Hello"}]})";
  const std::string prompt = render_template(
      chat,
      {.current_date = "2026-01-31", .reasoning_effort = "low", .model_identity = "You are Ada."});
  for (const char* part : {"You are Ada.", "2026-01-31", "Reasoning: low", "Hello"}) {
    EXPECT_NE(prompt.find(part), std::string::npos) << part;
  }
  EXPECT_TRUE(prompt.ends_with("<|start|>assistant"));
  EXPECT_TRUE(render_template(chat, {.generation_prompt = false}).ends_with("<|end|>"));
  EXPECT_THROW(render_template("{"), Error);
}

// What has been told so far, as text.
std::string told(Parser& parser) {
  std::string out;
  while (const auto event = parser.next()) {
    if (event->kind == EventKind::kMessageBegin) {
      out.append("[").append(event->channel_name).append(event->recipient).append("]");
    }
    out += event->text;
  }
  return out;
}

TEST_F(WrapperText, ParsesATurn) {
  Parser parser(tokenizer);
  std::vector<Event> ends;
  std::string arguments;
  std::string path;
  uint32_t covered = 0;
  for (const uint32_t token : turn) {
    parser.push(token);
    while (const auto event = parser.next()) {
      EXPECT_EQ(event->role, Role::kAssistant);
      if (event->kind == EventKind::kToolCall) {
        EXPECT_EQ(event->recipient, "functions.f");
        EXPECT_EQ(event->content_type, "<|constrain|>json");
        EXPECT_EQ(event->message, 1u);
        arguments += event->text;
        if (!event->path.empty()) path = event->path;
      }
      if (event->kind != EventKind::kMessageEnd) continue;
      EXPECT_EQ(event->token_begin, covered);
      covered = event->token_end;
      ends.push_back(*event);
    }
  }
  parser.finish();
  EXPECT_FALSE(parser.next());
  EXPECT_EQ(covered, turn.size());
  EXPECT_EQ(arguments, R"({"city": "Łódź"})");
  EXPECT_EQ(path, "/city");
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_TRUE(ends[0].complete && ends[1].complete);
  EXPECT_EQ(ends[1].json, JsonState::kComplete);
}

TEST_F(WrapperText, AParserGoesBack) {
  Parser parser(tokenizer);
  const size_t half = turn.size() / 2;
  for (size_t i = 0; i < half; ++i) parser.push(turn[i]);
  Parser snapshot = parser.clone();
  std::string texts[2];
  for (Parser* each : {&parser, &snapshot}) {
    std::string& text = texts[each == &snapshot ? 1 : 0];
    for (size_t i = half; i < turn.size(); ++i) {
      each->push(turn[i]);
      text += told(*each);
    }
  }
  EXPECT_FALSE(texts[0].empty());
  EXPECT_EQ(texts[0], texts[1]);
}

TEST_F(WrapperText, PoliciesAndNames) {
  Parser strict(tokenizer, {.policy = Policy::kStrict, .from_start = true});
  const auto status = strict.try_push(turn[0]);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kMalformed);
  EXPECT_NE(std::string_view(status.error().what()).find("expect_start"), std::string_view::npos);

  // A declared name without its namespace is repaired, and that is told.
  Parser parser(tokenizer, {.functions = {"f"}});
  const auto tokens =
      tokenizer.encode("<|channel|>commentary to=f<|message|>{}<|call|>", {.special = true});
  std::string recipient;
  std::string diagnostic;
  for (const uint32_t token : tokens) {
    parser.push(token);
    while (const auto event = parser.next()) {
      if (event->kind == EventKind::kMessageBegin) recipient = event->recipient;
      if (event->kind == EventKind::kDiagnostic) diagnostic = event->text;
    }
  }
  EXPECT_EQ(recipient, "functions.f");
  EXPECT_EQ(diagnostic, "recipient_normalized");
}

}  // namespace
