// SPDX-License-Identifier: Apache-2.0
// What is said in a chat, as the harmony format has it: plain values, copied and compared freely.
// Nothing has a default here: a field that is not set is not rendered. All text is UTF-8 and is
// data: what spells a control token in it stays text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "harmony/json.h"
#include "tokenizer/tokenizer.h"

namespace vitalis::harmony {

enum class Role : uint8_t { kSystem, kDeveloper, kUser, kAssistant, kTool };
std::string_view role_name(Role role);
std::optional<Role> role_named(std::string_view name);

enum class Effort : uint8_t { kLow, kMedium, kHigh };
std::string_view effort_name(Effort effort);
std::optional<Effort> effort_named(std::string_view name);

struct Tool {
  std::string name;  // without the namespace
  std::string description;
  std::optional<Json> parameters;  // a JSON Schema
  friend bool operator==(const Tool&, const Tool&) = default;
};

struct ToolNamespace {
  std::string name;
  std::optional<std::string> description;
  std::vector<Tool> tools;
  friend bool operator==(const ToolNamespace&, const ToolNamespace&) = default;
};

// The tools that the model was trained with; they belong in the system message.
ToolNamespace browser_tools();
ToolNamespace python_tool();

struct SystemContent {
  std::optional<std::string> model_identity;
  std::optional<std::string> knowledge_cutoff;
  std::optional<std::string> current_date;  // the caller's: the library has no clock
  std::optional<Effort> reasoning_effort;
  std::vector<std::string> valid_channels;
  bool channel_required = false;
  std::vector<ToolNamespace> tools;
  friend bool operator==(const SystemContent&, const SystemContent&) = default;
};

// What the model was trained with: the ChatGPT identity, cutoff 2024-06, medium effort, the three
// channels, no date.
SystemContent default_system_content();

struct DeveloperContent {
  std::optional<std::string> instructions;
  std::vector<ToolNamespace> tools;
  friend bool operator==(const DeveloperContent&, const DeveloperContent&) = default;
};

// How instructions tell the model of a response format.
std::string response_section(std::string_view name, const Json& schema);

using Part = std::variant<std::string, SystemContent, DeveloperContent>;

// Whether a message is an assistant's call of a tool: "all", "user" and "assistant" are none.
bool is_call(Role role, const std::optional<std::string>& recipient);

struct Message {
  Role role = Role::kUser;
  std::optional<std::string> name;  // a tool's full name: functions.get_weather
  std::optional<std::string> recipient;
  std::optional<std::string> channel;
  std::optional<std::string> content_type;  // "json", "code", "<|constrain|>json"
  std::vector<Part> parts;
  // The message as the model wrote it, from <|start|> to its stop token. When present, it is
  // rendered in place of the fields, so that the prompt repeats what the KV cache holds. Whoever
  // edits the fields clears it.
  std::vector<Token> sampled;
  // The next message came without an end of this one: none is put between them either.
  bool sampled_open = false;

  // The text parts, joined.
  std::string text() const;
  bool is_call() const { return harmony::is_call(role, recipient); }
  friend bool operator==(const Message&, const Message&) = default;
};

Message text_message(Role role, std::string text);

struct Conversation {
  std::vector<Message> messages;

  // The names of the functions that developer messages declare: what a parser repairs names with.
  std::vector<std::string> function_names() const;
  friend bool operator==(const Conversation&, const Conversation&) = default;
};

}  // namespace vitalis::harmony
