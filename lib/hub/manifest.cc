// SPDX-License-Identifier: Apache-2.0
#include "hub/manifest.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "base/problems.h"
#include "hub/disk.h"
#include "hub/hash.h"
#include "hub/json_text.h"
#include "hub/repo.h"

namespace vitalis::hub {
namespace {

namespace dom = simdjson::dom;
using Clock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 1 << 20;
constexpr auto kTurn = std::chrono::milliseconds(100);

bool is_weights_file(const std::string& path) {
  return path.ends_with(".safetensors") || path.ends_with(".gguf") || path.ends_with(".bin");
}

}  // namespace

const std::vector<Manifest>& known_manifests() {
  static const std::vector<Manifest> known = {
      {.repo = "openai/gpt-oss-20b",
       .commit = "6cee5e81ee83917806bbde320786a8fb61efebee",
       .files = {
           {".gitattributes", 1570,
            "34448b82c17d60fec9b65b1f093c115ddbaadc04beb1b0140b6bfed2e012a930"},
           {"LICENSE", 11357, "58d1e17ffe5109a7ae296caafcadfdbe6a7d176f0bc4ab01e12a689b0499d8bd"},
           {"USAGE_POLICY", 200,
            "d6387ef7985019c45db8d9801e6ac5fd9f98f02b9f1c56f8c5af80c3e8f385d0"},
           {"chat_template.jinja", 16738,
            "a4c9919cbbd4acdd51ccffe22da049264b1b73e59055fa58811a99efbd7c8146"},
           {"config.json", 1806,
            "3a2a26ded679375b7928ddeca59764df7cea83220c1961035f6d6e232659e9ce"},
           {"generation_config.json", 177,
            "f9970ada892d2d1f72e3ed0a6535ccebadd11897318794ca671d8c7014c957da"},
           {"metal/model.bin", 13750886400,
            "725b7f996b5a226d922f034a731aefc398652f670dcafc2efd78620509a0fef1"},
           {"model-00000-of-00002.safetensors", 4792272488,
            "16d0f997dcfc4462089d536bffe51b4bcea2f872f5c430be09ef8ed392312427"},
           {"model-00001-of-00002.safetensors", 4798702184,
            "4fbe328ab445455d6f58dc73852b85873bd626986310abd91cd4d2ce3245eaea"},
           {"model-00002-of-00002.safetensors", 4170342232,
            "a18106b209e9ab35c3406db4f6f12a927364a058b21e9d1373d682e20674b303"},
           {"model.safetensors.index.json", 36355,
            "0e085b977c4c9942f85938828e8c989ed7d5cdabf852e4da6a67c116cd502cd1"},
           {"original/config.json", 376,
            "317522155fc243327ee341857d0c752d0094a0817e0e9aee2890d5ad8e009e04"},
           {"original/dtypes.json", 13082,
            "566c9e6aded8957f41f1589cabaf73e39f2d1fcda3351d63efdfb7e9e78d376b"},
           {"original/model.safetensors", 13761300984,
            "3340a61d1a0391e8c5b5d3463d18d4c48129a84bbc04a554c762c99020aa06ed"},
           {"special_tokens_map.json", 98,
            "dd5e191d20c12d2fee1da5bae14ca1db0f5f4215300af691f23cdee97120a293"},
           {"tokenizer.json", 27868174,
            "0614fe83cadab421296e664e1f48f4261fa8fef6e03e63bb75c20f38e37d07d3"},
           {"tokenizer_config.json", 4200,
            "9279e942392b742d633c7adbb89ebe002c98399db8926a7af5125c726f404070"},
       }}};
  return known;
}

const Manifest* known_manifest(std::string_view repo, std::string_view commit) {
  const auto& known = known_manifests();
  const auto at = std::find_if(known.rbegin(), known.rend(), [&](const Manifest& manifest) {
    return manifest.repo == repo && (commit.empty() || manifest.commit == commit);
  });
  return at == known.rend() ? nullptr : &*at;
}

Result<Manifest> parse_manifest(std::string_view json, std::string_view what) {
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(json, what));
  const dom::object root = document.root();
  if (integer_or_zero(root, "schema") != 1) {
    return error(Code::kUnsupported, what, ": expected \"schema\": 1");
  }
  Manifest out;
  VITALIS_ASSIGN(out.repo, optional_string(root, "repo", what));
  VITALIS_ASSIGN(out.commit, optional_string(root, "commit", what));
  if (!out.repo.empty()) VITALIS_TRY(check_repo_id(out.repo));
  if (!out.commit.empty() && !is_commit(out.commit)) {
    return error(Code::kMalformed, what, ": \"commit\": expected 40 hexadecimal digits, found ",
                 in_quotes(out.commit));
  }
  dom::array items;
  if (root.at_key("files").get(items)) {
    return error(Code::kMalformed, what, ": expected an array \"files\"");
  }
  for (const dom::element element : items) {
    dom::object item;
    if (element.get(item)) return error(Code::kMalformed, what, ": a file that is no object");
    ManifestFile file;
    VITALIS_ASSIGN(file.path, string_member(item, "path", what));
    if (const Status status = check_repo_path(file.path); !status.ok()) {
      return error(Code::kMalformed, what, ": ", status.message());
    }
    const std::string where = text(what, ": ", file.path);
    VITALIS_ASSIGN(file.size, size_member(item, "size", where));
    VITALIS_ASSIGN(file.sha256, string_member(item, "sha256", where));
    if (!is_sha256(file.sha256)) {
      return error(Code::kMalformed, where, ": \"sha256\": expected 64 hexadecimal digits, found ",
                   in_quotes(file.sha256));
    }
    out.files.push_back(std::move(file));
  }
  if (out.files.empty()) return error(Code::kMalformed, what, ": names no file");
  std::sort(out.files.begin(), out.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; });
  for (size_t i = 1; i < out.files.size(); ++i) {
    if (out.files[i].path != out.files[i - 1].path) continue;
    return error(Code::kMalformed, what, ": ", out.files[i].path, " stands in it twice");
  }
  return out;
}

