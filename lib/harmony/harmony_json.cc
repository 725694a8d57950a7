// SPDX-License-Identifier: Apache-2.0
#include "harmony/harmony_json.h"

#include <limits>

namespace vitalis::harmony {
namespace {

// Readers of one kind of value each. `where` is its place, for messages.

Status wrong_kind(std::string_view where, std::string_view expected, const Json& found) {
  return error(Code::kInvalidArgument, where, ": expected ", expected, ", found ",
               kind_name(found.kind()));
}

Status read_text(const Json& json, const std::string& where, std::string& out) {
  if (!json.is_string()) return wrong_kind(where, "a string", json);
  out = json.text();
  return {};
}

Status read_text(const Json& object, std::string_view name, const std::string& where,
                 std::optional<std::string>& out) {
  const Json* found = object.find(name);
  if (!found || found->is_null()) return {};
  return read_text(*found, text(where, ".", name), out.emplace());
}

Status read_flag(const Json& object, std::string_view name, const std::string& where, bool& out) {
  const Json* found = object.find(name);
  if (!found || found->is_null()) return {};
  if (!found->is_boolean()) return wrong_kind(text(where, ".", name), "a boolean", *found);
  out = found->truth();
  return {};
}

Status read_tool(const Json& json, const std::string& where, Tool& out) {
  if (!json.is_object()) return wrong_kind(where, "an object", json);
  const Json* name = json.find("name");
  if (!name) return error(Code::kInvalidArgument, where, ": a tool needs a \"name\"");
  VITALIS_TRY(read_text(*name, where + ".name", out.name));
  std::optional<std::string> description;
  VITALIS_TRY(read_text(json, "description", where, description));
  out.description = description.value_or("");
  if (const Json* parameters = json.find("parameters"); parameters && !parameters->is_null()) {
    out.parameters = *parameters;
  }
  return {};
}

Status read_namespace(const Json& json, const std::string& where, ToolNamespace& out) {
  if (!json.is_object()) return wrong_kind(where, "an object", json);
  if (const Json* builtin = json.find("builtin")) {
    std::string name;
    VITALIS_TRY(read_text(*builtin, where + ".builtin", name));
    if (name != "browser" && name != "python") {
      return error(Code::kInvalidArgument, where,
                   ".builtin: expected \"browser\" or \"python\", found \"", name, "\"");
    }
    out = name == "browser" ? browser_tools() : python_tool();
    return {};
  }
  const Json* name = json.find("name");
  if (!name) return error(Code::kInvalidArgument, where, ": a namespace needs a \"name\"");
  VITALIS_TRY(read_text(*name, where + ".name", out.name));
  VITALIS_TRY(read_text(json, "description", where, out.description));
  const Json* tools = json.find("tools");
  if (!tools || tools->is_null()) return {};
  if (!tools->is_array()) return wrong_kind(where + ".tools", "an array", *tools);
  for (size_t i = 0; i < tools->items().size(); ++i) {
    VITALIS_TRY(
        read_tool(tools->items()[i], text(where, ".tools[", i, "]"), out.tools.emplace_back()));
  }
  return {};
}

Status read_namespaces(const Json& json, const std::string& where,
                       std::vector<ToolNamespace>& out) {
  const Json* tools = json.find("tools");
  if (!tools || tools->is_null()) return {};
  if (!tools->is_array()) return wrong_kind(where + ".tools", "an array", *tools);
  for (size_t i = 0; i < tools->items().size(); ++i) {
    VITALIS_TRY(
        read_namespace(tools->items()[i], text(where, ".tools[", i, "]"), out.emplace_back()));
  }
  return {};
}

Status read_system(const Json& json, const std::string& where, SystemContent& out) {
  VITALIS_TRY(read_text(json, "model_identity", where, out.model_identity));
  VITALIS_TRY(read_text(json, "knowledge_cutoff", where, out.knowledge_cutoff));
  VITALIS_TRY(read_text(json, "current_date", where, out.current_date));
  std::optional<std::string> effort;
  VITALIS_TRY(read_text(json, "reasoning_effort", where, effort));
  if (effort) {
    out.reasoning_effort = effort_named(*effort);
    if (!out.reasoning_effort) {
      return error(Code::kInvalidArgument, where,
                   ".reasoning_effort: expected low, medium or high, found \"", *effort, "\"");
    }
  }
  if (const Json* channels = json.find("valid_channels"); channels && !channels->is_null()) {
    if (!channels->is_array()) return wrong_kind(where + ".valid_channels", "an array", *channels);
    for (size_t i = 0; i < channels->items().size(); ++i) {
      VITALIS_TRY(read_text(channels->items()[i], text(where, ".valid_channels[", i, "]"),
                            out.valid_channels.emplace_back()));
    }
  }
  VITALIS_TRY(read_flag(json, "channel_required", where, out.channel_required));
  return read_namespaces(json, where, out.tools);
}

Status read_part(const Json& json, const std::string& where, Part& out) {
  if (!json.is_object()) return wrong_kind(where, "an object", json);
  std::optional<std::string> type;
  VITALIS_TRY(read_text(json, "type", where, type));
  if (type == "text") {
    const Json* content = json.find("text");
    if (!content) return error(Code::kInvalidArgument, where, ": a text part needs a \"text\"");
    return read_text(*content, where + ".text", out.emplace<std::string>());
  }
  if (type == "system") return read_system(json, where, out.emplace<SystemContent>());
  if (type == "developer") {
    auto& content = out.emplace<DeveloperContent>();
    VITALIS_TRY(read_text(json, "instructions", where, content.instructions));
    return read_namespaces(json, where, content.tools);
  }
  return error(Code::kInvalidArgument, where, ".type: expected text, system or developer, found ",
               type ? text("\"", *type, "\"") : "none");
}

Status read_tokens(const Json& json, const std::string& where, std::vector<Token>& out) {
  if (!json.is_array()) return wrong_kind(where, "an array", json);
  for (size_t i = 0; i < json.items().size(); ++i) {
    const Json& id = json.items()[i];
    const double value = id.kind() == Json::Kind::kInteger ? id.real() : -1;
    if (value < 0 || value > std::numeric_limits<Token>::max()) {
      return error(Code::kInvalidArgument, where, "[", i, "]: expected a token id");
    }
    out.push_back(static_cast<Token>(value));
  }
  return {};
}

Status read_message(const Json& json, const std::string& where, Message& out) {
  if (!json.is_object()) return wrong_kind(where, "an object", json);
  std::optional<std::string> role;
  VITALIS_TRY(read_text(json, "role", where, role));
  const auto known = role ? role_named(*role) : std::nullopt;
  if (!known) {
    return error(Code::kInvalidArgument, where,
                 ".role: expected system, developer, user, assistant or tool, found ",
                 role ? text("\"", *role, "\"") : "none");
  }
  out.role = *known;
  VITALIS_TRY(read_text(json, "name", where, out.name));
  VITALIS_TRY(read_text(json, "recipient", where, out.recipient));
  VITALIS_TRY(read_text(json, "channel", where, out.channel));
  VITALIS_TRY(read_text(json, "content_type", where, out.content_type));
  if (const Json* sampled = json.find("sampled"); sampled && !sampled->is_null()) {
    VITALIS_TRY(read_tokens(*sampled, where + ".sampled", out.sampled));
  }
  VITALIS_TRY(read_flag(json, "sampled_open", where, out.sampled_open));
  const Json* content = json.find("content");
  if (!content) return error(Code::kInvalidArgument, where, ": a message needs a \"content\"");
  if (content->is_string()) {
    out.parts.emplace_back(content->text());
    return {};
  }
  if (!content->is_array()) {
    return wrong_kind(where + ".content", "a string or an array of parts", *content);
  }
  for (size_t i = 0; i < content->items().size(); ++i) {
    VITALIS_TRY(
        read_part(content->items()[i], text(where, ".content[", i, "]"), out.parts.emplace_back()));
  }
  return {};
}

void put(Json& object, std::string_view name, const std::optional<std::string>& value) {
  if (value) object.set(std::string(name), Json::string(*value));
}

Json tools_to_json(const std::vector<ToolNamespace>& namespaces) {
  Json out = Json::array();
  for (const ToolNamespace& space : namespaces) {
    Json item = Json::object();
    item.set("name", Json::string(space.name));
    put(item, "description", space.description);
    Json tools = Json::array();
    for (const Tool& tool : space.tools) {
      Json entry = Json::object();
      entry.set("name", Json::string(tool.name));
      entry.set("description", Json::string(tool.description));
      if (tool.parameters) entry.set("parameters", *tool.parameters);
      tools.add(std::move(entry));
    }
    item.set("tools", std::move(tools));
    out.add(std::move(item));
  }
  return out;
}

Json part_to_json(const Part& part) {
  Json out = Json::object();
  if (const auto* plain = std::get_if<std::string>(&part)) {
    out.set("type", Json::string("text"));
    out.set("text", Json::string(*plain));
  } else if (const auto* system = std::get_if<SystemContent>(&part)) {
    out.set("type", Json::string("system"));
    put(out, "model_identity", system->model_identity);
    put(out, "knowledge_cutoff", system->knowledge_cutoff);
    put(out, "current_date", system->current_date);
    if (system->reasoning_effort) {
      const std::string_view effort = effort_name(*system->reasoning_effort);
      out.set("reasoning_effort", Json::string(std::string(effort)));
    }
    Json channels = Json::array();
    for (const std::string& channel : system->valid_channels) channels.add(Json::string(channel));
    out.set("valid_channels", std::move(channels));
    out.set("channel_required", Json::boolean(system->channel_required));
    if (!system->tools.empty()) out.set("tools", tools_to_json(system->tools));
  } else if (const auto* developer = std::get_if<DeveloperContent>(&part)) {
    out.set("type", Json::string("developer"));
    put(out, "instructions", developer->instructions);
    if (!developer->tools.empty()) out.set("tools", tools_to_json(developer->tools));
  }
  return out;
}

}  // namespace

Result<Conversation> conversation_from_json(const Json& json) {
  const Json* messages = json.is_array() ? &json : json.find("messages");
  if (!messages || !messages->is_array()) {
    return error(Code::kInvalidArgument, "messages: expected an array, found ",
                 messages ? kind_name(messages->kind()) : "none");
  }
  Conversation out;
  for (size_t i = 0; i < messages->items().size(); ++i) {
    VITALIS_TRY(
        read_message(messages->items()[i], text("messages[", i, "]"), out.messages.emplace_back()));
  }
  return out;
}

Result<Conversation> conversation_from_json(std::string_view json) {
  VITALIS_ASSIGN(const Json tree, Json::parse(json));
  return conversation_from_json(tree);
}

Json message_to_json(const Message& message) {
  Json out = Json::object();
  out.set("role", Json::string(std::string(role_name(message.role))));
  put(out, "name", message.name);
  put(out, "recipient", message.recipient);
  put(out, "channel", message.channel);
  put(out, "content_type", message.content_type);
  if (message.parts.size() == 1 && std::holds_alternative<std::string>(message.parts.front())) {
    out.set("content", Json::string(std::get<std::string>(message.parts.front())));
  } else {
    Json parts = Json::array();
    for (const Part& part : message.parts) parts.add(part_to_json(part));
    out.set("content", std::move(parts));
  }
  if (!message.sampled.empty()) {
    Json ids = Json::array();
    for (const Token t : message.sampled) ids.add(Json::integer(t));
    out.set("sampled", std::move(ids));
    if (message.sampled_open) out.set("sampled_open", Json::boolean(true));
  }
  return out;
}

Json conversation_to_json(const Conversation& conversation) {
  Json messages = Json::array();
  for (const Message& message : conversation.messages) messages.add(message_to_json(message));
  Json out = Json::object();
  out.set("messages", std::move(messages));
  return out;
}

}  // namespace vitalis::harmony
