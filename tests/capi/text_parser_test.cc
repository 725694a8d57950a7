// SPDX-License-Identifier: Apache-2.0
// The parser, the renderer, the template and conversations as JSON, through the C interface alone.
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include <vitalis/vitalis.h>

namespace {

using Ids = std::vector<uint32_t>;

std::string text_of(const vitalis_text& text) {
  return {text.data ? text.data : "", text.size};
}

struct Event {
  int32_t kind, channel, complete, role, json;
  uint32_t message, begin, end;
  std::string text, recipient, channel_name, content_type, name, path;
};

class TextParser : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(vitalis_tokenizer_open(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny", nullptr,
                                     &tokenizer),
              VITALIS_OK)
        << vitalis_last_error();
    ASSERT_EQ(vitalis_conversation_create(&conversation), VITALIS_OK);
  }
  void TearDown() override {
    vitalis_tokenizer_release(tokenizer);
    vitalis_conversation_release(conversation);
    vitalis_parser_release(parser);
  }

  // Text that spells control tokens, as tokens.
  Ids encode(std::string_view text) const {
    vitalis_encode_options options = VITALIS_ENCODE_OPTIONS_INIT;
    options.flags = VITALIS_ENCODE_SPECIAL;
    Ids out(text.size());
    size_t count = 0;
    EXPECT_EQ(vitalis_tokenizer_encode(tokenizer, text.data(), text.size(), &options, out.data(),
                                       nullptr, out.size(), &count),
              VITALIS_OK);
    out.resize(count);
    return out;
  }
  std::string decode(const Ids& tokens) const {
    std::string out;
    for (const uint32_t token : tokens) {
      vitalis_text bytes;
      EXPECT_EQ(vitalis_tokenizer_token_bytes(tokenizer, token, &bytes), VITALIS_OK);
      out += text_of(bytes);
    }
    return out;
  }

  void create(const vitalis_parser_options* options = nullptr) {
    vitalis_parser_release(parser);
    ASSERT_EQ(vitalis_parser_create(tokenizer, options, &parser), VITALIS_OK)
        << vitalis_last_error();
  }
  static void take(vitalis_parser* from, std::vector<Event>& events) {
    while (true) {
      vitalis_event e = VITALIS_EVENT_INIT;
      const int32_t status = vitalis_parser_next(from, &e);
      if (status == VITALIS_DONE) return;
      ASSERT_EQ(status, VITALIS_OK) << vitalis_last_error();
      events.push_back({e.kind, e.channel, e.complete, e.role, e.json, e.message, e.token_begin,
                        e.token_end, text_of(e.text), text_of(e.recipient), text_of(e.channel_name),
                        text_of(e.content_type), text_of(e.name), text_of(e.path)});
    }
  }
  static void push(vitalis_parser* into, const Ids& tokens, std::vector<Event>& events) {
    for (const uint32_t token : tokens) {
      ASSERT_EQ(vitalis_parser_push(into, token), VITALIS_OK) << vitalis_last_error();
      take(into, events);
    }
  }
  std::vector<Event> parse(std::string_view text) {
    std::vector<Event> events;
    push(parser, encode(text), events);
    EXPECT_EQ(vitalis_parser_finish(parser), VITALIS_OK);
    take(parser, events);
    return events;
  }

  int32_t load(int32_t form, std::string_view json) {
    return vitalis_conversation_load_json(conversation, form, json.data(), json.size());
  }
  std::string rendered(const vitalis_render_options& options = VITALIS_RENDER_OPTIONS_INIT) const {
    size_t count = 0;
    EXPECT_EQ(vitalis_conversation_render(conversation, tokenizer, &options, nullptr, 0, &count),
              VITALIS_OK)
        << vitalis_last_error();
    Ids out(count);
    EXPECT_EQ(
        vitalis_conversation_render(conversation, tokenizer, &options, out.data(), count, &count),
        VITALIS_OK);
    return decode(out);
  }
  std::string json() const {
    size_t size = 0;
    EXPECT_EQ(vitalis_conversation_to_json(conversation, nullptr, 0, &size), VITALIS_OK);
    std::string out(size, '\0');
    EXPECT_EQ(vitalis_conversation_to_json(conversation, out.data(), size, &size), VITALIS_OK);
    return out;
  }

  vitalis_tokenizer* tokenizer = nullptr;
  vitalis_conversation* conversation = nullptr;
  vitalis_parser* parser = nullptr;
};

