// SPDX-License-Identifier: Apache-2.0
#include "hub/store.h"

#include <algorithm>
#include <map>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mapped_file.h"
#include "base/problems.h"
#include "hub/audit.h"
#include "hub/file_lock.h"
#include "hub/layout.h"
#include "hub/repo.h"

namespace vitalis::hub {
namespace {

constexpr double kLockSeconds = 2;
constexpr size_t kShortestCommit = 7;
constexpr size_t kLargestRecord = 64 << 20;

Result<FileLock> lock_repo(const Layout& layout) {
  VITALIS_TRY(make_folders(layout.records));
  return FileLock::take(layout.lock_path(), kLockSeconds);
}

// Revision by revision, what refs/ says.
Result<std::map<std::string, std::string>> read_refs(const Layout& layout) {
  VITALIS_ASSIGN(const auto names, list_files_below(layout.root + "/refs"));
  std::map<std::string, std::string> out;
  for (const std::string& name : names) {
    if (!check_revision(name).ok()) continue;
    const auto commit = read_ref(layout, name);
    if (commit.ok() && !commit->empty()) out[name] = *commit;
  }
  return out;
}

// Blobs that links of a snapshot lead to, by name.
Result<std::set<std::string>> blobs_of(const Layout& layout, std::string_view commit) {
  std::set<std::string> out;
  VITALIS_ASSIGN(const auto files, snapshot_files(layout, commit));
  for (const File& file : files) {
    if (!file.etag().empty()) out.insert(file.etag());
  }
  return out;
}

Result<Snapshot> read_snapshot(const Layout& layout, const std::string& repo,
                               const std::string& commit,
                               const std::map<std::string, std::string>& refs) {
  Snapshot out{.repo = repo, .commit = commit, .folder = layout.snapshot_path(commit)};
  for (const auto& [name, target] : refs) {
    if (target == commit) out.refs.push_back(name);
  }
  VITALIS_ASSIGN(const auto files, snapshot_files(layout, commit));
  out.files = files.size();
  for (const File& file : files) out.bytes += file.size;
  out.missing = missing_for_inference(out.folder);
  out.complete = out.missing.empty();
  if (const auto info = examine(out.folder)) out.published = info->modified_ns / 1'000'000'000;
  return out;
}

uint64_t allocated_below(const std::string& folder) {
  uint64_t bytes = 0;
  const auto paths = list_files_below(folder);
  if (!paths.ok()) return 0;
  for (const std::string& path : *paths) {
    if (const auto info = examine(folder + '/' + path)) bytes += info->allocated;
  }
  return bytes;
}

class Remover {
 public:
  Remover(Reclaimed& out, bool dry_run) : out_(out), dry_run_(dry_run) {}

  // A file, or a folder with all below it.
  Status remove(const std::string& path, bool counts) {
    struct stat info;
    if (::lstat(path.c_str(), &info) != 0) return {};
    const bool is_folder = S_ISDIR(info.st_mode);
    out_.what.push_back(path);
    if (counts) {
      out_.bytes += is_folder ? allocated_below(path) : static_cast<uint64_t>(info.st_blocks) * 512;
      ++out_.files;
    }
    if (dry_run_) return {};
    return is_folder ? remove_folder(path) : remove_file(path);
  }

