// SPDX-License-Identifier: Apache-2.0
// A JSON tree that keeps what the prompt formats depend on: the order of object members and the
// text of numbers. Of two members with one name the later value stands, at the earlier place.
// Values own their parts; nothing is shared. simdjson is behind parse() and nowhere else in
// harmony/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace vitalis::harmony {

class Json {
 public:
  enum class Kind : uint8_t { kNull, kBoolean, kInteger, kReal, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  Json() = default;
  static Json boolean(bool value);
  static Json integer(int64_t value);
  static Json string(std::string value);
  static Json array();
  static Json object();

  // kMalformed with the path and what is wrong: not JSON, not UTF-8, deeper than kMaxDepth.
  static Result<Json> parse(std::string_view text);
  static constexpr int kMaxDepth = 100;

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_boolean() const { return kind_ == Kind::kBoolean; }
  bool is_number() const { return kind_ == Kind::kInteger || kind_ == Kind::kReal; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  bool truth() const { return truth_; }              // kBoolean
  const std::string& text() const { return text_; }  // kString: its value; numbers: as written
  double real() const;                               // numbers
  const std::vector<Json>& items() const { return items_; }        // kArray
  const std::vector<Member>& members() const { return members_; }  // kObject

  // The member of that name, or null if there is none or this is no object.
  const Json* find(std::string_view name) const;

  void add(Json item) { items_.push_back(std::move(item)); }  // kArray
  void set(std::string name, Json value);                     // kObject

  friend bool operator==(const Json&, const Json&) = default;

  // How the two references write JSON. kCompact: {"a":1}, floats as 1e21; kPython: {"a": 1}, floats
  // as 1e+21. Both leave characters above U+007F as they are.
  enum class Style : uint8_t { kCompact, kPython };
  void write(std::string& out, Style style) const;
  std::string dump(Style style = Style::kCompact) const;

 private:
  friend class JsonReader;
  Kind kind_ = Kind::kNull;
  bool truth_ = false;
  std::string text_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

// Appends `text` as a JSON string, quotes included.
void write_json_string(std::string& out, std::string_view text);

// "object", "string", … for messages.
std::string_view kind_name(Json::Kind kind);

}  // namespace vitalis::harmony
