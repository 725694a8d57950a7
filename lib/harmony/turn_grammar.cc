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
    // Without a promise about how the turn ends, it may be cut anywhere but in a call.
    may_cut_ = !must_call && !constraint_.response_schema;
    end_ = grammar_.finish();
    if (choice() != Kind::kNone) {
      VITALIS_ASSIGN(builtin_, builtin_calls());
      VITALIS_ASSIGN(calls_, declared_calls());
    }
    if (!must_call) {
      VITALIS_ASSIGN(final_, final_message());
    }
    // Reasoning, a remark, reasoning again, each at most once in a row: a model that may not do
    // what it is about to do would else reason without end.
    const NodeId last = header(kNoNode, kNoNode);
    const NodeId after_remark = header(last, kNoNode);
    const NodeId after_reasoning = header(kNoNode, after_remark);
    grammar_.set_start(header(after_reasoning, after_remark));
    return std::move(grammar_);
  }

 private:
  Kind choice() const { return constraint_.tool_choice.kind; }
  bool chosen(const ToolNamespace& space, const Tool& tool) const {
    return choice() != Kind::kFunction ||
           (space.name == "functions" && tool.name == constraint_.tool_choice.function);
  }

  // From behind <|start|>assistant: what may follow reasoning and a remark, if those are allowed.
  NodeId header(NodeId after_reasoning, NodeId after_remark) {
    if (calls_ == kNoNode) after_remark = kNoNode;
    const NodeId analysis = channel("analysis", after_reasoning, builtin_);
    const NodeId commentary = channel("commentary", after_remark, calls_);
    return cuttable([&] {
      const NodeId any = grammar_.choice(grammar_.choice(analysis, commentary), final_);
      return grammar_.token(format_.channel, any == kNoNode ? grammar_.fail() : any);
    });
  }

  // A free message that `after` follows, or calls; either may be kNoNode. Where there are only
  // calls, whoever begins the name has begun one.
  NodeId channel(std::string_view name, NodeId after, NodeId calls) {
    if (after == kNoNode) return calls == kNoNode ? calls : grammar_.literal(name, calls);
    return cuttable(
        [&] { return grammar_.literal(name, grammar_.choice(free_message(after), calls)); });
  }

  // A text, its end, and the start of the next message.
  NodeId free_message(NodeId next) {
    return cuttable([&] {
      const NodeId start = grammar_.token(format_.start, grammar_.literal("assistant", next));
      return message(text(grammar_.token(format_.end, start)));
    });
  }

  NodeId message(NodeId body) { return grammar_.token(format_.message, body); }

  NodeId text(NodeId next) {
    Leaf any;
    any.kind = Leaf::Kind::kText;
    return grammar_.leaf(std::move(any), next);
  }

  // What `make` makes may be cut, if the turn may.
  template <class Make>
  NodeId cuttable(const Make& make) {
    const size_t before = grammar_.nodes();
    const NodeId out = make();
    if (may_cut_) grammar_.set_may_cut(before);
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
        const NodeId body = message(text(called));
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

  Result<NodeId> final_message() {
    const NodeId stop = grammar_.token(format_.return_token, end_);
    if (constraint_.response_schema) {
      VITALIS_ASSIGN(const RuleId rule,
                     schemas_.compile(*constraint_.response_schema, "response schema"));
      return grammar_.literal("final", message(grammar_.call(rule, stop)));
    }
    const auto free = [&] {
      // Models close a final message either way.
      const NodeId close = grammar_.choice(stop, grammar_.token(format_.end, end_));
      return grammar_.literal("final", message(text(close)));
    };
    return cuttable(free);
  }

  const CallableTools& tools_;
  const Constraint& constraint_;
  const Format& format_;
  Grammar grammar_;
  SchemaCompiler schemas_;
  Json no_arguments_;
  bool may_cut_ = false;
  NodeId end_ = kNoNode;
  // Behind their channel, or kNoNode; `final_` with it.
  NodeId builtin_ = kNoNode, calls_ = kNoNode, final_ = kNoNode;
};

void collect(std::vector<ToolNamespace>& into, const std::vector<ToolNamespace>& from) {
  for (const ToolNamespace& space : from) {
    const auto known = std::find_if(into.begin(), into.end(), [&](const ToolNamespace& other) {
      return other.name == space.name;
    });
    ToolNamespace& to =
        known == into.end() ? into.emplace_back(ToolNamespace{space.name, {}, {}}) : *known;
    for (const Tool& tool : space.tools) to.tools.push_back({tool.name, "", tool.parameters});
  }
}

Json spaces_to_json(const std::vector<ToolNamespace>& spaces) {
  Json out = Json::array();
  for (const ToolNamespace& space : spaces) {
    Json tools = Json::array();
    for (const Tool& tool : space.tools) {
      Json entry = Json::object();
      entry.set("name", Json::string(tool.name));
      if (tool.parameters) entry.set("parameters", *tool.parameters);
      tools.add(std::move(entry));
    }
    Json entry = Json::object();
    entry.set("name", Json::string(space.name));
    entry.set("tools", std::move(tools));
    out.add(std::move(entry));
  }
  return out;
}

Status not_rules() {
  return error(Code::kMalformed, "these are no rules of a turn");
}

Status read_name(const Json& json, std::string& out) {
  const Json* name = json.find("name");
  if (!name || !name->is_string()) return not_rules();
  out = name->text();
  return {};
}

Status read_spaces(const Json* json, std::vector<ToolNamespace>& out) {
  if (!json || !json->is_array()) return not_rules();
  for (const Json& entry : json->items()) {
    ToolNamespace& space = out.emplace_back();
    VITALIS_TRY(read_name(entry, space.name));
    const Json* tools = entry.find("tools");
    if (!tools || !tools->is_array()) return not_rules();
    for (const Json& given : tools->items()) {
      Tool& tool = space.tools.emplace_back();
      VITALIS_TRY(read_name(given, tool.name));
      if (const Json* parameters = given.find("parameters")) tool.parameters = *parameters;
    }
  }
  return {};
}

constexpr std::string_view kKinds[] = {"auto", "none", "required", "function", "free"};

}  // namespace

Json to_json(const TurnRules& rules) {
  Json out = Json::object();
  out.set("builtin", spaces_to_json(rules.tools.builtin));
  out.set("declared", spaces_to_json(rules.tools.declared));
  const ToolChoice& choice = rules.constraint.tool_choice;
  out.set("choice", Json::string(std::string(kKinds[static_cast<size_t>(choice.kind)])));
  out.set("function", Json::string(choice.function));
  if (rules.constraint.response_schema) out.set("schema", *rules.constraint.response_schema);
  return out;
}

Result<TurnRules> turn_rules_from_json(const Json& json) {
  TurnRules out;
  VITALIS_TRY(read_spaces(json.find("builtin"), out.tools.builtin));
  VITALIS_TRY(read_spaces(json.find("declared"), out.tools.declared));
  const Json* choice = json.find("choice");
  const Json* function = json.find("function");
  if (!choice || !choice->is_string() || !function || !function->is_string()) return not_rules();
  const auto kind = std::find(std::begin(kKinds), std::end(kKinds), choice->text());
  if (kind == std::end(kKinds)) return not_rules();
  out.constraint.tool_choice = {static_cast<Kind>(kind - std::begin(kKinds)), function->text()};
  if (const Json* schema = json.find("schema")) out.constraint.response_schema = *schema;
  return out;
}

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
    const TurnRules& rules, const Format& format,
    const std::shared_ptr<const grammar::TokenIndex>& index) {
  const auto& [tools, constraint] = rules;
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
