// SPDX-License-Identifier: Apache-2.0
#include "hub/update.h"

#include <algorithm>
#include <set>

#include "base/mapped_file.h"
#include "base/problems.h"
#include "hub/layout.h"

namespace vitalis::hub {
namespace {

constexpr size_t kLargestRecord = 64 << 20;

std::string folder_in_repo(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

// At the new commit, what corresponds to the files here: the same paths, and whatever else
// inference needs in the folders that hold weights here.
std::vector<File> same_selection(const std::vector<File>& here, const Listing& there) {
  std::set<std::string> paths, folders;
  for (const File& file : here) {
    paths.insert(file.path);
    if (role_of(file.path) == Role::kWeights) folders.insert(folder_in_repo(file.path));
  }
  std::vector<File> out;
  for (const File& file : there.files) {
    const Role role = role_of(file.path);
    const bool is_needed =
        role != Role::kDocs && role != Role::kOther && folders.contains(folder_in_repo(file.path));
    if (is_needed || paths.contains(file.path)) out.push_back(file);
  }
  return out;
}

std::string describe(const UpdateCheck& check) {
  if (!check.is_new()) return text(check.repo, " is current");
  std::set<std::string_view> roles;
  for (const Change& change : check.changes) roles.insert(role_name(change.role));
  std::string names;
  for (const std::string_view role : roles) names += text(names.empty() ? "" : ", ", role);
  const std::string to = check.to.substr(0, 7);
  if (names.empty()) return text(to, " changes nothing that is here");
  return text(to, " changes ", names,
              check.touches(Role::kWeights) ? "" : "; the weights stay as they are");
}

Status complete(Hub& hub, UpdateCheck& check, const std::vector<File>& here) {
  VITALIS_ASSIGN(const RepoInfo info, hub.freeze(check.repo, check.revision));
  check.to = info.commit;
  if (check.is_new()) {
    VITALIS_ASSIGN(check.listing, hub.list(info, check.revision));
    check.files = same_selection(here, check.listing);
    check.changes = compare(here, check.files);
  }
  check.notice = describe(check);
  return {};
}

}  // namespace

Result<Policy> parse_policy(std::string_view name) {
  for (const Policy policy :
       {Policy::kPinned, Policy::kNotify, Policy::kConfigOnly, Policy::kAuto}) {
    if (policy_name(policy) == name) return policy;
  }
  return error(Code::kInvalidArgument, "the update policy ", in_quotes(name),
               " is not known; expected pinned, notify, config-only or auto");
}

std::string_view policy_name(Policy policy) {
  switch (policy) {
    case Policy::kPinned:
      return "pinned";
    case Policy::kNotify:
      return "notify";
    case Policy::kConfigOnly:
      return "config-only";
    case Policy::kAuto:
      break;
  }
  return "auto";
}

bool UpdateCheck::touches(Role role) const {
  return std::any_of(changes.begin(), changes.end(),
                     [&](const Change& change) { return change.role == role; });
}

bool UpdateCheck::matters() const {
  return touches(Role::kWeights) || touches(Role::kTokenizer) || touches(Role::kTemplate) ||
         touches(Role::kConfig);
}

std::vector<Change> compare(const std::vector<File>& before, const std::vector<File>& after) {
  std::vector<Change> out;
  const auto add = [&](Change::Kind kind, const File* old_file, const File* new_file) {
    const std::string& path = (new_file ? new_file : old_file)->path;
    out.push_back({.path = path,
                   .kind = kind,
                   .role = role_of(path),
                   .size_before = old_file ? old_file->size : 0,
                   .size_after = new_file ? new_file->size : 0});
  };
  size_t a = 0, b = 0;  // both are by path
  while (a < before.size() || b < after.size()) {
    const int order = a == before.size()  ? 1
                      : b == after.size() ? -1
                                          : before[a].path.compare(after[b].path);
    if (order < 0) {
      add(Change::Kind::kRemoved, &before[a++], nullptr);
    } else if (order > 0) {
      add(Change::Kind::kAdded, nullptr, &after[b++]);
    } else {
      if (before[a].etag() != after[b].etag()) add(Change::Kind::kChanged, &before[a], &after[b]);
      ++a;
      ++b;
    }
  }
  return out;
}

Result<UpdateCheck> check_update(Hub& hub, const Store& store, const std::string& repo,
                                 const std::string& revision) {
  VITALIS_ASSIGN(const Snapshot snapshot, store.find(repo, revision));
  const Layout layout = Layout::cache(store.cache_dir(), repo);
  VITALIS_ASSIGN(const std::vector<File> here, snapshot_files(layout, snapshot.commit));
  VITALIS_ASSIGN(const RepoState state, load_state(layout));
  UpdateCheck check{.repo = repo, .revision = revision, .from = snapshot.commit};
  VITALIS_TRY(complete(hub, check, here));
  check.pinned = !state.pin.empty() && state.pin != check.to;
  check.rejected =
      std::find(state.rejected.begin(), state.rejected.end(), check.to) != state.rejected.end();
  return check;
}

Result<UpdateCheck> check_update_local_dir(Hub& hub, const std::string& folder) {
  const Layout layout = Layout::local(folder);
  const auto content = read_file(layout.current_path(), kLargestRecord);
  if (!content.ok()) {
    return error(Code::kNotFound, folder,
                 ": no record of where it came from: ", content.status().message());
  }
  VITALIS_ASSIGN(const Listing here, listing_from_json(*content, layout.current_path()));
  UpdateCheck check{.repo = here.repo, .revision = here.revision, .from = here.commit};
  VITALIS_TRY(complete(hub, check, here.files));
  return check;
}

Action decide(Policy policy, const UpdateCheck& check) {
  if (!check.is_new() || !check.matters() || policy == Policy::kPinned || check.rejected) {
    return Action::kNothing;
  }
  if (check.pinned || policy == Policy::kNotify) return Action::kTell;
  if (policy == Policy::kConfigOnly && check.touches(Role::kWeights)) return Action::kTell;
  return Action::kInstall;
}

Status check_pin(const Listing& listing, const Pin& pin) {
  if (!pin.commit.empty() && pin.commit != listing.commit) {
    return error(Code::kDenied, listing.repo, " at ", listing.revision, ": pinned to ", pin.commit,
                 ", but this is ", listing.commit);
  }
  return pin.manifest ? check_listing(listing, *pin.manifest) : Status();
}

}  // namespace vitalis::hub
