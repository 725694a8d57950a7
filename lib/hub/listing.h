// SPDX-License-Identifier: Apache-2.0
// What a repository holds at one commit, and which of it to get.
// A listing is data from outside: every path in it has passed check_repo_path, sizes are bounded,
// digests are of the right form, and no two files have the same path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::hub {

struct File {
  std::string path;
  uint64_t size = 0;
  std::string sha256;    // of the content; empty for files kept in git itself
  std::string git_sha1;  // of the git blob: of the content, or of the pointer if sha256 is there

  // By what it is verified and named on disk: sha256 if there is one, else git_sha1.
  const std::string& etag() const { return sha256.empty() ? git_sha1 : sha256; }
  bool operator==(const File& other) const = default;
};

struct Listing {
  std::string repo;  // as the hub calls it now, which after a renaming is not what was asked for
  std::string revision;     // what was asked for
  std::string commit;       // what it stood for then; every later request names this
  std::vector<File> files;  // by path
  bool is_private = false;
  bool is_gated = false;

  const File* find(std::string_view path) const;
  // The file's path with the smallest edit distance, for messages; empty if none is near.
  std::string nearest(std::string_view path) const;
};

// What a file is, by its name.
enum class Role { kWeights, kTokenizer, kTemplate, kConfig, kLicense, kDocs, kOther };
Role role_of(std::string_view path);
std::string_view role_name(Role role);  // "weights", "tokenizer", …

struct Selection {
  bool all = false;                  // every file
  std::vector<std::string> include;  // globs; none: what inference needs
  std::vector<std::string> exclude;  // globs, taken off whatever was selected
};

// The files wanted. Without patterns: weights in safetensors with their index, configs, tokenizer,
// chat template, licence and policy at the root; nothing of original/, metal/ or any other folder
// (if the root holds no weights, everything but documents). A repository of GGUF files: all GGUF
// files at the root and the rest as above.
// kNotFound if an include pattern matches nothing (the nearest path is told) or if nothing is left.
Result<std::vector<File>> select_files(const Listing& listing, const Selection& selection);

// As Hugging Face's tools match: case-sensitive, '*' crosses '/', '?' is one character, [abc],
// [!a-z]; a pattern that ends in '/' stands for all below it.
bool glob_matches(std::string_view pattern, std::string_view path);

// Pieces of the protocol, apart for tests. `what` names the text in messages.
struct RepoInfo {
  std::string repo;
  std::string commit;
  bool is_private = false;
  bool is_gated = false;
  bool is_disabled = false;
};
Result<RepoInfo> parse_repo_info(std::string_view json, std::string_view what);
// One page of the tree; appends to `files`, in any order.
Status parse_tree_page(std::string_view json, std::string_view what, std::vector<File>& files);
// Sorts, and refuses duplicates and a path that is also another's folder.
Status finish_listing(Listing& listing);

// The listing as it is kept on disk.
std::string listing_to_json(const Listing& listing);
Result<Listing> listing_from_json(std::string_view json, std::string_view what);

}  // namespace vitalis::hub
