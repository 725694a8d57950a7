// SPDX-License-Identifier: Apache-2.0
// Conversations with the demonstration model: what is reused, what is repeated, what stops.
#include "session/session.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "base/mapped_file.h"
#include "formats/safetensors.h"
#include "session/tiny.h"

namespace vitalis::session {
namespace {

using harmony::Role;

harmony::Conversation conversation(harmony::Effort effort = harmony::Effort::kMedium) {
  harmony::SystemContent system = harmony::default_system_content();
  system.reasoning_effort = effort;
  system.current_date = "2026-01-31";
  harmony::Conversation out;
  out.messages.push_back({.role = Role::kSystem, .parts = {system}});
  return out;
}

void say(harmony::Conversation& to, std::string text) {
  to.messages.push_back(harmony::text_message(Role::kUser, std::move(text)));
}

struct Answer {
  std::string analysis, final, calls, recipient;
  Finish finish = Finish::kNone;
  size_t events = 0;
  bool cancelled = false;
  std::vector<harmony::Message> messages;
};

const GenerateOptions kGreedy = {.sampling = {.greedy = true}};

// Runs to the end, or cancels after `cancel_after` events.
Answer run(Session& session, size_t cancel_after = SIZE_MAX) {
  Answer answer;
  Event event;
  for (size_t events = 0;; ++events) {
    if (events == cancel_after) session.cancel();
    const auto step = session.next(event);
    EXPECT_TRUE(step.ok()) << step.status().message();
    if (!step.ok() || *step == Session::Step::kDone) break;
    if (*step == Session::Step::kCancelled) {
      answer.cancelled = true;
      break;
    }
    ++answer.events;
    if (event.kind == Event::Kind::kFinished) answer.finish = event.finish;
    if (event.kind == Event::Kind::kToolCall) {
      answer.calls += event.text;
      answer.recipient = event.recipient;
    }
    if (event.kind == Event::Kind::kText) {
      (event.channel == harmony::Channel::kFinal ? answer.final : answer.analysis) += event.text;
    }
  }
  answer.messages = session.reply();
  return answer;
}

Answer ask(Session& session, harmony::Conversation& about, const std::string& text) {
  say(about, text);
  const Status started = session.start(about, kGreedy);
  EXPECT_TRUE(started.ok()) << started.message();
  Answer answer = run(session);
  about.messages.insert(about.messages.end(), answer.messages.begin(), answer.messages.end());
  return answer;
}

std::unique_ptr<Session> open(const SessionOptions& options = {},
                              std::shared_ptr<const Model> model = tiny()) {
  auto session = Session::create(std::move(model), options);
  if (!session.ok()) throw std::runtime_error(session.status().message());
  return session.take();
}

TEST(Session, RemembersANameAcrossTurns) {
  auto session = open();
  auto chat = conversation();
  EXPECT_NE(ask(*session, chat, "My name is Clara.").final.find("Clara"), std::string::npos);
  EXPECT_EQ(ask(*session, chat, "What is the capital of France?").final,
            "The capital of France is Paris.");
  EXPECT_EQ(ask(*session, chat, "What is my name?").final, "Your name is Clara.");
}

TEST(Session, ReusesThePromptOfTheTurnBefore) {
  auto session = open({.context = 2048, .chunk = 32});
  auto chat = conversation();
  // Long enough that the rings of the sliding layers have turned over when the turn ends.
  ask(*session, chat, "Tell me a story about a fox named Mia.");
  ask(*session, chat, "Tell me a story about an owl named Sam.");
  const size_t prompt = session->usage().prompt_tokens;
  const auto third = ask(*session, chat, "What is 17 + 25?");
  EXPECT_EQ(third.final, "17 + 25 = 42.");
  // The reasoning of the second answer is dropped: the prompts part where that answer began.
  EXPECT_GE(session->usage().reused_tokens, prompt - 1);

  // Reuse changes nothing: a fresh session gives the same tokens.
  chat.messages.resize(chat.messages.size() - third.messages.size() - 1);
  auto fresh = open({.context = 2048, .chunk = 32});
  const auto again = ask(*fresh, chat, "What is 17 + 25?");
  EXPECT_EQ(fresh->usage().reused_tokens, 0u);
  EXPECT_EQ(again.messages, third.messages);
}

// However many calls a turn makes, the place where its reasoning will be cut off is kept.
TEST(Session, AChainOfCallsDoesNotLoseTheBeginningOfTheTurn) {
  auto session = open({.context = 4096, .chunk = 16});
  auto chat = conversation();
  say(chat, "What is the weather in Paris, Rome, Oslo and the other capitals?");
  const GenerateOptions one = {.sampling = {.greedy = true}, .max_tokens = 1};
  ASSERT_TRUE(session->start(chat, one).ok());
  run(*session);
  const size_t beginning = session->usage().prompt_tokens;
  for (int i = 0; i < 14; ++i) {
    harmony::Message thought = harmony::text_message(
        Role::kAssistant, "The user asks about one more city. I call the tool once more.");
    thought.channel = "analysis";
    harmony::Message call = harmony::text_message(Role::kAssistant, R"({"location":"Rome"})");
    call.channel = "commentary";
    call.recipient = "functions.get_weather";
    harmony::Message result = harmony::text_message(Role::kTool, R"({"sky":"sunny"})");
    result.name = "functions.get_weather";
    result.recipient = "assistant";
    result.channel = "commentary";
    chat.messages.insert(chat.messages.end(), {thought, call, result});
    ASSERT_TRUE(session->start(chat, one).ok());
    run(*session);
  }
  harmony::Message final = harmony::text_message(Role::kAssistant, "It is sunny everywhere.");
  final.channel = "final";
  chat.messages.push_back(final);
  say(chat, "Thank you.");
  ASSERT_TRUE(session->start(chat, one).ok());
  EXPECT_GE(session->usage().reused_tokens, beginning);
  EXPECT_LT(session->usage().reused_tokens, beginning + 10);
}

// Another conversation with the same settings begins where they end.
TEST(Session, SettingsThatAreSharedAreReused) {
  auto session = open({.context = 4096, .chunk = 16});
  for (const char* question : {"Tell me a story about a fox named Mia.", "What is 17 + 25?"}) {
    auto chat = conversation();
    harmony::DeveloperContent developer;
    developer.instructions = std::string(800, 'x');
    chat.messages.push_back({.role = Role::kDeveloper, .parts = {developer}});
    say(chat, std::string(300, 'y') + question);
    const bool again = session->usage().prompt_tokens > 0;
    ASSERT_TRUE(session->start(chat, kGreedy).ok());
    if (again) {
      EXPECT_GT(session->usage().reused_tokens, 100u);
    }
    run(*session);
  }
}

TEST(Session, HandsAToolsResultBack) {
  auto session = open();
  auto chat = conversation();
  harmony::DeveloperContent developer;
  developer.tools.push_back(
      {.name = "functions",
       .tools = {{"get_weather", "Gets the current weather in a city.",
                  harmony::Json::parse(
                      R"({"type":"object","properties":{"location":{"type":"string",
                      "description":"The name of the city"},"unit":{"type":"string",
                      "enum":["celsius","fahrenheit"],"default":"celsius"}},"required":["location"]})")
                      .take()}}});
  chat.messages.push_back({.role = Role::kDeveloper, .parts = {developer}});
  const auto call = ask(*session, chat, "What is the weather in Paris?");
  EXPECT_EQ(call.finish, Finish::kToolCall);
  EXPECT_EQ(call.recipient, "functions.get_weather");
  EXPECT_EQ(call.calls, R"({"location":"Paris"})");

  harmony::Message result = harmony::text_message(
      Role::kTool, R"({"temperature": 21, "unit": "celsius", "sky": "sunny"})");
  result.name = "functions.get_weather";
  result.recipient = "assistant";
  result.channel = "commentary";
  chat.messages.push_back(result);
  ASSERT_TRUE(session->start(chat, kGreedy).ok());
  const size_t held = session->usage().reused_tokens;
  EXPECT_EQ(run(*session).final, "It is sunny in Paris, at 21 degrees celsius.");
  // A pending call keeps its reasoning, and the reply is replayed token by token: all of it is
  // reused.
  EXPECT_GE(held + 60, session->usage().prompt_tokens);
}

