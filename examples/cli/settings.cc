// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <CLI/CLI.hpp>

#include "config_layers.h"
#include "library.h"

namespace vitalis::cli {

namespace {

std::string help_text(const vitalis_setting& setting) {
  std::string help(view(setting.help));
  if (setting.type == VITALIS_SETTING_BOOLEAN) return help;
  const std::string_view otherwise =
      view(setting.otherwise.size > 0 ? setting.otherwise : setting.default_value);
  if (!otherwise.empty()) help += " (default: " + std::string(otherwise) + ')';
  return help;
}

const char* value_name(int32_t type) {
  switch (type) {
    case VITALIS_SETTING_INTEGER:
    case VITALIS_SETTING_REAL:
      return "N";
    case VITALIS_SETTING_SIZE:
      return "SIZE";
    default:
      return "TEXT";
  }
}

}  // namespace

Config make_config() {
  vitalis_config* config = nullptr;
  vitalis_config_create(&config);
  return {config, &vitalis_config_release};
}

vitalis_setting find_setting(const vitalis_config* config, const std::string& key) {
  vitalis_setting setting{};
  setting.struct_size = sizeof setting;
  vitalis_config_find(config, key.c_str(), &setting);
  return setting;
}

void SettingFlags::add(CLI::App& app, const std::string& key) {
  const vitalis_setting setting = find_setting(table_.get(), key);
  const std::string flag(view(setting.flag));
  if (setting.type == VITALIS_SETTING_BOOLEAN) {
    const auto read = [this, key, flag](int64_t count) {
      given_.push_back({key, count > 0 ? "true" : "false", flag});
    };
    app.add_flag_function(flag, read, help_text(setting));
    return;
  }
  const auto read = [this, key, flag](const std::string& value) {
    if (vitalis_config_set(table_.get(), key.c_str(), value.c_str(), flag.c_str()) < VITALIS_OK) {
      const std::string expected(view(find_setting(table_.get(), key).expected));
      throw CLI::ValidationError(flag, "expected " + expected + ", found \"" + value + '"');
    }
    given_.push_back({key, value, flag});
  };
  app.add_option_function<std::string>(flag, read, help_text(setting))
      ->type_name(value_name(setting.type));
}

Config SettingFlags::load(Output& output) const {
  Config config = make_config();
  if (!load_config_files(config.get(), output) || !load_environment(config.get(), output)) {
    return nullptr;
  }
  for (const Given& given : given_) {
    const int32_t status = vitalis_config_set(config.get(), given.key.c_str(), given.value.c_str(),
                                              given.flag.c_str());
    if (!succeeded(status, output)) return nullptr;
  }
  return config;
}

}  // namespace vitalis::cli
