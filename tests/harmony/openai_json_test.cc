// SPDX-License-Identifier: Apache-2.0
// Chat-completions and responses requests to conversations: the goldens' mapping, the same turns in
// both shapes, and where each mistake is reported.
#include "harmony/openai_json.h"

#include <gtest/gtest.h>
#include <map>

#include "golden_file.h"
#include "harmony/harmony_json.h"
#include "harmony/render.h"
#include "o200k.h"

namespace vitalis::harmony {
namespace {

// A golden's conversation and the template's options, as one request.
Json request_of(const Json& golden) {
  Json out = *golden.find("conversation");
  for (const auto& [name, value] : golden.find("options")->members()) out.set(name, value);
  return out;
}

std::vector<Token> tokens_of_request(const ChatRequest& request) {
  RenderOptions options;
  options.mode =
      request.expects_answer ? RenderOptions::Mode::kCompletion : RenderOptions::Mode::kTraining;
  std::vector<Token> out;
  const Status status = render(request.conversation, o200k(), options, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

TEST(ChatJson, MapsAsTheGoldensSay) {
  const GoldenFile chats("chat_jinja_render.jsonl");
  const GoldenFile rendered("chat_harmony_render.jsonl");
  std::map<std::string, const Json*> expected;
  for (const Json& golden : rendered.cases()) expected[golden.find("name")->text()] = &golden;
  int compared = 0;
  for (const Json& golden : chats.cases()) {
    const std::string& name = golden.find("name")->text();
    if (!expected.count(name)) continue;
    const auto request = chat_from_json(request_of(golden), default_system_content());
    ASSERT_TRUE(request.ok()) << name << ": " << request.status().message();
    const Json& twin = *expected[name];
    const std::vector<Token> tokens = tokens_of_request(*request);
    EXPECT_EQ(o200k().decode(tokens), twin.find("expected_text")->text()) << name;
    EXPECT_EQ(tokens, harmony::tokens_of(*twin.find("expected_token_ids"))) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 56);
}

constexpr std::string_view kChat = R"({
  "reasoning_effort": "high", "tool_choice": "required",
  "tools": [{"type": "function", "function": {"name": "f", "description": "d"}}],
  "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
  "messages": [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {"role": "assistant", "content": "Looking.", "reasoning_content": "hm",
     "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "42"}]})";

constexpr std::string_view kResponses = R"({
  "reasoning": {"effort": "high"}, "tool_choice": "required", "instructions": "Be brief.",
  "tools": [{"type": "function", "name": "f", "description": "d"}],
  "text": {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}},
  "input": [
    {"role": "user", "content": [{"type": "input_text", "text": "ab"}]},
    {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}], "summary": []},
    {"type": "message", "role": "assistant", "phase": "commentary",
     "content": [{"type": "output_text", "text": "Looking."}]},
    {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "1", "output": "42"}]})";

TEST(ChatJson, BothShapesGiveTheSameConversation) {
  const auto chat = chat_from_json(kChat, default_system_content());
  const auto responses = responses_from_json(kResponses, default_system_content());
  ASSERT_TRUE(chat.ok()) << chat.status().message();
  ASSERT_TRUE(responses.ok()) << responses.status().message();
  EXPECT_EQ(chat->conversation, responses->conversation);
  EXPECT_EQ(chat->tool_choice->kind, ToolChoice::Kind::kRequired);
  EXPECT_EQ(chat->response_schema, responses->response_schema);
  const Message& developer = chat->conversation.messages[1];
  EXPECT_EQ(std::get<DeveloperContent>(developer.parts[0]).instructions,
            "Be brief.\n\n# Response Formats\n\n## s\n\n{\"type\":\"object\"}");
  EXPECT_EQ(chat->conversation.messages.size(), 7u);
}

TEST(ChatJson, NamesThePlaceOfAMistake) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"messages":7})", "messages: expected an array"},
      {R"({})", "messages: expected an array"},
      {R"({"messages":[1]})", "messages[0]: expected an object"},
      {R"([{"role":"robot","content":"x"}])", "messages[0].role"},
      {R"([{"content":"x"}])", "messages[0].role"},
      {R"([{"role":7}])", "messages[0].role: expected a string"},
      {R"([{"role":"user"}])", "messages[0].content"},
      {R"([{"role":"user","content":[{"type":"image_url"}]}])", "messages[0].content[0].type"},
      {R"([{"role":"user","content":[{"type":"text"}]}])", "messages[0].content[0].text"},
      {R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":7}])",
       "messages[1].tool_calls: expected an array"},
      {R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"function":{}}]}])",
       "messages[1].tool_calls[0].function.name"},
      {R"([{"role":"tool","content":"x"}])", "messages[0]: no call before"},
      {R"([{"role":"tool"}])", "messages[0].content"},
      {R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":"x"}}]})",
       "tools[0].function.parameters: expected an object"},
      {R"({"messages":[],"tools":[{"type":"function","function":{}}]})", "tools[0].function.name"},
      {R"({"messages":[],"tools":[{"type":"web_search"}]})", "tools[0].type"},
      {R"({"messages":[],"tools":{}})", "tools: expected an array"},
      {R"({"messages":[],"tool_choice":"maybe"})", "tool_choice"},
      {R"({"messages":[],"tool_choice":{"type":"function","function":{"name":"g"}}})",
       "tool_choice.function.name"},
      {R"({"messages":[],"reasoning_effort":"minimal"})", "reasoning_effort: expected low"},
      {R"({"messages":[],"response_format":{"type":"xml"}})", "response_format.type"},
      {R"({"messages":[],"builtin_tools":["shell"]})", "builtin_tools[0]"},
      {R"({"messages":[{"role":"user","content":tru}]})", "messages[0].content"},
  };
  for (const auto& [json, place] : cases) {
    const auto request = chat_from_json(std::string_view(json), default_system_content());
    ASSERT_FALSE(request.ok()) << json;
    EXPECT_NE(request.status().message().find(place), std::string::npos)
        << json << "\n"
        << request.status().message();
  }
  const auto deep = std::string(5000, '[');
  EXPECT_FALSE(chat_from_json(deep, default_system_content()).ok());
  EXPECT_FALSE(
      responses_from_json(R"({"input":[{"type":"item_reference"}]})", default_system_content())
          .ok());
}

}  // namespace
}  // namespace vitalis::harmony