TEST(Session, ObeysTheReasoningEffort) {
  size_t reasoning[3];
  for (const auto effort :
       {harmony::Effort::kLow, harmony::Effort::kMedium, harmony::Effort::kHigh}) {
    auto session = open();
    auto chat = conversation(effort);
    const auto answer = ask(*session, chat, "What is 58 + 37?");
    EXPECT_EQ(answer.final, "58 + 37 = 95.");
    reasoning[static_cast<size_t>(effort)] = session->usage().reasoning_tokens;
  }
  EXPECT_EQ(reasoning[0], 0u);
  EXPECT_GT(reasoning[1], 0u);
  EXPECT_GT(reasoning[2], reasoning[1]);
}

TEST(Session, CancelStopsAtEveryPointAndLeavesItUsable) {
  auto chat = conversation();
  say(chat, "What is the capital of Japan?");
  auto session = open({.context = 1024, .chunk = 16});
  ASSERT_TRUE(session->start(chat, kGreedy).ok());
  const auto whole = run(*session);
  EXPECT_EQ(whole.final, "The capital of Japan is Tokyo.");
  for (size_t events = 0; events + 2 < whole.events; ++events) {
    session->reset();
    ASSERT_TRUE(session->start(chat, kGreedy).ok());
    EXPECT_TRUE(run(*session, events).cancelled) << events;
    Event event;
    EXPECT_EQ(*session->next(event), Session::Step::kDone);
    ASSERT_TRUE(session->start(chat, kGreedy).ok());
    EXPECT_EQ(run(*session).messages, whole.messages) << events;
  }
}

