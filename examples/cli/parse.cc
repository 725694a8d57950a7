// SPDX-License-Identifier: Apache-2.0
// vitalis parse: the messages that a model's tokens make, and what had to be repaired, as JSON.
#include <charconv>
#include <string>
#include <vector>

#include "commands.h"
#include "json_writer.h"
#include "library.h"

namespace vitalis::cli {

namespace {

// `text` is UTF-8 and not empty.
std::string first_character(const char* text) {
  size_t size = 1;
  while ((text[size] & 0xc0) == 0x80) ++size;
  return {text, size};
}

// Numbers in any spelling: "[1, 2]", "1 2", one a line. What is neither a number nor between
// numbers is an error.
bool read_ids(const std::string& text, std::vector<uint32_t>& ids, Output& output) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (std::string_view(" \t\r\n,[]").find(*at) != std::string_view::npos) {
      ++at;
      continue;
    }
    uint32_t id = 0;
    const auto [stop, failure] = std::from_chars(at, end, id);
    if (failure != std::errc()) {
      const std::string place = " at byte " + std::to_string(at - text.data());
      if (failure == std::errc::result_out_of_range) {
        output.error("expected token ids, found " + std::string(at, stop) + place);
      } else {
        output.error("expected token ids, found \"" + first_character(at) + '"' + place +
                     " (is it text? then say --text)");
      }
      return false;
    }
    ids.push_back(id);
    at = stop;
  }
  return true;
}

struct Message {
  std::string role, name, recipient, channel, content_type, content;
  uint32_t begin = 0, end = 0;
  bool complete = false;
};

struct Diagnostic {
  std::string code;
  uint32_t begin = 0, end = 0;
};

struct Parsed {
  std::vector<Message> messages;
  std::vector<Diagnostic> diagnostics;
};

// Takes what the last push or finish made known.
bool take(vitalis_parser* parser, Parsed& parsed, Output& output) {
  constexpr std::string_view kRoles[] = {"system", "developer", "user", "assistant", "tool"};
  while (true) {
    vitalis_event event = VITALIS_EVENT_INIT;
    const int32_t status = vitalis_parser_next(parser, &event);
    if (status == VITALIS_DONE) return true;
    if (!succeeded(status, output)) return false;
    if (event.kind == VITALIS_EVENT_MESSAGE_BEGIN) {
      parsed.messages.push_back({std::string(kRoles[event.role]), std::string(view(event.name)),
                                 std::string(view(event.recipient)),
                                 std::string(view(event.channel_name)),
                                 std::string(view(event.content_type)), "", event.token_begin});
    } else if (event.kind == VITALIS_EVENT_DIAGNOSTIC) {
      parsed.diagnostics.push_back(
          {std::string(view(event.text)), event.token_begin, event.token_end});
    } else if (!parsed.messages.empty()) {
      Message& message = parsed.messages.back();
      message.content += view(event.text);
      if (event.kind != VITALIS_EVENT_MESSAGE_END) continue;
      message.begin = event.token_begin;
      message.end = event.token_end;
      message.complete = event.complete != 0;
    }
  }
}

std::string as_json(const Parsed& parsed, const std::string& problem) {
  JsonWriter json;
  const auto field = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) json.key(name).value(value);
  };
  json.begin_object().key("messages").begin_array();
  for (const Message& message : parsed.messages) {
    json.begin_object();
    field("role", message.role);
    field("name", message.name);
    field("recipient", message.recipient);
    field("channel", message.channel);
    field("content_type", message.content_type);
    json.key("content").value(message.content);
    json.key("tokens").begin_array().value(uint64_t{message.begin}).value(uint64_t{message.end});
    json.end_array().key("complete").boolean(message.complete).end_object();
  }
  json.end_array().key("diagnostics").begin_array();
  for (const Diagnostic& diagnostic : parsed.diagnostics) {
    json.begin_object().key("code").value(diagnostic.code).key("tokens").begin_array();
    json.value(uint64_t{diagnostic.begin}).value(uint64_t{diagnostic.end}).end_array().end_object();
  }
  json.end_array();
  field("error", problem);
  json.end_object();
  return json.text();
}

}  // namespace

int parse(const Options& options, Output& output) {
  const Tokenizer tokenizer = open_tokenizer(options, output);
  if (!tokenizer) return kExitError;
  std::vector<uint32_t> ids;
  const bool read = options.from_text ? encode(tokenizer.get(), options.text, true, ids, output)
                                      : read_ids(options.text, ids, output);
  if (!read) return kExitError;
  vitalis_parser_options parser_options = VITALIS_PARSER_OPTIONS_INIT;
  parser_options.policy = options.policy;
  parser_options.from_start = options.from_start ? 1 : 0;
  vitalis_parser* handle = nullptr;
  if (!succeeded(vitalis_parser_create(tokenizer.get(), &parser_options, &handle), output)) {
    return kExitError;
  }
  const Parser parser(handle);
  Parsed parsed;
  int32_t status = VITALIS_OK;
  for (size_t i = 0; i < ids.size() && status == VITALIS_OK; ++i) {
    status = vitalis_parser_push(handle, ids[i]);
    if (status == VITALIS_OK && !take(handle, parsed, output)) return kExitError;
  }
  if (status == VITALIS_OK) status = vitalis_parser_finish(handle);
  const std::string problem = status == VITALIS_OK ? "" : vitalis_last_error();
  if (!take(handle, parsed, output)) return kExitError;
  output.print(as_json(parsed, problem));
  if (!problem.empty()) output.error(problem);
  return output.exit_code(problem.empty() ? kExitOk : kExitError);
}

}  // namespace vitalis::cli
