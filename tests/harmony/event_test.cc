// SPDX-License-Identifier: Apache-2.0
// The events of a turn as a host sees them, and the spans of a prompt.
#include <gtest/gtest.h>

#include "golden_file.h"
#include "harmony/harmony_json.h"
#include "harmony/parse.h"
#include "harmony/render.h"
#include "o200k.h"

namespace vitalis::harmony {
namespace {

std::string describe(const EventBuffer& buffer) {
  std::string out;
  for (const Event& e : buffer.events()) {
    const std::string span = text(" [", e.tokens.begin, ",", e.tokens.end, ")\n");
    switch (e.kind) {
      case Event::Kind::kMessageBegin:
        out += text("begin ", role_name(e.role), " ", buffer.view(e.channel_name), span);
        break;
      case Event::Kind::kTextDelta:
        out += text("text ", buffer.view(e.text), span);
        break;
      case Event::Kind::kCallBegin:
        out += text("call ", buffer.view(e.recipient), " ", buffer.view(e.content_type), span);
        break;
      case Event::Kind::kArgumentsDelta:
        out += text("arguments ", buffer.view(e.path), " ", buffer.view(e.text), span);
        break;
      case Event::Kind::kMessageEnd:
        out += text("end ", e.complete ? "complete" : "open", " ", static_cast<int>(e.json), span);
        break;
      case Event::Kind::kDiagnostic:
        out += text("note ", diagnostic_name(e.diagnostic), " ", buffer.view(e.text), span);
        break;
    }
  }
  return out;
}

std::string events_of(std::string_view rendered) {
  std::vector<Token> tokens;
  o200k().encode_rendered(rendered, tokens);
  Parser parser(o200k(), {});
  EventBuffer events;
  for (const Token t : tokens) EXPECT_TRUE(parser.push(t, events).ok());
  EXPECT_TRUE(parser.finish(events).ok());
  return describe(events);
}

TEST(Event, ACallComesWithPathsAndSpans) {
  EXPECT_EQ(events_of("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>"
                      "commentary to=functions.f <|constrain|>json<|message|>{\"a\":1}<|call|>"),
            "begin assistant analysis [0,3)\n"
            "text Hm [3,4)\n"
            "text . [4,5)\n"
            "end complete 0 [0,6)\n"
            "begin assistant commentary [6,19)\n"
            "call functions.f <|constrain|>json [6,19)\n"
            "arguments  {\" [19,20)\n"
            "arguments  a [20,21)\n"
            "arguments  \": [21,22)\n"
            "arguments /a 1 [22,23)\n"
            "arguments  } [23,24)\n"
            "end complete 2 [6,25)\n");
}

TEST(Event, ACutCallIsGivenAsFarAsItGoes) {
  EXPECT_EQ(events_of("<|channel|>commentary to=functions.f<|message|>{\"a"),
            "begin assistant commentary [0,8)\n"
            "call functions.f  [0,8)\n"
            "arguments  {\" [8,9)\n"
            "arguments  a [9,10)\n"
            "note truncated  [10,10)\n"
            "end open 1 [0,10)\n");
}

TEST(Event, ADeltaHoldsWholeCharacters) {
  std::vector<Token> tokens;
  o200k().encode_rendered(
      "<|channel|>final<|message|>👩‍👩‍👧‍👦 ☃ 🏳️‍🌈<|return|>", tokens);
  Parser parser(o200k(), {});
  std::string joined;
  for (const Token t : tokens) {
    EventBuffer events;
    ASSERT_TRUE(parser.push(t, events).ok());
    for (const Event& e : events.events()) {
      if (e.kind != Event::Kind::kTextDelta) continue;
      EXPECT_TRUE(utf8::is_valid(events.view(e.text)));
      EXPECT_FALSE(events.view(e.text).empty());
      joined += events.view(e.text);
    }
  }
  EXPECT_EQ(joined, "👩‍👩‍👧‍👦 ☃ 🏳️‍🌈");
}

TEST(Event, AControlTokenInATextIsReportedAndLeftOut) {
  EXPECT_EQ(events_of("<|channel|>final<|message|>a<|endoftext|>b<|return|>"),
            "begin assistant final [0,3)\n"
            "text a [3,4)\n"
            "note control_token <|endoftext|> [4,5)\n"
            "text b [5,6)\n"
            "end complete 0 [0,7)\n");
}

TEST(Event, AChannelMarkerInATextBeginsTheNextMessage) {
  EXPECT_EQ(events_of("<|channel|>analysis<|message|>a<|channel|>final<|message|>b<|return|>"),
            "begin assistant analysis [0,3)\n"
            "text a [3,4)\n"
            "note missing_end_token  [4,5)\n"
            "end open 0 [0,4)\n"
            "note missing_start_token  [4,6)\n"
            "begin assistant final [4,7)\n"
            "text b [7,8)\n"
            "end complete 0 [4,9)\n");
}

// A host may look at the events after any number of tokens.
TEST(Event, BufferSizesMakeNoDifference) {
  const GoldenFile goldens("parse.jsonl");
  for (const Json& golden : goldens.cases()) {
    const auto tokens = tokens_of(*golden.find("input")->find("tokens"));
    std::string first;
    for (const size_t chunk : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, tokens.size() + 1}) {
      Parser parser(o200k(), {});
      MessageCollector collector;
      EventBuffer events;
      for (size_t i = 0; i < tokens.size(); ++i) {
        ASSERT_TRUE(parser.push(tokens[i], events).ok());
        if (i % chunk != chunk - 1) continue;
        collector.add(events);
        events.clear();
      }
      ASSERT_TRUE(parser.finish(events).ok());
      collector.add(events);
      const std::string dump = conversation_to_json({collector.messages()}).dump();
      if (chunk == 1) first = dump;
      EXPECT_EQ(dump, first) << golden.find("name")->text() << " by " << chunk;
    }
  }
}

TEST(Span, PartsOfAPromptAreWhereTheSpansSay) {
  Conversation conversation;
  conversation.messages.push_back(text_message(Role::kUser, "one"));
  conversation.messages.back().parts.emplace_back(" two");
  conversation.messages.push_back(text_message(Role::kAssistant, "{}"));
  conversation.messages.back().recipient = "functions.f";
  std::vector<Token> tokens = {1, 2, 3};  // positions count from where the prompt begins
  std::vector<MessageSpan> spans;
  ASSERT_TRUE(render(conversation, o200k(), {}, tokens, &spans).ok());
  const auto text_at = [&](TokenSpan span) {
    return o200k().decode({tokens.begin() + 3 + span.begin, tokens.begin() + 3 + span.end});
  };
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(text_at(spans[0].tokens), "<|start|>user<|message|>one two<|end|>");
  EXPECT_EQ(text_at(spans[0].parts[0]), "one");
  EXPECT_EQ(text_at(spans[0].parts[1]), " two");
  EXPECT_EQ(text_at(spans[1].tokens), "<|start|>assistant to=functions.f<|message|>{}<|call|>");
  EXPECT_EQ(text_at(spans[1].parts[0]), "{}");
}

}  // namespace
}  // namespace vitalis::harmony