const std::string_view kCall =
    "<|channel|>analysis<|message|>Think 🦊.<|end|><|start|>assistant<|channel|>commentary "
    "to=functions.get_weather <|constrain|>json<|message|>"
    R"({"city":"Paris 🦊","days":[1,{"a/b":2}]})"
    "<|call|>";

TEST_F(TextParser, ACallComesWithItsPathsAndState) {
  create();
  const auto events = parse(kCall);
  std::string thought, arguments;
  std::vector<std::pair<std::string, std::string>> values;  // path, text
  int32_t state = VITALIS_JSON_STATE_NONE;
  for (const Event& e : events) {
    if (e.kind == VITALIS_EVENT_TEXT) thought += e.text;
    if (e.kind != VITALIS_EVENT_TOOL_CALL) continue;
    EXPECT_EQ(e.recipient, "functions.get_weather");
    EXPECT_EQ(e.channel, VITALIS_CHANNEL_COMMENTARY);
    EXPECT_EQ(e.content_type, "<|constrain|>json");
    EXPECT_GE(e.json, state);
    state = e.json;
    arguments += e.text;
    if (values.empty() || values.back().first != e.path) values.push_back({e.path, ""});
    values.back().second += e.text;
  }
  EXPECT_EQ(thought, "Think 🦊.");
  EXPECT_EQ(arguments, R"({"city":"Paris 🦊","days":[1,{"a/b":2}]})");
  EXPECT_EQ(state, VITALIS_JSON_STATE_COMPLETE);
  const auto value = [&](std::string_view path) {
    for (const auto& [found, text] : values) {
      if (found == path) return text;
    }
    return std::string("none");
  };
  EXPECT_NE(value("/city").find("Paris 🦊"), std::string::npos) << value("/city");
  EXPECT_EQ(value("/days/0"), "1");
  EXPECT_EQ(value("/days/1/a~1b"), "2");
  EXPECT_EQ(events.back().kind, VITALIS_EVENT_MESSAGE_END);
  EXPECT_EQ(events.back().complete, 1);
  EXPECT_EQ(events.back().json, VITALIS_JSON_STATE_COMPLETE);

  create();
  const auto wrong = parse("<|channel|>commentary to=functions.f<|message|>{]<|call|>");
  EXPECT_EQ(wrong.back().json, VITALIS_JSON_STATE_INVALID);
  create();
  const auto half = parse("<|channel|>commentary to=functions.f<|message|>{\"a\":");
  EXPECT_EQ(half.back().json, VITALIS_JSON_STATE_INCOMPLETE);
  EXPECT_EQ(half.back().complete, 0);
}

TEST_F(TextParser, TextForAPersonOrFromAToolIsNoCall) {
  vitalis_parser_options options = VITALIS_PARSER_OPTIONS_INIT;
  options.from_start = 1;
  for (const int32_t policy : {VITALIS_PARSE_RESILIENT, VITALIS_PARSE_STRICT}) {
    options.policy = policy;
    create(&options);
    const auto events = parse(
        "<|start|>functions.f to=assistant<|channel|>commentary<|message|>{\"a\":1}<|end|>"
        "<|start|>assistant to=user<|channel|>final<|message|>Done.<|end|>");
    std::string tool, answer;
    for (const Event& e : events) {
      EXPECT_NE(e.kind, VITALIS_EVENT_TOOL_CALL);
      if (e.kind != VITALIS_EVENT_TEXT) continue;
      (e.role == VITALIS_ROLE_TOOL ? tool : answer) += e.text;
    }
    EXPECT_EQ(tool, "{\"a\":1}");
    EXPECT_EQ(answer, "Done.");
  }
}

