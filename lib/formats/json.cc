// SPDX-License-Identifier: Apache-2.0
#include "formats/json.h"

namespace vitalis::formats {

Result<JsonDocument> JsonDocument::parse_any(std::string_view json, std::string_view what) {
  const simdjson::padded_string padded(json);
  if (!padded.data()) {
    return error(Code::kOutOfMemory, what, ": no memory for ", json.size(), " bytes of JSON");
  }
  JsonDocument document;
  document.parser_ = std::make_unique<simdjson::dom::parser>();
  if (const auto failure = document.parser_->parse(padded).get(document.value_)) {
    const Code code = failure == simdjson::MEMALLOC ? Code::kOutOfMemory : Code::kMalformed;
    return error(code, what, ": not valid JSON: ", simdjson::error_message(failure));
  }
  return document;
}

Result<JsonDocument> JsonDocument::parse(std::string_view json, std::string_view what) {
  VITALIS_ASSIGN(JsonDocument document, parse_any(json, what));
  if (document.value_.get(document.root_)) {
    return error(Code::kMalformed, what, ": expected a JSON object, found ",
                 json_kind(document.value_));
  }
  return document;
}

std::string_view json_kind(simdjson::dom::element value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
      return "an integer";
    case element_type::DOUBLE:
      return "a fraction";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

}  // namespace vitalis::formats
