// SPDX-License-Identifier: Apache-2.0
#include "json_writer.h"

#include <charconv>
#include <cmath>

#include "text.h"

namespace vitalis::cli {

JsonWriter& JsonWriter::open(char bracket) {
  begin_value();
  text_ += bracket;
  filled_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  const bool filled = filled_.back();
  filled_.pop_back();
  if (filled) break_line();
  text_ += bracket;
  if (filled_.empty()) text_ += '\n';
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  begin_value();
  write_string(name);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  begin_value();
  write_string(text);
  return *this;
}

JsonWriter& JsonWriter::value(uint64_t number) {
  return raw(std::to_string(number));
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  begin_value();
  text_ += json;
  return *this;
}

JsonWriter& JsonWriter::number(double number) {
  if (!std::isfinite(number)) return null();
  begin_value();
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  text_.append(digits, end);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool truth) {
  begin_value();
  text_ += truth ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  begin_value();
  text_ += "null";
  return *this;
}

void JsonWriter::begin_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (filled_.empty()) return;
  if (filled_.back()) text_ += ',';
  filled_.back() = true;
  break_line();
}

void JsonWriter::break_line() {
  if (style_ == Style::kOneLine) return;
  text_ += '\n';
  text_.append(2 * filled_.size(), ' ');
}

void JsonWriter::write_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  text_ += '"';
  while (!text.empty()) {
    const std::string_view well_formed = text.substr(0, utf8_prefix(text));
    for (const char c : well_formed) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        text_ += '\\';
        text_ += c;
      } else if (c == '\n') {
        text_ += "\\n";
      } else if (c == '\t') {
        text_ += "\\t";
      } else if (byte < 0x20 || byte == 0x7f) {
        text_ += "\\u00";
        text_ += kHex[byte >> 4];
        text_ += kHex[byte & 15];
      } else {
        text_ += c;
      }
    }
    text.remove_prefix(well_formed.size());
    if (text.empty()) break;
    text_ += "\\ufffd";
    text.remove_prefix(1);
  }
  text_ += '"';
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string spell_token(std::string_view bytes) {
  const bool is_text = utf8_prefix(bytes) == bytes.size();
  return is_text ? JsonWriter().value(bytes).text() : "0x" + hexadecimal(bytes);
}

}  // namespace vitalis::cli
