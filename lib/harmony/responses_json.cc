// SPDX-License-Identifier: Apache-2.0
// Requests of the responses API: a list of items, where the chat API has messages.
#include "harmony/openai_json.h"
#include "harmony/request_reader.h"

namespace vitalis::harmony {
namespace {

class ResponsesReader {
 public:
  ResponsesReader(const Json& request, const SystemContent& system)
      : request_(request), reader_(request, system) {}

  Result<ChatRequest> read() {
    if (!request_.is_object()) return wrong_kind("request", "an object", &request_);
    VITALIS_TRY(reader_.read_settings());
    VITALIS_TRY(read_reasoning());
    const Json* format = request_.find("text");
    if (format && !format->is_null()) {
      if (!format->is_object()) return wrong_kind("text", "an object", format);
      VITALIS_TRY(reader_.read_response_format(format->find("format"), "text.format"));
    }
    std::optional<std::string> instructions;
    VITALIS_TRY(RequestReader::read_string(request_, "instructions", "", instructions));
    if (instructions) reader_.instruct(std::move(*instructions));
    const Json* input = request_.find("input");
    if (input && input->is_string()) {
      reader_.add_text(Role::kUser, std::nullopt, input->text());
    } else if (input && input->is_array()) {
      for (size_t i = 0; i < input->items().size(); ++i) {
        VITALIS_TRY(read_item(input->items()[i], i, text("input[", i, "]")));
      }
    } else {
      return wrong_kind("input", "a string or an array of items", input);
    }
    return reader_.take();
  }

 private:
  Status read_reasoning() {
    const Json* reasoning = request_.find("reasoning");
    if (!reasoning || reasoning->is_null()) return {};
    if (!reasoning->is_object()) return wrong_kind("reasoning", "an object", reasoning);
    return reader_.read_effort(reasoning->find("effort"), "reasoning.effort");
  }

  Status read_item(const Json& item, size_t index, const std::string& where) {
    if (!item.is_object()) return wrong_kind(where, "an object", &item);
    std::optional<std::string> type;
    std::optional<std::string> call_id;
    VITALIS_TRY(RequestReader::read_string(item, "type", where, type));
    VITALIS_TRY(RequestReader::read_string(item, "call_id", where, call_id));
    if (!type || *type == "message") return read_message(item, index, where);
    if (*type == "reasoning") return read_thoughts(item, where);
    if (*type == "function_call") return reader_.add_call(call_id.value_or(""), item, where);
    if (*type == "function_call_output") {
      std::optional<std::string> output;
      VITALIS_TRY(RequestReader::read_content(item.find("output"), where + ".output", output));
      if (!output) return wrong_kind(where + ".output", "a string", item.find("output"));
      return reader_.add_result(call_id.value_or(""), std::nullopt, std::move(*output), where);
    }
    return error(Code::kUnsupported, where,
                 ".type: expected message, reasoning, function_call or function_call_output, "
                 "found \"",
                 *type, "\"");
  }

  Status read_message(const Json& item, size_t index, const std::string& where) {
    std::optional<std::string> role;
    std::optional<std::string> phase;
    std::optional<std::string> content;
    VITALIS_TRY(RequestReader::read_string(item, "role", where, role));
    VITALIS_TRY(RequestReader::read_string(item, "phase", where, phase));
    VITALIS_TRY(RequestReader::read_content(item.find("content"), where + ".content", content));
    if (!content) return wrong_kind(where + ".content", "a string", item.find("content"));
    if (role == "user") {
      reader_.add_text(Role::kUser, std::nullopt, std::move(*content));
    } else if (role == "assistant") {
      reader_.add_assistant(phase == "commentary" ? "commentary" : "final", std::move(*content));
    } else if (role != "system" && role != "developer") {
      return error(Code::kInvalidArgument, where,
                   ".role: expected system, developer, user or assistant, found ",
                   role ? text("\"", *role, "\"") : "none");
    } else if (index == 0 && !reader_.has_instructions()) {
      reader_.instruct(std::move(*content));
    } else {
      reader_.add_text(Role::kDeveloper, std::nullopt, std::move(*content));
    }
    return {};
  }

  // The thoughts themselves where the item has them, else their summary.
  Status read_thoughts(const Json& item, const std::string& where) {
    std::optional<std::string> thoughts;
    VITALIS_TRY(RequestReader::read_content(item.find("content"), where + ".content", thoughts));
    if (!thoughts || thoughts->empty()) {
      VITALIS_TRY(RequestReader::read_content(item.find("summary"), where + ".summary", thoughts));
    }
    if (thoughts && !thoughts->empty()) reader_.add_assistant("analysis", std::move(*thoughts));
    return {};
  }

  const Json& request_;
  RequestReader reader_;
};

}  // namespace

Result<ChatRequest> responses_from_json(const Json& request, const SystemContent& system) {
  return ResponsesReader(request, system).read();
}

Result<ChatRequest> responses_from_json(std::string_view request, const SystemContent& system) {
  if (request.size() > kMaxRequestBytes) {
    return error(Code::kInvalidArgument, "the request has ", request.size(), " bytes, more than ",
                 kMaxRequestBytes);
  }
  VITALIS_ASSIGN(const Json tree, Json::parse(request));
  return responses_from_json(tree, system);
}

}  // namespace vitalis::harmony
