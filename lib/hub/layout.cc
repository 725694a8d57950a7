// SPDX-License-Identifier: Apache-2.0
#include "hub/layout.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mapped_file.h"
#include "base/problems.h"
#include "hub/json_text.h"
#include "hub/repo.h"

namespace vitalis::hub {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kPrefix = "models--";
constexpr size_t kLargestRecord = 64 << 20;

// A link at `path`, in one step whether or not there was one.
Status place_link(Disk& disk, const std::string& target, const std::string& path) {
  VITALIS_TRY(make_folders(folder_of(path)));
  const std::string beside = path + "." + std::to_string(::getpid()) + ".new";
  VITALIS_TRY(remove_file(beside));
  if (::symlink(target.c_str(), beside.c_str()) != 0)
    return io_error("make the link", beside, errno);
  return disk.rename(beside, path);
}

// "../../blobs/ETAG", with a step up for each folder of the path.
std::string blob_link(const File& file) {
  std::string out = "../../";
  for (const char c : file.path) {
    if (c == '/') out += "../";
  }
  return out + "blobs/" + file.etag();
}

Status link_all(Disk& disk, const std::string& folder, const std::vector<File>& files) {
  std::set<std::string> folders = {folder};
  for (const File& file : files) {
    const std::string path = folder + '/' + file.path;
    const std::string target = blob_link(file);
    if (link_target(path) != target) VITALIS_TRY(place_link(disk, target, path));
    for (std::string above = folder_of(path); above.size() > folder.size();
         above = folder_of(above)) {
      folders.insert(above);
    }
  }
  for (auto at = folders.rbegin(); at != folders.rend(); ++at) VITALIS_TRY(disk.sync_folder(*at));
  return {};
}

std::string now_as_fraction() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  char out[32];
  std::snprintf(out, sizeof out, "%.6f", std::chrono::duration<double>(now).count());
  return out;
}

// What Hugging Face's tools look for beside a file of a local folder.
Status write_metadata(Disk& disk, const Layout& layout, const std::string& commit,
                      const File& file) {
  const std::string path =
      text(layout.root, "/.cache/huggingface/download/", file.path, ".metadata");
  VITALIS_TRY(make_folders(folder_of(path)));
  return write_in_one_step(disk, path,
                           text(commit, '\n', file.etag(), '\n', now_as_fraction(), '\n'));
}

Status write_if_absent(const std::string& path, std::string_view content) {
  return examine(path) ? Status() : write_atomically(Disk::real(), path, content);
}

// The part becomes the file; or, if another file of the same content still waits for it, a copy
// does.
Status place_part(Disk& disk, const Layout& layout, const File& file, bool is_last) {
  const std::string part = layout.part_path(file);
  const std::string path = layout.final_path(file);
  if (!examine(part)) {
    if (examine(path)) return {};  // placed before
    return error(Code::kIo, path, ": neither the file nor its part is there");
  }
  VITALIS_TRY(make_folders(folder_of(path)));
  if (is_last) return disk.rename(part, path);
  const std::string beside = path + "." + std::to_string(::getpid()) + ".new";
  {
    VITALIS_ASSIGN(const OpenFile from, open_to_read(part));
    VITALIS_ASSIGN(const OpenFile to, open_to_write(beside, true));
    VITALIS_TRY(copy_contents(from, to, 0, file.size));
    VITALIS_TRY(disk.sync(to));
  }
  return disk.rename(beside, path);
}

Result<RepoState> state_from(dom::object root, std::string_view what) {
  RepoState state;
  VITALIS_ASSIGN(state.pin, optional_string(root, "pin", what));
  if (!state.pin.empty() && !is_commit(state.pin)) {
    return error(Code::kMalformed, what, ": \"pin\" is no commit");
  }
  dom::array items;
  if (!root.at_key("history").get(items)) {
    for (const dom::element element : items) {
      dom::object item;
      if (element.get(item)) return error(Code::kMalformed, what, ": a visit that is no object");
      RepoState::Visit visit;
      VITALIS_ASSIGN(visit.revision, string_member(item, "revision", what));
      VITALIS_ASSIGN(visit.commit, string_member(item, "commit", what));
      visit.time = integer_or_zero(item, "time");
      VITALIS_TRY(check_revision(visit.revision));
      if (!is_commit(visit.commit)) return error(Code::kMalformed, what, ": a visit of no commit");
      state.history.push_back(std::move(visit));
    }
  }
  if (!root.at_key("rejected").get(items)) {
    for (const dom::element element : items) {
      std::string_view commit;
      if (element.get(commit) || !is_commit(commit)) {
        return error(Code::kMalformed, what, ": \"rejected\" holds something that is no commit");
      }
      state.rejected.emplace_back(commit);
    }
  }
  return state;
}