TEST_F(TextParser, TokensAreCoveredWithoutGaps) {
  for (const int32_t policy : {VITALIS_PARSE_RESILIENT, VITALIS_PARSE_STRICT}) {
    vitalis_parser_options options = VITALIS_PARSER_OPTIONS_INIT;
    options.policy = policy;
    create(&options);
    uint32_t covered = 0, messages = 0;
    for (const Event& e : parse(kCall)) {
      if (e.kind == VITALIS_EVENT_MESSAGE_END) {
        EXPECT_EQ(e.begin, covered);
        EXPECT_EQ(e.message, messages++);
        covered = e.end;
      } else {
        EXPECT_GE(e.begin, covered);
      }
      EXPECT_LE(e.begin, e.end);
      EXPECT_LE(e.end, encode(kCall).size());
    }
    EXPECT_EQ(messages, 2u);
    EXPECT_EQ(covered, encode(kCall).size());
  }
}

TEST_F(TextParser, RepairsAreReported) {
  create();
  const auto events = parse(
      "<|channel|>final<|message|>Hello<|start|>assistant<|channel|>final"
      "<|message|>there");
  std::string notes, text;
  for (const Event& e : events) {
    if (e.kind == VITALIS_EVENT_DIAGNOSTIC) notes += e.text + " ";
    if (e.kind == VITALIS_EVENT_TEXT) text += e.text;
  }
  EXPECT_EQ(text, "Hellothere");
  EXPECT_EQ(notes, "missing_end_token truncated ");

  const char* functions[] = {"get_weather"};
  vitalis_parser_options options = VITALIS_PARSER_OPTIONS_INIT;
  options.functions = functions;
  options.function_count = 1;
  create(&options);
  const auto call = parse("<|channel|>commentary to=get_weather<|message|>{}<|call|>");
  EXPECT_EQ(call.back().recipient, "functions.get_weather");
}

TEST_F(TextParser, StrictTellsTheKindOfErrorAndItsToken) {
  vitalis_parser_options options = VITALIS_PARSER_OPTIONS_INIT;
  options.policy = VITALIS_PARSE_STRICT;
  const std::pair<std::string_view, std::string> cases[] = {
      {"<|channel|>final<|message|>Hi<|end|>oops", "expect_start"},
      {"<|channel|>final x y z<|message|>", "header_extra"},
      {"<|channel|><|message|>", "header_no_channel_value"},
      {"<|channel|>final<|message|>Hi<|end|><|start|><|message|>", "header_no_role"},
      {"<|channel|>final<|message|>Hi<|end|><|start|>wizard<|message|>", "header_unknown_role"},
  };
  for (const auto& [text, kind] : cases) {
    create(&options);
    const Ids tokens = encode(text);
    size_t at = 0;
    while (at < tokens.size() && vitalis_parser_push(parser, tokens[at]) == VITALIS_OK) ++at;
    ASSERT_LT(at, tokens.size()) << text;
    EXPECT_EQ(std::string(vitalis_last_error()),
              std::string("token ").append(std::to_string(at)).append(": ").append(kind));
    EXPECT_EQ(vitalis_parser_push(parser, 0) == VITALIS_OK, false);  // it stays usable
  }
  create(&options);
  std::vector<Event> events;
  push(parser, encode("<|channel|>final"), events);
  EXPECT_EQ(vitalis_parser_finish(parser), VITALIS_ERROR_MALFORMED);
  EXPECT_NE(std::string(vitalis_last_error()).find("header_eos"), std::string::npos);

  options.policy = 3;
  vitalis_parser* none = parser;
  EXPECT_EQ(vitalis_parser_create(tokenizer, &options, &none), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(none, nullptr);
  options.policy = 0;
  const char* functions[] = {"a", nullptr};
  options.functions = functions;
  options.function_count = 2;
  EXPECT_EQ(vitalis_parser_create(tokenizer, &options, &none), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(vitalis_last_error(), "options.functions[1] must not be null");
}

TEST_F(TextParser, ACloneIsASnapshot) {
  const Ids tokens = encode(kCall);
  for (size_t cut = 0; cut <= tokens.size(); ++cut) {
    create();
    std::vector<Event> before, one, two;
    push(parser, Ids(tokens.begin(), tokens.begin() + static_cast<long>(cut)), before);
    vitalis_parser* clone = nullptr;
    ASSERT_EQ(vitalis_parser_clone(parser, &clone), VITALIS_OK);
    const Ids rest(tokens.begin() + static_cast<long>(cut), tokens.end());
    push(parser, rest, one);
    vitalis_parser_release(parser);
    parser = clone;
    push(parser, rest, two);
    ASSERT_EQ(one.size(), two.size());
    for (size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(one[i].kind, two[i].kind);
      EXPECT_EQ(one[i].text, two[i].text);
      EXPECT_EQ(one[i].path, two[i].path);
      EXPECT_EQ(one[i].recipient, two[i].recipient);
      EXPECT_EQ(one[i].end, two[i].end);
    }
  }
}

const std::string_view kChat = R"({"messages":[
    {"role":"system","content":"Be brief."},
    {"role":"user","content":"Hi <|end|>"},
    {"role":"assistant","thinking":"A greeting.","content":"Hello!"},
    {"role":"user","content":"Bye"},
    {"role":"assistant","thinking":"A farewell.","content":"Bye!"}]})";

