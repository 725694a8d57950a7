// SPDX-License-Identifier: Apache-2.0
// vitalis config: shows the settings in force and where each comes from, and changes the user's.
#include <string>

#include "commands.h"
#include "config_layers.h"
#include "json_writer.h"
#include "library.h"
#include "settings.h"

namespace vitalis::cli {

namespace {

const char* type_name(int32_t type) {
  switch (type) {
    case VITALIS_SETTING_BOOLEAN:
      return "boolean";
    case VITALIS_SETTING_INTEGER:
      return "integer";
    case VITALIS_SETTING_REAL:
      return "real";
    case VITALIS_SETTING_CHOICE:
      return "choice";
    case VITALIS_SETTING_SIZE:
      return "size";
    default:
      return "text";
  }
}

const char* state_name(ConfigFile::State state) {
  switch (state) {
    case ConfigFile::State::kRead:
      return "read";
    case ConfigFile::State::kAbsent:
      return "absent";
    default:
      return "not read: others may write it";
  }
}

std::string_view origin_of(const vitalis_setting& setting) {
  return setting.is_set != 0 ? view(setting.origin) : "default";
}

std::string line_of(const vitalis_setting& setting, bool with_origin) {
  std::string line(view(setting.key));
  line += " = ";
  if (view(setting.value).empty() && setting.otherwise.size > 0) {
    line += '(';
    line += view(setting.otherwise);
    line += ')';
  } else {
    line += view(setting.value);
  }
  if (with_origin) {
    line += "  [";
    line += origin_of(setting);
    line += ']';
  }
  return line + '\n';
}

void write_json(const vitalis_setting& setting, JsonWriter& json) {
  json.begin_object().key("key").value(view(setting.key));
  json.key("value").value(view(setting.value));
  json.key("origin").value(origin_of(setting));
  json.key("default").value(
      view(setting.otherwise.size > 0 ? setting.otherwise : setting.default_value));
  json.key("type").value(type_name(setting.type));
  json.key("expected").value(view(setting.expected));
  json.key("flag").value(view(setting.flag));
  json.key("environment").value(view(setting.environment));
  json.key("also").value(view(setting.variable));
  json.key("harmless").boolean(setting.harmless != 0);
  json.key("help").value(view(setting.help)).end_object();
}

int show(const Options& options, Output& output) {
  vitalis_setting setting{};
  setting.struct_size = sizeof setting;
  JsonWriter json;
  json.begin_array();
  std::string lines;
  for (size_t i = 0; vitalis_config_get(options.config.get(), i, &setting) == VITALIS_OK; ++i) {
    lines += line_of(setting, options.show_origin);
    write_json(setting, json);
  }
  json.end_array();
  output.print(options.json ? json.text() : lines);
  return output.exit_code(kExitOk);
}

int get(const Options& options, Output& output) {
  vitalis_setting setting{};
  setting.struct_size = sizeof setting;
  const int32_t status = vitalis_config_find(options.config.get(), options.key.c_str(), &setting);
  if (!succeeded(status, output)) return kExitError;
  output.print(std::string(view(setting.value)) + '\n');
  return output.exit_code(kExitOk);
}

int path(const Options& options, Output& output) {
  JsonWriter json;
  json.begin_array();
  std::string lines;
  for (const ConfigFile& file : config_files()) {
    lines += file.path + "  [" + file.layer + ", " + state_name(file.state) + "]\n";
    json.begin_object().key("path").value(file.path).key("layer").value(file.layer);
    json.key("state").value(state_name(file.state)).end_object();
  }
  json.end_array();
  output.print(options.json ? json.text() : lines);
  return output.exit_code(kExitOk);
}

}  // namespace

int config(const Options& options, Output& output) {
  if (options.action == "get") return get(options, output);
  if (options.action == "path") return path(options, output);
  if (options.action == "set") {
    return write_user_setting(options.key, options.value, output) ? kExitOk : kExitError;
  }
  return show(options, output);
}

}  // namespace vitalis::cli
