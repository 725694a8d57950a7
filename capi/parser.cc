// SPDX-License-Identifier: Apache-2.0
#include "handles.h"
#include "harmony/parse.h"
#include "harmony/template.h"
#include "session/events.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

struct vitalis_parser : Counted {
  vitalis_parser(std::shared_ptr<const session::Vocabulary> of, harmony::ParserOptions options)
      : vocabulary(std::move(of)), parser(vocabulary->format(), std::move(options)) {}
  vitalis_parser(const vitalis_parser& other)
      : Counted(), vocabulary(other.vocabulary), parser(other.parser), events(other.events) {}
  mutable std::atomic_flag busy;
  std::shared_ptr<const session::Vocabulary> vocabulary;
  harmony::Parser parser;
  session::EventQueue events;
};

namespace {

Result<harmony::ParserOptions> read_parser(const vitalis_parser_options* options) {
  VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
  harmony::ParserOptions out;
  switch (given.policy) {
    case VITALIS_PARSE_RESILIENT:
      out.policy = harmony::Policy::kResilient;
      break;
    case VITALIS_PARSE_STRICT:
      out.policy = harmony::Policy::kStrict;
      break;
    case VITALIS_PARSE_LENIENT:
      out.policy = harmony::Policy::kLenient;
      break;
    default:
      return error(Code::kInvalidArgument, "options.policy: expected 0 to 2; found ", given.policy);
  }
  if (given.from_start) out.role.reset();
  VITALIS_TRY(array_argument(given.functions, given.function_count, "options.functions"));
  for (size_t i = 0; i < given.function_count; ++i) {
    const std::string place = text("options.functions[", i, "]");
    if (!given.functions[i]) return missing(place);
    VITALIS_ASSIGN(const std::string_view name,
                   text_argument(given.functions[i], VITALIS_NUL, place));
    out.functions.emplace_back(name);
  }
  return out;
}

}  // namespace

extern "C" {

void vitalis_parser_options_init(vitalis_parser_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_parser_create(vitalis_tokenizer* tokenizer, const vitalis_parser_options* options,
                              vitalis_parser** parser_out) {
  return guard([&]() -> Status {
    if (!parser_out) return missing("parser_out");
    *parser_out = nullptr;
    if (!tokenizer) return missing("tokenizer");
    VITALIS_ASSIGN(auto given, read_parser(options));
    *parser_out = new vitalis_parser(tokenizer->vocabulary, std::move(given));
    return {};
  });
}

int32_t vitalis_parser_clone(const vitalis_parser* parser, vitalis_parser** parser_out) {
  if (parser_out) *parser_out = nullptr;
  return with(parser, "parser", [&](const vitalis_parser& from) -> int32_t {
    if (!parser_out) return fail(missing("parser_out"));
    *parser_out = new vitalis_parser(from);
    return VITALIS_OK;
  });
}

vitalis_parser* vitalis_parser_retain(vitalis_parser* parser) {
  return retain(parser);
}
void vitalis_parser_release(vitalis_parser* parser) {
  release(parser);
}

int32_t vitalis_parser_push(vitalis_parser* parser, uint32_t token) {
  return with(parser, "parser", [&](vitalis_parser& into) -> int32_t {
    const Status status = into.parser.push(token, into.events.refill());
    return status.ok() ? VITALIS_OK : fail(status);
  });
}

int32_t vitalis_parser_finish(vitalis_parser* parser) {
  return with(parser, "parser", [](vitalis_parser& of) -> int32_t {
    const Status status = of.parser.finish(of.events.refill());
    return status.ok() ? VITALIS_OK : fail(status);
  });
}

int32_t vitalis_parser_next(vitalis_parser* parser, vitalis_event* event) {
  clear_struct(event);
  return with(parser, "parser", [&](vitalis_parser& of) -> int32_t {
    if (!event) return fail(missing("event"));
    session::Event found;
    if (!of.events.take(found)) return VITALIS_DONE;
    const Status status = write_struct(translate(found), event, "event");
    return status.ok() ? VITALIS_OK : fail(status);
  });
}

void vitalis_template_options_init(vitalis_template_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_template_render(const char* json, size_t json_size,
                                const vitalis_template_options* options, char* text,
                                size_t capacity, size_t* size_out) {
  return guard([&]() -> Status {
    if (!size_out) return missing("size_out");
    *size_out = 0;
    if (!json) return missing("json");
    if (!text && capacity > 0) return missing("text");
    VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
    VITALIS_ASSIGN(const std::string_view source, text_argument(json, json_size, "json"));
    VITALIS_ASSIGN(const harmony::Json request, harmony::Json::parse(source));
    harmony::TemplateOptions out;
    out.add_generation_prompt = given.no_generation_prompt == 0;
    const auto read = [](const char* from, std::string_view name, std::string& to) -> Status {
      if (!from) return {};
      VITALIS_ASSIGN(to, text_argument(from, VITALIS_NUL, name));
      return {};
    };
    VITALIS_TRY(read(given.current_date, "options.current_date", out.current_date));
    VITALIS_TRY(read(given.reasoning_effort, "options.reasoning_effort", out.reasoning_effort));
    VITALIS_TRY(read(given.model_identity, "options.model_identity", out.model_identity));
    VITALIS_ASSIGN(const std::string rendered, harmony::render_template(request, out));
    std::copy_n(rendered.begin(), std::min(rendered.size(), capacity), text);
    *size_out = rendered.size();
    return {};
  });
}

}  // extern "C"
