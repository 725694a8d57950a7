// SPDX-License-Identifier: Apache-2.0
// Golden cases: a JSON object on each line of a file in tests/goldens/harmony, or in the folder
// that VITALIS_HARMONY_REFERENCE names (more cases in the same form, which the tree does not hold).
#pragma once

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "harmony/json.h"
#include "tokenizer/tokenizer.h"

namespace vitalis::harmony {

class GoldenFile {
 public:
  explicit GoldenFile(const std::string& name)
      : GoldenFile(VITALIS_SOURCE_DIR "/tests/goldens/harmony/", name) {}
  GoldenFile(const std::string& folder, const std::string& name) {
    std::ifstream file(folder + "/" + name);
    for (std::string line; std::getline(file, line);) {
      auto json = Json::parse(line);
      EXPECT_TRUE(json.ok()) << name << ": " << json.status().message();
      if (json.ok()) cases_.push_back(json.take());
    }
  }
  const std::vector<Json>& cases() const { return cases_; }

 private:
  std::vector<Json> cases_;
};

inline std::optional<std::string> reference_folder() {
  const char* folder = std::getenv("VITALIS_HARMONY_REFERENCE");
  return folder && *folder ? std::optional<std::string>(folder) : std::nullopt;
}

inline std::optional<std::string> text_of(const Json& object, std::string_view name) {
  const Json* found = object.find(name);
  return found && found->is_string() ? std::optional<std::string>(found->text()) : std::nullopt;
}

inline std::vector<Token> tokens_of(const Json& array) {
  std::vector<Token> out;
  for (const Json& id : array.items()) out.push_back(static_cast<Token>(id.real()));
  return out;
}

}  // namespace vitalis::harmony
