// SPDX-License-Identifier: Apache-2.0
// What the two OpenAI request shapes share: fields with their places, tools, choices, and the order
// in which parts of a turn become harmony messages. Used by openai_json.cc and responses_json.cc.
// A reader serves one request.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "harmony/openai_json.h"

namespace vitalis::harmony {

class RequestReader {
 public:
  RequestReader(const Json& request, const SystemContent& system)
      : request_(request), system_(system) {}

  // Reads the members that both shapes have, but for messages.
  Status read_settings();
  Status read_effort(const Json* effort, const std::string& where);
  // `format` is {"type": "text" | "json_object" | "json_schema", …}.
  Status read_response_format(const Json* format, const std::string& where);

  // Instructions for the first developer message.
  void instruct(std::string instructions) { instructions_ = std::move(instructions); }
  bool has_instructions() const { return instructions_.has_value(); }

  void add_text(Role role, std::optional<std::string> name, std::string text);
  void add_assistant(std::string_view channel, std::string text);
  // A call; `arguments` is text, or JSON that becomes text.
  Status add_call(const std::string& id, const Json& call, const std::string& where);
  // A result; the tool is found by the call's id, or is the one called last.
  Status add_result(const std::string& id, std::optional<std::string> tool, std::string text,
                    const std::string& where);

  // A string, or an array of text parts. Null and absent are none.
  static Status read_content(const Json* content, const std::string& where,
                             std::optional<std::string>& out);
  static Status read_string(const Json& object, std::string_view name, const std::string& where,
                            std::optional<std::string>& out);

  ChatRequest take();

 private:
  Status read_tools(const Json& tools);
  Status read_tool(const Json& tool, const std::string& where);
  Status read_tool_choice(const Json& choice);
  Status read_builtin_tools(const Json& names);

  const Json& request_;
  SystemContent system_;
  std::optional<std::string> instructions_;
  std::vector<Tool> functions_;
  std::string response_section_;
  std::map<std::string, std::string, std::less<>> called_;  // by call id
  std::string last_called_;
  ChatRequest out_;
};

Status wrong_kind(std::string_view where, std::string_view expected, const Json* found);

}  // namespace vitalis::harmony
