// SPDX-License-Identifier: Apache-2.0
// Masks against a naive judge, closing in time, forced tokens, turns.
#include <algorithm>
#include <random>
#include <set>

#include "base/utf8.h"
#include "harmony/grammar/held.h"

namespace vitalis::harmony::grammar {
namespace {

const char* const kSchemas[] = {
    R"({"type":"object","properties":{"location":{"type":"string"},"unit":{"enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":1,"maximum":14}},"required":["location"]})",
    R"({"type":"object","properties":{"code":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3,5}$"},"when":{"type":"string","format":"date"}},"required":["code","when"]})",
    R"({"type":"array","items":{"anyOf":[{"type":"string","maxLength":5},{"type":"number"},{"type":"null"}]},"maxItems":5})",
    R"({"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"string","minLength":3}})",
    R"({"type":"string","minLength":10,"maxLength":40})",
    R"({"type":"array","items":{"type":"string","maxLength":70}})",
    R"({"$defs":{"t":{"type":"object","properties":{"v":{"type":"boolean"},"kids":{"type":"array","items":{"$ref":"#/$defs/t"}}},"required":["v"]}},"$ref":"#/$defs/t"})",
    R"({})",
};

// Every token, tried by itself.
Mask naive(const Matcher& matcher, const TokenIndex& index, size_t left) {
  Mask out(index.mask_words());
  const size_t afford = std::max<size_t>(left, matcher.cost()) - 1;
  for (Token t = 0; t < index.tokenizer().size(); ++t) {
    Matcher next = matcher;
    if (next.accept(t) && next.cost() <= afford) allow(out, t);
  }
  return out;
}

size_t bits(const Mask& mask) {
  size_t out = 0;
  for (const uint64_t word : mask) out += static_cast<size_t>(__builtin_popcountll(word));
  return out;
}

Token pick(const Mask& mask, std::mt19937& random) {
  size_t skip = random() % bits(mask);
  for (Token t = 0;; ++t) {
    if (allows(mask, t) && skip-- == 0) return t;
  }
}

// Walks that a sampler might take: at each step the mask is what the naive judge finds.
TEST(Matcher, MasksAreWhatANaiveJudgeFinds) {
  std::mt19937 random(1);
  for (const char* schema : kSchemas) {
    const auto grammar = hold(schema).take();
    Matcher matcher(*grammar);
    Mask mask(o200k_index()->mask_words());
    for (size_t left = 40; !matcher.ended() && !(left == 0 && matcher.done()); --left) {
      matcher.allowed(left, mask);
      if (bits(mask) == 0 && matcher.done()) break;
      ASSERT_GT(bits(mask), 0u);
      // A judge takes its time: now and then, and at the end.
      if (left % 8 == 0 || left < 4) {
        ASSERT_EQ(mask, naive(matcher, *o200k_index(), left)) << schema << " with " << left;
      }
      ASSERT_TRUE(matcher.accept(pick(mask, random)));
    }
  }
}

TEST(Matcher, ClosesBeforeTheTokensRunOut) {
  std::mt19937 random(2);
  for (const char* schema : kSchemas) {
    const auto grammar = hold(schema).take();
    const uint32_t least = Matcher(*grammar).cost();
    for (size_t budget = least; budget < least + 30; ++budget) {
      Matcher matcher(*grammar);
      Mask mask(o200k_index()->mask_words());
      std::string text;
      size_t left = budget;
      for (; !matcher.ended() && !(left == 0 && matcher.done()); --left) {
        ASSERT_GT(left, 0u) << schema << "\n" << text;
        matcher.allowed(left, mask);
        // A number by itself may have come to its end, where in a message a control token follows.
        if (bits(mask) == 0 && matcher.done()) break;
        ASSERT_GT(bits(mask), 0u) << schema << "\n" << text;
        const Token token = pick(mask, random);
        text += o200k_index()->tokenizer().bytes(token);
        ASSERT_TRUE(matcher.accept(token));
      }
      EXPECT_TRUE(Json::parse(text).ok()) << text;
    }
  }
}

TEST(Matcher, TakesTheShortestWayWhereTheTokensDoNotReach) {
  const auto grammar = hold(kSchemas[0]).take();
  Matcher matcher(*grammar);
  Mask mask(o200k_index()->mask_words());
  size_t tokens = 0;
  for (const uint32_t least = matcher.cost(); !matcher.ended(); ++tokens) {
    ASSERT_LE(tokens, least);
    matcher.allowed(1, mask);
    std::mt19937 random(3);
    ASSERT_TRUE(matcher.accept(pick(mask, random)));
  }
}

