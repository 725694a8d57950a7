// SPDX-License-Identifier: Apache-2.0
#include "session/hub_client.h"

#include <filesystem>

#include "base/problems.h"

namespace vitalis::session {

namespace {

namespace fs = std::filesystem;

bool is_there(const std::string& path) {
  std::error_code failed;
  return !path.empty() && fs::exists(path, failed);
}

bool has_records(const std::string& folder) {
  return is_there(folder + "/.cache/huggingface");
}

Result<Located> locate_path(const std::string& path) {
  Located located{.folder = path, .is_path = true};
  if (!has_records(path)) return located;
  VITALIS_ASSIGN(const hub::Snapshot snapshot, hub::find_local_dir(path));
  located.repo = snapshot.repo;
  located.commit = snapshot.commit;
  located.complete = snapshot.complete;
  located.missing = snapshot.missing;
  return located;
}

// A name that the person chose, or what the hub calls the token.
std::string token_name(std::string_view name, const hub::Identity& identity) {
  if (!name.empty()) return std::string(name);
  return identity.token_name.empty() ? identity.name : identity.token_name;
}

Status check_known(const hub::Listing& listing) {
  const hub::Manifest* manifest = hub::known_manifest(listing.repo, listing.commit);
  if (manifest == nullptr || manifest->commit != listing.commit) return {};
  return hub::check_listing(listing, *manifest);
}

}  // namespace

Result<hub::Store> HubClient::store() const {
  if (options_.cache_folder.empty()) {
    return error(Code::kInvalidArgument, "no folder for models is set: options.cache_folder");
  }
  return hub::Store(options_.cache_folder);
}

Result<hub::TokenStore> HubClient::tokens() const {
  if (options_.token_path.empty()) {
    return error(Code::kInvalidArgument, "no place for tokens is set: options.token_path");
  }
  return hub::TokenStore(options_.token_path);
}

Result<hub::RepoRef> HubClient::repo(std::string_view name, std::string_view revision) const {
  VITALIS_ASSIGN(hub::RepoRef ref, hub::parse_repo(name));
  if (!revision.empty()) {
    VITALIS_TRY(hub::check_revision(revision));
    ref.revision = revision;
  }
  return ref;
}

Result<Located> HubClient::locate(std::string_view name, std::string_view revision) const {
  const std::string path(name);
  if (is_there(path)) return locate_path(path);
  if (!hub::looks_like_repo(name)) {
    return error(Code::kInvalidArgument, "there is no file or folder ", in_quotes(name),
                 ", and it is no model's name");
  }
  VITALIS_ASSIGN(const hub::RepoRef ref, repo(name, revision));
  VITALIS_ASSIGN(const hub::Store models, store());
  const auto found = models.find(ref.id, ref.revision);
  if (!found.ok()) {
    if (found.status().code() != Code::kNotFound) return found.status();
    return error(Code::kNotFound, ref.id, " at ", ref.revision, " is not on this machine");
  }
  return Located{.repo = ref.id,
                 .revision = ref.revision,
                 .commit = found->commit,
                 .folder = found->folder,
                 .complete = found->complete,
                 .missing = found->missing};
}

Result<std::shared_ptr<hub::Hub>> HubClient::connect(std::optional<hub::Token> token) {
  const bool as_usual = !token.has_value();
  if (as_usual) {
    const std::lock_guard lock(mutex_);
    if (hub_) return hub_;
  }
  hub::Options options = options_.hub;
  if (token) options.token = std::move(token);
  if (!options.token && !options_.token_path.empty()) {
    VITALIS_ASSIGN(options.token, hub::TokenStore(options_.token_path).active());
  }
  VITALIS_ASSIGN(hub::Hub made, hub::Hub::create(std::move(options)));
  auto shared = std::make_shared<hub::Hub>(std::move(made));
  const std::lock_guard lock(mutex_);
  hub_ = shared;
  return shared;
}

void HubClient::forget_connection() {
  const std::lock_guard lock(mutex_);
  hub_.reset();
}

void HubClient::cancel() {
  std::shared_ptr<hub::Hub> hub;
  {
    const std::lock_guard lock(mutex_);
    hub = hub_;
  }
  if (hub) hub->cancel();
}

std::vector<std::string> HubClient::take_notices() {
  const std::lock_guard lock(mutex_);
  return hub_ ? hub_->take_notices() : std::vector<std::string>();
}

Result<hub::Identity> HubClient::login(std::string_view given, std::string_view name) {
  VITALIS_ASSIGN(const hub::TokenStore tokens, this->tokens());
  VITALIS_ASSIGN(const hub::Token token, hub::Token::parse(given));
  VITALIS_ASSIGN(const auto hub, connect(token));
  const auto identity = hub->whoami();
  forget_connection();
  if (!identity.ok()) return identity.status();
  hub::TokenStore files = tokens;
  VITALIS_TRY(files.save(token_name(name, *identity), token));
  return *identity;
}

Result<hub::Identity> HubClient::whoami() {
  VITALIS_ASSIGN(const auto hub, connect());
  return hub->whoami();
}

Result<hub::DeviceCode> HubClient::begin_login(const std::string& client_id,
                                               const std::string& scope) {
  VITALIS_ASSIGN(const auto hub, connect());
  VITALIS_ASSIGN(hub::DeviceCode code, hub->begin_device_login(client_id, scope));
  client_id_ = client_id;
  code_ = code;
  return code;
}

Result<std::optional<hub::Identity>> HubClient::poll_login() {
  if (!code_) return error(Code::kInvalidArgument, "no sign-in has been begun");
  VITALIS_ASSIGN(hub::TokenStore files, tokens());
  VITALIS_ASSIGN(const auto hub, connect());
  VITALIS_ASSIGN(const auto got, hub->poll_device_login(client_id_, *code_));
  if (!got) return std::optional<hub::Identity>();
  code_.reset();
  VITALIS_ASSIGN(const auto owner, connect(got->access));
  const auto identity = owner->whoami();
  forget_connection();
  if (!identity.ok()) return identity.status();
  VITALIS_TRY(files.save("oauth-" + identity->name, got->access, got->refresh, got->expires_at));
  return std::optional(*identity);
}

Result<hub::Listing> HubClient::list(const std::string& name, std::string_view revision) {
  VITALIS_ASSIGN(const hub::RepoRef ref, repo(name, revision));
  VITALIS_ASSIGN(const auto hub, connect());
  return hub->list(ref);
}

Result<hub::Transfer> HubClient::download(const DownloadRequest& request) {
  VITALIS_ASSIGN(const hub::RepoRef ref, repo(request.name, request.revision));
  hub::Destination destination{.local_dir = request.local_folder, .adopt_from = request.adopt_from};
  hub::Pin pin = request.pin;
  if (request.local_folder.empty()) {
    VITALIS_ASSIGN(const hub::Store models, store());
    destination.cache_dir = models.cache_dir();
    // Whoever names a commit means it; a branch may have moved away from what is pinned.
    if (pin.commit.empty() && !hub::is_commit(ref.revision)) {
      VITALIS_ASSIGN(const hub::RepoState state, models.state(ref.id));
      pin.commit = state.pin;
    }
  } else {
    destination.cache_dir = options_.cache_folder;
  }
  VITALIS_ASSIGN(const auto hub, connect());
  VITALIS_ASSIGN(const hub::Listing listing, hub->list(ref));
  VITALIS_TRY(check_known(listing));
  VITALIS_TRY(hub::check_pin(listing, pin));
  hub::Selection selection = request.selection;
  if (!ref.path.empty()) selection.include.push_back(ref.path);
  VITALIS_ASSIGN(const auto files, hub::select_files(listing, selection));
  VITALIS_ASSIGN(hub::Plan plan, hub::make_plan(listing, files, destination));
  return hub::Transfer::create(hub->options(), std::move(plan));
}

Result<hub::UpdateCheck> HubClient::check(const std::string& name, std::string_view revision) {
  VITALIS_ASSIGN(const auto hub, connect());
  if (is_there(name)) return hub::check_update_local_dir(*hub, name);
  VITALIS_ASSIGN(const hub::RepoRef ref, repo(name, revision));
  VITALIS_ASSIGN(const hub::Store models, store());
  return hub::check_update(*hub, models, ref.id, ref.revision);
}

Result<hub::Transfer> HubClient::update(const std::string& name, const hub::UpdateCheck& check) {
  if (!check.is_new()) return error(Code::kNotFound, check.repo, ": there is no update");
  if (check.pinned) {
    return error(Code::kDenied, check.repo, " is pinned to ", check.from,
                 "; unpin it to update it");
  }
  VITALIS_TRY(check_known(check.listing));
  VITALIS_ASSIGN(const auto hub, connect());
  hub::Destination destination{.cache_dir = options_.cache_folder};
  hub::TransferOptions transfer{.switch_revision = false, .reason = "update"};
  if (is_there(name)) {
    destination.local_dir = name;
    transfer.switch_revision = true;  // a plain folder has no other place for the new files
  }
  VITALIS_ASSIGN(hub::Plan plan, hub::make_plan(check.listing, check.files, destination));
  return hub::Transfer::create(hub->options(), std::move(plan), transfer);
}

}  // namespace vitalis::session
