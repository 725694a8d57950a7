// SPDX-License-Identifier: Apache-2.0
// Writing JSON: an object or an array, member by member, compact. Reading is simdjson's, through
// formats/json.h; the readers here say what was expected when a member is of another kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json.h"

namespace vitalis::hub {

std::string json_string(std::string_view text);  // ill-formed UTF-8 becomes U+FFFD

class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view value) {
    return raw(key, json_string(value));
  }
  JsonObject& add(std::string_view key, const char* value) {
    return add(key, std::string_view(value));
  }
  JsonObject& add(std::string_view key, uint64_t value) { return raw(key, std::to_string(value)); }
  JsonObject& add(std::string_view key, int64_t value) { return raw(key, std::to_string(value)); }
  JsonObject& add(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  JsonObject& raw(std::string_view key, std::string_view json);
  std::string take() { return out_.empty() ? "{}" : std::move(out_) + "}"; }

 private:
  std::string out_;
};

std::string json_array(const std::vector<std::string>& values);  // each is JSON already

// Members of an object. The first gives `otherwise` if there is none or it is null; kMalformed if
// it is there and of another kind.
Result<std::string> optional_string(simdjson::dom::object object, const char* key,
                                    std::string_view what, std::string_view otherwise = {});
Result<std::string> string_member(simdjson::dom::object object, const char* key,
                                  std::string_view what);
Result<uint64_t> size_member(simdjson::dom::object object, const char* key, std::string_view what);
// Time and the like: 0 if there is none.
int64_t integer_or_zero(simdjson::dom::object object, const char* key);

}  // namespace vitalis::hub