TEST(Matcher, SettledTokensAreThoseOfAnyContinuation) {
  std::mt19937 random(4);
  const auto& tokenizer = o200k_index()->tokenizer();
  const std::string text =
      R"({"location":"San Francisco, CA","unit":"celsius","temperature_unit":12345, "zwölf": ["straße"]} commentary to=functions.get_weather  for    (i = 0;  i <)";
  for (int i = 0; i < 2000; ++i) {
    const size_t begin = random() % text.size(), end = begin + 1 + random() % (text.size() - begin);
    const std::string part = text.substr(begin, end - begin);
    std::vector<Token> whole;
    const std::string_view rest =
        i % 2 ? std::string_view(text).substr(end) : tokenizer.bytes(random() % 199998);
    tokenizer.encode(part + std::string(rest), whole);
    const std::vector<Token> settled = settled_tokens(part, *o200k_index());
    if (utf8::valid_prefix(part) != part.size()) continue;
    ASSERT_LE(settled.size(), whole.size());
    EXPECT_TRUE(std::equal(settled.begin(), settled.end(), whole.begin())) << part << "|" << rest;
  }
}

CallableTools tools(int count) {
  CallableTools out;
  out.declared.push_back({"functions", {}, {}});
  for (int i = 0; i < count; ++i) {
    out.declared[0].tools.push_back({"tool_" + std::to_string(i), "", json(kSchemas[i % 4])});
  }
  return out;
}

Result<std::shared_ptr<const TokenGrammar>> turn(const CallableTools& given, ToolChoice choice,
                                                 std::optional<Json> schema = {}) {
  return turn_grammar({given, {std::move(choice), std::move(schema)}}, o200k(), o200k_index());
}

bool takes(Matcher& matcher, std::string_view rendered) {
  std::vector<Token> tokens;
  o200k().encode_rendered(rendered, tokens);
  return std::all_of(tokens.begin(), tokens.end(), [&](Token t) { return matcher.accept(t); });
}

bool is_turn(const TokenGrammar& grammar, std::string_view rendered) {
  Matcher matcher(grammar);
  return takes(matcher, rendered) && matcher.done();
}

using Kind = ToolChoice::Kind;
constexpr const char* kThink = "<|channel|>analysis<|message|>Hm. {\"<|end|><|start|>assistant";
constexpr const char* kCall =
    "<|channel|>commentary to=functions.tool_0 "
    "<|constrain|>json<|message|>{\"location\":\"Paris\"}<|call|>";
constexpr const char* kFinal = "<|channel|>final<|message|>Hello.<|return|>";

TEST(TurnGrammar, HoldsTurnsByChoice) {
  const std::string think = kThink;
  const std::string remark = "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant";
  const auto automatic = turn(tools(2), {}).take();
  EXPECT_TRUE(is_turn(*automatic, kFinal));
  EXPECT_TRUE(is_turn(*automatic, think + kFinal));
  EXPECT_TRUE(is_turn(*automatic, kCall));
  EXPECT_TRUE(is_turn(*automatic, think + remark + think + kCall));
  EXPECT_TRUE(is_turn(*automatic, "<|channel|>final<|message|>Hello.<|end|>"));
  EXPECT_FALSE(
      is_turn(*automatic,
              "<|channel|>commentary to=functions.other <|constrain|>json<|message|>{}<|call|>"));
  EXPECT_FALSE(
      is_turn(*automatic,
              "<|channel|>commentary to=functions.tool_0 <|constrain|>json<|message|>{}<|call|>"));
  EXPECT_FALSE(is_turn(*automatic, "<|channel|>comment<|message|>x<|end|>"));
  EXPECT_FALSE(is_turn(*automatic, "<|message|>x<|return|>"));
  EXPECT_FALSE(is_turn(*automatic, think + think + kFinal));
  EXPECT_FALSE(is_turn(*automatic, think + "<|channel|>analysis<|message|>x<|return|>"));

  const auto none = turn(tools(2), {Kind::kNone, ""}).take();
  EXPECT_TRUE(is_turn(*none, think + kFinal));
  EXPECT_FALSE(is_turn(*none, kCall));
  EXPECT_FALSE(is_turn(*none, remark + kFinal));

  const auto required = turn(tools(2), {Kind::kRequired, ""}).take();
  EXPECT_TRUE(is_turn(*required, think + kCall));
  EXPECT_FALSE(is_turn(*required, kFinal));

  const auto named = turn(tools(2), {Kind::kFunction, "tool_1"}).take();
  EXPECT_FALSE(is_turn(*named, kCall));
  EXPECT_TRUE(is_turn(*named,
                      "<|channel|>commentary to=functions.tool_1 <|constrain|>json<|message|>"
                      "{\"code\":\"AB-123\",\"when\":\"2024-01-01\"}<|call|>"));

  const auto schema =
      turn({}, {}, json(R"({"type":"object","properties":{"x":{"type":"integer"}}})")).take();
  EXPECT_TRUE(is_turn(*schema, think + "<|channel|>final<|message|>{\"x\":1}<|return|>"));
  EXPECT_FALSE(is_turn(*schema, kFinal));

  EXPECT_EQ(turn({}, {}).take(), nullptr);
  EXPECT_EQ(turn(tools(1), {Kind::kFree, ""}).take(), nullptr);
}

