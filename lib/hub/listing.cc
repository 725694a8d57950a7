// SPDX-License-Identifier: Apache-2.0
#include "hub/listing.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "base/problems.h"
#include "hub/json_text.h"
#include "hub/repo.h"

namespace vitalis::hub {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kMostFiles = 100'000;

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({replaced, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_at_root(const File& file) {
  return file.path.find('/') == std::string::npos;
}

// What inference reads, and the terms it is given under.
bool is_for_inference(Role role) {
  return role == Role::kWeights || role == Role::kTokenizer || role == Role::kTemplate ||
         role == Role::kConfig || role == Role::kLicense;
}

std::vector<File> for_inference(const Listing& listing) {
  std::vector<File> out;
  bool has_weights = false;
  for (const File& file : listing.files) {
    const Role role = role_of(file.path);
    if (!is_at_root(file) || !is_for_inference(role)) continue;
    has_weights |= role == Role::kWeights;
    out.push_back(file);
  }
  if (has_weights) return out;
  out.clear();
  for (const File& file : listing.files) {
    if (role_of(file.path) != Role::kDocs) out.push_back(file);
  }
  return out;
}

// A class of characters, "[a-z]" or "[!a-z]", at the front of `pattern`; its length, or 0 if it has
// no end and '[' stands for itself.
size_t match_class(std::string_view pattern, char c, bool& matched) {
  size_t i = 1;
  const bool is_negated = i < pattern.size() && pattern[i] == '!';
  if (is_negated) ++i;
  const size_t first = i;
  bool found = false;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found |= pattern[i] <= c && c <= pattern[i + 2];
      i += 2;
    } else {
      found |= pattern[i] == c;
    }
  }
  if (i >= pattern.size()) return 0;
  matched = found != is_negated;
  return i + 1;
}

// The length of the pattern's first element if it matches `c`, else 0.
size_t match_one(std::string_view pattern, char c) {
  if (pattern.empty()) return 0;
  if (pattern[0] == '?') return 1;
  if (pattern[0] == '[') {
    bool matched = false;
    const size_t size = match_class(pattern, c, matched);
    if (size != 0) return matched ? size : 0;
  }
  return pattern[0] == c ? 1 : 0;
}

bool matches(std::string_view pattern, std::string_view text) {
  // A '*' is tried short and made longer when the rest does not match; only the last needs that.
  size_t p = 0, t = 0;
  size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (const size_t size = match_one(pattern.substr(p), text[t])) {
      p += size;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Result<File> parse_tree_item(dom::object item, std::string_view what) {
  File file;
  VITALIS_ASSIGN(file.path, string_member(item, "path", what));
  if (const Status status = check_repo_path(file.path); !status.ok()) {
    return error(Code::kMalformed, what, ": ", status.message());
  }
  const std::string where = text(what, ": ", file.path);
  VITALIS_ASSIGN(file.size, size_member(item, "size", where));
  VITALIS_ASSIGN(file.git_sha1, string_member(item, "oid", where));
  if (!is_commit(file.git_sha1)) {
    return error(Code::kMalformed, where, ": \"oid\": expected 40 hexadecimal digits, found ",
                 in_quotes(file.git_sha1));
  }
  dom::object lfs;
  if (item.at_key("lfs").get(lfs)) return file;
  VITALIS_ASSIGN(file.sha256, string_member(lfs, "oid", where));
  VITALIS_ASSIGN(const uint64_t size, size_member(lfs, "size", where));
  if (!is_sha256(file.sha256)) {
    return error(Code::kMalformed, where, ": \"lfs.oid\": expected 64 hexadecimal digits, found ",
                 in_quotes(file.sha256));
  }
  if (size != file.size) {
    return error(Code::kMalformed, where, ": \"size\" is ", file.size, ", but \"lfs.size\" is ",
                 size);
  }
  return file;
}

bool flag(dom::object object, const char* key) {
  bool value = false;
  return !object.at_key(key).get(value) && value;
}

}  // namespace

const File* Listing::find(std::string_view path) const {
  const auto at = std::lower_bound(files.begin(), files.end(), path,
                                   [](const File& a, std::string_view b) { return a.path < b; });
  return at != files.end() && at->path == path ? &*at : nullptr;
}

std::string Listing::nearest(std::string_view path) const {
  constexpr size_t kMostCompared = 2000;  // a hint is not worth more
  path = path.substr(0, 256);
  std::string best;
  size_t best_distance = path.size() / 2 + 1;
  for (const File& file : std::span(files).first(std::min(files.size(), kMostCompared))) {
    const size_t distance = edit_distance(path, file.path);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = file.path;
  }
  return best;
}

Role role_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  const std::string_view extension = dot == name.npos ? std::string_view() : name.substr(dot);
  if (one_of(extension, {".safetensors", ".gguf"}) || name == "model.bin" ||
      name.ends_with(".safetensors.index.json")) {
    return Role::kWeights;
  }
  if (name.starts_with("tokenizer") || name.starts_with("special_tokens") ||
      one_of(name, {"vocab.json", "merges.txt", "added_tokens.json"}) || extension == ".tiktoken") {
    return Role::kTokenizer;
  }
  if (extension == ".jinja" || name == "chat_template.json") return Role::kTemplate;
  if (one_of(name, {"config.json", "generation_config.json", "dtypes.json"})) return Role::kConfig;
  if (name.starts_with("LICENSE") || name.starts_with("LICENCE") || name.starts_with("NOTICE") ||
      name.starts_with("USAGE_POLICY")) {
    return Role::kLicense;
  }
  if (one_of(extension, {".md", ".png", ".jpg", ".svg", ".pdf"}) || name == ".gitattributes" ||
      name == ".gitignore") {
    return Role::kDocs;
  }
  return Role::kOther;
}

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kWeights:
      return "weights";
    case Role::kTokenizer:
      return "tokenizer";
    case Role::kTemplate:
      return "template";
    case Role::kConfig:
      return "config";
    case Role::kLicense:
      return "licence";
    case Role::kDocs:
      return "docs";
    case Role::kOther:
      break;
  }
  return "other";
}

