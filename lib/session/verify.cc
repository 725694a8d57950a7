// SPDX-License-Identifier: Apache-2.0
#include "session/verify.h"

#include <algorithm>
#include <filesystem>

#include "base/mapped_file.h"
#include "hub/hash.h"
#include "model/checkpoint.h"
#include "session/vocabulary.h"

namespace vitalis::session {
namespace {

namespace fs = std::filesystem;
using hub::Manifest;
using hub::ManifestFile;

constexpr size_t kLargestManifest = 16 << 20;
constexpr uint64_t kSmall = 1 << 20;  // files of a release that are told apart by their digest

// Where a model lies within a release: its folder, and what its files' paths begin with there.
struct Place {
  fs::path root;
  std::string prefix;
};
std::vector<Place> places(const fs::path& path) {
  std::error_code ignored;
  const bool folder = fs::is_directory(path, ignored);
  const fs::path own = fs::absolute(folder ? path : path.parent_path(), ignored).lexically_normal();
  const fs::path here = own.has_filename() ? own : own.parent_path();
  return {{here.parent_path(), here.filename().string() + '/'}, {here, ""}};
}

bool is_weights(std::string_view path) {
  return path.ends_with(".safetensors") || path.ends_with(".bin") || path.ends_with(".gguf");
}

// Files that a model is read from. Others of a release have changed since without any harm.
bool is_needed(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return is_weights(path) || name == "config.json" || name == "tokenizer.json" ||
         name == "model.safetensors.index.json";
}

// Weights of this very size, or a small file of this very content.
bool tells(const fs::path& root, const ManifestFile& file) {
  std::error_code failed;
  const fs::path path = root / file.path;
  if (fs::file_size(path, failed) != file.size || failed) return false;
  if (is_weights(file.path)) return true;
  if (file.size > kSmall) return false;
  const Result<std::string> content = read_file(path.string(), kSmall);
  return content.ok() && hub::sha256_of(*content) == file.sha256;
}

// The part of a known release that lies at a place; no files if it is not known.
Manifest known_part(const Place& place) {
  for (const Manifest& known : hub::known_manifests()) {
    Manifest part{known.repo, known.commit, {}};
    bool told = false;
    for (const ManifestFile& file : known.files) {
      const std::string_view path = file.path;
      const bool inside = path.starts_with(place.prefix) &&
                          path.find('/', place.prefix.size()) == std::string_view::npos;
      // Of the release's own folder only the tokenizer serves those below it.
      if (!(inside && is_needed(path)) && !(!place.prefix.empty() && path == "tokenizer.json")) {
        continue;
      }
      part.files.push_back(file);
      told = told || (inside && tells(place.root, file));
    }
    if (told) return part;
  }
  return {};
}

std::string name_of(const Manifest& manifest) {
  if (manifest.commit.empty()) return manifest.repo;
  return text(manifest.repo, " at ", std::string_view(manifest.commit).substr(0, 7));
}

}  // namespace

Result<ModelVerification> ModelVerification::create(const std::string& path,
                                                    const std::string& manifest) {
  // Both are closed again: what is hashed is read as any file, not through a mapping.
  size_t rows = 0;
  {
    VITALIS_ASSIGN(const auto checkpoint, model::Checkpoint::open(path));
    rows = checkpoint.config().vocab;
  }
  VITALIS_ASSIGN(const auto vocabulary, Vocabulary::open(path, {}, rows));
  ModelVerification out;
  const std::vector<Place> all = places(path);
  if (!manifest.empty()) {
    VITALIS_ASSIGN(const std::string json, read_file(manifest, kLargestManifest));
    VITALIS_ASSIGN(const Manifest given, hub::parse_manifest(json, manifest));
    out.release_ = name_of(given);
    VITALIS_ASSIGN(out.digests_, hub::Verification::create(all.back().root.string(), given));
    return out;
  }
  for (const Place& place : all) {
    const Manifest part = known_part(place);
    if (part.files.empty()) continue;
    out.release_ = name_of(part);
    VITALIS_ASSIGN(out.digests_, hub::Verification::create(place.root.string(), part,
                                                           {.missing_is_failure = false}));
    break;
  }
  return out;
}

Result<hub::VerifyProgress> ModelVerification::next() {
  if (digests_ && begun_) return digests_->next();
  begun_ = true;
  hub::VerifyProgress progress;
  progress.done = !digests_;
  for (const hub::VerifyFile& file : files()) progress.bytes_total += file.size;
  return progress;
}

const std::vector<hub::VerifyFile>& ModelVerification::files() const {
  return digests_ ? digests_->files() : none_;
}

Status ModelVerification::status() const {
  return digests_ ? digests_->status() : Status();
}

void ModelVerification::cancel() {
  if (digests_) digests_->cancel();
}

}  // namespace vitalis::session
