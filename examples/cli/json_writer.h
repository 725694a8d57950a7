// SPDX-License-Identifier: Apache-2.0
// Writes JSON text in order. Commas and indentation follow from the calls; strings are escaped, and
// what is not UTF-8 in them becomes U+FFFD, so the text is always valid. The caller pairs begin and
// end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitalis::cli {

class JsonWriter {
 public:
  enum class Style : uint8_t { kLines, kOneLine };
  explicit JsonWriter(Style style = Style::kLines) : style_(style) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(uint64_t number);
  JsonWriter& number(double number);       // not finite: null
  JsonWriter& raw(std::string_view json);  // as it is to stand there
  JsonWriter& boolean(bool truth);
  JsonWriter& null();

  const std::string& text() const { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void begin_value();
  void break_line();
  void write_string(std::string_view text);

  Style style_;
  std::string text_;
  std::vector<bool> filled_;  // for each open bracket, whether something is in it
  bool after_key_ = false;
};

std::string hexadecimal(std::string_view bytes);
// A token for people: its text in the quotes and escapes of JSON, or 0x and its bytes if they are a
// part of a character.
std::string spell_token(std::string_view bytes);

}  // namespace vitalis::cli
