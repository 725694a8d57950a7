// SPDX-License-Identifier: Apache-2.0
// A list of files with their digests: of the releases that this library knows, or one that an
// application's vendor wrote. Verifying is pull, as everything long here: next() hashes for about a
// tenth of a second.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "hub/listing.h"

namespace vitalis::hub {

struct ManifestFile {
  std::string path;
  uint64_t size = 0;
  std::string sha256;
};
struct Manifest {
  std::string repo;
  std::string commit;
  std::vector<ManifestFile> files;  // by path
};

// The releases known when this library was built: gpt-oss-20b as published.
const std::vector<Manifest>& known_manifests();
// By repository and commit; an empty commit: the newest known. Null if there is none.
const Manifest* known_manifest(std::string_view repo, std::string_view commit = {});

// {"schema":1,"repo":…,"commit":…,"files":[{"path":…,"size":…,"sha256":…}]}
Result<Manifest> parse_manifest(std::string_view json, std::string_view what);
std::string manifest_to_json(const Manifest& manifest);

// Whether a listing is what the manifest says, for every file in both: kIntegrity names all that
// differ. Files that the hub lists by git's digest alone are compared by size here and by content
// after the download.
Status check_listing(const Listing& listing, const Manifest& manifest);

struct VerifyOptions {
  bool missing_is_failure = true;  // else only what is there is judged
  bool extra_is_failure =
      false;  // weights (safetensors, gguf, bin) that the manifest does not name
};

struct VerifyFile {
  enum class Outcome { kPending, kGood, kMissing, kWrongSize, kWrongDigest, kUnreadable, kExtra };
  std::string path;
  uint64_t size = 0;
  Outcome outcome = Outcome::kPending;
  std::string detail;  // one sentence if it is not good
};
std::string_view outcome_name(VerifyFile::Outcome outcome);

struct VerifyProgress {
  bool done = false;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  std::string path;  // being hashed
};

class Verification {
 public:
  // The files of `folder` against the manifest: a snapshot, a local folder, or any folder.
  static Result<Verification> create(const std::string& folder, const Manifest& manifest,
                                     VerifyOptions options = {});
  // Against a listing kept in the store (sha256, or git's sha1 for small files).
  static Result<Verification> create(const std::string& folder, const Listing& listing,
                                     VerifyOptions options = {});
  Verification(Verification&& other) noexcept;
  Verification& operator=(Verification&& other) noexcept;
  ~Verification();

  Result<VerifyProgress> next();
  const std::vector<VerifyFile>& files() const;
  // When done: ok, or kIntegrity (kNotFound if files are only missing) with a line for each.
  Status status() const;
  void cancel();  // any thread: the next() under way ends with kIntegrity "cancelled"

 private:
  struct State;
  explicit Verification(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitalis::hub