 private:
  Reclaimed& out_;
  bool dry_run_;
};

// Every blob that no snapshot but those in `leaving` needs.
Status remove_unneeded_blobs(Remover& remover, const Layout& layout,
                             const std::set<std::string>& leaving) {
  VITALIS_ASSIGN(const auto commits, list_folder(layout.root + "/snapshots"));
  std::set<std::string> needed;
  for (const std::string& commit : commits) {
    if (leaving.contains(commit) || !is_commit(commit)) continue;
    VITALIS_ASSIGN(const auto blobs, blobs_of(layout, commit));
    needed.insert(blobs.begin(), blobs.end());
  }
  VITALIS_ASSIGN(const auto blobs, list_folder(layout.root + "/blobs"));
  for (const std::string& blob : blobs) {
    // What is not named by a digest is another tool's, perhaps at work now.
    if (!is_commit(blob) && !is_sha256(blob)) continue;
    if (!needed.contains(blob)) {
      VITALIS_TRY(remover.remove(layout.root + "/blobs/" + blob, true));
    }
  }
  return {};
}

Status prune_repo(Remover& remover, const Layout& layout, const std::string& repo, size_t keep,
                  bool dry_run) {
  VITALIS_ASSIGN(const FileLock lock, lock_repo(layout));
  VITALIS_ASSIGN(const auto refs, read_refs(layout));
  VITALIS_ASSIGN(const auto commits, list_folder(layout.root + "/snapshots"));
  std::vector<Snapshot> loose;
  for (const std::string& commit : commits) {
    if (!is_commit(commit)) continue;
    VITALIS_ASSIGN(Snapshot snapshot, read_snapshot(layout, repo, commit, refs));
    if (snapshot.refs.empty()) loose.push_back(std::move(snapshot));
  }
  VITALIS_ASSIGN(const RepoState state, load_state(layout));
  std::erase_if(loose, [&](const Snapshot& s) { return s.commit == state.pin; });
  std::stable_sort(loose.begin(), loose.end(),
                   [](const Snapshot& a, const Snapshot& b) { return a.published > b.published; });
  std::set<std::string> leaving;
  for (size_t i = keep; i < loose.size(); ++i) {
    leaving.insert(loose[i].commit);
    VITALIS_TRY(remover.remove(loose[i].folder, false));
  }
  VITALIS_TRY(remove_unneeded_blobs(remover, layout, leaving));
  VITALIS_ASSIGN(const auto parts, list_folder(layout.partial_folder()));
  for (const std::string& part : parts) {
    VITALIS_TRY(remover.remove(layout.partial_folder() + '/' + part, true));
  }
  VITALIS_ASSIGN(const auto records, list_folder(layout.records));
  for (const std::string& record : records) {
    if (!record.starts_with("staged-")) continue;
    VITALIS_TRY(remover.remove(layout.records + '/' + record, false));
  }
  if (dry_run || leaving.empty()) return {};
  return append_audit(layout.audit_path(), {.action = "prune", .repo = repo});
}

}  // namespace

std::string Store::repo_folder(std::string_view repo) const {
  return Layout::cache(cache_dir_, repo).root;
}

Result<StoredModel> Store::model(const std::string& repo) const {
  VITALIS_TRY(check_repo_id(repo));
  const Layout layout = Layout::cache(cache_dir_, repo);
  if (!examine(layout.root)) {
    return error(Code::kNotFound, cache_dir_, ": holds no model ", repo);
  }
  StoredModel out{.repo = repo, .folder = layout.root};
  VITALIS_ASSIGN(const auto refs, read_refs(layout));
  VITALIS_ASSIGN(const auto commits, list_folder(layout.root + "/snapshots"));
  for (const std::string& commit : commits) {
    if (!is_commit(commit)) continue;
    VITALIS_ASSIGN(Snapshot snapshot, read_snapshot(layout, repo, commit, refs));
    out.snapshots.push_back(std::move(snapshot));
  }
  std::stable_sort(out.snapshots.begin(), out.snapshots.end(),
                   [](const Snapshot& a, const Snapshot& b) { return a.published > b.published; });
  out.bytes = allocated_below(layout.root + "/blobs");
  out.partial_bytes = allocated_below(layout.partial_folder());
  // A state that can't be read hides nothing else.
  if (const auto known = load_state(layout); known.ok()) out.pin = known->pin;
  return out;
}

Result<std::vector<StoredModel>> Store::models() const {
  VITALIS_ASSIGN(const auto names, list_folder(cache_dir_));
  std::vector<StoredModel> out;
  for (const std::string& name : names) {
    const auto repo = repo_of_cache_folder(name);
    const auto info = examine(cache_dir_ + '/' + name);
    if (!repo || !info || !info->is_folder) continue;
    VITALIS_ASSIGN(StoredModel found, model(*repo));
    out.push_back(std::move(found));
  }
  return out;
}

Result<Snapshot> Store::find(const std::string& repo, const std::string& revision) const {
  VITALIS_TRY(check_repo_id(repo));
  VITALIS_TRY(check_revision(revision));
  const Layout layout = Layout::cache(cache_dir_, repo);
  VITALIS_ASSIGN(const auto refs, read_refs(layout));
  std::string commit;
  if (const auto at = refs.find(revision); at != refs.end()) {
    commit = at->second;
  } else if (revision.size() >= kShortestCommit &&
             revision.find_first_not_of("0123456789abcdef") == revision.npos) {
    VITALIS_ASSIGN(const auto commits, list_folder(layout.root + "/snapshots"));
    for (const std::string& known : commits) {
      if (!is_commit(known) || !known.starts_with(revision)) continue;
      if (!commit.empty()) {
        return error(Code::kInvalidArgument, layout.root, ": both ", commit, " and ", known,
                     " begin with ", revision);
      }
      commit = known;
    }
  }
  if (commit.empty() || !examine(layout.snapshot_path(commit))) {
    std::string names;
    for (const auto& [name, target] : refs) names += (names.empty() ? "" : ", ") + excerpt(name);
    return error(Code::kNotFound, cache_dir_, ": holds no ", repo, " at ", revision,
                 names.empty() ? "" : "; there is ", names);
  }
  return read_snapshot(layout, repo, commit, refs);
}

Result<RepoState> Store::state(const std::string& repo) const {
  VITALIS_TRY(check_repo_id(repo));
  return load_state(Layout::cache(cache_dir_, repo));
}

Status Store::activate(const std::string& repo, const std::string& revision,
                       const std::string& commit, const std::string& reason) {
  VITALIS_ASSIGN(const Snapshot snapshot, find(repo, commit));
  VITALIS_TRY(check_revision(revision));
  if (!snapshot.complete) {
    return error(Code::kNotFound, snapshot.folder, ": is not complete: ", snapshot.missing,
                 " is missing");
  }
  const Layout layout = Layout::cache(cache_dir_, repo);
  VITALIS_ASSIGN(const FileLock lock, lock_repo(layout));
  VITALIS_ASSIGN(const RepoState state, load_state(layout));
  if (!state.pin.empty() && state.pin != snapshot.commit) {
    return error(Code::kDenied, repo, " is pinned to ", state.pin, ": ", revision,
                 " may not become ", snapshot.commit);
  }
  VITALIS_ASSIGN(const std::string before, read_ref(layout, revision));
  VITALIS_TRY(switch_revision(Disk::real(), layout, revision, snapshot.commit));
  return append_audit(layout.audit_path(), {.action = reason,
                                            .repo = repo,
                                            .revision = revision,
                                            .from = before,
                                            .to = snapshot.commit});
}

Result<std::string> Store::rollback(const std::string& repo, const std::string& revision) {
  VITALIS_TRY(check_repo_id(repo));
  VITALIS_TRY(check_revision(revision));
  const Layout layout = Layout::cache(cache_dir_, repo);
  if (!examine(layout.root)) return error(Code::kNotFound, cache_dir_, ": holds no model ", repo);
  VITALIS_ASSIGN(const FileLock lock, lock_repo(layout));
  VITALIS_ASSIGN(const std::string now, read_ref(layout, revision));
  VITALIS_ASSIGN(RepoState state, load_state(layout));
  std::string back, reason = "no earlier one is known";
  while (!state.history.empty()) {
    const auto at = std::find_if(state.history.rbegin(), state.history.rend(),
                                 [&](const auto& visit) { return visit.revision == revision; });
    if (at == state.history.rend()) break;
    const std::string commit = at->commit;
    state.history.erase(std::next(at).base());
    if (commit == now) continue;
    if (examine(layout.snapshot_path(commit)) &&
        missing_for_inference(layout.snapshot_path(commit)).empty()) {
      back = commit;
      break;
    }
    reason = "the files of " + commit + " are gone";
  }
  if (back.empty()) {
    return error(Code::kNotFound, repo, " at ", revision, ": nothing to go back to: ", reason);
  }
  if (!state.pin.empty() && state.pin != back) {
    return error(Code::kDenied, repo, " is pinned to ", state.pin, ": it may not go back to ",
                 back);
  }
  std::erase(state.rejected, back);
  if (!now.empty() &&
      std::find(state.rejected.begin(), state.rejected.end(), now) == state.rejected.end()) {
    state.rejected.push_back(now);
  }
  // The switch first: cut off in between, only the memory of it is lost.
  VITALIS_TRY(write_atomically(Disk::real(), layout.ref_path(revision), back));
  VITALIS_TRY(save_state(Disk::real(), layout, state));
  VITALIS_TRY(append_audit(
      layout.audit_path(),
      {.action = "rollback", .repo = repo, .revision = revision, .from = now, .to = back}));
  return back;
}

Status Store::set_pin(const std::string& repo, const std::string& commit) {
  VITALIS_TRY(check_repo_id(repo));
  if (!commit.empty() && !is_commit(commit)) {
    return error(Code::kInvalidArgument, repo, ": a pin is a commit of 40 digits, found ",
                 in_quotes(commit));
  }
  const Layout layout = Layout::cache(cache_dir_, repo);
  VITALIS_ASSIGN(const FileLock lock, lock_repo(layout));
  VITALIS_ASSIGN(RepoState state, load_state(layout));
  state.pin = commit;
  VITALIS_TRY(save_state(Disk::real(), layout, state));
  return append_audit(layout.audit_path(), {.action = "pin", .repo = repo, .to = commit});
}

Result<Reclaimed> Store::remove(const std::string& repo, const std::string& commit, bool dry_run) {
  VITALIS_TRY(check_repo_id(repo));
  const Layout layout = Layout::cache(cache_dir_, repo);
  if (!examine(layout.root)) return error(Code::kNotFound, cache_dir_, ": holds no model ", repo);
  Reclaimed out;
  Remover remover(out, dry_run);
  VITALIS_ASSIGN(const FileLock lock, lock_repo(layout));
  if (commit.empty()) {
    VITALIS_TRY(remover.remove(layout.root, false));
    out.bytes = 0;
    if (dry_run) {
      out.bytes =
          allocated_below(layout.root + "/blobs") + allocated_below(layout.partial_folder());
      VITALIS_ASSIGN(const auto blobs, list_folder(layout.root + "/blobs"));
      out.files = blobs.size();
    }
    return out;
  }
  VITALIS_ASSIGN(const Snapshot snapshot, find(repo, commit));
  VITALIS_TRY(remover.remove(snapshot.folder, false));
  for (const std::string& name : snapshot.refs) {
    VITALIS_TRY(remover.remove(layout.ref_path(name), false));
  }
  VITALIS_TRY(remover.remove(layout.listing_path(snapshot.commit), false));
  VITALIS_TRY(remove_unneeded_blobs(remover, layout, {snapshot.commit}));
  if (!dry_run) {
    VITALIS_TRY(append_audit(layout.audit_path(),
                             {.action = "remove", .repo = repo, .from = snapshot.commit}));
  }
  return out;
}

Result<Reclaimed> Store::prune(const std::string& repo, size_t keep, bool dry_run) {
  Reclaimed out;
  Remover remover(out, dry_run);
  if (!repo.empty()) {
    VITALIS_TRY(check_repo_id(repo));
    const Layout layout = Layout::cache(cache_dir_, repo);
    if (!examine(layout.root)) return error(Code::kNotFound, cache_dir_, ": holds no model ", repo);
    VITALIS_TRY(prune_repo(remover, layout, repo, keep, dry_run));
    return out;
  }
  VITALIS_ASSIGN(const auto names, list_folder(cache_dir_));
  for (const std::string& name : names) {
    const auto known = repo_of_cache_folder(name);
    const auto info = examine(cache_dir_ + '/' + name);
    if (!known || !info || !info->is_folder) continue;
    VITALIS_TRY(prune_repo(remover, Layout::cache(cache_dir_, *known), *known, keep, dry_run));
  }
  return out;
}

Result<Snapshot> find_local_dir(const std::string& folder) {
  const Layout layout = Layout::local(folder);
  if (!examine(layout.root)) return error(Code::kNotFound, folder, ": there is no such folder");
  if (examine(layout.publication_path())) {
    VITALIS_ASSIGN(const FileLock lock, lock_repo(layout));
    VITALIS_TRY(finish_publication(Disk::real(), layout));
  }
  Snapshot out{.folder = layout.root};
  out.missing = missing_for_inference(layout.root);
  if (const auto content = read_file(layout.current_path(), kLargestRecord); content.ok()) {
    VITALIS_ASSIGN(const Listing listing, listing_from_json(*content, layout.current_path()));
    out.repo = listing.repo;
    out.commit = listing.commit;
    out.refs = {listing.revision};
    for (const File& file : listing.files) {
      const auto info = examine(layout.final_path(file));
      if (info && info->size == file.size) {
        out.bytes += file.size;
        ++out.files;
      } else if (out.missing.empty()) {
        out.missing = file.path;
      }
    }
    if (const auto info = examine(layout.current_path())) {
      out.published = info->modified_ns / 1'000'000'000;
    }
  }
  out.complete = out.missing.empty();
  return out;
}

}  // namespace vitalis::hub
