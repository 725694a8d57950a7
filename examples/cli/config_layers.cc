// SPDX-License-Identifier: Apache-2.0
#include "config_layers.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "json_writer.h"
#include "library.h"
#include "settings.h"
#include "text.h"

extern char** environ;

namespace vitalis::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFolderFile = "vitalis.toml";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Whoever may write a file decides what it says.
ConfigFile::State state_of(const std::string& path, bool may_be_foreign) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return ConfigFile::State::kAbsent;
  const bool ours = (file.st_uid == geteuid() || file.st_uid == 0) && (file.st_mode & S_IWOTH) == 0;
  return ours || may_be_foreign ? ConfigFile::State::kRead : ConfigFile::State::kForeign;
}

// The nearest one of the working folder and those above it.
std::string folder_file() {
  std::error_code failed;
  fs::path folder = fs::current_path(failed);
  while (!failed && !folder.empty()) {
    if (fs::exists(folder / kFolderFile, failed)) return (folder / kFolderFile).string();
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
  }
  return "";
}

class FileLoader {
 public:
  FileLoader(vitalis_config* config, const ConfigFile& file, Output& output)
      : config_(config),
        path_(file.path),
        flags_(std::strcmp(file.layer, "folder") == 0 ? VITALIS_CONFIG_HARMLESS : 0),
        output_(output) {}

  bool load(const std::string& text) {
    const toml::parse_result parsed = toml::parse(text, path_);
    if (!parsed) {
      const toml::parse_error& error = parsed.error();
      complain(error.source().begin.line, error.description());
    } else {
      std::vector<std::string> keys;
      walk(parsed.table(), keys);
    }
    std::ranges::stable_sort(problems_, {}, &Problem::line);
    for (const Problem& problem : problems_) {
      output_.error(path_ + ':' + std::to_string(problem.line) + ": " + problem.sentence);
    }
    return problems_.empty();
  }

 private:
  struct Problem {
    uint32_t line;
    std::string sentence;
  };

  void complain(uint32_t line, std::string_view sentence) {
    problems_.push_back({line, std::string(sentence)});
  }

  // One value at a time, so that each has its line.
  void walk(const toml::table& table, std::vector<std::string>& keys) {
    for (const auto& [key, node] : table) {
      keys.emplace_back(key.str());
      if (const toml::table* inner = node.as_table(); inner != nullptr && keys.size() < 8) {
        walk(*inner, keys);
      } else {
        load_value(node, keys);
      }
      keys.pop_back();
    }
  }

  void load_value(const toml::node& node, const std::vector<std::string>& keys) {
    JsonWriter json;
    for (const std::string& key : keys) json.begin_object().key(key);
    if (const auto text = node.value_exact<std::string_view>()) {
      json.value(*text);
    } else if (const auto truth = node.value_exact<bool>()) {
      json.boolean(*truth);
    } else if (const auto whole = node.value_exact<int64_t>()) {
      json.raw(std::to_string(*whole));
    } else if (const auto real = node.value_exact<double>()) {
      json.number(*real);  // null for an infinity, which no setting takes
    } else if (node.is_array()) {
      json.begin_array().end_array();
    } else {
      json.null();  // no setting takes a date
    }
    for (size_t i = 0; i < keys.size(); ++i) json.end_object();
    const uint32_t line = node.source().begin.line;
    const std::string origin = path_ + ':' + std::to_string(line);
    const int32_t status = vitalis_config_load_json(config_, json.text().data(), json.text().size(),
                                                    origin.c_str(), flags_);
    if (status < VITALIS_OK) complain(line, vitalis_last_error());
  }

  vitalis_config* config_;
  std::string path_;
  uint32_t flags_;
  Output& output_;
  std::vector<Problem> problems_;
};

bool set_from_variable(vitalis_config* config, const std::string& name, std::string_view key,
                       Output& output) {
  const std::string value = environment(name.c_str());
  if (value.empty()) return true;
  const std::string setting(key);
  if (vitalis_config_set(config, setting.c_str(), value.c_str(), name.c_str()) >= VITALIS_OK) {
    return true;
  }
  output.error(name + ": expected " + std::string(view(find_setting(config, setting).expected)) +
               ", found \"" + value + '"');
  return false;
}

}  // namespace

std::string user_config_file() {
  std::string folder = environment("XDG_CONFIG_HOME");
  if (!folder.starts_with('/')) {
    folder = environment("HOME");
    if (!folder.starts_with('/')) return "";
    folder += "/.config";
  }
  return folder + "/vitalis/config.toml";
}

std::vector<ConfigFile> config_files() {
  std::vector<ConfigFile> files;
  std::string folders = environment("XDG_CONFIG_DIRS");
  if (folders.empty()) folders = "/etc/xdg";
  for (size_t at = 0; at <= folders.size();) {
    const size_t end = std::min(folders.find(':', at), folders.size());
    const std::string folder = folders.substr(at, end - at);
    if (folder.starts_with('/')) {
      const std::string path = folder + "/vitalis/config.toml";
      // The first of these folders is the strongest.
      files.insert(files.begin(), {path, "system", state_of(path, true)});
    }
    at = end + 1;
  }
  if (const std::string path = user_config_file(); !path.empty()) {
    files.push_back({path, "user", state_of(path, true)});
  }
  if (const std::string path = folder_file(); !path.empty()) {
    files.push_back({path, "folder", state_of(path, false)});
  }
  return files;
}

bool load_config_files(vitalis_config* config, Output& output) {
  bool good = true;
  for (const ConfigFile& file : config_files()) {
    if (file.state != ConfigFile::State::kRead) continue;
    std::string problem;
    const auto text = read_whole(file.path, problem);
    if (!text) {
      output.error(problem);
      good = false;
    } else {
      good = FileLoader(config, file, output).load(*text) && good;
    }
  }
  return good;
}

bool load_environment(vitalis_config* config, Output& output) {
  bool good = true;
  vitalis_setting setting{};
  setting.struct_size = sizeof setting;
  std::vector<std::string> sections;
  std::vector<std::string> names;
  for (size_t i = 0; vitalis_config_get(config, i, &setting) == VITALIS_OK; ++i) {
    const std::string key(view(setting.key));
    const std::string name(view(setting.environment));
    const std::string others(view(setting.variable));
    sections.push_back(name.substr(0, name.find('_', std::strlen("VITALIS_")) + 1));
    names.push_back(name);
    // Of other names the first is the strongest, and our own is stronger than all.
    for (size_t end = others.size(); end != others.npos && !others.empty();) {
      const size_t space = others.rfind(' ', end - 1);
      const size_t at = space == others.npos ? 0 : space + 1;
      good = set_from_variable(config, others.substr(at, end - at), key, output) && good;
      end = space;
    }
    good = set_from_variable(config, name, key, output) && good;
  }
  // A misspelt name would otherwise be passed over in silence.
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view entry = *variable;
    const std::string name(entry.substr(0, entry.find('=')));
    const auto begins = [&name](const std::string& section) { return name.starts_with(section); };
    if (std::ranges::none_of(sections, begins) || std::ranges::count(names, name) > 0) continue;
    std::string key = name.substr(std::strlen("VITALIS_"));
    std::ranges::transform(key, key.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    key.replace(key.find('_'), 1, ".");
    vitalis_config_find(config, key.c_str(), &setting);
    output.error(name + ": " + vitalis_last_error());
    good = false;
  }
  return good;
}

}  // namespace vitalis::cli