bool glob_matches(std::string_view pattern, std::string_view path) {
  if (pattern.ends_with('/')) return matches(std::string(pattern) + '*', path);
  return matches(pattern, path);
}

Result<std::vector<File>> select_files(const Listing& listing, const Selection& selection) {
  std::vector<File> out;
  if (selection.all || !selection.include.empty()) {
    for (const File& file : listing.files) {
      bool wanted = selection.all;
      for (const std::string& pattern : selection.include) {
        wanted |= glob_matches(pattern, file.path);
      }
      if (wanted) out.push_back(file);
    }
  } else {
    out = for_inference(listing);
  }
  for (const std::string& pattern : selection.include) {
    const auto hit = [&](const File& file) { return glob_matches(pattern, file.path); };
    if (std::any_of(listing.files.begin(), listing.files.end(), hit)) continue;
    const std::string near = listing.nearest(pattern);
    return error(Code::kNotFound, listing.repo, " at ", listing.commit,
                 " has no file that matches ", in_quotes(pattern),
                 near.empty() ? "" : "; the nearest is ", near);
  }
  std::erase_if(out, [&](const File& file) {
    return std::any_of(selection.exclude.begin(), selection.exclude.end(),
                       [&](const std::string& p) { return glob_matches(p, file.path); });
  });
  if (out.empty()) {
    return error(Code::kNotFound, listing.repo, " at ", listing.commit, " has ",
                 listing.files.size(), " files, and the patterns leave none of them");
  }
  return out;
}

Result<RepoInfo> parse_repo_info(std::string_view json, std::string_view what) {
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(json, what));
  const dom::object root = document.root();
  RepoInfo info;
  VITALIS_ASSIGN(info.repo, string_member(root, "id", what));
  VITALIS_ASSIGN(info.commit, string_member(root, "sha", what));
  if (const Status status = check_repo_id(info.repo); !status.ok()) {
    return error(Code::kMalformed, what, ": ", status.message());
  }
  if (!is_commit(info.commit)) {
    return error(Code::kMalformed, what, ": \"sha\": expected 40 hexadecimal digits, found ",
                 in_quotes(info.commit));
  }
  info.is_private = flag(root, "private");
  info.is_disabled = flag(root, "disabled");
  std::string_view gated;  // false, "auto" or "manual"
  info.is_gated = !root.at_key("gated").get(gated) || flag(root, "gated");
  return info;
}