TEST(Session, CancelComesFromAnotherThread) {
  auto chat = conversation();
  say(chat, "Tell me a story about a bear named Leo.");
  auto session = open();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(session->start(chat, {}).ok());
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(i));
      session->cancel();
    });
    run(*session);
    other.join();
  }
  ASSERT_TRUE(session->start(chat, kGreedy).ok());
  EXPECT_EQ(run(*session).finish, Finish::kStop);
}

TEST(Session, EndsAtItsLimits) {
  auto chat = conversation();
  say(chat, "Tell me a story about a bear named Leo.");
  auto session = open();
  ASSERT_TRUE(session->start(chat, {.sampling = {.greedy = true}, .max_tokens = 5}).ok());
  EXPECT_EQ(run(*session).finish, Finish::kLength);
  EXPECT_EQ(session->usage().generated_tokens, 5u);

  const size_t prompt = session->usage().prompt_tokens;
  auto small = open({.context = prompt + 10, .chunk = 0});
  ASSERT_TRUE(small->start(chat, kGreedy).ok());
  EXPECT_EQ(run(*small).finish, Finish::kLength);
  EXPECT_EQ(small->usage().context_used, prompt + 10);
  EXPECT_EQ(small->usage().generated_tokens, 11u);  // the last one needs no room

  auto tight = open({.context = prompt, .chunk = 0});
  const Status status = tight->start(chat, kGreedy);
  EXPECT_EQ(status.code(), Code::kContextFull);
  EXPECT_NE(status.message().find(std::to_string(prompt)), std::string::npos) << status.message();
}

// The demonstration model with the logits of two tokens exchanged.
std::shared_ptr<const Model> tiny_with_swapped(Token a, Token b) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / "vitalis-tiny-swapped";
  fs::remove_all(folder);
  fs::copy(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny", folder);
  const std::string file = (folder / "model.safetensors").string();
  std::string bytes = read_file(file, size_t{1} << 30).take();
  const auto header = formats::parse_safetensors(std::as_bytes(std::span(bytes)), file);
  const auto head = std::find_if(header->tensors.begin(), header->tensors.end(),
                                 [](const auto& t) { return t.name == "lm_head.weight"; });
  const size_t row = static_cast<size_t>(head->shape[1]) * sizeof(uint16_t);
  char* const rows = bytes.data() + head->offset;
  std::swap_ranges(rows + a * row, rows + (a + 1) * row, rows + b * row);
  std::ofstream(file, std::ios::binary) << bytes;
  auto engine = engine::make_engine({});
  auto opened = Model::open(std::make_shared<const engine::Engine>(engine.take()), folder.string());
  fs::remove_all(folder);  // what is mapped stays
  return opened.take();
}

TEST(Session, AFinalMessageClosedByEndEndsTheTurn) {
  const harmony::Format& format = tiny()->format();
  auto session = open({}, tiny_with_swapped(format.end, format.return_token));
  auto chat = conversation(harmony::Effort::kLow);
  const auto answer = ask(*session, chat, "What is 2 + 2?");
  EXPECT_EQ(answer.final, "2 + 2 = 4.");
  EXPECT_EQ(answer.finish, Finish::kStop);
  ASSERT_EQ(answer.messages.size(), 1u);
  EXPECT_EQ(answer.messages[0].sampled.back(), format.end);
  // Reasoning that is closed so goes on to the answer, as everywhere else here.
  EXPECT_EQ(ask(*session, chat, "What is 3 + 4?").final, "3 + 4 = 7.");
}

