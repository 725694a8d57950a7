// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint.h"

#include <filesystem>

#include "base/problems.h"
#include "formats/safetensors.h"
#include "model/bind.h"

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

// Maps files and gathers what tensors they hold; problems are collected, not returned.
class Shards {
 public:
  Shards(const std::string& folder, Problems& problems) : folder_(folder), problems_(problems) {}

  // The shards that the index names, each tensor in the one where the index puts it.
  void open_indexed(const formats::SafetensorsIndex& index) {
    std::map<std::string_view, std::vector<std::string_view>> contents;
    for (const auto& [tensor, shard] : index) contents[shard].push_back(tensor);
    for (const auto& [shard, tensors] : contents) {
      if (!open(shard, tensors)) inventory.unreadable.insert(tensors.begin(), tensors.end());
    }
  }

  void open_single() { open(kSingleName, {}); }

  Inventory inventory;
  std::vector<Checkpoint::Tensor> listing;
  std::vector<MappedFile> files;

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
    for (formats::TensorRange& tensor : parsed->tensors) {
      listing.push_back({tensor.name, std::string(formats::info(tensor.dtype).name), tensor.shape,
                         tensor.bytes, std::string(name)});
      const std::byte* data = file->bytes().data() + tensor.offset;
      std::string key = tensor.name;
      inventory.tensors.try_emplace(std::move(key), FoundTensor{std::move(tensor), data, path});
    }
    files.push_back(file.take());
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
      inventory.unreadable.emplace(name);
    }
  }

  const std::string& folder_;
  Problems& problems_;
};

}  // namespace

Result<Checkpoint> Checkpoint::open(const std::string& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return error(Code::kNotFound, "there is no folder ", folder);
  }
  const std::string config_path = join(folder, kConfigName);
  VITALIS_ASSIGN(const std::string config_text, read_file(config_path, kLargestConfig));
  Checkpoint out;
  VITALIS_ASSIGN(out.config_, parse_config(config_text, config_path));

  Problems problems;
  Shards shards(folder, problems);
  const std::string index_path = join(folder, kIndexName);
  if (exists(index_path)) {
    VITALIS_ASSIGN(const std::string index_text, read_file(index_path, kLargestIndex));
    VITALIS_ASSIGN(const auto index, formats::parse_safetensors_index(index_text, index_path));
    shards.open_indexed(index);
  } else {
    shards.open_single();
    VITALIS_TRY(problems.status(folder));
  }
  const NameTable* table = recognize(shards.inventory);
  if (!table) {
    problems.add(Code::kUnsupported, folder, ": none of the ", shards.inventory.tensors.size(),
                 " tensors has a name of gpt-oss");
    return problems.status(folder);
  }
  out.weights_ = bind(out.config_, *table, shards.inventory, folder, problems);
  VITALIS_TRY(problems.status(folder));
  out.format_ = table->format;
  out.tensors_ = std::move(shards.listing);
  out.files_ = std::move(shards.files);
  return out;
}

uint64_t Checkpoint::mapped_bytes() const {
  uint64_t bytes = 0;
  for (const MappedFile& file : files_) bytes += file.bytes().size();
  return bytes;
}

}  // namespace vitalis::model
