// SPDX-License-Identifier: Apache-2.0
// vitalis models: those on this machine, what they take, and which of it may go.
#include <string>

#include "commands.h"
#include "hub_connection.h"
#include "settings.h"
#include "text.h"

namespace vitalis::cli {

namespace {

std::string for_people(const Json& model) {
  std::string lines = model["repo"].text() + "  " + size_for_people(model["bytes"].number());
  if (model["partial_bytes"].number() > 0) {
    lines += ", unfinished downloads " + size_for_people(model["partial_bytes"].number());
  }
  lines += '\n';
  for (const Json& snapshot : model["snapshots"].items()) {
    const std::string& commit = snapshot["commit"].text();
    lines += "  " + short_commit(commit) + "  " + size_for_people(snapshot["bytes"].number());
    std::string revisions;
    for (const Json& name : snapshot["revisions"].items()) {
      revisions += (revisions.empty() ? "" : ", ") + name.text();
    }
    if (!revisions.empty()) lines += "  [" + revisions + ']';
    if (commit == model["pin"].text()) lines += "  pinned";
    if (!snapshot["complete"].truth()) lines += "  lacks " + snapshot["missing"].text();
    lines += '\n';
  }
  return lines;
}

int list(vitalis_hub* hub, const Options& options, Output& output) {
  vitalis_text text{};
  if (!succeeded(vitalis_hub_models(hub, &text), output)) return kExitError;
  if (options.json) {
    output.print(std::string(view(text)) + '\n');
    return output.exit_code(kExitOk);
  }
  for (const Json& model : Json::parse(view(text)).items()) {
    if (options.hub.name.empty() || options.hub.name == model["repo"].text()) {
      output.print(for_people(model));
    }
  }
  return output.exit_code(kExitOk);
}

int tell_reclaimed(std::string_view text, const Options& options, Output& output) {
  if (options.json) {
    output.print(std::string(text) + '\n');
    return output.exit_code(kExitOk);
  }
  const Json gone = Json::parse(text);
  if (options.hub.dry_run) {
    for (const Json& path : gone["paths"].items()) output.print(path.text() + '\n');
  }
  output.print((options.hub.dry_run ? "would free " : "freed ") +
               size_for_people(gone["bytes"].number()) + ", " +
               std::to_string(gone["files"].number()) +
               (gone["files"].number() == 1 ? " file\n" : " files\n"));
  return output.exit_code(kExitOk);
}

int pin(vitalis_hub* hub, const Options& options, Output& output) {
  std::string commit = options.hub.commit;
  if (options.action == "pin" && commit.empty()) {
    vitalis_text text{};
    if (!succeeded(vitalis_hub_locate(hub, options.hub.name.c_str(), nullptr, &text), output)) {
      return kExitError;
    }
    commit = Json::parse(view(text))["commit"].text();
  }
  const int32_t status = vitalis_hub_pin(hub, options.hub.name.c_str(), null_if_empty(commit));
  return succeeded(status, output) ? kExitOk : kExitError;
}

}  // namespace

int models(const Options& options, Output& output) {
  const Hub hub = open_hub(options, output);
  if (!hub) return kExitError;
  const HubOptions& wanted = options.hub;
  vitalis_text text{};
  if (options.action == "list") return list(hub.get(), options, output);
  if (options.action == "pin" || options.action == "unpin") {
    return pin(hub.get(), options, output);
  }
  if (options.action == "log") {
    if (!succeeded(vitalis_hub_audit(hub.get(), wanted.name.c_str(), &text), output)) {
      return kExitError;
    }
    output.print(view(text));
    return output.exit_code(kExitOk);
  }
  if (options.action == "remove") {
    const int32_t status =
        vitalis_hub_remove(hub.get(), wanted.name.c_str(), null_if_empty(wanted.commit),
                           wanted.dry_run ? 1 : 0, &text);
    return succeeded(status, output) ? tell_reclaimed(view(text), options, output) : kExitError;
  }
  const auto keep = static_cast<uint32_t>(
      std::stoul(std::string(view(find_setting(options.config.get(), "update.keep").value))));
  const int32_t status =
      vitalis_hub_prune(hub.get(), null_if_empty(wanted.name), keep, wanted.dry_run ? 1 : 0, &text);
  return succeeded(status, output) ? tell_reclaimed(view(text), options, output) : kExitError;
}

}  // namespace vitalis::cli