// The shards that an index names; the index itself is trusted with nothing but names in its folder.
std::string missing_shard(const std::string& folder, const std::string& index) {
  const auto content = read_file(folder + '/' + index, kLargestRecord);
  if (!content.ok()) return index;
  const auto document = formats::JsonDocument::parse(*content, index);
  dom::object map;
  if (!document.ok() || document->root().at_key("weight_map").get(map)) return index;
  std::set<std::string, std::less<>> shards;
  for (const auto& field : map) {
    std::string_view name;
    if (!field.value.get(name)) shards.emplace(name);
  }
  for (const std::string& shard : shards) {
    if (!check_repo_path(shard).ok() || !examine(folder + '/' + shard)) return excerpt(shard);
  }
  return {};
}

}  // namespace

std::string cache_folder_name(std::string_view repo) {
  std::string out(kPrefix);
  for (const char c : repo) {
    if (c == '/') {
      out += "--";
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::string> repo_of_cache_folder(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::string repo(name.substr(kPrefix.size()));
  if (const size_t at = repo.find("--"); at != repo.npos) repo.replace(at, 2, 1, '/');
  if (!check_repo_id(repo).ok()) return std::nullopt;
  return repo;
}

Layout Layout::cache(std::string_view cache_dir, std::string_view repo) {
  Layout out;
  out.root = text(cache_dir, '/', cache_folder_name(repo));
  out.records = out.root + "/vitalis";
  return out;
}

Layout Layout::local(std::string_view folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.remove_suffix(1);
  Layout out;
  out.is_local = true;
  out.root = folder;
  out.records = out.root + "/.cache/vitalis";
  return out;
}

std::string Layout::listing_path(std::string_view commit) const {
  return text(records, "/listings/", commit, ".json");
}

std::string Layout::snapshot_path(std::string_view commit) const {
  return text(root, "/snapshots/", commit);
}

std::string Layout::ref_path(std::string_view revision) const {
  return text(root, "/refs/", revision);
}

std::string Layout::final_path(const File& file) const {
  return is_local ? root + '/' + file.path : blob_path(file);
}

std::string Layout::model_folder(std::string_view commit) const {
  return is_local ? root : snapshot_path(commit);
}

Status Layout::prepare() const {
  VITALIS_TRY(make_folders(partial_folder()));
  VITALIS_TRY(make_folders(records + "/listings"));
  constexpr std::string_view kTag =
      "Signature: 8a477f597d28d172789f06886806bc55\n"
      "# This folder holds what can be downloaded again. See https://bford.info/cachedir/\n";
  if (!is_local) {
    for (const char* name : {"/blobs", "/snapshots", "/refs"}) {
      VITALIS_TRY(make_folders(root + name));
    }
    return write_if_absent(folder_of(root) + "/CACHEDIR.TAG", kTag);
  }
  for (const std::string& folder : {records, root + "/.cache/huggingface"}) {
    VITALIS_TRY(make_folders(folder));
    VITALIS_TRY(write_if_absent(folder + "/.gitignore", "*"));
  }
  return write_if_absent(root + "/.cache/huggingface/CACHEDIR.TAG", kTag);
}

std::string VerifiedRecord::line_for(const File& file) const {
  const std::string path = layout_.final_path(file);
  const auto info = examine(path);
  if (!info || !info->is_regular) return {};
  return text(file.etag(), ' ', info->size, ' ', info->modified_ns, ' ', info->inode, ' ',
              std::string_view(path).substr(layout_.root.size() + 1));
}

VerifiedRecord VerifiedRecord::load(const Layout& layout) {
  VerifiedRecord record(layout);
  const auto content = read_file(layout.verified_path(), kLargestRecord);
  if (!content.ok()) return record;
  for (std::string_view rest = *content; !rest.empty();) {
    const size_t end = rest.find('\n');
    record.is_cut_off_ = end == rest.npos;  // while it was written
    if (record.is_cut_off_) break;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    size_t path = 0;
    for (int i = 0; i < 4 && path != line.npos; ++i) path = line.find(' ', path + 1);
    if (path != line.npos) record.lines_.insert_or_assign(std::string(line.substr(path + 1)), line);
  }
  return record;
}

bool VerifiedRecord::holds(const File& file) const {
  const std::string line = line_for(file);
  const auto at =
      lines_.find(std::string_view(layout_.final_path(file)).substr(layout_.root.size() + 1));
  return !line.empty() && at != lines_.end() && at->second == line;
}

Status VerifiedRecord::add(Disk& disk, const File& file) {
  const std::string line = line_for(file);
  if (line.empty()) return error(Code::kIo, layout_.final_path(file), " has gone");
  lines_.insert_or_assign(layout_.final_path(file).substr(layout_.root.size() + 1), line);
  // Not synced: what is lost of it is hashed once more.
  VITALIS_ASSIGN(const OpenFile open, open_to_write(layout_.verified_path(), false));
  return disk.append(open, (is_cut_off_ ? "\n" : "") + line + '\n');
}

Status publish_snapshot(Disk& disk, const Layout& layout, const Listing& listing,
                        const std::vector<File>& files) {
  VITALIS_TRY(disk.sync_folder(layout.root + "/blobs"));
  VITALIS_TRY(
      write_atomically(disk, layout.listing_path(listing.commit), listing_to_json(listing)));
  const std::string folder = layout.snapshot_path(listing.commit);
  if (!examine(folder)) {
    // Made beside, at the same depth, and renamed: the set appears at once.
    const std::string staged = layout.root + "/vitalis/staged-" + listing.commit;
    VITALIS_TRY(remove_folder(staged));
    VITALIS_TRY(make_folders(staged));
    VITALIS_TRY(link_all(disk, staged, files));
    VITALIS_TRY(disk.rename(staged, folder));
    return disk.sync_folder(layout.root + "/snapshots");
  }
  // There in part, by another tool or another selection. The commit is the same, so whatever is in
  // it belongs together, and each link appears whole.
  return link_all(disk, folder, files);
}

Status publish_local(Disk& disk, const Layout& layout, const Listing& listing,
                     const std::vector<File>& files) {
  Listing selected = listing;
  selected.files = files;
  VITALIS_TRY(disk.sync_folder(layout.partial_folder()));
  VITALIS_TRY(
      write_atomically(disk, layout.listing_path(listing.commit), listing_to_json(listing)));
  // From here on it happens, now or at the next start.
  VITALIS_TRY(write_atomically(disk, layout.publication_path(), listing_to_json(selected)));
  return finish_publication(disk, layout);
}

Status finish_publication(Disk& disk, const Layout& layout) {
  const std::string path = layout.publication_path();
  auto content = read_file(path, kLargestRecord);
  if (!content.ok()) {
    return content.status().code() == Code::kNotFound ? Status() : content.status();
  }
  VITALIS_ASSIGN(const Listing listing, listing_from_json(*content, path));
  const std::vector<File>& files = listing.files;
  std::set<std::string> folders;
  for (size_t i = 0; i < files.size(); ++i) {
    const bool is_last = std::none_of(files.begin() + static_cast<ptrdiff_t>(i) + 1, files.end(),
                                      [&](const File& f) { return f.etag() == files[i].etag(); });
    VITALIS_TRY(place_part(disk, layout, files[i], is_last));
    folders.insert(folder_of(layout.final_path(files[i])));
  }
  for (const std::string& folder : folders) VITALIS_TRY(disk.sync_folder(folder));
  for (const File& file : files) VITALIS_TRY(write_metadata(disk, layout, listing.commit, file));
  VITALIS_TRY(write_atomically(disk, layout.current_path(), listing_to_json(listing)));
  VITALIS_TRY(remove_file(path));
  return disk.sync_folder(layout.records);
}

Result<std::string> read_ref(const Layout& layout, std::string_view revision) {
  auto content = read_file(layout.ref_path(revision), 4096);
  if (!content.ok()) {
    if (content.status().code() == Code::kNotFound || examine(layout.ref_path(revision))) {
      return std::string();
    }
    return content.status();
  }
  while (content->ends_with('\n') || content->ends_with(' ')) content->pop_back();
  if (!is_commit(*content)) {
    return error(Code::kMalformed, layout.ref_path(revision), ": expected a commit, found ",
                 in_quotes(*content));
  }
  return content;
}

Status switch_revision(Disk& disk, const Layout& layout, const std::string& revision,
                       const std::string& commit) {
  if (layout.is_local || is_commit(revision)) return {};
  VITALIS_ASSIGN(const std::string before, read_ref(layout, revision));
  if (before == commit) return {};
  VITALIS_ASSIGN(RepoState state, load_state(layout));
  if (!before.empty()) {
    std::erase_if(state.history, [&](const RepoState::Visit& visit) {
      return visit.revision == revision && visit.commit == before;
    });
    state.history.push_back({revision, before, std::time(nullptr)});
  }
  std::erase(state.rejected, commit);
  // First what it was, then the switch: cut off in between, the history names the commit that still
  // stands, which rollback passes over.
  VITALIS_TRY(save_state(disk, layout, state));
  const std::string path = layout.ref_path(revision);
  VITALIS_TRY(make_folders(folder_of(path)));
  return write_atomically(disk, path, commit);
}

Result<RepoState> parse_repo_state(std::string_view json, std::string_view what) {
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(json, what));
  if (integer_or_zero(document.root(), "schema") != 1) {
    return error(Code::kUnsupported, what, ": expected schema 1");
  }
  return state_from(document.root(), what);
}

std::string repo_state_to_json(const RepoState& state) {
  std::vector<std::string> history, rejected;
  for (const RepoState::Visit& visit : state.history) {
    history.push_back(JsonObject()
                          .add("revision", visit.revision)
                          .add("commit", visit.commit)
                          .add("time", visit.time)
                          .take());
  }
  for (const std::string& commit : state.rejected) rejected.push_back(json_string(commit));
  return JsonObject()
      .add("schema", uint64_t{1})
      .add("pin", state.pin)
      .raw("history", json_array(history))
      .raw("rejected", json_array(rejected))
      .take();
}

Result<RepoState> load_state(const Layout& layout) {
  auto content = read_file(layout.state_path(), kLargestRecord);
  if (!content.ok()) {
    if (content.status().code() == Code::kNotFound) return RepoState();
    return content.status();
  }
  return parse_repo_state(*content, layout.state_path());
}

Status save_state(Disk& disk, const Layout& layout, const RepoState& state) {
  VITALIS_TRY(make_folders(layout.records));
  return write_atomically(disk, layout.state_path(), repo_state_to_json(state));
}

Result<std::vector<File>> snapshot_files(const Layout& layout, std::string_view commit) {
  const std::string folder = layout.snapshot_path(commit);
  VITALIS_ASSIGN(const auto paths, list_files_below(folder));
  std::vector<File> out;
  for (const std::string& path : paths) {
    if (!check_repo_path(path).ok()) continue;
    const std::string whole = folder + '/' + path;
    const auto info = examine(whole);
    if (!info || !info->is_regular) continue;  // a link to nothing
    File file{.path = path, .size = info->size};
    if (const auto target = link_target(whole)) {
      // It may lead to a blob of this repository and nowhere else.
      const std::string name = target->substr(target->rfind('/') + 1);
      file.git_sha1 = is_commit(name) ? name : "";
      file.sha256 = is_sha256(name) ? name : "";
      if (*target != blob_link(file)) continue;
    }
    out.push_back(std::move(file));
  }
  return out;
}

std::string missing_for_inference(const std::string& folder) {
  const auto has = [&](const char* name) { return examine(folder + '/' + name).has_value(); };
  const auto names = list_folder(folder);
  if (names.ok()) {
    for (const std::string& name : *names) {
      if (name.ends_with(".gguf")) return {};
    }
  }
  if (!has("config.json")) {
    if (has("metal/model.bin")) return {};
    if (has("original/config.json") && has("original/model.safetensors")) return {};
    return "config.json";
  }
  if (has("model.safetensors.index.json")) {
    const std::string shard = missing_shard(folder, "model.safetensors.index.json");
    if (!shard.empty()) return shard;
  } else if (!has("model.safetensors")) {
    return "model.safetensors";
  }
  return has("tokenizer.json") ? "" : "tokenizer.json";
}

}  // namespace vitalis::hub
