// SPDX-License-Identifier: Apache-2.0
// The models on this machine, in the cache that Hugging Face's tools and others share:
//
//   models--ORG--NAME/blobs/ETAG              content, once
//   models--ORG--NAME/snapshots/COMMIT/PATH   links to it
//   models--ORG--NAME/refs/REVISION           the commit that a name stands for here
//   models--ORG--NAME/vitalis/                ours: lock, listings, partial files, state.json,
//                                             audit.jsonl
//
// Others write here too, so everything is read with suspicion: a link that leaves the repository's
// folder is not followed, and a snapshot counts as complete only if every file that its index names
// is there. Nothing here uses the network. Each call stands alone; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::hub {

struct Snapshot {
  std::string repo;
  std::string commit;
  std::string folder;             // give this to the model loader
  std::vector<std::string> refs;  // that stand for it
  uint64_t bytes = 0;
  size_t files = 0;
  bool complete = false;  // config, tokenizer, and every shard that the index names
  std::string missing;    // if not complete: the first path that is not there
  int64_t published = 0;  // Unix time of the folder
};

struct StoredModel {
  std::string repo;
  std::string folder;               // models--ORG--NAME
  std::vector<Snapshot> snapshots;  // newest first
  uint64_t bytes = 0;               // of all blobs on disk, each once
  uint64_t partial_bytes = 0;       // of unfinished downloads
  std::string pin;                  // commit, or empty
};

struct Reclaimed {
  uint64_t bytes = 0;
  size_t files = 0;
  std::vector<std::string> what;  // paths, as removed
};

// What Vitalis remembers of a repository beyond what the layout says: state.json.
struct RepoState {
  struct Visit {
    std::string revision;
    std::string commit;
    int64_t time = 0;
  };
  std::string pin;                    // commit that updates may not leave
  std::vector<Visit> history;         // what each revision stood for, oldest first
  std::vector<std::string> rejected;  // commits rolled back from: not offered again
};
Result<RepoState> parse_repo_state(std::string_view json, std::string_view what);
std::string repo_state_to_json(const RepoState& state);

class Store {
 public:
  explicit Store(std::string cache_dir) : cache_dir_(std::move(cache_dir)) {}

  const std::string& cache_dir() const { return cache_dir_; }
  std::string repo_folder(std::string_view repo) const;

  // All models, by name; what is no model's folder is passed over.
  Result<std::vector<StoredModel>> models() const;
  Result<StoredModel> model(const std::string& repo) const;

  // The snapshot that a revision (or commit, or its first 7 digits or more) stands for here.
  // kNotFound if there is none; an incomplete one is given as such.
  Result<Snapshot> find(const std::string& repo, const std::string& revision = "main") const;

  // Lets `revision` stand for a commit that is here and complete: one rename. Engines that run keep
  // what they mapped. The commit left behind is remembered for rollback.
  Status activate(const std::string& repo, const std::string& revision, const std::string& commit,
                  const std::string& reason);
  // Back to the commit before; that commit is told. The one left is not offered again until the
  // revision moves on. kNotFound if none is remembered or its files are gone.
  Result<std::string> rollback(const std::string& repo, const std::string& revision = "main");

  Status set_pin(const std::string& repo, const std::string& commit);  // empty: no pin
  Result<RepoState> state(const std::string& repo) const;

  // A snapshot and the blobs that no other needs, or (commit empty) the whole repository.
  // With dry_run, what would go. A lock held by a transfer refuses it with kBusy.
  Result<Reclaimed> remove(const std::string& repo, const std::string& commit, bool dry_run);
  // Everywhere, or in one repository: snapshots that no revision stands for beyond the `keep`
  // newest of them, blobs that no snapshot needs, and what is left of unfinished downloads.
  Result<Reclaimed> prune(const std::string& repo, size_t keep, bool dry_run);

 private:
  std::string cache_dir_;
};

// The folder that a local-dir download made, as a snapshot: its commit from the records, whether it
// is complete. Also finishes a publication that was cut off in the middle.
Result<Snapshot> find_local_dir(const std::string& folder);

}  // namespace vitalis::hub
