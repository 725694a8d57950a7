// SPDX-License-Identifier: Apache-2.0
#include "model_name.h"

#include <filesystem>
#include <optional>
#include <string>

#include "download.h"
#include "hub_connection.h"
#include "prompt.h"
#include "text.h"
#include "transfer_view.h"

namespace vitalis::cli {

namespace {

// The folder, or nothing after telling why.
std::optional<std::string> fetch(vitalis_hub* hub, const std::string& name, const Options& options,
                                 Interrupt& interrupt, Output& output) {
  Options wanted = options;
  wanted.hub = {};
  wanted.hub.name = name;
  wanted.json = false;
  const Transfer transfer = plan_download(hub, wanted, output);
  vitalis_text text{};
  if (!transfer || !succeeded(vitalis_transfer_plan(transfer.get(), &text), output)) {
    return std::nullopt;
  }
  const Json plan = Json::parse(view(text));
  output.note(plan_for_people(plan));
  if (!ask_yes("Download it now?", output)) {
    output.error("nothing was downloaded; later: vitalis download " + name);
    return std::nullopt;
  }
  if (show_transfer(transfer.get(), wanted, interrupt, output) != kExitOk) return std::nullopt;
  return plan["folder"].text();
}

}  // namespace

bool find_model(Options& options, Interrupt& interrupt, Output& output) {
  std::error_code failed;
  if (!options.config || std::filesystem::exists(options.model, failed)) return true;
  const Hub hub = open_hub(options, output);
  if (!hub) return false;
  const std::string name = options.model;
  vitalis_text text{};
  const int32_t status = vitalis_hub_locate(hub.get(), name.c_str(), nullptr, &text);
  std::string why;
  if (status >= VITALIS_OK) {
    const Json found = Json::parse(view(text));
    options.model = found["folder"].text();
    if (found["complete"].truth()) return true;
    why = found["repo"].text() + " is here in part: it lacks " + found["missing"].text();
  } else {
    why = vitalis_last_error();
    if (status != VITALIS_ERROR_NOT_FOUND) {  // a name it is not
      output.error(why);
      return false;
    }
  }
  if (can_ask()) {
    output.note(why + '.');
    const auto folder = fetch(hub.get(), name, options, interrupt, output);
    if (folder) options.model = *folder;
    return folder.has_value();
  }
  output.error(why + "; to get it: vitalis download " + name);
  return false;
}

}  // namespace vitalis::cli
