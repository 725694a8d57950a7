// SPDX-License-Identifier: Apache-2.0
// One GGUF file or all parts of a split one; the first part has the config.
#include <cstdio>

#include "formats/gguf.h"
#include "model/gguf_config.h"
#include "model/source.h"

namespace vitalis::model {
namespace {

constexpr uint64_t kMostParts = 9999;

uint64_t number_or(const formats::Gguf& gguf, std::string_view key, uint64_t otherwise) {
  const formats::GgufValue* value = gguf.find(key);
  return value ? value->unsigned_integer().value_or(otherwise) : otherwise;
}

// "-00001-of-00003.gguf"
std::string part_suffix(uint64_t part, uint64_t parts) {
  char suffix[64];
  std::snprintf(suffix, sizeof suffix, "-%05u-of-%05u.gguf", static_cast<unsigned>(part),
                static_cast<unsigned>(parts));
  return suffix;
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// The parts after the first. Each must say that it is the one its name says.
void add_parts(const std::string& first_path, uint64_t parts, Source& source, Problems& problems) {
  const std::string stem = first_path.substr(0, first_path.size() - part_suffix(1, parts).size());
  for (uint64_t part = 2; part <= parts; ++part) {
    const std::string path = stem + part_suffix(part, parts);
    Result<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) {
      problems.add(file.status());
      continue;
    }
    Result<formats::Gguf> gguf = formats::parse_gguf(file->bytes(), path);
    if (!gguf.ok()) {
      problems.add(gguf.status());
      continue;
    }
    const uint64_t number = number_or(*gguf, "split.no", 0) + 1;
    const uint64_t count = number_or(*gguf, "split.count", 1);
    if (number != part || count != parts) {
      problems.add(Code::kMalformed, path, ": says that it is part ", number, " of ", count,
                   "; expected part ", part, " of ", parts);
    }
    source.add(file.take(), std::move(gguf->tensors), file_name(path));
  }
}

}  // namespace

Result<Source> open_gguf(MappedFile file, Problems& problems) {
  const std::string path = file.path();
  VITALIS_ASSIGN(formats::Gguf gguf, formats::parse_gguf(file.bytes(), path));
  const uint64_t parts = number_or(gguf, "split.count", 1);
  const uint64_t part = number_or(gguf, "split.no", 0) + 1;
  if (parts > 1 && (parts > kMostParts || part != 1 || !path.ends_with(part_suffix(1, parts)))) {
    return error(Code::kUnsupported, path, ": is part ", part, " of ", parts,
                 "; open the first one, named \"...", part_suffix(1, std::min(parts, kMostParts)),
                 '"');
  }
  Source source;
  source.tables = gguf_tables();
  VITALIS_ASSIGN(source.config, gguf_config(gguf, path));
  const uint64_t promised = number_or(gguf, "split.tensors.count", 0);
  source.add(std::move(file), std::move(gguf.tensors), file_name(path));
  if (parts > 1) {
    add_parts(path, parts, source, problems);
    if (problems.empty() && promised && promised != source.listing.size()) {
      problems.add(Code::kMalformed, path, ": promises ", promised, " tensors; its parts hold ",
                   source.listing.size());
    }
  }
  return source;
}

}  // namespace vitalis::model
