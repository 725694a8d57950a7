// SPDX-License-Identifier: Apache-2.0
#include "hub_connection.h"

#include <algorithm>
#include <cstdlib>

#include "settings.h"

namespace vitalis::cli {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_true(std::string value) {
  std::ranges::transform(value, value.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return value == "1" || value == "on" || value == "yes" || value == "true";
}

// $HF_HOME, else huggingface in $XDG_CACHE_HOME or ~/.cache; empty if there is no home.
std::string hugging_face_home() {
  const std::string named = variable("HF_HOME");
  if (!named.empty()) {
    const bool in_home = named == "~" || named.starts_with("~/");
    return in_home ? variable("HOME") + named.substr(1) : named;
  }
  const std::string cache = variable("XDG_CACHE_HOME");
  if (cache.starts_with('/')) return cache + "/huggingface";
  const std::string home = variable("HOME");
  return home.starts_with('/') ? home + "/.cache/huggingface" : "";
}

std::string token_of_environment() {
  const std::string token = variable("HF_TOKEN");
  return token.empty() ? variable("HUGGING_FACE_HUB_TOKEN") : token;
}

}  // namespace

const char* null_if_empty(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

std::string short_commit(const std::string& commit) {
  return commit.substr(0, 12);
}

Hub open_hub(const Options& options, Output& output) {
  vitalis_hub_options given = VITALIS_HUB_OPTIONS_INIT;
  if (!succeeded(vitalis_config_hub_options(options.config.get(), &given), output)) return nullptr;
  const std::string home = hugging_face_home();
  const std::string cache = home + "/hub";
  const std::string token_path = home + "/token";
  if (given.cache_folder == nullptr && !home.empty()) given.cache_folder = cache.c_str();
  if (given.token_path == nullptr && !home.empty()) given.token_path = token_path.c_str();
  const std::string token = token_of_environment();
  // Signing in is about the token files, whatever the environment says besides.
  const bool files_alone = options.command == Command::kAuth && options.action != "whoami";
  if (is_true(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN")) && options.command != Command::kAuth) {
    given.token_path = nullptr;
  } else if (!token.empty() && !files_alone) {
    given.token = token.c_str();
  }
  const std::string agent = variable("HF_HUB_USER_AGENT_ORIGIN");
  given.user_agent = null_if_empty(agent);
  vitalis_hub* hub = nullptr;
  return Hub(succeeded(vitalis_hub_create(&given, &hub), output) ? hub : nullptr);
}

void tell_notices(vitalis_hub* hub, Output& output) {
  vitalis_text json{};
  if (vitalis_hub_notices(hub, &json) < VITALIS_OK) return;
  for (const Json& notice : Json::parse(view(json)).items()) output.error(notice.text());
}

}  // namespace vitalis::cli
