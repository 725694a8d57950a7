// SPDX-License-Identifier: Apache-2.0
#include "json_reader.h"

#include <simdjson.h>

namespace vitalis::cli {

struct JsonBuilder {
  static Json build(simdjson::dom::element from) {
    Json json;
    std::string_view text;
    simdjson::dom::array array;
    simdjson::dom::object object;
    if (from.get(text) == simdjson::SUCCESS) json.text_ = text;
    if (from.get(json.number_) != simdjson::SUCCESS) json.number_ = 0;
    if (from.get(json.truth_) != simdjson::SUCCESS) json.truth_ = false;
    if (from.get(array) == simdjson::SUCCESS) {
      for (const simdjson::dom::element item : array) json.items_.push_back(build(item));
    }
    if (from.get(object) == simdjson::SUCCESS) {
      for (const auto& [key, value] : object) json.members_[std::string(key)] = build(value);
    }
    return json;
  }
};

Json Json::parse(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return {};
  return JsonBuilder::build(root);
}

const Json& Json::operator[](const std::string& name) const {
  static const Json nothing;
  const auto found = members_.find(name);
  return found == members_.end() ? nothing : found->second;
}

}  // namespace vitalis::cli
