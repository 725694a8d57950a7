// SPDX-License-Identifier: Apache-2.0
// What must hold for every stream: nothing is refused, nothing is lost, no control token gets into
// a name or a text, spans leave no gap; a copy of a parser goes on like the original.
#include <gtest/gtest.h>

#include "golden_file.h"
#include "harmony/harmony_json.h"
#include "harmony/parse.h"
#include "random_stream.h"

namespace vitalis::harmony {
namespace {

struct Outcome {
  std::vector<Message> messages;
  std::vector<TokenSpan> spans;
  std::string everything;  // all texts, fields and diagnostics
};

Outcome parse_all(const std::vector<Token>& tokens, const ParserOptions& options) {
  Parser parser(o200k(), options);
  EventBuffer events;
  MessageCollector collector;
  for (const Token t : tokens) {
    events.clear();
    EXPECT_TRUE(parser.push(t, events).ok());
    collector.add(events);
  }
  events.clear();
  EXPECT_TRUE(parser.finish(events).ok());
  collector.add(events);
  EXPECT_FALSE(collector.open());
  EXPECT_EQ(parser.state(), Parser::State::kExpectStart);
  Outcome out{collector.messages(), collector.spans(), {}};
  for (const Message& message : out.messages) {
    out.everything += message_to_json(message).dump() + "\n";
  }
  for (const auto& note : collector.diagnostics()) out.everything += note.text + "\n";
  return out;
}

ParserOptions random_options(RandomStream& stream) {
  ParserOptions options;
  if (stream.pick(3) == 0) options.role.reset();
  if (stream.pick(2) == 0) options.functions = {"shell", "get_weather"};
  return options;
}

void check_outcome(const std::vector<Token>& tokens, const Outcome& outcome) {
  EXPECT_EQ(outcome.messages.size(), outcome.spans.size());
  uint32_t end = 0;
  for (const TokenSpan& span : outcome.spans) {
    EXPECT_EQ(span.begin, end);
    end = span.end;
  }
  EXPECT_LE(end, tokens.size());
  constexpr std::string_view kMarkup = "<|";
  for (const Message& message : outcome.messages) {
    for (const auto& field : {message.name, message.recipient, message.channel}) {
      EXPECT_EQ(field.value_or("").find(kMarkup), std::string::npos) << *field;
    }
    std::string type = message.content_type.value_or("");
    if (type.starts_with("<|constrain|>")) type.erase(0, 13);
    EXPECT_EQ(type.find(kMarkup), std::string::npos) << type;
  }
}

TEST(ParseProperty, RandomStreamsLoseNothing) {
  RandomStream stream(1);
  for (int i = 0; i < 20000; ++i) {
    const std::vector<Token> tokens = stream.next();
    const Outcome outcome = parse_all(tokens, random_options(stream));
    check_outcome(tokens, outcome);
    for (const Message& message : outcome.messages) {
      EXPECT_EQ(message.text().find("<|"), std::string::npos) << o200k().decode(tokens);
    }
    for (const std::string& word : stream.words()) {
      EXPECT_NE(outcome.everything.find(word), std::string::npos)
          << word << " of " << o200k().decode(tokens) << "\n"
          << outcome.everything;
    }
    if (HasFailure()) return;
  }
}

TEST(ParseProperty, MutatedGoldensAreNeverRefused) {
  RandomStream stream(2);
  for (const char* file : {"parse.jsonl", "parse_fuzz.jsonl", "resilient_parse.jsonl"}) {
    const GoldenFile goldens(file);
    for (const Json& golden : goldens.cases()) {
      const auto original = tokens_of(*golden.find("input")->find("tokens"));
      for (int i = 0; i < 20; ++i) {
        std::vector<Token> tokens = original;
        for (size_t edits = stream.pick(4); edits > 0 && !tokens.empty(); --edits) {
          const size_t at = stream.pick(tokens.size());
          const Token other = original[stream.pick(original.size())];
          switch (stream.pick(3)) {
            case 0:
              tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at));
              break;
            case 1:
              tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(at), other);
              break;
            default:
              tokens[at] = other;
          }
        }
        check_outcome(tokens, parse_all(tokens, random_options(stream)));
        for (const Policy policy : {Policy::kStrict, Policy::kLenient}) {
          ParserOptions options;
          options.policy = policy;
          Parser parser(o200k(), options);
          EventBuffer events;
          // An error is allowed, and so is going on after it.
          for (const Token t : tokens) (void)parser.push(t, events);
          (void)parser.finish(events);
        }
      }
    }
  }
}

std::string describe(const EventBuffer& buffer) {
  std::string out;
  for (const Event& e : buffer.events()) {
    out += text(static_cast<int>(e.kind), ' ', e.message, ' ', e.tokens.begin, '-', e.tokens.end,
                ' ', static_cast<int>(e.channel), ' ', static_cast<int>(e.json), ' ',
                buffer.view(e.text), '|', buffer.view(e.path), '|', buffer.view(e.recipient), '\n');
  }
  return out;
}

// Time and stack must not grow faster than the stream.
TEST(ParseProperty, LongMonotoneStreamsEnd) {
  const Format& format = o200k();
  std::vector<std::vector<Token>> units;
  for (const char* unit : {"assistant", "<|start|>", "<|channel|>", "<|constrain|>", "<|end|>",
                           "<|channel|>final", " to=f", "<|channel|>x to=", "a ", "commentary", "{",
                           "<|message|>", "<|start|>assistant<|channel|>"}) {
    format.encode_rendered(unit, units.emplace_back());
  }
  units.push_back({250000});
  units.push_back({9552});
  for (const auto& unit : units) {
    for (const std::string_view prefix :
         {"", "<|start|>", "<|channel|>commentary to=functions.f<|message|>"}) {
      std::vector<Token> tokens;
      format.encode_rendered(prefix, tokens);
      while (tokens.size() < 100000) tokens.insert(tokens.end(), unit.begin(), unit.end());
      ParserOptions options;
      if (prefix.starts_with("<|start|>")) options.role.reset();
      options.functions = {"f"};
      check_outcome(tokens, parse_all(tokens, options));
    }
  }
}

TEST(ParseProperty, ACopyGoesOnLikeTheOriginal) {
  RandomStream stream(3);
  for (int i = 0; i < 2000; ++i) {
    const std::vector<Token> tokens = stream.next();
    ParserOptions options = random_options(stream);
    options.policy = static_cast<Policy>(stream.pick(3));
    Parser original(o200k(), options);
    EventBuffer ignored;
    const size_t cut = stream.pick(tokens.size() + 1);
    for (size_t t = 0; t < cut; ++t) (void)original.push(tokens[t], ignored);
    Parser copy = original;
    EventBuffer first;
    EventBuffer second;
    for (size_t t = cut; t < tokens.size(); ++t) (void)original.push(tokens[t], first);
    (void)original.finish(first);
    for (size_t t = cut; t < tokens.size(); ++t) (void)copy.push(tokens[t], second);
    (void)copy.finish(second);
    EXPECT_EQ(describe(first), describe(second));
  }
}

}  // namespace
}  // namespace vitalis::harmony
