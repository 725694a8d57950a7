// SPDX-License-Identifier: Apache-2.0
#include "hub/plan.h"

#include <algorithm>
#include <set>

#include "base/mapped_file.h"
#include "hub/layout.h"
#include "hub/piece_journal.h"
#include "hub/repo.h"

namespace vitalis::hub {
namespace {

constexpr size_t kLargestJournal = 4 << 20;

bool has_size(const std::string& path, uint64_t size) {
  const auto info = examine(path);
  return info && info->is_regular && info->size == size;
}

uint64_t landed_bytes(const Layout& layout, const File& file) {
  if (!has_size(layout.part_path(file), file.size)) return 0;
  const auto journal = read_file(layout.journal_path(file), kLargestJournal);
  if (!journal.ok()) return 0;
  const std::vector<bool> landed = parse_piece_journal(*journal, file);
  uint64_t bytes = 0;
  for (size_t i = 0; i < landed.size(); ++i) {
    if (landed[i]) bytes += piece_size(file.size, i);
  }
  return bytes;
}

// The same content in another place; empty if there is none.
std::string source_of(const Plan& plan, const Layout& layout, const File& file) {
  const Destination& destination = plan.destination;
  if (layout.is_local && !destination.cache_dir.empty()) {
    const std::string blob = Layout::cache(destination.cache_dir, plan.repo).blob_path(file);
    if (has_size(blob, file.size)) return blob;
  }
  for (const std::string& folder : destination.adopt_from) {
    const std::string path = folder + '/' + file.path;
    if (has_size(path, file.size)) return path;
  }
  return {};
}

PlannedFile plan_file(const Plan& plan, const Layout& layout, const VerifiedRecord& verified,
                      const File& file) {
  PlannedFile out{.file = file};
  if (has_size(layout.final_path(file), file.size)) {
    out.need = verified.holds(file) ? Need::kNothing : Need::kVerify;
    out.landed = file.size;
    return out;
  }
  out.landed = landed_bytes(layout, file);
  if (out.landed > 0) {
    out.need = Need::kResume;
    return out;
  }
  out.source = source_of(plan, layout, file);
  if (!out.source.empty()) {
    out.need = Need::kCopy;
    out.landed = file.size;
  }
  return out;
}

}  // namespace

Result<Plan> make_plan(const Listing& listing, const std::vector<File>& files,
                       const Destination& destination) {
  VITALIS_TRY(check_repo_id(listing.repo));
  VITALIS_TRY(check_revision(listing.revision));
  if (!is_commit(listing.commit)) {
    return error(Code::kInvalidArgument, "the listing of ", listing.repo, " names no commit");
  }
  if (destination.local_dir.empty() && destination.cache_dir.empty()) {
    return error(Code::kInvalidArgument, "neither a cache folder nor a local folder is given");
  }
  Plan plan{.repo = listing.repo,
            .revision = listing.revision,
            .commit = listing.commit,
            .destination = destination,
            .listing = listing};
  const Layout layout = destination.local_dir.empty()
                            ? Layout::cache(destination.cache_dir, listing.repo)
                            : Layout::local(destination.local_dir);
  if (const auto info = examine(layout.root); info && !info->is_folder) {
    return error(Code::kInvalidArgument, layout.root, " is there and is not a folder");
  }
  plan.folder = layout.model_folder(listing.commit);
  const VerifiedRecord verified = VerifiedRecord::load(layout);
  std::set<std::string> counted;
  for (const File& file : files) {
    VITALIS_TRY(check_repo_path(file.path));
    if (!is_sha256(file.etag()) && !is_commit(file.etag())) {
      return error(Code::kInvalidArgument, file.path, ": has no digest to verify it by");
    }
    PlannedFile planned = plan_file(plan, layout, verified, file);
    plan.bytes_total += file.size;
    if (!counted.insert(file.etag()).second) {
      plan.bytes_reused += file.size;  // the same content as another of them
    } else {
      plan.bytes_reused += planned.landed;
      plan.bytes_to_fetch += file.size - planned.landed;
      if (planned.need == Need::kCopy) plan.bytes_to_write += file.size;
      if (planned.need == Need::kFetch || planned.need == Need::kResume) {
        const auto part = examine(layout.part_path(file));
        plan.bytes_to_write += file.size - std::min(part ? part->allocated : 0, file.size);
      }
    }
    plan.files.push_back(std::move(planned));
  }
  VITALIS_ASSIGN(plan.space, Disk::real().space_at(layout.root));
  return plan;
}

Status check_space(const Plan& plan) {
  for (const PlannedFile& planned : plan.files) {
    VITALIS_TRY(check_file_size(plan.space, plan.folder, planned.file.path, planned.file.size));
  }
  return check_room(plan.space, plan.folder, plan.bytes_to_write);
}

bool is_done(const Plan& plan) {
  return std::all_of(plan.files.begin(), plan.files.end(),
                     [](const PlannedFile& file) { return file.need == Need::kNothing; });
}

}  // namespace vitalis::hub
