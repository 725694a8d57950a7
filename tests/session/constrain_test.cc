// SPDX-License-Identifier: Apache-2.0
// Answers held to tools and schemas, with the demonstration model at a temperature where it is
// never right by itself.
#include <filesystem>

#include "session/batch.h"
#include "session/tiny.h"

namespace vitalis::session {
namespace {

using Kind = harmony::ToolChoice::Kind;

harmony::Json json(std::string_view text) {
  return harmony::Json::parse(text).take();
}

harmony::Constraint choose(Kind kind, std::string function = {}) {
  harmony::Constraint out;
  out.tool_choice.kind = kind;
  out.tool_choice.function = std::move(function);
  return out;
}

harmony::Constraint answer_in(std::string_view schema) {
  harmony::Constraint out;
  out.response_schema = json(schema);
  return out;
}

GenerateOptions hot(uint64_t seed, harmony::Constraint constraint, size_t max_tokens = 120) {
  GenerateOptions options;
  options.sampling.temperature = 2;
  options.sampling.seed = seed;
  options.max_tokens = max_tokens;
  options.constraint = std::move(constraint);
  return options;
}

struct Answer {
  std::string final, call, recipient;
  Finish finish = Finish::kNone;
  std::vector<harmony::Message> messages;
};

Answer answer(Session& session) {
  Answer out;
  Event event;
  while (true) {
    const auto step = session.next(event);
    EXPECT_TRUE(step.ok()) << step.status().message();
    if (!step.ok() || *step != Session::Step::kEvent) break;
    if (event.kind == Event::Kind::kFinished) out.finish = event.finish;
    if (event.kind == Event::Kind::kToolCall) {
      out.call += event.text;
      out.recipient = event.recipient;
    }
    if (event.kind == Event::Kind::kText && event.channel == harmony::Channel::kFinal) {
      out.final += event.text;
    }
  }
  out.messages = session.reply();
  return out;
}

TEST(Constrain, RequiredCallsAreMadeAndFit) {
  auto session = open_session();
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    ASSERT_TRUE(session->start(asking_for_weather(), hot(seed, choose(Kind::kRequired))).ok());
    const Answer got = answer(*session);
    EXPECT_EQ(got.finish, Finish::kToolCall);
    EXPECT_EQ(got.recipient, "functions.get_weather");
    const auto arguments = harmony::Json::parse(got.call);
    ASSERT_TRUE(arguments.ok()) << got.call;
    EXPECT_NE(arguments->find("location"), nullptr);
    EXPECT_EQ(got.messages.back().content_type, "<|constrain|>json");
    EXPECT_LE(session->usage().generated_tokens, 120u);
  }
}

TEST(Constrain, NoneMakesNoCall) {
  auto session = open_session();
  GenerateOptions options = {.sampling = {.greedy = true}, .max_tokens = 200};
  ASSERT_TRUE(session->start(asking_for_weather(), options).ok());
  EXPECT_EQ(answer(*session).finish, Finish::kToolCall);
  options.constraint.tool_choice.kind = Kind::kNone;
  ASSERT_TRUE(session->start(asking_for_weather(), options).ok());
  const Answer got = answer(*session);
  EXPECT_TRUE(got.recipient.empty());
  EXPECT_NE(got.finish, Finish::kToolCall);
}

TEST(Constrain, FinalAnswersFitTheSchemaAtAnyLength) {
  auto session = open_session();
  const char* schema =
      R"({"type":"object","properties":{"city":{"type":"string"},"tags":{"type":"array","items":{"type":"string"},"minItems":1}},"required":["city","tags"]})";
  for (size_t most = 40; most <= 140; most += 20) {
    ASSERT_TRUE(session->start(asking("Hello."), hot(most, answer_in(schema), most)).ok());
    const Answer got = answer(*session);
    EXPECT_EQ(got.finish, Finish::kStop);
    EXPECT_TRUE(harmony::Json::parse(got.final).ok()) << got.final;
    EXPECT_LE(session->usage().generated_tokens, most);
  }
}

TEST(Constrain, CallsAreWholeWhereverTheAnswerIsCut) {
  auto session = open_session();
  size_t calls = 0;
  for (size_t most = 1; most <= 40; ++most) {
    GenerateOptions options = {.sampling = {.greedy = true}, .max_tokens = most};
    const Status started = session->start(asking_for_weather(), options);
    ASSERT_TRUE(started.ok()) << started.message();
    const Answer got = answer(*session);
    EXPECT_LE(session->usage().generated_tokens, most);
    EXPECT_TRUE(got.call.empty() || harmony::Json::parse(got.call).ok()) << got.call;
    EXPECT_EQ(got.finish, got.call.empty() ? Finish::kLength : Finish::kToolCall);
    calls += got.call.empty() ? 0 : 1;
  }
  EXPECT_GT(calls, 3u);
  EXPECT_LT(calls, 36u);
}

TEST(Constrain, RefusesWhatHasNoRoomOrSense) {
  auto session = open_session();
  const auto start = [&](GenerateOptions options) {
    return session->start(asking_for_weather(), options);
  };
  ASSERT_TRUE(start(hot(1, choose(Kind::kRequired))).ok());
  const auto first = lines(*session, 4);
  // What is refused leaves the answer in progress alone.
  const Status small = start(hot(1, choose(Kind::kRequired), 5));
  EXPECT_EQ(small.code(), Code::kInvalidArgument);
  EXPECT_NE(small.message().find("max_tokens: the shortest answer"), std::string::npos);
  EXPECT_EQ(start(hot(1, choose(Kind::kFunction, "other"))).message(),
            "tool_choice: there is no tool named \"other\"");
  EXPECT_EQ(start(hot(1, answer_in(R"({"not":{}})"))).code(), Code::kUnsupported);
  const auto rest = lines(*session);
  auto fresh = open_session();
  ASSERT_TRUE(fresh->start(asking_for_weather(), hot(1, choose(Kind::kRequired))).ok());
  auto whole = first;
  whole.insert(whole.end(), rest.begin(), rest.end());
  EXPECT_EQ(lines(*fresh), whole);
}

// Forced tokens are computed in one step; the answer is what the tokens one by one would give.
TEST(Constrain, ForcedTokensChangeNoLogits) {
  auto session = open_session();
  ASSERT_TRUE(session->start(asking_for_weather(), hot(3, choose(Kind::kRequired))).ok());
  answer(*session);
  std::vector<Token> sampled;
  for (const auto& message : session->reply()) {
    sampled.insert(sampled.end(), message.sampled.begin(), message.sampled.end());
  }
  const size_t vocab = session->model().config().vocab;
  const Token stop = session->model().format().call;
  std::vector<float> after(vocab), again(vocab);
  ASSERT_TRUE(session->forward({&stop, 1}, false, after).ok());
  std::vector<Token> prompt;
  auto fresh = open_session({.context = 2048, .chunk = 1});
  ASSERT_TRUE(fresh->start(asking_for_weather(), hot(3, choose(Kind::kRequired))).ok());
  answer(*fresh);
  ASSERT_TRUE(fresh->forward({&stop, 1}, false, again).ok());
  EXPECT_EQ(after, again);
}

TEST(Constrain, GoesOnAfterARestoreAsIfItHadNotStopped) {
  const std::string path = testing::TempDir() + "constrained.session";
  auto session = open_session();
  for (const size_t pause : {3u, 9u, 20u}) {
    ASSERT_TRUE(session->start(asking_for_weather(), hot(7, choose(Kind::kRequired))).ok());
    lines(*session, pause);
    ASSERT_TRUE(session->save(path, "").ok());
    auto other = open_session();
    const auto restored = other->restore(path);
    ASSERT_TRUE(restored.ok()) << restored.status().message();
    auto fork = session->fork().take();
    const auto expected = lines(*session);
    EXPECT_EQ(lines(*other), expected);
    EXPECT_EQ(lines(*fork), expected);
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace vitalis::session
