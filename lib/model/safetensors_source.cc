// SPDX-License-Identifier: Apache-2.0
// A folder in the style of Hugging Face: config.json, and one file of tensors or shards by an
// index.
#include <filesystem>

#include "formats/safetensors.h"
#include "model/source.h"

namespace vitalis::model {
namespace {

constexpr std::string_view kConfigName = "config.json";
constexpr std::string_view kIndexName = "model.safetensors.index.json";
constexpr std::string_view kSingleName = "model.safetensors";
constexpr size_t kLargestConfig = 1 << 20;
constexpr size_t kLargestIndex = 64 << 20;

std::string join(std::string_view folder, std::string_view name) {
  return text(folder, folder.ends_with('/') ? "" : "/", name);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Fills a source from shards; problems are collected, not returned.
class Shards {
 public:
  Shards(const std::string& folder, Source& source, Problems& problems)
      : folder_(folder), source_(source), problems_(problems) {}

  // The shards that the index names, each tensor in the one where the index puts it.
  void open_indexed(const formats::SafetensorsIndex& index) {
    std::map<std::string_view, std::vector<std::string_view>> contents;
    for (const auto& [tensor, shard] : index) contents[shard].push_back(tensor);
    for (const auto& [shard, tensors] : contents) {
      if (!open(shard, tensors))
        source_.inventory.unreadable.insert(tensors.begin(), tensors.end());
    }
  }

  void open_single() { open(kSingleName, {}); }

 private:
  // False if the file's tensors are not known. An empty `expected` expects nothing in particular.
  bool open(std::string_view name, const std::vector<std::string_view>& expected) {
    const std::string path = join(folder_, name);
    Result<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) {
      problems_.add(file.status());
      return false;
    }
    Result<formats::Safetensors> parsed = formats::parse_safetensors(file->bytes(), path);
    if (!parsed.ok()) {
      problems_.add(parsed.status());
      return false;
    }
    if (!expected.empty()) compare(expected, parsed->tensors, path);
    source_.add(file.take(), std::move(parsed->tensors), name);
    return true;
  }

  // What the index says of a shard against what the shard holds.
  void compare(const std::vector<std::string_view>& expected,
               const std::vector<formats::TensorRange>& found, const std::string& path) {
    const std::set<std::string_view> named(expected.begin(), expected.end());
    std::set<std::string_view> held;
    for (const formats::TensorRange& tensor : found) {
      held.insert(tensor.name);
      if (named.contains(tensor.name)) continue;
      problems_.add(Code::kMalformed, path, ": holds tensor ", in_quotes(tensor.name), ", which ",
                    kIndexName, " does not place there");
    }
    for (const std::string_view name : named) {
      if (held.contains(name)) continue;
      problems_.add(Code::kMalformed, path, ": does not hold tensor ", in_quotes(name), ", which ",
                    kIndexName, " places there");
      source_.inventory.unreadable.emplace(name);
    }
  }

  const std::string& folder_;
  Source& source_;
  Problems& problems_;
};

}  // namespace

Result<Source> open_safetensors(const std::string& folder, Problems& problems) {
  const std::string config_path = join(folder, kConfigName);
  VITALIS_ASSIGN(const std::string config_text, read_file(config_path, kLargestConfig));
  Source source;
  VITALIS_ASSIGN(source.config, parse_config(config_text, config_path));
  source.tables = safetensors_tables(source.config.dense_q8_0);
  Shards shards(folder, source, problems);
  const std::string index_path = join(folder, kIndexName);
  if (exists(index_path)) {
    VITALIS_ASSIGN(const std::string index_text, read_file(index_path, kLargestIndex));
    VITALIS_ASSIGN(const auto index, formats::parse_safetensors_index(index_text, index_path));
    shards.open_indexed(index);
  } else {
    shards.open_single();
    VITALIS_TRY(problems.status(folder));
  }
  return source;
}

}  // namespace vitalis::model
