// SPDX-License-Identifier: Apache-2.0
// vitalis update and rollback: what changed at the hub, the new files beside the old, and back.
#include <string>
#include <vector>

#include "commands.h"
#include "download.h"
#include "hub_connection.h"
#include "json_writer.h"
#include "library.h"
#include "settings.h"
#include "text.h"
#include "transfer_view.h"

namespace vitalis::cli {

namespace {

int32_t policy_number(std::string_view name) {
  if (name == "pinned") return VITALIS_POLICY_PINNED;
  if (name == "config-only") return VITALIS_POLICY_CONFIG_ONLY;
  if (name == "auto") return VITALIS_POLICY_AUTO;
  return VITALIS_POLICY_NOTIFY;
}

// A name that is typed is a wish to have it; all models at once follow the policy.
int32_t chosen_policy(const Options& options) {
  const vitalis_setting policy = find_setting(options.config.get(), "update.policy");
  const bool given = view(policy.origin) == view(policy.flag);
  if (!options.hub.name.empty() && !given) return VITALIS_POLICY_AUTO;
  return policy_number(view(policy.value));
}

std::string changes_for_people(const Json& check) {
  std::string lines = check["repo"].text() + ": " + short_commit(check["from"].text()) + " -> " +
                      short_commit(check["to"].text()) + '\n';
  for (const Json& change : check["changes"].items()) {
    const std::string& kind = change["kind"].text();
    lines += "  " + kind + "  " + change["path"].text() + "  (" + change["role"].text();
    if (kind != "added") lines += ", " + size_for_people(change["size_before"].number());
    if (kind == "changed") lines += " -> ";
    if (kind == "added") lines += ", ";
    if (kind != "removed") lines += size_for_people(change["size_after"].number());
    lines += ")\n";
  }
  if (!check["notice"].text().empty()) lines += "  " + check["notice"].text() + '\n';
  return lines;
}

// Whether the files at `folder` answer a fixed prompt: loaded, rendered, decoded.
bool answers(const Options& options, const std::string& folder, Output& output) {
  Options fixed = options;
  fixed.model = folder;
  const Model model = open_model(fixed, output);
  if (!model) return false;
  vitalis_session_options size = VITALIS_SESSION_OPTIONS_INIT;
  size.context = 512;
  vitalis_session* handle = nullptr;
  if (!succeeded(vitalis_session_create(model.get(), &size, &handle), output)) return false;
  const Session session(handle);
  vitalis_conversation* said = nullptr;
  if (!succeeded(vitalis_conversation_create(&said), output)) return false;
  const Conversation conversation(said);
  if (!add_user_message(said, "What is 2 + 2?", output)) return false;
  vitalis_generate_options generate = VITALIS_GENERATE_OPTIONS_INIT;
  generate.sampling = VITALIS_SAMPLE_GREEDY;
  generate.max_tokens = 8;
  if (!succeeded(vitalis_session_start(session.get(), said, &generate), output)) return false;
  output.show_progress("trying the new files ...");
  vitalis_event event = VITALIS_EVENT_INIT;
  int32_t status = VITALIS_OK;
  while ((status = vitalis_session_next(session.get(), &event)) == VITALIS_OK) continue;
  output.clear_progress();
  return succeeded(status, output);
}

class Updater {
 public:
  Updater(vitalis_hub* hub, const Options& options, Interrupt& interrupt, Output& output)
      : hub_(hub), options_(options), interrupt_(interrupt), output_(output) {}

  // One model, by name or path. An exit code.
  int update(const std::string& name);

 private:
  int install(const std::string& name, const Json& check);
  int tell(const std::string& sentence);

  vitalis_hub* hub_;
  const Options& options_;
  Interrupt& interrupt_;
  Output& output_;
};

int Updater::tell(const std::string& sentence) {
  if (!options_.json) output_.print(sentence);
  return output_.exit_code(kExitOk);
}

int Updater::update(const std::string& name) {
  vitalis_text text{};
  const int32_t status = vitalis_hub_check(hub_, name.c_str(), null_if_empty(options_.hub.revision),
                                           chosen_policy(options_), &text);
  if (!succeeded(status, output_)) return kExitError;
  const std::string found(view(text));
  tell_notices(hub_, output_);
  const Json check = Json::parse(found);
  if (options_.json && !output_.print(json_event("check", "check", found))) {
    return output_.exit_code(kExitError);
  }
  if (!check["is_new"].truth()) {
    return tell(check["repo"].text() + ": nothing new since " + short_commit(check["from"].text()) +
                '\n');
  }
  tell(changes_for_people(check));
  if (options_.hub.check) return output_.exit_code(kExitOk);
  if (check["action"].text() == "install") return install(name, check);
  if (check["pinned"].truth()) return tell("  pinned: vitalis models unpin " + name + '\n');
  if (check["rejected"].truth()) return tell("  not installed: it was rolled back from\n");
  if (!check["matters"].truth()) return tell("  nothing that a model needs\n");
  return tell("  install it: vitalis update " + name + '\n');
}

int Updater::install(const std::string& name, const Json& check) {
  vitalis_transfer* handle = nullptr;
  if (!succeeded(vitalis_hub_update(hub_, &handle), output_)) return kExitError;
  const Transfer transfer(handle);
  vitalis_text text{};
  if (!succeeded(vitalis_transfer_plan(handle, &text), output_)) return kExitError;
  const Json plan = Json::parse(view(text));
  const int code = show_transfer(handle, options_, interrupt_, output_);
  if (code != kExitOk) return code;
  const std::string& folder = plan["folder"].text();
  const std::string& commit = check["to"].text();
  if (options_.hub.try_first && !answers(options_, folder, output_)) {
    output_.error(name + ": the new files do not work, so the old ones stay in use");
    return kExitError;
  }
  const bool in_place = folder.find(commit) == folder.npos;  // a plain folder has no switch
  if (!in_place &&
      !succeeded(vitalis_hub_activate(hub_, name.c_str(), null_if_empty(options_.hub.revision),
                                      commit.c_str()),
                 output_)) {
    return kExitError;
  }
  if (options_.json) {
    JsonWriter quoted(JsonWriter::Style::kOneLine);
    quoted.value(folder);
    output_.print(json_event("done", "folder", quoted.text()));
    return output_.exit_code(kExitOk);
  }
  return tell("  installed; back: vitalis rollback " + name + '\n');
}

std::vector<std::string> names_of(vitalis_hub* hub, Output& output) {
  std::vector<std::string> names;
  vitalis_text text{};
  if (!succeeded(vitalis_hub_models(hub, &text), output)) return names;
  for (const Json& model : Json::parse(view(text)).items()) names.push_back(model["repo"].text());
  return names;
}

}  // namespace

int update(const Options& options, Interrupt& interrupt, Output& output) {
  const Hub hub = open_hub(options, output);
  if (!hub) return kExitError;
  Updater updater(hub.get(), options, interrupt, output);
  if (!options.hub.name.empty()) return updater.update(options.hub.name);
  int code = kExitOk;
  for (const std::string& name : names_of(hub.get(), output)) {
    const int one = updater.update(name);
    if (one == kExitInterrupted) return one;
    if (one != kExitOk) code = one;
  }
  return code;
}

int rollback(const Options& options, Output& output) {
  const Hub hub = open_hub(options, output);
  if (!hub) return kExitError;
  vitalis_text commit{};
  const int32_t status = vitalis_hub_rollback(hub.get(), options.hub.name.c_str(),
                                              null_if_empty(options.hub.revision), &commit);
  if (!succeeded(status, output)) return kExitError;
  output.print(std::string(view(commit)) + '\n');
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
