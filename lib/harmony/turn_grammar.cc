// SPDX-License-Identifier: Apache-2.0
#include "harmony/turn_grammar.h"

#include <algorithm>
#include <set>

#include "harmony/grammar/schema_grammar.h"
#include "harmony/words.h"

namespace vitalis::harmony {
namespace {

using grammar::Grammar;
using grammar::kNoNode;
using grammar::Leaf;
using grammar::NodeId;
using grammar::RuleId;
using grammar::SchemaCompiler;
using Kind = ToolChoice::Kind;

class TurnCompiler {
 public:
  TurnCompiler(const CallableTools& tools, const Constraint& constraint, const Format& format)
      : tools_(tools), constraint_(constraint), format_(format), schemas_(grammar_) {
    no_arguments_ = Json::object();
    no_arguments_.set("type", Json::string("object"));
    no_arguments_.set("additionalProperties", Json::boolean(false));
  }

  Result<Grammar> compile() {
    VITALIS_TRY(check_names());
    const bool must_call = choice() == Kind::kRequired || choice() == Kind::kFunction;
    // Without a promise about how the turn ends, it may be cut anywhere in free text.
    const bool promised = must_call || constraint_.response_schema.has_value();
    end_ = grammar_.finish();
    begin_ = grammar_.placeholder();
    next_ = grammar_.token(format_.end,
                           grammar_.token(format_.start, grammar_.literal("assistant", begin_)));
    NodeId analysis = message(text(next_, !promised));
    NodeId commentary = kNoNode, final = kNoNode;
    if (choice() != Kind::kNone) {
      VITALIS_ASSIGN(const NodeId builtin, builtin_calls());
      analysis = grammar_.choice(analysis, builtin);
      VITALIS_ASSIGN(const NodeId calls, declared_calls());
      const NodeId remark = message(text(next_, !promised));
      if (calls != kNoNode) commentary = grammar_.choice(remark, calls);
    }
    if (!must_call) {
      VITALIS_ASSIGN(const NodeId answer, answer_text());
      final = grammar_.literal("final", message(answer));
    }
    NodeId channel = grammar_.literal("analysis", analysis);
    if (commentary != kNoNode) {
      channel = grammar_.choice(channel, grammar_.literal("commentary", commentary));
    }
    grammar_.replace(begin_, grammar_.token(format_.channel, grammar_.choice(channel, final)));
    grammar_.set_start(begin_);
    return std::move(grammar_);
  }

 private:
  Kind choice() const { return constraint_.tool_choice.kind; }
  bool chosen(const ToolNamespace& space, const Tool& tool) const {
    return choice() != Kind::kFunction ||
           (space.name == "functions" && tool.name == constraint_.tool_choice.function);
  }

  NodeId message(NodeId body) { return grammar_.token(format_.message, body); }

  NodeId text(NodeId next, bool may_cut) {
    Leaf any;
    any.kind = Leaf::Kind::kText;
    const NodeId out = grammar_.leaf(std::move(any), next);
    if (may_cut) grammar_.set_may_cut(out);
    return out;
  }

  // A header is words: what a name holds must not end it.
  static Status check_name(std::string_view name, std::string_view what) {
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return static_cast<unsigned char>(c) > ' ' && c != '<' && c != '\x7f';
    });
    if (plain && first_word(name) == name) return {};
    return error(Code::kInvalidArgument, what, ": the name \"", name,
                 "\" cannot stand in a message's header: it is empty, or has white space or <");
  }

  Status check_names() {
    std::set<std::string> names;
    for (const auto* spaces : {&tools_.builtin, &tools_.declared}) {
      for (const ToolNamespace& space : *spaces) {
        VITALIS_TRY(check_name(space.name, "tool namespace"));
        for (const Tool& tool : space.tools) {
          VITALIS_TRY(check_name(tool.name, "tool"));
          if (names.insert(space.name + '.' + tool.name).second) continue;
          return error(Code::kInvalidArgument, "tools: two are named ", space.name, '.', tool.name);
        }
      }
    }
    if (choice() == Kind::kRequired && tools_.empty()) {
      return error(Code::kInvalidArgument, "tool_choice: a call is required, and there is no tool");
    }
    const std::string& wanted = constraint_.tool_choice.function;
    if (choice() == Kind::kFunction && !names.contains("functions." + wanted)) {
      return error(Code::kInvalidArgument, "tool_choice: there is no tool named \"", wanted, '"');
    }
    return {};
  }

  Result<RuleId> arguments(const ToolNamespace& space, const Tool& tool) {
    const Json& schema = tool.parameters ? *tool.parameters : no_arguments_;
    return schemas_.compile(schema, vitalis::text("parameters of ", space.name, '.', tool.name));
  }

