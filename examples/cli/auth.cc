// SPDX-License-Identifier: Apache-2.0
// vitalis auth: who is signed in to the hub. Tokens are typed unseen, read from a pipe or given,
// and are never printed.
#include <chrono>
#include <ctime>
#include <string>
#include <thread>

#include "commands.h"
#include "hub_connection.h"
#include "prompt.h"
#include "settings.h"
#include "text.h"

namespace vitalis::cli {

namespace {

std::string date(uint64_t unix_time) {
  const auto seconds = static_cast<std::time_t>(unix_time);
  std::tm local{};
  char text[sizeof "2026-01-31 12:00"];
  if (localtime_r(&seconds, &local) == nullptr) return "";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local)};
}

// Nothing after telling why, or where Ctrl-C ended the question.
std::optional<std::string> read_token(const Options& options, Interrupt& interrupt,
                                      Output& output) {
  if (options.hub.token && *options.hub.token != "-") return options.hub.token;
  if (!options.hub.token && can_ask()) {
    output.note("A token is made at " +
                std::string(view(find_setting(options.config.get(), "hub.endpoint").value)) +
                "/settings/tokens; to read public models none is needed.");
    return ask_secret("Token (not shown): ", interrupt, output);
  }
  std::string problem;
  auto text = read_whole("-", problem);
  if (!text) output.error(problem);
  return text;
}

int tell_identity(std::string_view text, const Options& options, std::string_view done,
                  Output& output) {
  if (options.json) {
    output.print(std::string(text) + '\n');
    return output.exit_code(kExitOk);
  }
  const Json identity = Json::parse(text);
  std::string said = std::string(done) + identity["name"].text();
  if (!identity["full_name"].text().empty()) said += " (" + identity["full_name"].text() + ')';
  said += '\n';
  if (!identity["token_name"].text().empty()) {
    said += "token: " + identity["token_name"].text() + ", role " + identity["role"].text() + '\n';
  }
  std::string organisations;
  for (const Json& name : identity["organisations"].items()) {
    organisations += (organisations.empty() ? "" : ", ") + name.text();
  }
  if (!organisations.empty()) said += "organisations: " + organisations + '\n';
  if (identity["endpoint"].text() != "https://huggingface.co") {
    said += "endpoint: " + identity["endpoint"].text() + '\n';
  }
  output.print(said);
  return output.exit_code(kExitOk);
}

int login_by_code(vitalis_hub* hub, const Options& options, Output& output) {
  const std::string client(view(find_setting(options.config.get(), "hub.client_id").value));
  if (client.empty()) {
    output.error(
        "--code: the hub has to know the application; set hub.client_id or give --client-id");
    return kExitUsage;
  }
  vitalis_text text{};
  if (!succeeded(vitalis_hub_begin_login(hub, client.c_str(), options.hub.scope.c_str(), &text),
                 output)) {
    return kExitError;
  }
  const Json code = Json::parse(view(text));
  output.note("Open " + code["verification_uri"].text() + " and type the code " +
              code["user_code"].text());
  const auto wait = std::chrono::seconds(std::max<uint64_t>(code["interval"].number(), 1));
  for (;;) {
    output.show_progress("waiting for the browser; Ctrl-C ends it");
    std::this_thread::sleep_for(wait);
    if (!succeeded(vitalis_hub_poll_login(hub, &text), output)) return kExitError;
    if (text.size > 0) return tell_identity(view(text), options, "Signed in as ", output);
  }
}

int login(vitalis_hub* hub, const Options& options, Interrupt& interrupt, Output& output) {
  if (options.hub.by_code) return login_by_code(hub, options, output);
  auto token = read_token(options, interrupt, output);
  if (!token) return can_ask() ? kExitInterrupted : kExitError;
  vitalis_text text{};
  const int32_t status =
      vitalis_hub_login(hub, token->data(), token->size(), null_if_empty(options.hub.name), &text);
  std::fill(token->begin(), token->end(), '\0');
  if (!succeeded(status, output)) return kExitError;
  return tell_identity(view(text), options, "Signed in as ", output);
}

int list(vitalis_hub* hub, const Options& options, Output& output) {
  vitalis_text text{};
  if (!succeeded(vitalis_hub_tokens(hub, &text), output)) return kExitError;
  if (options.json) {
    output.print(std::string(view(text)) + '\n');
    return output.exit_code(kExitOk);
  }
  std::string lines;
  for (const Json& token : Json::parse(view(text)).items()) {
    const std::string& name = token["name"].text();
    lines += token["active"].truth() ? "* " : "  ";
    lines += (name.empty() ? "(without a name)" : name) + "  " + token["token"].text();
    const uint64_t expires = token["expires_at"].number();
    if (expires > 0) lines += "  until " + date(expires);
    lines += '\n';
  }
  output.print(lines);
  return output.exit_code(kExitOk);
}

}  // namespace

int auth(const Options& options, Interrupt& interrupt, Output& output) {
  const Hub hub = open_hub(options, output);
  if (!hub) return kExitError;
  const std::string& name = options.hub.name;
  if (options.action == "login") return login(hub.get(), options, interrupt, output);
  if (options.action == "list") return list(hub.get(), options, output);
  if (options.action == "switch") {
    return succeeded(vitalis_hub_switch(hub.get(), name.c_str()), output) ? kExitOk : kExitError;
  }
  if (options.action == "logout") {
    const int32_t status = vitalis_hub_logout(hub.get(), null_if_empty(name));
    return succeeded(status, output) ? kExitOk : kExitError;
  }
  vitalis_text text{};
  if (!succeeded(vitalis_hub_whoami(hub.get(), &text), output)) return kExitError;
  return tell_identity(view(text), options, "", output);
}

}  // namespace vitalis::cli
