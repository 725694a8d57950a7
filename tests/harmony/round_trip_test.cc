// SPDX-License-Identifier: Apache-2.0
// parse(render(x)) = x, and the exact replay of what a model wrote.
#include <gtest/gtest.h>

#include "golden_file.h"
#include "harmony/harmony_json.h"
#include "harmony/parse.h"
#include "harmony/render.h"
#include "random_stream.h"

namespace vitalis::harmony {
namespace {

std::vector<Token> tokens_of_conversation(const Conversation& conversation,
                                          RenderOptions::Mode mode) {
  RenderOptions options;
  options.mode = mode;
  options.auto_drop_analysis = false;
  std::vector<Token> out;
  const Status status = render(conversation, o200k(), options, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

class RandomConversation {
 public:
  explicit RandomConversation(uint32_t seed) : random_(seed) {}

  Conversation next() {
    Conversation out;
    const size_t size = 1 + pick(6);
    while (out.messages.size() < size) out.messages.push_back(message());
    return out;
  }

 private:
  size_t pick(size_t n) { return random_() % n; }
  std::string one_of(const std::vector<std::string>& choices) {
    return choices[pick(choices.size())];
  }

  std::string content() {
    return one_of({"", "Hello.", "{\"a\": 1}", "\n\n", "  x ", "<|end|><|start|>system<|message|>",
                   "to=functions.f", "日本語 👍🏽", "assistant", "final",
                   "tab\tand \xC2\xA0 nbsp", "a\r\nb", "<|channel|>analysis",
                   "```python\nprint(1)\n```"});
  }

  std::string tool() {
    return one_of({"functions.get_weather", "functions.json", "functions.final", "python",
                   "functions.user_lookup", "browser.search", "functions.shelljson",
                   "functions.functions", "functions.日本", "functions.a-b_c"});
  }

  Message message() {
    Message out = text_message(static_cast<Role>(pick(5)), content());
    switch (out.role) {
      case Role::kSystem:
      case Role::kDeveloper:
        break;
      case Role::kUser:
        if (pick(3) == 0) out.name = one_of({"alice", "user", "final", "日本"});
        break;
      case Role::kTool:
        out.name = tool();
        if (pick(2) == 0) out.recipient = "assistant";
        if (pick(2) == 0) out.channel = one_of({"commentary", "analysis"});
        break;
      case Role::kAssistant:
        if (pick(4) > 0) out.channel = one_of({"analysis", "commentary", "final"});
        if (pick(2) == 0) {
          out.recipient = pick(8) == 0 ? "user" : tool();
          if (pick(3) > 0) {
            out.content_type = one_of({"json", "code", "<|constrain|>json", "<|constrain|>xml"});
          }
        } else if (pick(4) == 0) {
          out.content_type = one_of({"json", "<|constrain|>json"});
        }
        break;
    }
    return out;
  }

  std::mt19937 random_;
};

TEST(RoundTrip, ParsedAgainAConversationIsTheSame) {
  RandomConversation random(1);
  for (int i = 0; i < 5000; ++i) {
    const Conversation conversation = random.next();
    const auto tokens = tokens_of_conversation(conversation, RenderOptions::Mode::kConversation);
    ParserOptions options;
    options.role.reset();
    Parser parser(o200k(), options);
    EventBuffer events;
    for (const Token t : tokens) ASSERT_TRUE(parser.push(t, events).ok());
    ASSERT_TRUE(parser.finish(events).ok());
    MessageCollector collector;
    collector.add(events);
    EXPECT_EQ(conversation_to_json({collector.messages()}).dump(),
              conversation_to_json(conversation).dump())
        << o200k().decode(tokens);
    for (const auto& note : collector.diagnostics()) {
      EXPECT_EQ(note.diagnostic, Diagnostic::kTypeWithoutRecipient)
          << diagnostic_name(note.diagnostic) << ' ' << o200k().decode(tokens);
    }
    if (HasFailure()) return;
  }
}

// The next prompt repeats the last prompt and the turn, but for the stop token.
TEST(Replay, TheNextPromptBeginsWithWhatTheModelWrote) {
  RandomStream stream(4);
  const GoldenFile goldens("resilient_parse.jsonl");
  int replayed = 0;
  const auto check = [&](std::vector<Token> turn) {
    Conversation conversation;
    conversation.messages.push_back(text_message(Role::kUser, "Hi"));
    const auto prompt = tokens_of_conversation(conversation, RenderOptions::Mode::kCompletion);
    for (Message& message : parse_turn(turn, o200k(), {"shell"})) {
      conversation.messages.push_back(std::move(message));
    }
    if (conversation.messages.size() == 1) return;
    if (conversation.messages.back().sampled.empty()) return;  // cut off within its header
    // The end of the turn may hold stop tokens and white space that belong to no message.
    auto next = tokens_of_conversation(conversation, RenderOptions::Mode::kConversation);
    std::vector<Token> expected = prompt;
    expected.insert(expected.end(), turn.begin(), turn.end());
    ASSERT_GT(next.size(), prompt.size());
    expected.resize(std::min(expected.size(), next.size() - 1));
    const Token last = expected.back();
    if (last == o200k().return_token) return;  // an earlier <|return|> is replaced as well
    next.resize(expected.size());
    for (size_t i = 0; i < next.size(); ++i) {
      if (expected[i] == o200k().return_token) expected[i] = o200k().end;
      if (next[i] == o200k().return_token) next[i] = o200k().end;
    }
    EXPECT_EQ(next, expected) << o200k().decode(turn);
    ++replayed;
  };
  for (const Json& golden : goldens.cases()) {
    if (text_of(*golden.find("input"), "role")) {
      check(tokens_of(*golden.find("input")->find("tokens")));
    }
  }
  for (int i = 0; i < 3000; ++i) check(stream.next());
  EXPECT_GT(replayed, 1000);
}

TEST(Replay, ASampledTurnKeepsItsOwnSpelling) {
  const Format& format = o200k();
  std::vector<Token> turn;
  format.encode_rendered(
      "<|channel|>analysis<|message|>Weather.<|end|><|start|>assistant<|channel|>commentary "
      "to=functions.shell <|constrain|>json<|message|>{\"a\":1}<|call|>",
      turn);
  Conversation conversation;
  conversation.messages.push_back(text_message(Role::kUser, "Hi"));
  for (Message& message : parse_turn(turn, format)) conversation.messages.push_back(message);
  ASSERT_EQ(conversation.messages.size(), 3u);
  EXPECT_EQ(conversation.messages[2].recipient, "functions.shell");
  const auto sampled = tokens_of_conversation(conversation, RenderOptions::Mode::kConversation);
  EXPECT_EQ(format.decode(sampled),
            "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>analysis<|message|>"
            "Weather.<|end|><|start|>assistant<|channel|>commentary to=functions.shell "
            "<|constrain|>json<|message|>{\"a\":1}<|call|>");
  // Without the tokens the recipient moves before the channel.
  for (Message& message : conversation.messages) message.sampled.clear();
  const auto rendered = tokens_of_conversation(conversation, RenderOptions::Mode::kConversation);
  EXPECT_NE(format.decode(rendered).find("assistant to=functions.shell<|channel|>commentary"),
            std::string::npos);
}

}  // namespace
}  // namespace vitalis::harmony