Status parse_tree_page(std::string_view json, std::string_view what, std::vector<File>& files) {
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse_any(json, what));
  dom::array items;
  if (document.value().get(items)) {
    return error(Code::kMalformed, what, ": expected an array of files, found ",
                 formats::json_kind(document.value()));
  }
  for (const dom::element element : items) {
    dom::object item;
    if (element.get(item)) {
      return error(Code::kMalformed, what, ": expected an object for each file, found ",
                   formats::json_kind(element));
    }
    VITALIS_ASSIGN(const std::string type, string_member(item, "type", what));
    if (type != "file") continue;
    if (files.size() >= kMostFiles) {
      return error(Code::kUnsupported, what, ": more than ", kMostFiles, " files");
    }
    VITALIS_ASSIGN(File file, parse_tree_item(item, what));
    files.push_back(std::move(file));
  }
  return {};
}

Status finish_listing(Listing& listing) {
  auto& files = listing.files;
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  for (size_t i = 0; i < files.size(); ++i) {
    if (i > 0 && files[i].path == files[i - 1].path) {
      return error(Code::kMalformed, "the listing of ", listing.repo, ": ",
                   in_quotes(files[i].path), " stands in it twice");
    }
    const std::string& path = files[i].path;
    for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      if (!listing.find(path.substr(0, slash))) continue;
      return error(Code::kMalformed, "the listing of ", listing.repo, ": ",
                   in_quotes(path.substr(0, slash)), " is both a file and a folder");
    }
  }
  return {};
}

std::string listing_to_json(const Listing& listing) {
  std::vector<std::string> files;
  for (const File& file : listing.files) {
    JsonObject item;
    item.add("path", file.path).add("size", file.size).add("blob_id", file.git_sha1);
    if (!file.sha256.empty()) item.add("lfs_sha256", file.sha256).add("lfs_size", file.size);
    files.push_back(item.take());
  }
  return JsonObject()
      .add("format_version", uint64_t{1})
      .add("repo_id", listing.repo)
      .add("revision", listing.revision)
      .add("commit", listing.commit)
      .raw("files", json_array(files))
      .take();
}

Result<Listing> listing_from_json(std::string_view json, std::string_view what) {
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(json, what));
  const dom::object root = document.root();
  if (integer_or_zero(root, "format_version") != 1) {
    return error(Code::kUnsupported, what, ": expected format_version 1");
  }
  Listing listing;
  VITALIS_ASSIGN(listing.repo, string_member(root, "repo_id", what));
  VITALIS_ASSIGN(listing.revision, string_member(root, "revision", what));
  VITALIS_ASSIGN(listing.commit, string_member(root, "commit", what));
  VITALIS_TRY(check_repo_id(listing.repo));
  if (!is_commit(listing.commit)) return error(Code::kMalformed, what, ": no commit");
  dom::array items;
  if (root.at_key("files").get(items)) return error(Code::kMalformed, what, ": no array \"files\"");
  for (const dom::element element : items) {
    dom::object item;
    if (element.get(item)) return error(Code::kMalformed, what, ": a file that is no object");
    File file;
    VITALIS_ASSIGN(file.path, string_member(item, "path", what));
    VITALIS_TRY(check_repo_path(file.path));
    VITALIS_ASSIGN(file.size, size_member(item, "size", what));
    VITALIS_ASSIGN(file.git_sha1, string_member(item, "blob_id", what));
    VITALIS_ASSIGN(file.sha256, optional_string(item, "lfs_sha256", what));
    if (!is_commit(file.git_sha1) || (!file.sha256.empty() && !is_sha256(file.sha256))) {
      return error(Code::kMalformed, what, ": ", file.path, ": a digest of the wrong form");
    }
    listing.files.push_back(std::move(file));
  }
  VITALIS_TRY(finish_listing(listing));
  return listing;
}

}  // namespace vitalis::hub
