// SPDX-License-Identifier: Apache-2.0
// What a download would do, before it does anything: bytes to fetch, bytes there already, space.
// Making a plan reads folders and records, never a network and never whole files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/disk.h"
#include "hub/listing.h"

namespace vitalis::hub {

// Where the files go.
struct Destination {
  std::string cache_dir;  // $HF_HUB_CACHE: models--ORG--NAME/{blobs,snapshots,refs}
  std::string local_dir;  // if not empty: the files themselves below this folder instead, with the
                          // records in .cache/huggingface that Hugging Face's tools take as current
  // Hugging Face's tools, other runs and other folders may have left the same content here.
  std::vector<std::string> adopt_from;  // folders to look in for files of the same path and size
};

enum class Need {
  kNothing,  // there, and verified before
  kVerify,   // there, of the right size: to be hashed before it counts
  kCopy,     // in another place of this machine: to be copied and hashed
  kResume,   // in part
  kFetch,
};

struct PlannedFile {
  File file;
  Need need = Need::kFetch;
  uint64_t landed = 0;  // bytes of it that need not be fetched
  std::string source;   // of kCopy: the path
};

struct Plan {
  std::string repo;
  std::string revision;
  std::string commit;
  Destination destination;
  std::string folder;  // where the model will be: the snapshot, or the local folder
  Listing listing;     // everything at the commit, selected or not
  std::vector<PlannedFile> files;
  uint64_t bytes_total = 0;   // of the files selected
  uint64_t bytes_reused = 0;  // of them, there already in some form
  uint64_t bytes_to_fetch = 0;
  uint64_t bytes_to_write = 0;  // what the disk must take
  Space space;                  // what it has
};

// kInvalidArgument for a destination that can't be, kIo for one that can't be read. What can't be
// done for lack of space is in the plan, for the caller to show; check_space() makes it a Status.
Result<Plan> make_plan(const Listing& listing, const std::vector<File>& files,
                       const Destination& destination);
Status check_space(const Plan& plan);

// The rest: what would be left to do if every file were as in the plan.
bool is_done(const Plan& plan);

}  // namespace vitalis::hub
