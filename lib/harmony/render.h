// SPDX-License-Identifier: Apache-2.0
// A conversation to tokens. Each piece that a caller supplies is encoded by itself as plain text,
// so no name, header or content can become a control token. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "harmony/conversation.h"
#include "harmony/format.h"

namespace vitalis::harmony {

struct TokenSpan {
  uint32_t begin = 0, end = 0;  // [begin, end)
  uint32_t size() const { return end - begin; }
  friend bool operator==(const TokenSpan&, const TokenSpan&) = default;
};

struct RenderOptions {
  enum class Mode : uint8_t {
    kCompletion,    // the conversation, and the start of next_role's message
    kConversation,  // the conversation alone
    kTraining,      // a last assistant message on `final` ends with <|return|>
    kMessage,       // the first message alone
  };
  Mode mode = Mode::kCompletion;
  Role next_role = Role::kAssistant;
  // Leave out the reasoning of finished turns: messages on `analysis` before the first `final`, if
  // the last assistant message is on `final`.
  bool auto_drop_analysis = true;
  // kMessage: whether the conversation, which is not given, declares functions.
  bool has_function_tools = false;
  // Use Message::sampled where present.
  bool replay_sampled = true;
};

struct MessageSpan {
  uint32_t message;  // its index in the conversation
  TokenSpan tokens;
  std::vector<TokenSpan> parts;  // one for each part; empty for a replayed message
};

// Appends to `out`, and to `spans` unless it is null (positions count from the start of `out`).
// kInvalidArgument names the message: system content outside a system message, a tool without name.
// On failure `out` is as it was.
Status render(const Conversation& conversation, const Format& format, const RenderOptions& options,
              std::vector<Token>& out, std::vector<MessageSpan>* spans = nullptr);

// The text of system and developer content.
std::string system_text(const SystemContent& content, bool has_function_tools);
std::string developer_text(const DeveloperContent& content);

}  // namespace vitalis::harmony