TEST(Session, CountsWhatItUsed) {
  auto session = open({.context = 512, .chunk = 16});
  auto chat = conversation();
  const auto answer = ask(*session, chat, "What is 17 + 25?");
  const Usage usage = session->usage();
  size_t generated = 0, reasoning = 0;
  for (const harmony::Message& message : answer.messages) {
    const auto& tokens = message.sampled;
    generated += tokens.size();
    if (message.channel != "analysis") continue;
    const auto text = std::find(tokens.begin(), tokens.end(), tiny()->format().message) + 1;
    reasoning += static_cast<size_t>(tokens.end() - text);
  }
  EXPECT_EQ(usage.generated_tokens, generated - 2);  // the prompt gave <|start|>assistant
  EXPECT_GT(usage.reasoning_tokens, 0u);
  EXPECT_EQ(usage.reasoning_tokens, reasoning);
  EXPECT_EQ(usage.context_used, usage.prompt_tokens + usage.generated_tokens - 1);
  EXPECT_EQ(usage.reused_tokens, 0u);
  EXPECT_NE(usage.seed, 0u);
  EXPECT_GT(usage.prefill_seconds, 0);
  EXPECT_GE(usage.first_token_seconds, usage.prefill_seconds);
  EXPECT_GT(usage.decode_seconds, 0);

  ASSERT_TRUE(session->start(chat, {.sampling = {.greedy = true, .seed = 5}}).ok());
  EXPECT_EQ(session->usage().generated_tokens, 0u);
  EXPECT_EQ(session->usage().reasoning_tokens, 0u);
  EXPECT_EQ(session->usage().seed, 5u);
  EXPECT_EQ(session->usage().context_used, session->usage().reused_tokens);
}

// A reset forgets how far the rings of the sliding layers had turned, too.
TEST(Session, AfterAResetAPromptIsReusedAsBefore) {
  auto reused = [](Session& session) {
    auto chat = conversation();
    say(chat, "My name is Clara. What is the capital of France?");
    EXPECT_TRUE(session.start(chat, kGreedy).ok());
    run(session);
    chat.messages.back() = harmony::text_message(Role::kUser, "My name is Clara. Hello!");
    EXPECT_TRUE(session.start(chat, kGreedy).ok());
    return session.usage().reused_tokens;
  };
  auto session = open({.context = 2048, .chunk = 16});
  const size_t at_first = reused(*session);
  EXPECT_GT(at_first, 0u);
  std::vector<float> logits(tiny()->config().vocab);
  ASSERT_TRUE(session->forward(std::vector<Token>(1500, 1), false, logits).ok());
  session->reset();
  EXPECT_EQ(reused(*session), at_first);
}

TEST(Session, ASeedRepeatsItself) {
  auto chat = conversation();
  say(chat, "Tell me a story about a bear named Leo.");
  auto session = open();
  std::vector<std::vector<harmony::Message>> replies;
  for (const uint64_t seed : {11, 11, 12}) {
    ASSERT_TRUE(session->start(chat, {.sampling = {.temperature = 1.5f, .seed = seed}}).ok());
    replies.push_back(run(*session).messages);
  }
  EXPECT_EQ(replies[0], replies[1]);
  EXPECT_NE(replies[0], replies[2]);
}

TEST(Session, RefusesSenselessOptions) {
  EXPECT_EQ(Session::create(tiny(), {.context = 1000000}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Session::create(tiny(), {.chunk = 100000}).status().code(), Code::kInvalidArgument);
  auto session = open();
  auto chat = conversation();
  say(chat, "Hi");
  EXPECT_EQ(session->start(chat, {.sampling = {.temperature = -1}}).code(), Code::kInvalidArgument);
}

TEST(Session, ForwardGivesRawLogits) {
  auto session = open({.context = 256, .chunk = 8});
  const size_t vocab = tiny()->config().vocab;
  const std::vector<Token> tokens = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  std::vector<float> all(tokens.size() * vocab), last(vocab);
  ASSERT_TRUE(session->forward(tokens, true, all).ok());
  session->reset();
  ASSERT_TRUE(session->forward(std::span(tokens).first(5), false, last).ok());
  ASSERT_TRUE(session->forward(std::span(tokens).subspan(5), false, last).ok());
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.end() - static_cast<std::ptrdiff_t>(vocab)));
  EXPECT_FALSE(session->forward(tokens, true, last).ok());
  EXPECT_EQ(session->forward(std::vector<Token>(300, 1), false, last).status().code(),
            Code::kContextFull);
}

}  // namespace
}  // namespace vitalis::session
