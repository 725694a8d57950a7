// SPDX-License-Identifier: Apache-2.0
// What an assistant's turn may be: reasoning, remarks before calls, calls of the tools that are
// there with arguments of their schemas, the final answer. It begins behind <|start|>assistant.
// Pure functions; any thread.
#pragma once

#include <memory>
#include <optional>

#include "base/status.h"
#include "harmony/conversation.h"
#include "harmony/format.h"
#include "harmony/grammar/token_grammar.h"

namespace vitalis::harmony {

struct ToolChoice {
  enum class Kind : uint8_t {
    kAuto,      // calls or an answer
    kNone,      // an answer
    kRequired,  // a call
    kFunction,  // a call of `function`
    kFree,      // whatever the model says: nothing is held to anything
  } kind = Kind::kAuto;
  std::string function;  // kFunction: its name, without "functions."
  friend bool operator==(const ToolChoice&, const ToolChoice&) = default;
};

// What an answer is held to.
struct Constraint {
  ToolChoice tool_choice;
  std::optional<Json> response_schema;  // of the final message
  friend bool operator==(const Constraint&, const Constraint&) = default;
};

// The tools of a conversation, as far as a turn's grammar depends on them: without descriptions.
struct CallableTools {
  std::vector<ToolNamespace> builtin;   // of system messages: called on analysis
  std::vector<ToolNamespace> declared;  // of developer messages: called on commentary
  bool empty() const { return builtin.empty() && declared.empty(); }
  friend bool operator==(const CallableTools&, const CallableTools&) = default;
};
CallableTools callable_tools(const Conversation& conversation);

// All that a turn's grammar is made of.
struct TurnRules {
  CallableTools tools;
  Constraint constraint;
  friend bool operator==(const TurnRules&, const TurnRules&) = default;
};
// For keeping them in a file. kMalformed for what to_json did not write.
Json to_json(const TurnRules& rules);
Result<TurnRules> turn_rules_from_json(const Json& json);

// Null where there is nothing to hold: no tools and no schema, or kFree. kInvalidArgument: names
// that clash or cannot stand in a header, a choice of a tool that is not there, a schema that
// nothing satisfies. kUnsupported, kMalformed: schemas, with keyword and path.
Result<std::shared_ptr<const grammar::TokenGrammar>> turn_grammar(
    const TurnRules& rules, const Format& format,
    const std::shared_ptr<const grammar::TokenIndex>& index);

// A JSON text that satisfies the schema, and nothing else.
Result<std::shared_ptr<const grammar::TokenGrammar>> json_grammar(
    const Json& schema, const std::shared_ptr<const grammar::TokenIndex>& index);

}  // namespace vitalis::harmony
