// SPDX-License-Identifier: Apache-2.0
// Where settings are written, the weakest first: files in TOML of the system, of the user and of
// the folder worked in, then environment variables. A folder's file came with the folder, so it may
// set only what is harmless, and one that somebody else owns is not read.
#pragma once

#include <string>
#include <vector>

#include "output.h"
#include <vitalis/vitalis.h>

namespace vitalis::cli {

struct ConfigFile {
  enum class State : uint8_t { kRead, kAbsent, kForeign };
  std::string path;
  const char* layer;  // "system", "user", "folder"
  State state;
};

// All that are looked for, and whether each is read.
std::vector<ConfigFile> config_files();
// Empty if there is no home.
std::string user_config_file();

// Each false after telling all that is wrong.
bool load_config_files(vitalis_config* config, Output& output);
bool load_environment(vitalis_config* config, Output& output);

// Writes a value into the user's file, of which all else stays as it is, comments included.
bool write_user_setting(const std::string& key, const std::string& value, Output& output);

}  // namespace vitalis::cli