std::string manifest_to_json(const Manifest& manifest) {
  std::vector<std::string> files;
  for (const ManifestFile& file : manifest.files) {
    files.push_back(JsonObject()
                        .add("path", file.path)
                        .add("size", file.size)
                        .add("sha256", file.sha256)
                        .take());
  }
  return JsonObject()
      .add("schema", uint64_t{1})
      .add("repo", manifest.repo)
      .add("commit", manifest.commit)
      .raw("files", json_array(files))
      .take();
}

Status check_listing(const Listing& listing, const Manifest& manifest) {
  Problems problems;
  const std::string where = text(listing.repo, " at ", listing.commit);
  for (const ManifestFile& expected : manifest.files) {
    const File* found = listing.find(expected.path);
    if (!found) continue;
    if (found->size != expected.size) {
      problems.add(Code::kIntegrity, expected.path, ": expected ", expected.size,
                   " bytes by the manifest, found ", found->size);
    } else if (!found->sha256.empty() && found->sha256 != expected.sha256) {
      problems.add(Code::kIntegrity, expected.path, ": expected SHA-256 ", expected.sha256,
                   " by the manifest, found ", found->sha256);
    }
  }
  return problems.status(where);
}

std::string_view outcome_name(VerifyFile::Outcome outcome) {
  switch (outcome) {
    case VerifyFile::Outcome::kPending:
      return "pending";
    case VerifyFile::Outcome::kGood:
      return "good";
    case VerifyFile::Outcome::kMissing:
      return "missing";
    case VerifyFile::Outcome::kWrongSize:
      return "wrong size";
    case VerifyFile::Outcome::kWrongDigest:
      return "wrong digest";
    case VerifyFile::Outcome::kUnreadable:
      return "unreadable";
    case VerifyFile::Outcome::kExtra:
      break;
  }
  return "extra";
}

struct Verification::State {
  std::string folder;
  VerifyOptions options;
  std::vector<File> expected;  // beside files, as far as they go
  std::vector<VerifyFile> files;
  size_t at = 0;  // the file under way
  OpenFile open;
  std::optional<Hasher> hasher;
  uint64_t done_of_file = 0;
  VerifyProgress progress;
  std::vector<std::byte> buffer = std::vector<std::byte>(kReadBytes);
  std::atomic<bool> is_cancelled{false};

  void judge(VerifyFile::Outcome outcome, std::string detail = {}) {
    VerifyFile& file = files[at];
    progress.bytes_done += file.size - done_of_file;
    done_of_file = 0;
    file.outcome = outcome;
    if (!detail.empty()) file.detail = folder + '/' + file.path + ": " + detail;
    hasher.reset();
    open = {};
    ++at;
  }

