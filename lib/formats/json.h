// SPDX-License-Identifier: Apache-2.0
// A parsed JSON text. simdjson throws from its conversion operators and from operator[] on a
// failed result: use get() and iteration, which do not.
#pragma once

#include <memory>
#include <simdjson.h>
#include <string_view>

#include "base/status.h"

namespace vitalis::formats {

class JsonDocument {
 public:
  // `what` names the text in messages. kMalformed unless the text is one JSON object.
  static Result<JsonDocument> parse(std::string_view json, std::string_view what);

  // kMalformed unless the text is JSON: of any kind, and value() gives it.
  static Result<JsonDocument> parse_any(std::string_view json, std::string_view what);

  simdjson::dom::object root() const { return root_; }
  simdjson::dom::element value() const { return value_; }

 private:
  JsonDocument() = default;
  std::unique_ptr<simdjson::dom::parser> parser_;  // owns what the others point into
  simdjson::dom::element value_;
  simdjson::dom::object root_;
};

// "a string", "an object", … for messages.
std::string_view json_kind(simdjson::dom::element value);

}  // namespace vitalis::formats
