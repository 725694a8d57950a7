// SPDX-License-Identifier: Apache-2.0
#include "model/checkpoint.h"

#include <filesystem>

#include "formats/gguf.h"
#include "formats/metal_bin.h"
#include "model/source.h"

namespace vitalis::model {
namespace {

Result<Source> open_file(const std::string& path, Problems& problems) {
  VITALIS_ASSIGN(MappedFile file, MappedFile::open(path));
  if (formats::is_gguf(file.bytes())) return open_gguf(std::move(file), problems);
  if (formats::is_metal_bin(file.bytes())) return open_metal(std::move(file));
  return error(Code::kUnsupported, path,
               ": is no checkpoint; supported: a folder with config.json, a GGUF file, or the "
               "model.bin of a folder metal/");
}

}  // namespace

void Source::add(MappedFile file, std::vector<formats::TensorRange> tensors,
                 std::string_view name) {
  for (formats::TensorRange& tensor : tensors) {
    listing.push_back({tensor.name, std::string(formats::info(tensor.dtype).name), tensor.shape,
                       tensor.bytes, std::string(name)});
    const std::byte* data = file.bytes().data() + tensor.offset;
    std::string key = tensor.name;
    inventory.tensors.try_emplace(std::move(key),
                                  FoundTensor{std::move(tensor), data, file.path()});
  }
  files.push_back(std::move(file));
}

Result<Checkpoint> Checkpoint::open(const std::string& path) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  if (!folder && !std::filesystem::exists(path, ignored)) {
    return error(Code::kNotFound, "there is no checkpoint ", path);
  }
  Problems problems;
  VITALIS_ASSIGN(Source source,
                 folder ? open_safetensors(path, problems) : open_file(path, problems));
  const NameTable* table = recognize(source.tables, source.inventory);
  if (!table) {
    problems.add(Code::kUnsupported, path, ": none of the ", source.inventory.tensors.size(),
                 " tensors has a name of gpt-oss");
    return problems.status(path);
  }
  Checkpoint out;
  out.weights_ = bind(source.config, *table, source.inventory, path, problems);
  VITALIS_TRY(problems.status(path));
  out.config_ = std::move(source.config);
  out.format_ = table->format;
  out.tensors_ = std::move(source.listing);
  out.files_ = std::move(source.files);
  VITALIS_TRY(out.unchanged());  // while the headers were read
  return out;
}

Status Checkpoint::unchanged() const {
  Problems problems;
  for (const MappedFile& file : files_) {
    if (Status status = file.unchanged(); !status.ok()) problems.add(std::move(status));
  }
  return problems.status("the model's files");
}

uint64_t Checkpoint::mapped_bytes() const {
  uint64_t bytes = 0;
  for (const MappedFile& file : files_) bytes += file.bytes().size();
  return bytes;
}

}  // namespace vitalis::model
