// SPDX-License-Identifier: Apache-2.0
// The token files of the Hugging Face home, as its own tools write and read them: `token`, the
// active one, and `stored_tokens` beside it, all by name. Files are 0600, their folder is made
// 0700; both are replaced by renaming, under a lock. No request is made here: who checks a token
// with the hub first (Hub::whoami) does so before save().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "hub/options.h"

namespace vitalis::hub {

struct StoredToken {
  std::string name;
  Token token;
  std::string refresh;     // of a sign-in by code
  int64_t expires_at = 0;  // Unix time; 0: never
  bool active = false;
};

class TokenStore {
 public:
  // `token_path` is $HF_HOME/token or what HF_TOKEN_PATH says; stored_tokens lies beside it.
  explicit TokenStore(std::string token_path) : token_path_(std::move(token_path)) {}

  // The token to use; none if nobody is signed in. kMalformed if the file holds no token.
  Result<std::optional<Token>> active() const;
  // By name; the active one is marked, and appears as "" if stored_tokens does not know it.
  Result<std::vector<StoredToken>> list() const;

  // Stores it under `name` (letters, digits and " ._-@", 1 to 128) and makes it the active one.
  Status save(const std::string& name, const Token& token, const std::string& refresh = {},
              int64_t expires_at = 0);
  // Makes a stored token the active one. kNotFound tells the names there are.
  Status use(const std::string& name);
  // Forgets one; if it was the active one, nobody is signed in afterwards.
  Status remove(const std::string& name);
  // Forgets all, the active one too.
  Status clear();

 private:
  std::string stored_path() const;
  std::string token_path_;
};

// The format of stored_tokens, apart for tests: INI, a section for each name.
Result<std::vector<StoredToken>> parse_stored_tokens(std::string_view text, std::string_view what);
std::string stored_tokens_text(const std::vector<StoredToken>& tokens);

}  // namespace vitalis::hub
