// SPDX-License-Identifier: Apache-2.0
// vitalis.hpp on the demonstration model: ownership, both ways to learn of errors, ranges,
// stopping.
#include <algorithm>
#include <gtest/gtest.h>
#include <iterator>
#include <ranges>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <vitalis/vitalis.hpp>

namespace {

using namespace vitalis;  // NOLINT(google-build-using-namespace)

const char* const kModel = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

static_assert(std::ranges::input_range<Answer>);
static_assert(std::is_nothrow_move_constructible_v<Engine> &&
              !std::is_copy_constructible_v<Engine>);
static_assert(std::is_nothrow_move_assignable_v<Model> && !std::is_copy_constructible_v<Model>);
static_assert(std::is_nothrow_move_constructible_v<Session> &&
              !std::is_copy_constructible_v<Session>);
static_assert(std::is_nothrow_move_constructible_v<Conversation> &&
              !std::is_copy_constructible_v<Conversation>);
static_assert(std::is_nothrow_copy_constructible_v<Error>);

class Wrapper : public testing::Test {
 protected:
  Model model{Engine({.threads = 2}), kModel};  // the engine lives on inside the model
  Session session{model, {.context = 1024}};
  Conversation conversation;

  std::string answer(const GenerateOptions& options = {.temperature = 0}) {
    std::string text;
    for (const Event& event : session.generate(conversation, options)) {
      if (event.is_answer()) text += event.text;
    }
    return text;
  }
};

TEST_F(Wrapper, AnswersAndRemembers) {
  conversation.user("What is the capital of France?");
  EXPECT_NE(answer().find("Paris"), std::string::npos);
  session.add_reply(conversation);
  const size_t before = conversation.size();
  EXPECT_GT(before, 1u);
  conversation.user("What is the capital of Italy?");
  EXPECT_NE(answer().find("Rome"), std::string::npos);
  EXPECT_GT(session.usage().reused_tokens, 0u);
  conversation.truncate(before);
  EXPECT_EQ(conversation.size(), before);
}

TEST_F(Wrapper, PlansAreMadeWithoutAModel) {
  const Engine engine;
  const vitalis_plan one = plan(engine, kModel, {.context = 1024});
  EXPECT_EQ(one.context, 1024U);
  EXPECT_EQ(one.peak_bytes, one.hot_bytes + one.kv_bytes + one.scratch_bytes);
  EXPECT_EQ(one.fit, VITALIS_FIT_WHOLE);
  EXPECT_EQ(one.mapped_bytes, model.info().mapped_bytes);
  EXPECT_EQ(plan(engine, kModel, {.context = 1024, .sequences = 2}).kv_bytes, 2 * one.kv_bytes);
  const auto small = plan(engine, kModel, {.context = 65536, .memory_budget_mib = 64});
  EXPECT_NE(small.fit, VITALIS_FIT_WHOLE);
  EXPECT_GT(small.largest_context, 1024U);
  EXPECT_LT(small.largest_context, 65536U);
  EXPECT_EQ(try_plan(engine, "/nowhere").error().code(), Code::kNotFound);
  const auto refused = Session::try_create(model, {.context = 65536, .memory_budget_mib = 64});
  EXPECT_EQ(refused.error().code(), Code::kOutOfMemory);
}

TEST_F(Wrapper, EventsComeInOrder) {
  conversation.user("What is the capital of France?");
  std::vector<EventKind> kinds;
  FinishReason reason = FinishReason::kNone;
  for (const Event& event : session.generate(conversation, {.temperature = 0})) {
    kinds.push_back(event.kind);
    reason = event.finish_reason;
    EXPECT_LE(event.done, event.total);
  }
  ASSERT_GE(kinds.size(), 4u);
  EXPECT_EQ(kinds.front(), EventKind::kPrefill);
  EXPECT_EQ(kinds.back(), EventKind::kFinished);
  EXPECT_EQ(reason, FinishReason::kStop);
  EXPECT_EQ(std::ranges::count(kinds, EventKind::kFinished), 1);
}

TEST_F(Wrapper, SeedsRepeatAndZeroIsOne) {
  conversation.user("Tell me a story.");
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7}}) {
    const GenerateOptions options = {.seed = seed, .max_tokens = 40};
    std::vector<std::string> texts(2);
    for (std::string& text : texts) {
      for (const Event& event : session.generate(conversation, options)) text += event.text;
    }
    EXPECT_EQ(texts[0], texts[1]);
    EXPECT_FALSE(texts[0].empty());
  }
}

