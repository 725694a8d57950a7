// SPDX-License-Identifier: Apache-2.0
#include "harmony/request_reader.h"

#include <algorithm>

namespace vitalis::harmony {

Status wrong_kind(std::string_view where, std::string_view expected, const Json* found) {
  return error(Code::kInvalidArgument, where, ": expected ", expected, ", found ",
               found ? kind_name(found->kind()) : "none");
}

Status RequestReader::read_string(const Json& object, std::string_view name,
                                  const std::string& where, std::optional<std::string>& out) {
  const Json* found = object.find(name);
  if (!found || found->is_null()) return {};
  if (!found->is_string()) {
    return wrong_kind(where.empty() ? std::string(name) : text(where, ".", name), "a string",
                      found);
  }
  out = found->text();
  return {};
}

Status RequestReader::read_content(const Json* content, const std::string& where,
                                   std::optional<std::string>& out) {
  if (!content || content->is_null()) return {};
  if (content->is_string()) {
    out = content->text();
    return {};
  }
  if (!content->is_array()) return wrong_kind(where, "a string or an array of parts", content);
  out.emplace();
  for (size_t i = 0; i < content->items().size(); ++i) {
    const Json& part = content->items()[i];
    const std::string place = text(where, "[", i, "]");
    if (!part.is_object()) return wrong_kind(place, "an object", &part);
    std::optional<std::string> type;
    VITALIS_TRY(read_string(part, "type", place, type));
    const bool refusal = type == "refusal";
    if (type != "text" && type != "input_text" && type != "output_text" &&
        type != "reasoning_text" && type != "summary_text" && !refusal) {
      return error(Code::kUnsupported, place, ".type: only text is understood, found ",
                   type ? text("\"", *type, "\"") : "none");
    }
    const char* const name = refusal ? "refusal" : "text";
    std::optional<std::string> piece;
    VITALIS_TRY(read_string(part, name, place, piece));
    if (!piece) return wrong_kind(text(place, ".", name), "a string", part.find(name));
    *out += *piece;
  }
  return {};
}

Status RequestReader::read_settings() {
  VITALIS_TRY(read_string(request_, "model_identity", "", system_.model_identity));
  VITALIS_TRY(read_string(request_, "current_date", "", system_.current_date));
  if (const Json* names = request_.find("builtin_tools")) VITALIS_TRY(read_builtin_tools(*names));
  if (const Json* tools = request_.find("tools")) VITALIS_TRY(read_tools(*tools));
  if (const Json* choice = request_.find("tool_choice")) VITALIS_TRY(read_tool_choice(*choice));
  const Json* expects = request_.find("add_generation_prompt");
  if (expects && !expects->is_null()) {
    if (!expects->is_boolean()) return wrong_kind("add_generation_prompt", "a boolean", expects);
    out_.expects_answer = expects->truth();
  }
  return {};
}

Status RequestReader::read_effort(const Json* effort, const std::string& where) {
  if (!effort || effort->is_null()) return {};
  if (!effort->is_string()) return wrong_kind(where, "a string", effort);
  system_.reasoning_effort = effort_named(effort->text());
  if (system_.reasoning_effort) return {};
  return error(Code::kInvalidArgument, where, ": expected low, medium or high, found \"",
               effort->text(), "\"");
}

Status RequestReader::read_response_format(const Json* format, const std::string& where) {
  if (!format || format->is_null()) return {};
  if (!format->is_object()) return wrong_kind(where, "an object", format);
  std::optional<std::string> type;
  VITALIS_TRY(read_string(*format, "type", where, type));
  if (type == "text") return {};
  if (type == "json_object") {
    out_.response_schema = Json::object();
    out_.response_schema->set("type", Json::string("object"));
    return {};
  }
  if (type != "json_schema") {
    return error(Code::kUnsupported, where,
                 ".type: expected text, json_object or json_schema, found ",
                 type ? text("\"", *type, "\"") : "none");
  }
  // Chat completions put the schema into an object of its own, responses do not.
  const Json* nested = format->find("json_schema");
  const Json& holder = nested ? *nested : *format;
  const std::string place = nested ? where + ".json_schema" : where;
  if (!holder.is_object()) return wrong_kind(place, "an object", &holder);
  std::optional<std::string> name;
  VITALIS_TRY(read_string(holder, "name", place, name));
  if (!name || name->empty()) return wrong_kind(place + ".name", "a name", holder.find("name"));
  const Json* schema = holder.find("schema");
  if (!schema || !schema->is_object()) return wrong_kind(place + ".schema", "an object", schema);
  out_.response_schema = *schema;
  response_section_ = response_section(*name, *schema);
  return {};
}

Status RequestReader::read_builtin_tools(const Json& names) {
  if (names.is_null()) return {};
  if (!names.is_array()) return wrong_kind("builtin_tools", "an array", &names);
  for (size_t i = 0; i < names.items().size(); ++i) {
    const Json& name = names.items()[i];
    if (!name.is_string() || (name.text() != "browser" && name.text() != "python")) {
      return error(Code::kInvalidArgument, "builtin_tools[", i,
                   "]: expected \"browser\" or \"python\"");
    }
    system_.tools.push_back(name.text() == "browser" ? browser_tools() : python_tool());
  }
  return {};
}

Status RequestReader::read_tools(const Json& tools) {
  if (tools.is_null()) return {};
  if (!tools.is_array()) return wrong_kind("tools", "an array", &tools);
  for (size_t i = 0; i < tools.items().size(); ++i) {
    VITALIS_TRY(read_tool(tools.items()[i], text("tools[", i, "]")));
  }
  return {};
}

Status RequestReader::read_tool(const Json& tool, const std::string& where) {
  if (!tool.is_object()) return wrong_kind(where, "an object", &tool);
  std::optional<std::string> type;
  VITALIS_TRY(read_string(tool, "type", where, type));
  if (type && *type != "function") {
    return error(Code::kUnsupported, where, ".type: only functions are understood, found \"", *type,
                 "\"");
  }
  const Json* nested = tool.find("function");
  const Json& function = nested ? *nested : tool;
  const std::string place = nested ? where + ".function" : where;
  if (!function.is_object()) return wrong_kind(place, "an object", &function);
  Tool& out = functions_.emplace_back();
  std::optional<std::string> name;
  std::optional<std::string> description;
  VITALIS_TRY(read_string(function, "name", place, name));
  VITALIS_TRY(read_string(function, "description", place, description));
  if (!name || name->empty()) return wrong_kind(place + ".name", "a name", function.find("name"));
  out.name = *name;
  out.description = description.value_or("");
  const Json* parameters = function.find("parameters");
  if (!parameters || parameters->is_null()) return {};
  if (!parameters->is_object()) {
    return wrong_kind(place + ".parameters", "an object (a JSON Schema)", parameters);
  }
  out.parameters = *parameters;
  return {};
}

Status RequestReader::read_tool_choice(const Json& choice) {
  using Kind = ToolChoice::Kind;
  if (choice.is_null()) return {};
  if (choice.is_string()) {
    const std::string& word = choice.text();
    if (word != "auto" && word != "none" && word != "required") {
      return error(Code::kInvalidArgument,
                   "tool_choice: expected auto, none, required or a function, found \"", word,
                   "\"");
    }
    out_.tool_choice.emplace().kind = word == "auto"   ? Kind::kAuto
                                      : word == "none" ? Kind::kNone
                                                       : Kind::kRequired;
    return {};
  }
  if (!choice.is_object()) return wrong_kind("tool_choice", "a string or an object", &choice);
  std::optional<std::string> type;
  VITALIS_TRY(read_string(choice, "type", "tool_choice", type));
  if (type != "function") {
    return error(Code::kUnsupported, "tool_choice.type: only \"function\" is understood, found ",
                 type ? text("\"", *type, "\"") : "none");
  }
  const Json* nested = choice.find("function");
  const std::string place = nested ? "tool_choice.function" : "tool_choice";
  std::optional<std::string> name;
  VITALIS_TRY(read_string(nested ? *nested : choice, "name", place, name));
  if (!name) return error(Code::kInvalidArgument, place, ": a function needs a \"name\"");
  if (std::none_of(functions_.begin(), functions_.end(),
                   [&](const Tool& tool) { return tool.name == *name; })) {
    return error(Code::kInvalidArgument, place, ".name: no tool is called \"", *name, "\"");
  }
  out_.tool_choice = ToolChoice{Kind::kFunction, *name};
  return {};
}

void RequestReader::add_text(Role role, std::optional<std::string> name, std::string content) {
  Message message;
  message.role = role;
  message.name = std::move(name);
  if (role == Role::kDeveloper) {
    DeveloperContent developer;
    developer.instructions = std::move(content);
    message.parts.emplace_back(std::move(developer));
  } else {
    message.parts.emplace_back(std::move(content));
  }
  out_.conversation.messages.push_back(std::move(message));
}

void RequestReader::add_assistant(std::string_view channel, std::string content) {
  Message message = text_message(Role::kAssistant, std::move(content));
  message.channel = channel;
  out_.conversation.messages.push_back(std::move(message));
}

Status RequestReader::add_call(const std::string& id, const Json& call, const std::string& where) {
  if (!call.is_object()) return wrong_kind(where, "an object", &call);
  std::optional<std::string> name;
  std::optional<std::string> type;
  VITALIS_TRY(read_string(call, "name", where, name));
  VITALIS_TRY(read_string(call, "content_type", where, type));
  if (!name || name->empty()) return wrong_kind(where + ".name", "a name", call.find("name"));
  const Json* arguments = call.find("arguments");
  std::string body = "{}";
  if (arguments && arguments->is_string()) {
    body = arguments->text();
  } else if (arguments && !arguments->is_null()) {
    body = arguments->dump(Json::Style::kPython);
  }
  Message message = text_message(Role::kAssistant, std::move(body));
  message.channel = "commentary";
  message.recipient = "functions." + *name;
  message.content_type = type.value_or("json");
  last_called_ = *message.recipient;
  called_[id] = last_called_;
  out_.conversation.messages.push_back(std::move(message));
  return {};
}

Status RequestReader::add_result(const std::string& id, std::optional<std::string> tool,
                                 std::string content, const std::string& where) {
  const auto known = called_.find(id);
  if (known != called_.end()) {
    tool = known->second;
  } else if (!tool) {
    if (last_called_.empty()) {
      return error(Code::kInvalidArgument, where, ": no call before this result");
    }
    tool = last_called_;
  }
  Message message = text_message(Role::kTool, std::move(content));
  message.name = std::move(tool);
  message.recipient = "assistant";
  message.channel = "commentary";
  out_.conversation.messages.push_back(std::move(message));
  return {};
}

ChatRequest RequestReader::take() {
  Message system;
  system.role = Role::kSystem;
  system.parts.emplace_back(std::move(system_));

  DeveloperContent content;
  if (instructions_ && !instructions_->empty()) content.instructions = std::move(instructions_);
  if (!response_section_.empty()) {
    content.instructions = content.instructions
                               ? text(*content.instructions, "\n\n", response_section_)
                               : response_section_;
  }
  if (!functions_.empty()) {
    content.tools.push_back({"functions", std::nullopt, std::move(functions_)});
  }
  auto& messages = out_.conversation.messages;
  if (content.instructions || !content.tools.empty()) {
    Message developer;
    developer.role = Role::kDeveloper;
    developer.parts.emplace_back(std::move(content));
    messages.insert(messages.begin(), std::move(developer));
  }
  messages.insert(messages.begin(), std::move(system));
  return std::move(out_);
}

}  // namespace vitalis::harmony