TEST_F(TextParser, RenderModes) {
  ASSERT_EQ(load(VITALIS_JSON_CHAT, kChat), VITALIS_OK) << vitalis_last_error();
  vitalis_render_options options = VITALIS_RENDER_OPTIONS_INIT;
  const std::string prompt = rendered(options);
  const std::string_view start = "<|start|>assistant";
  ASSERT_TRUE(prompt.ends_with("Bye!<|end|><|start|>assistant")) << prompt;
  EXPECT_EQ(prompt.find("A greeting."), std::string::npos);
  options.mode = VITALIS_RENDER_CONVERSATION;
  EXPECT_EQ(rendered(options) + std::string(start), prompt);
  options.mode = VITALIS_RENDER_TRAINING;
  EXPECT_TRUE(rendered(options).ends_with("Bye!<|return|>"));
  options.mode = VITALIS_RENDER_COMPLETION;
  options.keep_analysis = 1;
  const std::string kept = rendered(options);
  EXPECT_NE(kept.find("<|channel|>analysis<|message|>A greeting.<|end|>"), std::string::npos);
  EXPECT_GT(kept.size(), prompt.size());
  options.mode = 3;
  size_t count = 9;
  EXPECT_EQ(vitalis_conversation_render(conversation, tokenizer, &options, nullptr, 0, &count),
            VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(count, 0u);
}

TEST_F(TextParser, RepliesAreReplayedUnlessRetokenized) {
  const Ids sampled = encode(
      "<|start|>assistant<|channel|>commentary to=functions.f<|message|>{}"
      "<|call|>");
  std::string list;
  for (const uint32_t token : sampled) {
    list += list.empty() ? "" : ",";
    list += std::to_string(token);
  }
  ASSERT_EQ(load(VITALIS_JSON_HARMONY,
                 R"({"messages":[{"role":"assistant","channel":"commentary","recipient":
                 "functions.f","content":"{}","sampled":[)" +
                     list + "]}]}"),
            VITALIS_OK)
      << vitalis_last_error();
  vitalis_render_options options = VITALIS_RENDER_OPTIONS_INIT;
  options.mode = VITALIS_RENDER_CONVERSATION;
  EXPECT_EQ(rendered(options), decode(sampled));
  options.retokenize = 1;
  EXPECT_EQ(rendered(options),
            "<|start|>assistant to=functions.f<|channel|>commentary<|message|>{}<|call|>");
}

TEST_F(TextParser, ThreeFormsOfJsonMakeOneConversation) {
  const auto load_fresh = [&](int32_t form, std::string_view json_text) {
    vitalis_conversation_release(conversation);
    EXPECT_EQ(vitalis_conversation_create(&conversation), VITALIS_OK);
    EXPECT_EQ(load(form, json_text), VITALIS_OK) << vitalis_last_error();
    return json();
  };
  const std::string chat =
      load_fresh(VITALIS_JSON_CHAT, R"({"messages":[{"role":"system","content":"Be brief."},
      {"role":"user","content":"Hi"}],"reasoning_effort":"high"})");
  const std::string prompt = rendered();
  EXPECT_NE(prompt.find("Reasoning: high"), std::string::npos);
  EXPECT_EQ(vitalis_conversation_size(conversation), 1u);
  EXPECT_EQ(load_fresh(VITALIS_JSON_RESPONSES, R"({"input":"Hi","instructions":"Be brief.",
      "reasoning":{"effort":"high"}})"),
            chat);
  EXPECT_EQ(load_fresh(VITALIS_JSON_HARMONY, chat), chat);
  EXPECT_EQ(rendered(), prompt);
  EXPECT_EQ(vitalis_conversation_size(conversation), 1u);  // the settings are no messages

  // Settings replace those that were loaded, and messages are added.
  vitalis_system system = VITALIS_SYSTEM_INIT;
  system.reasoning_effort = VITALIS_EFFORT_LOW;
  ASSERT_EQ(vitalis_conversation_set_system(conversation, &system), VITALIS_OK);
  EXPECT_NE(rendered().find("Reasoning: low"), std::string::npos);
  EXPECT_EQ(rendered().find("Reasoning: high"), std::string::npos);
  ASSERT_EQ(load(VITALIS_JSON_HARMONY, chat), VITALIS_OK);
  EXPECT_EQ(vitalis_conversation_size(conversation), 2u);
  ASSERT_EQ(vitalis_conversation_truncate(conversation, 1), VITALIS_OK);
  EXPECT_EQ(json(), chat);

  // What is not at the head stays where it is, and nothing is added.
  const std::string odd =
      R"({"messages":[{"role":"user","content":"Hi"},{"role":"system","content":"x"}]})";
  load_fresh(VITALIS_JSON_HARMONY, odd);
  EXPECT_EQ(vitalis_conversation_size(conversation), 2u);
  EXPECT_EQ(rendered(),
            "<|start|>user<|message|>Hi<|end|><|start|>system<|message|>x<|end|>"
            "<|start|>assistant");
}