  // Whether there is anything to hash.
  bool begin_file() {
    const File& file = expected[at];
    const std::string path = folder + '/' + file.path;
    const auto info = examine(path);
    if (!info) {
      judge(VerifyFile::Outcome::kMissing, "is not there");
    } else if (!info->is_regular || info->size != file.size) {
      judge(VerifyFile::Outcome::kWrongSize,
            text("expected ", file.size, " bytes, found ", info->size));
    } else if (auto opened = open_to_read(path); !opened.ok()) {
      judge(VerifyFile::Outcome::kUnreadable, opened.status().message());
    } else {
      open = opened.take();
      hasher = Hasher::of(file);
      return true;
    }
    return false;
  }

  void step() {
    if (!hasher && !begin_file()) return;
    const File& file = expected[at];
    const auto want =
        std::span(buffer).first(std::min<uint64_t>(buffer.size(), file.size - done_of_file));
    const auto n = read_at(open, want, done_of_file);
    if (!n.ok() || *n < want.size()) {
      judge(VerifyFile::Outcome::kUnreadable,
            n.ok() ? "became shorter while it was read" : n.status().message());
      return;
    }
    hasher->update(want);
    done_of_file += *n;
    progress.bytes_done += *n;
    if (done_of_file < file.size) return;
    const std::string digest = hasher->hex();
    if (digest == file.etag()) {
      judge(VerifyFile::Outcome::kGood);
    } else {
      judge(VerifyFile::Outcome::kWrongDigest, text("expected ", file.etag(), ", found ", digest));
    }
  }
};

Verification::Verification(std::unique_ptr<State> state) : state_(std::move(state)) {}
Verification::Verification(Verification&& other) noexcept = default;
Verification& Verification::operator=(Verification&& other) noexcept = default;
Verification::~Verification() = default;

Result<Verification> Verification::create(const std::string& folder, const Listing& listing,
                                          VerifyOptions options) {
  const auto info = examine(folder);
  if (!info) return error(Code::kNotFound, folder, ": there is no such folder");
  if (!info->is_folder) return error(Code::kInvalidArgument, folder, ": is not a folder");
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->options = options;
  for (const File& file : listing.files) {
    if (!options.missing_is_failure && !examine(folder + '/' + file.path)) continue;
    state->expected.push_back(file);
    state->files.push_back({.path = file.path, .size = file.size});
    state->progress.bytes_total += file.size;
  }
  if (options.extra_is_failure) {
    VITALIS_ASSIGN(const auto paths, list_files_below(folder));
    for (const std::string& path : paths) {
      if (!is_weights_file(path) || path.starts_with(".cache/") || listing.find(path)) continue;
      state->files.push_back({.path = path,
                              .outcome = VerifyFile::Outcome::kExtra,
                              .detail = folder + '/' + path + ": stands in no manifest"});
    }
  }
  return Verification(std::move(state));
}

Result<Verification> Verification::create(const std::string& folder, const Manifest& manifest,
                                          VerifyOptions options) {
  Listing listing{.repo = manifest.repo, .commit = manifest.commit};
  for (const ManifestFile& file : manifest.files) {
    VITALIS_TRY(check_repo_path(file.path));
    listing.files.push_back({.path = file.path, .size = file.size, .sha256 = file.sha256});
  }
  VITALIS_TRY(finish_listing(listing));
  return create(folder, listing, options);
}

Result<VerifyProgress> Verification::next() {
  State& state = *state_;
  const auto end = Clock::now() + kTurn;
  while (state.at < state.expected.size() && Clock::now() < end) {
    if (state.is_cancelled) return error(Code::kIntegrity, state.folder, ": cancelled");
    state.step();
  }
  state.progress.done = state.at >= state.expected.size();
  state.progress.path = state.progress.done ? "" : state.expected[state.at].path;
  return state.progress;
}

const std::vector<VerifyFile>& Verification::files() const {
  return state_->files;
}

Status Verification::status() const {
  Problems problems;
  for (const VerifyFile& file : state_->files) {
    if (file.outcome == VerifyFile::Outcome::kGood) continue;
    const bool is_missing = file.outcome == VerifyFile::Outcome::kMissing;
    problems.add(is_missing ? Code::kNotFound : Code::kIntegrity,
                 file.detail.empty() ? file.path + ": was not read to its end" : file.detail);
  }
  const Status status = problems.status(state_->folder);
  // Of several kinds of trouble, the graver names it.
  return status.code() == Code::kMalformed ? Status(Code::kIntegrity, status.message()) : status;
}

void Verification::cancel() {
  state_->is_cancelled = true;
}

}  // namespace vitalis::hub
