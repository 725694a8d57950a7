// SPDX-License-Identifier: Apache-2.0
// The library's settings as this program offers them: an option for each that has a flag, made from
// the library's own table, and the layers put together: files, environment, command line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "output.h"
#include <vitalis/vitalis.h>

namespace CLI {
class App;
}

namespace vitalis::cli {

using Config = std::shared_ptr<vitalis_config>;

// Null if there is no memory.
Config make_config();

// The setting of that key, which the table has.
vitalis_setting find_setting(const vitalis_config* config, const std::string& key);

// The options that stand for settings. What the command line gave is kept until the weaker layers
// are in.
class SettingFlags {
 public:
  SettingFlags() : table_(make_config()) {}

  // Adds the option of this setting; its values are checked as they are read.
  void add(CLI::App& app, const std::string& key);

  // Files, environment, then what the command line gave. Null after telling what is wrong.
  Config load(Output& output) const;

 private:
  struct Given {
    std::string key;
    std::string value;
    std::string flag;
  };
  Config table_;
  std::vector<Given> given_;
};

}  // namespace vitalis::cli
