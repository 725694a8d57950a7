// SPDX-License-Identifier: Apache-2.0
// Where things lie: the paths of both layouts, the records kept beside them, and the steps by which
// a verified set appears. Everything that changes is done under the lock of layout.lock_path().
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "hub/disk.h"
#include "hub/listing.h"
#include "hub/store.h"

namespace vitalis::hub {

std::string cache_folder_name(std::string_view repo);                    // "models--ORG--NAME"
std::optional<std::string> repo_of_cache_folder(std::string_view name);  // the reverse

struct Layout {
  bool is_local = false;
  std::string root;     // models--ORG--NAME, or the local folder
  std::string records;  // root/vitalis, or root/.cache/vitalis

  static Layout cache(std::string_view cache_dir, std::string_view repo);
  static Layout local(std::string_view folder);

  std::string lock_path() const { return records + "/lock"; }
  std::string verified_path() const { return records + "/verified"; }
  std::string state_path() const { return records + "/state.json"; }
  std::string audit_path() const { return records + "/audit.jsonl"; }
  std::string partial_folder() const { return records + "/partial"; }
  std::string part_path(const File& file) const { return partial_folder() + '/' + file.etag(); }
  std::string journal_path(const File& file) const { return part_path(file) + ".pieces"; }
  std::string listing_path(std::string_view commit) const;

  // The cache alone.
  std::string blob_path(const File& file) const { return root + "/blobs/" + file.etag(); }
  std::string snapshot_path(std::string_view commit) const;
  std::string ref_path(std::string_view revision) const;
  // The local folder alone.
  std::string publication_path() const { return records + "/publication.json"; }
  std::string current_path() const { return records + "/current.json"; }

  // Where the content of a file is when it is there.
  std::string final_path(const File& file) const;
  // The folder that a model loader is given.
  std::string model_folder(std::string_view commit) const;

  // Makes the folders that everything else expects.
  Status prepare() const;
};

// Contents that were hashed before and have not been touched since.
class VerifiedRecord {
 public:
  static VerifiedRecord load(const Layout& layout);
  bool holds(const File& file) const;
  // Remembers the file at its final path, as it is there now.
  Status add(Disk& disk, const File& file);

 private:
  explicit VerifiedRecord(Layout layout) : layout_(std::move(layout)) {}
  std::string line_for(const File& file) const;  // empty if it is not there
  Layout layout_;
  bool is_cut_off_ = false;  // the file ends in half a line
  std::map<std::string, std::string, std::less<>>
      lines_;  // by path relative to the root; the last one counts
};

// All files of the listing's selection are verified and in place of their blobs (or parts).
Status publish_snapshot(Disk& disk, const Layout& layout, const Listing& listing,
                        const std::vector<File>& files);
Status publish_local(Disk& disk, const Layout& layout, const Listing& listing,
                     const std::vector<File>& files);
// What publish_local had begun when it was cut off; ok if there is nothing of the kind.
Status finish_publication(Disk& disk, const Layout& layout);

// refs/REVISION becomes `commit`, and the state remembers what it was. A commit is no reference:
// then nothing happens.
Status switch_revision(Disk& disk, const Layout& layout, const std::string& revision,
                       const std::string& commit);
// The commit of refs/REVISION; empty if there is none.
Result<std::string> read_ref(const Layout& layout, std::string_view revision);

Result<RepoState> load_state(const Layout& layout);
Status save_state(Disk& disk, const Layout& layout, const RepoState& state);

// The files of a snapshot as its links tell them: path, size, digest. Empty digests where a file is
// no link to a blob.
Result<std::vector<File>> snapshot_files(const Layout& layout, std::string_view commit);
// Of a folder: the first path that a model loader will miss; empty if there is none.
std::string missing_for_inference(const std::string& folder);

}  // namespace vitalis::hub
