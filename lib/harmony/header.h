// SPDX-License-Identifier: Apache-2.0
// The header of a message, between <|start|> and <|message|>, from tokens to fields: as the
// reference reads it (compatible), or repaired (resilient). Pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harmony/format.h"
#include "harmony/parse.h"

namespace vitalis::harmony {

// The compatible policies: on the joined text. kNone on success.
ParseError parse_compatible_header(const Format& format, std::span<const Token> tokens,
                                   std::optional<Role> role, Header& out);

// Lenient mode at a stop token: the channel, and the other words as text.
ParseError parse_lenient_text(const Format& format, std::span<const Token> tokens,
                              std::optional<std::string>& channel, std::string& text);

// What the resilient policy knows beside the tokens.
struct HeaderContext {
  std::optional<Role> role;  // named by the prompt
  Role fallback = Role::kAssistant;
  bool after_start = false;    // the header began with <|start|>
  bool before_message = true;  // it ends with <|message|>; else its text may be the content
  std::span<const std::string> functions;
};

struct Repair {
  Diagnostic diagnostic;
  TokenSpan tokens;  // within the header
  std::string text;
};

struct RepairedHeader {
  enum class ChannelState : uint8_t { kAbsent, kEmpty, kUnknown, kKnown };
  Header fields;
  ChannelState channel = ChannelState::kAbsent;
  bool marked = false;   // it has <|channel|>, <|constrain|>, a channel's name or a recipient
  std::string leftover;  // text that is part of no field
  std::vector<Repair> repairs;
};

RepairedHeader parse_resilient_header(const Format& format, std::span<const Token> tokens,
                                      const HeaderContext& context);

Channel channel_named(std::string_view name);

}  // namespace vitalis::harmony
