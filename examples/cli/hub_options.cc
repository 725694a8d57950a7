// SPDX-License-Identifier: Apache-2.0
#include "hub_options.h"

namespace vitalis::cli {

namespace {

void add_network(CLI::App& app, SettingFlags& flags) {
  for (const char* key : {"hub.endpoint", "hub.proxy", "hub.ca_file"}) flags.add(app, key);
}

void add_transfer(CLI::App& app, SettingFlags& flags) {
  for (const char* key : {"hub.cache_dir", "hub.offline", "hub.connections", "hub.rate_limit"}) {
    flags.add(app, key);
  }
  add_network(app, flags);
}

void add_name(CLI::App& app, HubOptions& hub, bool required) {
  app.add_option("name", hub.name, "openai/gpt-oss-20b, gpt-oss-20b, either with @REVISION")
      ->required(required)
      ->type_name("NAME");
}

void add_revision(CLI::App& app, HubOptions& hub) {
  app.add_option("--revision", hub.revision, "branch, tag or commit (default: main)")
      ->type_name("TEXT");
}

void add_json(CLI::App& app, Options& options) {
  app.add_flag("--json", options.json, "print JSON");
}

}  // namespace

HubCommands::HubCommands(CLI::App& app, HubOptions& hub, Options& options,
                         std::string& manifest_file, SettingFlags& flags)
    : auth_(app.add_subcommand("auth", "sign in to the hub, or out")),
      download_(app.add_subcommand("download", "get a model from the hub")),
      update_(app.add_subcommand("update", "look for new versions of models, and get them")),
      rollback_(app.add_subcommand("rollback", "go back to the version before an update")),
      models_(app.add_subcommand("models", "list, pin or remove the models kept here")) {
  add_auth(options, hub, flags);
  add_download(options, hub, manifest_file, flags);
  add_update(options, hub, flags);
  add_name(*rollback_, hub, true);
  add_revision(*rollback_, hub);
  flags.add(*rollback_, "hub.cache_dir");
  add_models(options, hub, flags);
}

void HubCommands::add_auth(Options& options, HubOptions& hub, SettingFlags& flags) {
  auth_->add_option("action", options.action, "login, whoami, list, switch or logout")
      ->check(CLI::IsMember({"login", "whoami", "list", "switch", "logout"}))
      ->required()
      ->type_name("ACTION");
  auth_->add_option("name", hub.name, "of a token: to keep it as, to switch to, to forget")
      ->type_name("NAME");
  CLI::Option* token =
      auth_->add_option("--token", hub.token, "with login: the token; - reads standard input");
  token->type_name("TEXT");
  auth_->add_flag("--code", hub.by_code, "with login: by a code typed into a browser")
      ->excludes(token);
  auth_->add_option("--scope", hub.scope, "with --code: what is asked for")->type_name("TEXT");
  flags.add(*auth_, "hub.client_id");
  add_network(*auth_, flags);
  add_json(*auth_, options);
}

void HubCommands::add_download(Options& options, HubOptions& hub, std::string& manifest_file,
                               SettingFlags& flags) {
  CLI::App& app = *download_;
  add_name(app, hub, true);
  app.add_option("files", hub.includes, "paths in it (default: what inference needs)")
      ->type_name("FILE");
  add_revision(app, hub);
  app.add_option("--include", hub.includes, "files to get, with * and ?; again for more")
      ->expected(1)
      ->type_name("GLOB");
  app.add_option("--exclude", hub.excludes, "files to leave; again for more")
      ->expected(1)
      ->type_name("GLOB");
  app.add_flag("--all", hub.all, "every file");
  app.add_option("--local-dir", hub.local_folder, "put the files here, not into the cache")
      ->type_name("DIR");
  app.add_option("--reuse", hub.reuse, "folder that may hold files of it; again for more")
      ->expected(1)
      ->type_name("DIR");
  app.add_option("--pin", hub.pin, "refuse any commit but this")->type_name("COMMIT");
  app.add_option("--manifest", manifest_file, "refuse what differs from this list, JSON")
      ->type_name("FILE");
  app.add_flag("--dry-run", hub.dry_run, "print the plan alone");
  add_transfer(app, flags);
  app.add_flag("--json", options.json, "print JSON, a line for each event");
}

void HubCommands::add_update(Options& options, HubOptions& hub, SettingFlags& flags) {
  add_name(*update_, hub, false);
  add_revision(*update_, hub);
  update_->add_flag("--check", hub.check, "tell what changed, and install nothing");
  update_->add_flag("--try", hub.try_first, "have the new files answer a prompt before the switch");
  flags.add(*update_, "update.policy");
  add_transfer(*update_, flags);
  add_json(*update_, options);
}

void HubCommands::add_models(Options& options, HubOptions& hub, SettingFlags& flags) {
  models_
      ->add_option("action", options.action,
                   "list, remove, prune, pin, unpin or log (default: list)")
      ->check(CLI::IsMember({"list", "remove", "prune", "pin", "unpin", "log"}))
      ->type_name("ACTION");
  add_name(*models_, hub, false);
  models_->add_option("commit", hub.commit, "of remove and pin: this version alone")
      ->type_name("COMMIT");
  models_->add_flag("--dry-run", hub.dry_run, "with remove and prune: tell what would go");
  flags.add(*models_, "update.keep");
  flags.add(*models_, "hub.cache_dir");
  add_json(*models_, options);
}

std::optional<Command> HubCommands::command() const {
  if (auth_->parsed()) return Command::kAuth;
  if (download_->parsed()) return Command::kDownload;
  if (update_->parsed()) return Command::kUpdate;
  if (rollback_->parsed()) return Command::kRollback;
  if (models_->parsed()) return Command::kModels;
  return std::nullopt;
}

std::string HubCommands::complain(const Options& options) const {
  const HubOptions& hub = options.hub;
  const std::string& action = options.action;
  if (auth_->parsed()) {
    if (action == "switch" && hub.name.empty()) return "auth switch: expected a NAME";
    if ((action == "whoami" || action == "list") && !hub.name.empty()) {
      return "auth " + action + ": expected nothing after it, found \"" + hub.name + '"';
    }
    if (action != "login" && (hub.token || hub.by_code)) {
      return "auth " + action + ": --token and --code are for login";
    }
  }
  if (models_->parsed()) {
    const bool needs_name = action != "list" && action != "prune";
    if (needs_name && hub.name.empty()) return "models " + action + ": expected a NAME";
    if (!hub.commit.empty() && action != "remove" && action != "pin") {
      return "models " + action + ": expected no COMMIT, found \"" + hub.commit + '"';
    }
  }
  return "";
}

}  // namespace vitalis::cli
