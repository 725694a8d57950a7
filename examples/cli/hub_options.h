// SPDX-License-Identifier: Apache-2.0
// The options of the commands that deal with the hub and the models kept: auth, download, update,
// rollback and models.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "options.h"
#include "settings.h"

namespace vitalis::cli {

class HubCommands {
 public:
  // All that is given here must live until the command line has been read.
  HubCommands(CLI::App& app, HubOptions& hub, Options& options, std::string& manifest_file,
              SettingFlags& flags);

  // The one that was given, if any.
  std::optional<Command> command() const;
  // What CLI11 cannot say: which words and options an action takes. Empty if all is well.
  std::string complain(const Options& options) const;

 private:
  void add_auth(Options& options, HubOptions& hub, SettingFlags& flags);
  void add_download(Options& options, HubOptions& hub, std::string& manifest_file,
                    SettingFlags& flags);
  void add_update(Options& options, HubOptions& hub, SettingFlags& flags);
  void add_models(Options& options, HubOptions& hub, SettingFlags& flags);

  CLI::App* auth_;
  CLI::App* download_;
  CLI::App* update_;
  CLI::App* rollback_;
  CLI::App* models_;
};

}  // namespace vitalis::cli
