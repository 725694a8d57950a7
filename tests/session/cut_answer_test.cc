// SPDX-License-Identifier: Apache-2.0
// Answers that end early, at every token in turn: the reply can be added, the next prompt is sound
// harmony, and it is the prompt that a session without a past makes.
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "harmony/render.h"
#include "session/session.h"
#include "session/tiny.h"

namespace vitalis::session {
namespace {

using harmony::Role;

struct Answer {
  std::string text;  // of every channel
  Finish finish = Finish::kNone;
  bool analysis = false, call = false;  // in the open message when it ended
};

Answer run(Session& session, const harmony::Conversation& about, size_t max_tokens = 0) {
  Answer answer;
  GenerateOptions options = {.sampling = {.greedy = true}, .max_tokens = max_tokens};
  options.constraint.tool_choice.kind = harmony::ToolChoice::Kind::kFree;  // held calls end whole
  const Status started = session.start(about, options);
  EXPECT_TRUE(started.ok()) << started.message();
  if (!started.ok()) return answer;
  Event event;
  while (true) {
    const auto step = session.next(event);
    EXPECT_TRUE(step.ok()) << step.status().message();
    if (!step.ok() || *step != Session::Step::kEvent) return answer;
    answer.text += event.kind == Event::Kind::kText || event.kind == Event::Kind::kToolCall
                       ? event.text
                       : std::string_view();
    if (event.kind == Event::Kind::kFinished) answer.finish = event.finish;
    if (event.kind == Event::Kind::kMessageEnd && !event.complete) {
      answer.analysis = event.channel == harmony::Channel::kAnalysis;
      answer.call = !event.recipient.empty();
    }
  }
}

// What openai/harmony's parser says of the prompt, less the header that it leaves open.
Status read_strictly(std::vector<Token> prompt, std::vector<harmony::Message>& messages) {
  const harmony::Format& format = tiny()->format();
  while (!prompt.empty() && prompt.back() != format.start) prompt.pop_back();
  prompt.pop_back();
  harmony::Parser parser(format, {.policy = harmony::Policy::kStrict, .role = std::nullopt});
  harmony::EventBuffer events;
  for (const Token token : prompt) VITALIS_TRY(parser.push(token, events));
  VITALIS_TRY(parser.finish(events));
  harmony::MessageCollector collector;
  collector.add(events);
  messages = collector.take();
  return {};
}

// Cuts the answer to `about` after 1, 2, ... tokens, adds what there is, and goes on.
void cut_everywhere(const harmony::Conversation& about,
                    const std::function<void(size_t, const Answer&)>& seen) {
  auto session = open_session();
  const Answer whole = run(*session, about);
  ASSERT_NE(whole.finish, Finish::kLength);
  const size_t tokens = session->usage().generated_tokens;
  for (size_t cut = 1; cut < tokens; ++cut) {
    SCOPED_TRACE(cut);
    const Answer answer = run(*session, about, cut);
    EXPECT_EQ(answer.finish, Finish::kLength);
    EXPECT_EQ(session->usage().generated_tokens, cut);
    seen(cut, answer);

    harmony::Conversation next = about;
    for (harmony::Message& message : session->reply()) next.messages.push_back(std::move(message));
    next.messages.push_back(harmony::text_message(Role::kUser, "What is the capital of France?"));
    std::vector<Token> prompt;
    std::vector<harmony::MessageSpan> rendered;
    ASSERT_TRUE(harmony::render(next, tiny()->format(), {}, prompt, &rendered).ok());
    std::vector<harmony::Message> read;
    const Status strict = read_strictly(prompt, read);
    EXPECT_TRUE(strict.ok()) << strict.message();
    EXPECT_EQ(read.size(), rendered.size());
    EXPECT_EQ(read.back().text(), "What is the capital of France?");

    const Answer second = run(*session, next, 24);
    EXPECT_EQ(session->usage().prompt_tokens, prompt.size());
    auto fresh = open_session();
    EXPECT_EQ(run(*fresh, next, 24).text, second.text);
    EXPECT_EQ(fresh->usage().prompt_tokens, prompt.size());
    EXPECT_EQ(fresh->usage().context_used, session->usage().context_used);
    EXPECT_EQ(fresh->reply(), session->reply());
  }
}

TEST(CutAnswer, InReasoning) {
  size_t in_analysis = 0;
  cut_everywhere(asking("What is 17 + 25?"),
                 [&](size_t, const Answer& answer) { in_analysis += answer.analysis; });
  EXPECT_GT(in_analysis, 3u);
}

TEST(CutAnswer, InTheArgumentsOfACall) {
  const auto about = asking_for_weather();
  size_t in_call = 0;
  std::string last;
  cut_everywhere(about, [&](size_t, const Answer& answer) {
    in_call += answer.call;
    last = answer.text;
  });
  EXPECT_GT(in_call, 3u);
  EXPECT_NE(last.find(R"({"location)"), std::string::npos) << last;
}

TEST(CutAnswer, InACharacterOfSeveralTokens) {
  size_t broken = 0;
  cut_everywhere(asking("Repeat after me: 🚀"), [&](size_t, const Answer& answer) {
    EXPECT_EQ(utf8::valid_prefix(answer.text), answer.text.size());
    broken += answer.text.ends_with("\uFFFD");
  });
  EXPECT_GT(broken, 0u);  // else nothing was cut where this test means to
}

}  // namespace
}  // namespace vitalis::session