TEST(TurnGrammar, CallsBuiltinToolsAsTheModelDoes) {
  CallableTools given;
  given.builtin = {browser_tools(), python_tool()};
  const auto grammar = turn(given, {}).take();
  EXPECT_TRUE(is_turn(
      *grammar, "<|channel|>analysis to=browser.search code<|message|>{\"query\":\"x\"}<|call|>"));
  EXPECT_TRUE(is_turn(*grammar, "<|channel|>analysis to=python code<|message|>print(1)<|call|>"));
  EXPECT_FALSE(
      is_turn(*grammar, "<|channel|>analysis to=browser.search code<|message|>{}<|call|>"));
}

TEST(TurnGrammar, RefusesNamesAndChoicesThatCannotBe) {
  const auto message = [](const CallableTools& given, ToolChoice choice) {
    const auto made = turn(given, std::move(choice));
    EXPECT_FALSE(made.ok());
    return made.ok() ? "" : made.status().message();
  };
  CallableTools twice = tools(2);
  twice.declared[0].tools[1].name = "tool_0";
  EXPECT_EQ(message(twice, {}), "tools: two are named functions.tool_0");
  CallableTools spaced = tools(1);
  spaced.declared[0].tools[0].name = "a b";
  EXPECT_NE(message(spaced, {}).find("the name \"a b\" cannot stand"), std::string::npos);
  EXPECT_EQ(message({}, {Kind::kRequired, ""}),
            "tool_choice: a call is required, and there is no tool");
  EXPECT_EQ(message(tools(1), {Kind::kFunction, "f"}), "tool_choice: there is no tool named \"f\"");
  CallableTools bad = tools(1);
  bad.declared[0].tools[0].parameters = json(R"({"type":"object","properties":{"a":{"not":{}}}})");
  EXPECT_EQ(message(bad, {}),
            "parameters of functions.tool_0/properties/a/not: this keyword cannot be held");
}

// The header of the one tool that may be called has no choice in it.
TEST(TurnGrammar, ForcesWhatHasNoChoice) {
  const auto grammar = turn(tools(1), {Kind::kRequired, ""}).take();
  Matcher matcher(*grammar);
  std::vector<Token> forced;
  matcher.take_forced(1000, forced);
  EXPECT_EQ(o200k().decode(forced), "<|channel|>");
  ASSERT_TRUE(takes(matcher, "commentary to"));
  forced.clear();
  matcher.take_forced(1000, forced);
  EXPECT_EQ(o200k().decode(forced), "=functions.tool_0 <|constrain|>json<|message|>");
  ASSERT_TRUE(takes(matcher, R"({"location":"Paris"})"));
  forced.clear();
  matcher.take_forced(1000, forced);
  EXPECT_EQ(o200k().decode(forced), "<|call|>");
  EXPECT_TRUE(matcher.ended());
}

// With a call to make, reasoning ends in time; free answers are cut wherever the tokens end.
TEST(TurnGrammar, EndsReasoningInTime) {
  std::mt19937 random(5);
  for (const bool required : {true, false}) {
    const auto grammar = turn(tools(3), {required ? Kind::kRequired : Kind::kAuto, ""}).take();
    Matcher matcher(*grammar);
    ASSERT_TRUE(takes(matcher, "<|channel|>analysis<|message|>"));
    Mask mask(o200k_index()->mask_words());
    const uint32_t cost = matcher.cost();
    EXPECT_EQ(cost > 0, required);
    matcher.allowed(cost + 1, mask);
    EXPECT_TRUE(allows(mask, 1000));
    matcher.allowed(std::max(1u, cost), mask);
    EXPECT_EQ(allows(mask, 1000), !required);
    for (size_t left = cost + 5; required && !matcher.ended(); --left) {
      ASSERT_GT(left, 0u);
      matcher.allowed(left, mask);
      ASSERT_TRUE(matcher.accept(pick(mask, random)));
    }
  }
}

}  // namespace
}  // namespace vitalis::harmony::grammar
