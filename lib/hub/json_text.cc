// SPDX-License-Identifier: Apache-2.0
#include "hub/json_text.h"

#include "base/utf8.h"

namespace vitalis::hub {

namespace dom = simdjson::dom;

std::string json_string(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : utf8::replace_ill_formed(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[c & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

JsonObject& JsonObject::raw(std::string_view key, std::string_view json) {
  out_ += out_.empty() ? '{' : ',';
  out_ += json_string(key);
  out_ += ':';
  out_ += json;
  return *this;
}

std::string json_array(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) {
    if (out.size() > 1) out += ',';
    out += value;
  }
  return out + ']';
}

Result<std::string> optional_string(dom::object object, const char* key, std::string_view what,
                                    std::string_view otherwise) {
  dom::element value;
  if (object.at_key(key).get(value) || value.is_null()) return std::string(otherwise);
  std::string_view text;
  if (value.get(text)) {
    return error(Code::kMalformed, what, ": \"", key, "\": expected a string, found ",
                 formats::json_kind(value));
  }
  return std::string(text);
}

Result<std::string> string_member(dom::object object, const char* key, std::string_view what) {
  dom::element value;
  if (object.at_key(key).get(value)) {
    return error(Code::kMalformed, what, ": has no \"", key, "\"; expected a string");
  }
  std::string_view text;
  if (value.get(text)) {
    return error(Code::kMalformed, what, ": \"", key, "\": expected a string, found ",
                 formats::json_kind(value));
  }
  return std::string(text);
}

Result<uint64_t> size_member(dom::object object, const char* key, std::string_view what) {
  dom::element value;
  if (object.at_key(key).get(value)) {
    return error(Code::kMalformed, what, ": has no \"", key, "\"; expected a number of bytes");
  }
  uint64_t number = 0;
  constexpr uint64_t kLargest = uint64_t{1} << 50;
  if (value.get(number)) {
    return error(Code::kMalformed, what, ": \"", key, "\": expected a number of bytes, found ",
                 formats::json_kind(value));
  }
  if (number > kLargest) {
    return error(Code::kMalformed, what, ": \"", key, "\": ", number,
                 " bytes; no file has more than a pebibyte");
  }
  return number;
}

int64_t integer_or_zero(dom::object object, const char* key) {
  int64_t number = 0;
  return object.at_key(key).get(number) ? 0 : number;
}

}  // namespace vitalis::hub
