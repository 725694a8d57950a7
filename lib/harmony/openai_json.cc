// SPDX-License-Identifier: Apache-2.0
#include "harmony/openai_json.h"

#include <algorithm>

#include "harmony/request_reader.h"

namespace vitalis::harmony {
namespace {

// A result is text, text parts, or any JSON that a host did not make text of.
Status read_result(const Json* content, const std::string& where, std::string& out) {
  if (!content) return wrong_kind(where, "the tool's result", content);
  const bool parts =
      content->is_array() && !content->items().empty() &&
      std::all_of(content->items().begin(), content->items().end(), [](const Json& item) {
        const Json* type = item.find("type");
        return type && type->is_string() && type->text() == "text" && item.find("text");
      });
  if (!content->is_string() && !parts) {
    out = content->dump(Json::Style::kPython);
    return {};
  }
  std::optional<std::string> text;
  VITALIS_TRY(RequestReader::read_content(content, where, text));
  out = text.value_or("");
  return {};
}

class ChatReader {
 public:
  ChatReader(const Json& request, const SystemContent& system)
      : request_(request), reader_(request, system) {}

  Result<ChatRequest> read() {
    const Json* messages = request_.is_array() ? &request_ : request_.find("messages");
    if (!messages || !messages->is_array()) return wrong_kind("messages", "an array", messages);
    VITALIS_TRY(reader_.read_settings());
    VITALIS_TRY(reader_.read_effort(request_.find("reasoning_effort"), "reasoning_effort"));
    VITALIS_TRY(reader_.read_response_format(request_.find("response_format"), "response_format"));
    for (size_t i = 0; i < messages->items().size(); ++i) {
      VITALIS_TRY(read_message(messages->items()[i], i, text("messages[", i, "]")));
    }
    return reader_.take();
  }

 private:
  Status read_message(const Json& message, size_t index, const std::string& where) {
    if (!message.is_object()) return wrong_kind(where, "an object", &message);
    std::optional<std::string> role;
    std::optional<std::string> name;
    VITALIS_TRY(RequestReader::read_string(message, "role", where, role));
    VITALIS_TRY(RequestReader::read_string(message, "name", where, name));
    if (role == "assistant") return read_assistant(message, where);
    if (role == "tool" || role == "function") return read_tool_result(message, name, where);
    if (role != "system" && role != "developer" && role != "user") {
      return error(Code::kInvalidArgument, where,
                   ".role: expected system, developer, user, assistant or tool, found ",
                   role ? text("\"", *role, "\"") : "none");
    }
    std::optional<std::string> content;
    VITALIS_TRY(RequestReader::read_content(message.find("content"), where + ".content", content));
    if (!content) return wrong_kind(where + ".content", "a string", message.find("content"));
    if (role == "user") {
      reader_.add_text(Role::kUser, std::move(name), std::move(*content));
    } else if (index == 0) {
      reader_.instruct(std::move(*content));
    } else {
      reader_.add_text(Role::kDeveloper, std::nullopt, std::move(*content));
    }
    return {};
  }

  Status read_tool_result(const Json& message, const std::optional<std::string>& name,
                          const std::string& where) {
    std::optional<std::string> id;
    VITALIS_TRY(RequestReader::read_string(message, "tool_call_id", where, id));
    std::string content;
    VITALIS_TRY(read_result(message.find("content"), where + ".content", content));
    std::optional<std::string> tool;
    if (name) tool = "functions." + *name;
    return reader_.add_result(id.value_or(""), std::move(tool), std::move(content), where);
  }

  Status read_assistant(const Json& message, const std::string& where) {
    std::optional<std::string> thinking;
    for (const char* name : {"thinking", "reasoning_content", "reasoning"}) {
      if (!thinking) VITALIS_TRY(RequestReader::read_string(message, name, where, thinking));
    }
    std::optional<std::string> content;
    VITALIS_TRY(RequestReader::read_content(message.find("content"), where + ".content", content));
    if (thinking && !thinking->empty()) reader_.add_assistant("analysis", std::move(*thinking));

    const Json* calls = message.find("tool_calls");
    const bool has_calls = calls && !calls->is_null();
    if (has_calls && !calls->is_array())
      return wrong_kind(where + ".tool_calls", "an array", calls);
    const Json* legacy = message.find("function_call");
    if (legacy && legacy->is_null()) legacy = nullptr;
    const bool calling = legacy || (has_calls && !calls->items().empty());
    if (content && !(calling && content->empty())) {
      reader_.add_assistant(calling ? "commentary" : "final", std::move(*content));
    }
    if (legacy) VITALIS_TRY(reader_.add_call("", *legacy, where + ".function_call"));
    for (size_t i = 0; has_calls && i < calls->items().size(); ++i) {
      VITALIS_TRY(read_call(calls->items()[i], text(where, ".tool_calls[", i, "]")));
    }
    return {};
  }

  Status read_call(const Json& call, const std::string& where) {
    if (!call.is_object()) return wrong_kind(where, "an object", &call);
    std::optional<std::string> id;
    VITALIS_TRY(RequestReader::read_string(call, "id", where, id));
    const Json* function = call.find("function");
    return reader_.add_call(id.value_or(""), function ? *function : call,
                            function ? where + ".function" : where);
  }

  const Json& request_;
  RequestReader reader_;
};

}  // namespace

Result<ChatRequest> chat_from_json(const Json& request, const SystemContent& system) {
  return ChatReader(request, system).read();
}

Result<ChatRequest> chat_from_json(std::string_view request, const SystemContent& system) {
  if (request.size() > kMaxRequestBytes) {
    return error(Code::kInvalidArgument, "the request has ", request.size(), " bytes, more than ",
                 kMaxRequestBytes);
  }
  VITALIS_ASSIGN(const Json tree, Json::parse(request));
  return chat_from_json(tree, system);
}

}  // namespace vitalis::harmony
