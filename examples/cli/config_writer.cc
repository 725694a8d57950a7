// SPDX-License-Identifier: Apache-2.0
// Sets one value in a file of TOML by changing its text where the value stands, so that comments
// and order stay. The changed text is read again and must say the same but for that value.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "config_layers.h"
#include "json_writer.h"
#include "library.h"
#include "settings.h"
#include "text.h"

namespace vitalis::cli {

namespace {

namespace fs = std::filesystem;

// As TOML spells it, which for text is as JSON does.
std::string spelled(const vitalis_setting& setting) {
  const std::string value(view(setting.value));
  if (setting.type <= VITALIS_SETTING_REAL) return value;
  JsonWriter json;
  json.value(value);
  return json.text();
}

size_t line_start(const std::string& text, uint32_t line) {
  size_t at = 0;
  while (--line > 0) {
    const size_t end = text.find('\n', at);
    if (end == text.npos) return text.size();
    at = end + 1;
  }
  return at;
}

// Columns count characters from 1.
size_t offset_of(const std::string& text, const toml::source_position& position) {
  size_t at = line_start(text, position.line);
  for (uint32_t column = 1; column < position.column && at < text.size(); ++column) {
    do {
      ++at;
    } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  return at;
}

std::string with_value(std::string text, const toml::table& table, const std::string& section,
                       const std::string& name, const std::string& value) {
  const toml::node* there = table[section].node();
  if (const toml::node* old = table[section][name].node()) {
    const size_t begin = offset_of(text, old->source().begin);
    return text.replace(begin, offset_of(text, old->source().end) - begin, value);
  }
  const std::string line = name + " = " + value + '\n';
  if (!text.empty() && text.back() != '\n') text += '\n';
  if (there != nullptr) {
    return text.insert(line_start(text, there->source().begin.line + 1), line);
  }
  if (!text.empty()) text += '\n';
  return text + '[' + section + "]\n" + line;
}

toml::table with_value(toml::table table, const toml::table& patch, const std::string& section,
                       const std::string& name) {
  if (table.get_as<toml::table>(section) == nullptr) {
    table.insert_or_assign(section, toml::table());
  }
  table.get_as<toml::table>(section)->insert_or_assign(name, *patch[section][name].node());
  return table;
}

// A reader sees the old text or the new one.
bool replace_file(const fs::path& path, const std::string& text, Output& output) {
  const std::string temporary = path.string() + ".new";
  std::FILE* file = std::fopen(temporary.c_str(), "we");
  bool written = file != nullptr;
  struct stat old {};
  if (written && stat(path.c_str(), &old) == 0) fchmod(fileno(file), old.st_mode & 07777);
  written = written && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  written = written && std::fflush(file) == 0 && fsync(fileno(file)) == 0;
  if (file != nullptr) written = std::fclose(file) == 0 && written;
  if (written && std::rename(temporary.c_str(), path.c_str()) == 0) return true;
  output.error("cannot write " + path.string() + ": " + std::strerror(errno));
  unlink(temporary.c_str());
  return false;
}

}  // namespace

bool write_user_setting(const std::string& key, const std::string& value, Output& output) {
  fs::path path = user_config_file();
  if (path.empty()) {
    output.error("there is no home folder to keep settings in: HOME is not set");
    return false;
  }
  const Config config = make_config();
  const int32_t status =
      vitalis_config_set(config.get(), key.c_str(), value.c_str(), "the command line");
  if (!succeeded(status, output)) return false;
  const std::string spelling = spelled(find_setting(config.get(), key));
  const std::string section = key.substr(0, key.find('.'));
  const std::string name = key.substr(section.size() + 1);

  std::error_code failed;
  if (fs::exists(path, failed)) path = fs::canonical(path, failed);  // a link stays one
  std::string text;
  if (!failed && fs::exists(path)) {
    std::string problem;
    auto read = read_whole(path.string(), problem);
    if (!read) {
      output.error(problem);
      return false;
    }
    text = std::move(*read);
  }
  const toml::parse_result old = toml::parse(text);
  const toml::parse_result patch =
      toml::parse('[' + section + "]\n" + name + " = " + spelling + '\n');
  if (!old || !patch) {
    const toml::parse_error& error = old ? patch.error() : old.error();
    output.error(path.string() + ':' + std::to_string(error.source().begin.line) + ": " +
                 std::string(error.description()));
    return false;
  }
  const std::string changed = with_value(text, old.table(), section, name, spelling);
  const toml::parse_result read_again = toml::parse(changed);
  if (!read_again || read_again.table() != with_value(old.table(), patch.table(), section, name)) {
    output.error(path.string() + ": " + key +
                 " cannot be set without changing more; edit it by hand");
    return false;
  }
  fs::create_directories(path.parent_path(), failed);
  return replace_file(path, changed, output);
}

}  // namespace vitalis::cli