TEST_F(Wrapper, ErrorsAreThrownOrReturned) {
  const auto failed = Model::try_open(Engine(), "/no/such/model");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::kNotFound);
  EXPECT_NE(std::string(failed.error().what()).find("/no/such/model"), std::string::npos);
  try {
    const Model missing(Engine(), "/no/such/model");
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_STREQ(error.what(), failed.error().what());
  }
  EXPECT_THROW(Engine({.tier = "abacus"}), Error);
  EXPECT_TRUE(model.tokenizer().token_bytes(~0u).empty());
  EXPECT_THROW(conversation.load_json("{"), Error);
  EXPECT_EQ(model.tokenizer().try_special("<|nothing|>").error().code(), Code::kNotFound);
  conversation.user(std::string(20000, 'x'));
  EXPECT_EQ(session.try_generate(conversation).error().code(), Code::kContextFull);
}

TEST_F(Wrapper, AStopTokenEndsTheAnswer) {
  conversation.user("Tell me a story.");
  std::stop_source stop;
  size_t events = 0;
  FinishReason reason = FinishReason::kNone;
  for (const Event& event : session.generate(conversation, {.seed = 1}, stop.get_token())) {
    if (++events == 5) stop.request_stop();
    reason = event.finish_reason;
  }
  EXPECT_EQ(reason, FinishReason::kCancelled);
  EXPECT_EQ(events, 6u);
  // Requested before the start: nothing but the end.
  auto answer = session.generate(conversation, {}, stop.get_token());
  const auto event = answer.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->finish_reason, FinishReason::kCancelled);
  EXPECT_FALSE(answer.next());
}

TEST_F(Wrapper, AnotherThreadMayCancelAndABreakIsFine) {
  conversation.user("Tell me a story.");
  for (const Event& event : session.generate(conversation, {.seed = 1})) {
    if (event.kind == EventKind::kText) break;
  }
  auto answer = session.generate(conversation, {.seed = 1});
  ASSERT_TRUE(answer.next());
  std::jthread([&] { session.cancel(); }).join();
  EXPECT_EQ(answer.next()->finish_reason, FinishReason::kCancelled);
}

TEST_F(Wrapper, AnAnswerOutlivesItsSession) {
  conversation.user("What is the capital of France?");
  std::optional<Session> other(std::in_place, model);
  auto answer = other->generate(conversation, {.temperature = 0});
  other.reset();
  size_t events = 0;
  while (answer.next()) ++events;
  EXPECT_GT(events, 4u);
}

TEST_F(Wrapper, TokensAndLogits) {
  const std::string text = "Grüße aus Łódź, 北京 🙂";
  const Tokenizer tokenizer = model.tokenizer();
  const auto tokens = tokenizer.encode(text);
  std::string bytes;
  for (const uint32_t token : tokens) bytes += tokenizer.token_bytes(token);
  EXPECT_EQ(bytes, text);
  const auto info = model.info();
  const auto begin = tokenizer.encode("<|start|>", {.special = true});
  ASSERT_EQ(begin.size(), 1u);
  EXPECT_EQ(begin[0], tokenizer.special("<|start|>"));
  EXPECT_GT(tokenizer.encode("<|start|>").size(), 1u);

  std::vector<float> all(tokens.size() * info.vocab);
  std::vector<float> last(info.vocab);
  ASSERT_TRUE(session.forward(tokens, all, true));
  session.reset();
  ASSERT_TRUE(session.forward(tokens, last));
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.end() - info.vocab));
  EXPECT_THROW(session.forward(tokens, std::span(last).first(1)), Error);
}

TEST_F(Wrapper, FactsAboutTheModel) {
  const auto info = model.info();
  EXPECT_GT(info.layers, 0u);
  EXPECT_EQ(std::string(info.format), "safetensors");
  uint64_t bytes = 0;
  for (size_t i = 0; i < info.tensors; ++i) bytes += model.tensor(i).bytes;
  EXPECT_GT(bytes, 0u);
  EXPECT_LE(bytes, info.mapped_bytes);
  EXPECT_THROW(model.tensor(info.tensors), Error);
  EXPECT_EQ(model.plan({.context = 256}).context, 256u);
  EXPECT_GT(model.plan({.context = 512}).kv_bytes, model.plan({.context = 256}).kv_bytes);
}

TEST_F(Wrapper, ConversationsRender) {
  conversation.set_system({.reasoning_effort = Effort::kLow, .current_date = "2026-01-31"})
      .set_instructions("Answer briefly.")
      .add_tool("get_weather", "The weather", R"({"type": "object", "properties": {}})")
      .user("Hello");
  const Tokenizer tokenizer(kModel);
  const auto tokens = conversation.render(tokenizer);
  std::string text;
  for (const uint32_t token : tokens) text += tokenizer.token_bytes(token);
  for (const char* part :
       {"2026-01-31", "Reasoning: low", "Answer briefly.", "get_weather", "Hello"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

}  // namespace