  // commentary to=functions.f <|constrain|>json<|message|>{…}<|call|>
  Result<NodeId> declared_calls() {
    NodeId out = kNoNode;
    for (const ToolNamespace& space : tools_.declared) {
      NodeId names = kNoNode;
      for (const Tool& tool : space.tools) {
        if (!chosen(space, tool)) continue;
        VITALIS_ASSIGN(const RuleId rule, arguments(space, tool));
        const NodeId body = grammar_.call(rule, grammar_.token(format_.call, end_));
        const NodeId type =
            grammar_.token(format_.constrain, grammar_.literal("json", message(body)));
        names = grammar_.choice(names, grammar_.literal(tool.name + ' ', type));
      }
      if (names == kNoNode) continue;
      out = grammar_.choice(out, grammar_.literal(" to=" + space.name + '.', names));
    }
    return out;
  }

  // analysis to=browser.search code<|message|>{…}<|call|>; a namespace without functions takes
  // text.
  Result<NodeId> builtin_calls() {
    NodeId out = kNoNode;
    if (choice() == Kind::kFunction) return out;
    const NodeId called = grammar_.token(format_.call, end_);
    for (const ToolNamespace& space : tools_.builtin) {
      if (space.tools.empty()) {
        const NodeId body = message(text(called, false));
        out = grammar_.choice(out, grammar_.literal(" to=" + space.name + " code", body));
      }
      for (const Tool& tool : space.tools) {
        VITALIS_ASSIGN(const RuleId rule, arguments(space, tool));
        const NodeId body = message(grammar_.call(rule, called));
        out = grammar_.choice(
            out, grammar_.literal(" to=" + space.name + '.' + tool.name + " code", body));
      }
    }
    return out;
  }

  Result<NodeId> answer_text() {
    const NodeId stop = grammar_.token(format_.return_token, end_);
    if (!constraint_.response_schema) {
      // Models close a final message either way.
      return text(grammar_.choice(stop, grammar_.token(format_.end, end_)), true);
    }
    VITALIS_ASSIGN(const RuleId rule,
                   schemas_.compile(*constraint_.response_schema, "response schema"));
    return grammar_.call(rule, stop);
  }

  const CallableTools& tools_;
  const Constraint& constraint_;
  const Format& format_;
  Grammar grammar_;
  SchemaCompiler schemas_;
  Json no_arguments_;
  NodeId begin_ = kNoNode;  // behind <|start|>assistant
  NodeId next_ = kNoNode;   // the end of a message that another one follows
  NodeId end_ = kNoNode;
};

void collect(std::vector<ToolNamespace>& into, const std::vector<ToolNamespace>& from) {
  for (const ToolNamespace& space : from) {
    const auto known = std::find_if(into.begin(), into.end(), [&](const ToolNamespace& other) {
      return other.name == space.name;
    });
    if (known == into.end()) {
      into.push_back(space);
    } else {
      known->tools.insert(known->tools.end(), space.tools.begin(), space.tools.end());
    }
  }
}

}  // namespace

CallableTools callable_tools(const Conversation& conversation) {
  CallableTools out;
  for (const Message& message : conversation.messages) {
    for (const Part& part : message.parts) {
      if (const auto* system = std::get_if<SystemContent>(&part)) {
        collect(out.builtin, system->tools);
      } else if (const auto* developer = std::get_if<DeveloperContent>(&part)) {
        collect(out.declared, developer->tools);
      }
    }
  }
  return out;
}

Result<std::shared_ptr<const grammar::TokenGrammar>> turn_grammar(
    const CallableTools& tools, const Constraint& constraint, const Format& format,
    const std::shared_ptr<const grammar::TokenIndex>& index) {
  std::shared_ptr<const grammar::TokenGrammar> none;
  const Kind kind = constraint.tool_choice.kind;
  if (kind == Kind::kFree) return none;
  const bool calls = kind == Kind::kRequired || kind == Kind::kFunction;
  if (tools.empty() && !constraint.response_schema && !calls) return none;
  VITALIS_ASSIGN(Grammar made, TurnCompiler(tools, constraint, format).compile());
  return std::shared_ptr<const grammar::TokenGrammar>(
      std::make_shared<grammar::TokenGrammar>(std::move(made), index));
}

Result<std::shared_ptr<const grammar::TokenGrammar>> json_grammar(
    const Json& schema, const std::shared_ptr<const grammar::TokenIndex>& index) {
  Grammar grammar;
  SchemaCompiler schemas(grammar);
  VITALIS_ASSIGN(const RuleId rule, schemas.compile(schema, "schema"));
  grammar.set_start(grammar.call(rule, grammar.finish()));
  return std::shared_ptr<const grammar::TokenGrammar>(
      std::make_shared<grammar::TokenGrammar>(std::move(grammar), index));
}

}  // namespace vitalis::harmony
