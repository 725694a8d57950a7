// SPDX-License-Identifier: Apache-2.0
// Reads the JSON that the library gives. What is missing or of another type is empty, zero or
// false: the library's answers have what docs/models.md says.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitalis::cli {

class Json {
 public:
  static Json parse(std::string_view text);

  const std::string& text() const { return text_; }
  uint64_t number() const { return number_; }
  bool truth() const { return truth_; }
  const std::vector<Json>& items() const& { return items_; }
  std::vector<Json> items() && { return std::move(items_); }  // of a temporary, so that it lives
  // The member of that name, or nothing's.
  const Json& operator[](const std::string& name) const;

 private:
  friend struct JsonBuilder;
  std::string text_;
  uint64_t number_ = 0;
  bool truth_ = false;
  std::vector<Json> items_;
  std::map<std::string, Json> members_;
};

}  // namespace vitalis::cli