TEST_F(TextParser, BadJsonIsToldWithItsPlaceAndChangesNothing) {
  ASSERT_EQ(load(VITALIS_JSON_CHAT, kChat), VITALIS_OK);
  const std::string before = json();
  struct Case {
    int32_t form;
    std::string_view json, place;
  };
  const Case cases[] = {
      {VITALIS_JSON_CHAT, R"({"messages":[{"role":"user","content":"a"},{"role":"bogus"}]})",
       "messages[1].role"},
      {VITALIS_JSON_CHAT,
       R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":"{}"}}]}]})",
       "messages[0].tool_calls[0]"},
      {VITALIS_JSON_CHAT, R"({"messages":[],"tools":[{"type":"function"}]})", "tools[0]"},
      {VITALIS_JSON_RESPONSES, R"({"input":[{"role":"user","content":7}]})", "input[0]"},
      {VITALIS_JSON_HARMONY, R"({"messages":[{"role":"user","content":[{"type":"x"}]}]})",
       "messages[0].content[0]"},
      {VITALIS_JSON_HARMONY, R"([{"role":"user"}])", ""},
      {VITALIS_JSON_CHAT, "{", ""},
      {VITALIS_JSON_CHAT, "", ""},
      {VITALIS_JSON_CHAT, "\xff", "json is not UTF-8"},
      {3, "{}", "form: expected 0 to 2"},
  };
  for (const Case& bad : cases) {
    EXPECT_LT(load(bad.form, bad.json), 0) << bad.json;
    EXPECT_TRUE(std::string_view(vitalis_last_error()).starts_with(bad.place))
        << bad.json << ": " << vitalis_last_error();
    EXPECT_EQ(json(), before);
  }
  const std::string_view tool = R"({"messages":[],"tools":[{"type":"function","function":
      {"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}]})";
  ASSERT_EQ(load(VITALIS_JSON_CHAT, tool), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(load(VITALIS_JSON_CHAT, tool), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(vitalis_last_error(), "tools: there is a tool named f already");
}

// The value of the last member of this name, as it is written.
std::string raw_member(std::string_view line, const std::string& name) {
  const size_t key = line.rfind(std::string("\"").append(name).append("\":"));
  if (key == std::string_view::npos) return "";
  const std::string_view value = line.substr(key + name.size() + 3);
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
      if (!quoted && depth == 0) return std::string(value.substr(0, i + 1));
    } else if (!quoted && (c == '{' || c == '[')) {
      ++depth;
    } else if (!quoted && (c == '}' || c == ']' || (c == ',' && depth == 0))) {
      if (depth <= 1 && c != ',') return std::string(value.substr(0, depth == 1 ? i + 1 : i));
      if (c == ',') return std::string(value.substr(0, i));
      --depth;
    }
  }
  return std::string(value);
}

// A JSON string's text; of \u escapes the goldens have control characters alone.
std::string unquoted(const std::string& json) {
  std::string out;
  for (size_t i = 1; i + 1 < json.size(); ++i) {
    if (json[i] != '\\') {
      out += json[i];
    } else if (json[++i] == 'u') {
      out += static_cast<char>(std::stoi(json.substr(i + 1, 4), nullptr, 16));
      i += 4;
    } else {
      constexpr std::string_view kFrom = "nrtbf", kTo = "\n\r\t\b\f";
      const size_t at = kFrom.find(json[i]);
      out += at == std::string_view::npos ? json[i] : kTo[at];
    }
  }
  return out;
}

TEST(Template, MatchesTheGoldens) {
  std::ifstream file(VITALIS_SOURCE_DIR "/tests/goldens/harmony/chat_jinja_render.jsonl");
  size_t equal = 0, refused = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string settings = raw_member(line, "options");
    if (!raw_member(settings, "builtin_tools").empty()) continue;  // no option of this function
    SCOPED_TRACE(raw_member(line, "conversation").substr(0, 200));
    const std::string request = raw_member(line, "conversation");
    const std::string date = unquoted(raw_member(settings, "current_date"));
    const std::string effort = unquoted(raw_member(settings, "reasoning_effort"));
    const std::string identity = unquoted(raw_member(settings, "model_identity"));
    vitalis_template_options options = VITALIS_TEMPLATE_OPTIONS_INIT;
    options.current_date = date.c_str();
    if (!effort.empty()) options.reasoning_effort = effort.c_str();
    if (!identity.empty()) options.model_identity = identity.c_str();
    options.no_generation_prompt = raw_member(settings, "add_generation_prompt") == "false";
    std::string text(1 << 16, '\0');
    size_t size = 99;
    const int32_t status = vitalis_template_render(request.data(), request.size(), &options,
                                                   text.data(), text.size(), &size);
    if (!raw_member(line, "expected_error").empty()) {
      EXPECT_LT(status, 0);
      EXPECT_EQ(size, 0u);
      ++refused;
      continue;
    }
    ASSERT_EQ(status, VITALIS_OK) << vitalis_last_error();
    EXPECT_EQ(text.substr(0, size), unquoted(raw_member(line, "expected_text")));
    ++equal;
  }
  EXPECT_GE(equal, 40u);
  EXPECT_GE(refused, 5u);
}

}  // namespace
