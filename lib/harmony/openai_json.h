// SPDX-License-Identifier: Apache-2.0
// Requests in the shape of OpenAI's chat-completions and responses APIs, to conversations.
// Each failure is kInvalidArgument or kMalformed and begins with the place:
// messages[3].tool_calls[0]. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "harmony/conversation.h"
#include "harmony/json.h"
#include "harmony/turn_grammar.h"

namespace vitalis::harmony {

struct ChatRequest {
  Conversation conversation;
  std::optional<ToolChoice> tool_choice;  // none: the request does not say
  // False if the request says "add_generation_prompt": false: the conversation is complete.
  bool expects_answer = true;
  std::optional<Json> response_schema;  // also rendered, as a section of the instructions
};

// A request larger than this is refused before it is read.
inline constexpr size_t kMaxRequestBytes = size_t{256} << 20;

// {"messages": […], "tools": […], "tool_choice", "reasoning_effort", "response_format"}; a bare
// array is taken as messages. Also read: "model_identity", "current_date", "builtin_tools" and a
// message's "thinking" (or "reasoning_content", "reasoning"). Members that say nothing about the
// prompt (model, temperature, …) are left alone. `system` gives what the request does not say.
Result<ChatRequest> chat_from_json(const Json& request, const SystemContent& system);
Result<ChatRequest> chat_from_json(std::string_view request, const SystemContent& system);

// {"input": text or items, "instructions", "tools", "tool_choice", "reasoning": {"effort"}, …}.
Result<ChatRequest> responses_from_json(const Json& request, const SystemContent& system);
Result<ChatRequest> responses_from_json(std::string_view request, const SystemContent& system);

}  // namespace vitalis::harmony
