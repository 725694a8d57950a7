// SPDX-License-Identifier: Apache-2.0
// vitalis download: a model from the hub, planned, fetched, verified and published.
#include "download.h"

#include "commands.h"
#include "hub_connection.h"
#include "json_writer.h"
#include "transfer_view.h"

namespace vitalis::cli {

namespace {

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) out.push_back(text.c_str());
  return out;
}

}  // namespace

std::string json_event(std::string_view event, std::string_view name, std::string_view json) {
  JsonWriter line(JsonWriter::Style::kOneLine);
  line.begin_object().key("event").value(event);
  if (!name.empty()) line.key(name).raw(json);
  return line.end_object().text();
}

Transfer plan_download(vitalis_hub* hub, const Options& options, Output& output) {
  const HubOptions& wanted = options.hub;
  vitalis_download_options given = VITALIS_DOWNLOAD_OPTIONS_INIT;
  given.flags = wanted.all ? VITALIS_DOWNLOAD_ALL : 0;
  given.revision = null_if_empty(wanted.revision);
  given.local_folder = null_if_empty(wanted.local_folder);
  const auto includes = pointers(wanted.includes);
  const auto excludes = pointers(wanted.excludes);
  const auto reuse = pointers(wanted.reuse);
  given.includes = includes.data();
  given.include_count = includes.size();
  given.excludes = excludes.data();
  given.exclude_count = excludes.size();
  given.adopt_from = reuse.data();
  given.adopt_count = reuse.size();
  given.pin = null_if_empty(wanted.pin);
  given.manifest = null_if_empty(wanted.manifest);
  output.show_progress("asking for the list of files ...");
  vitalis_transfer* transfer = nullptr;
  const int32_t status = vitalis_hub_download(hub, wanted.name.c_str(), &given, &transfer);
  const bool good = succeeded(status, output);
  output.clear_progress();
  tell_notices(hub, output);
  return Transfer(good ? transfer : nullptr);
}

int download(const Options& options, Interrupt& interrupt, Output& output) {
  const Hub hub = open_hub(options, output);
  if (!hub) return kExitError;
  const Transfer transfer = plan_download(hub.get(), options, output);
  if (!transfer) return kExitError;
  vitalis_text text{};
  if (!succeeded(vitalis_transfer_plan(transfer.get(), &text), output)) return kExitError;
  const std::string plan_text(view(text));
  const Json plan = Json::parse(plan_text);
  if (options.json) {
    output.print(json_event("plan", "plan", plan_text));
  } else if (options.hub.dry_run) {
    output.print(plan_for_people(plan) + '\n');
    for (const Json& file : plan["files"].items()) {
      output.print("  " + file["path"].text() + "  " + file["need"].text() + '\n');
    }
  } else if (output.shows_progress()) {
    output.note(plan_for_people(plan));
  }
  if (options.hub.dry_run) return output.exit_code(kExitOk);
  const int code = show_transfer(transfer.get(), options, interrupt, output);
  if (code != kExitOk) return code;
  const std::string& folder = plan["folder"].text();
  if (options.json) {
    JsonWriter quoted(JsonWriter::Style::kOneLine);
    quoted.value(folder);
    output.print(json_event("done", "folder", quoted.text()));
  } else {
    output.print(folder + '\n');
  }
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
