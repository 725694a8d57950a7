// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.h"
#include "handles.h"
#include "session/hub_client.h"
#include "session/hub_json.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

struct vitalis_hub : Counted {
  vitalis_hub(session::HubClientOptions options, std::string where)
      : client(std::move(options)), endpoint(std::move(where)) {}
  mutable std::atomic_flag busy;
  session::HubClient client;
  std::string endpoint;
  std::string text;  // lent out by the last call
  std::string checked;
  std::optional<hub::UpdateCheck> check;  // the last one, for an update
};

struct vitalis_transfer : Counted {
  explicit vitalis_transfer(hub::Transfer of) : transfer(std::move(of)) {}
  mutable std::atomic_flag busy;
  hub::Transfer transfer;
  std::string text;  // lent out by the last call
  std::string note;
};

namespace {

constexpr size_t kLongestAudit = size_t{64} << 20;

// As with(), for a body(object) -> Result<std::string> whose text is lent out.
template <class Object, class Body>
int32_t lend(Object* object, std::string_view name, vitalis_text* out, Body&& body) {
  if (out) *out = {};
  return with(object, name, [&](Object& of) -> Status {
    if (!out) return missing("the place for the result");
    VITALIS_ASSIGN(of.text, body(of));
    *out = borrowed(of.text);
    return {};
  });
}

// Text that may be null, then empty.
Result<std::string> optional(const char* text, std::string_view name) {
  if (!text) return std::string();
  VITALIS_ASSIGN(const std::string_view given, text_argument(text, VITALIS_NUL, name));
  return std::string(given);
}

Result<std::string> required(const char* text, std::string_view name) {
  if (!text) return missing(name);
  return optional(text, name);
}

Result<std::vector<std::string>> texts(const char* const* from, size_t count,
                                       std::string_view name) {
  VITALIS_TRY(array_argument(from, count, name));
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    VITALIS_ASSIGN(out.emplace_back(), required(from[i], text(name, "[", i, "]")));
  }
  return out;
}

Result<session::HubClientOptions> read_hub(const vitalis_hub_options* options) {
  VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
  session::HubClientOptions out;
  VITALIS_ASSIGN(out.cache_folder, optional(given.cache_folder, "options.cache_folder"));
  VITALIS_ASSIGN(out.token_path, optional(given.token_path, "options.token_path"));
  VITALIS_ASSIGN(const std::string endpoint, optional(given.endpoint, "options.endpoint"));
  if (!endpoint.empty()) out.hub.endpoint = endpoint;
  VITALIS_ASSIGN(const std::string token, optional(given.token, "options.token"));
  if (given.token) {
    VITALIS_ASSIGN(out.hub.token, hub::Token::parse(token));
  }
  out.hub.offline = given.offline != 0;
  VITALIS_ASSIGN(out.hub.proxy, optional(given.proxy, "options.proxy"));
  VITALIS_ASSIGN(out.hub.no_proxy, optional(given.no_proxy, "options.no_proxy"));
  VITALIS_ASSIGN(out.hub.ca_file, optional(given.ca_file, "options.ca_file"));
  VITALIS_ASSIGN(out.hub.ca_dir, optional(given.ca_folder, "options.ca_folder"));
  VITALIS_ASSIGN(out.hub.user_agent, optional(given.user_agent, "options.user_agent"));
  out.hub.rate_limit = given.rate_limit;
  const auto take = [](uint32_t value, uint32_t& to) {
    if (value != 0) to = value;
  };
  take(given.connections, out.hub.connections);
  take(given.connect_timeout, out.hub.connect_timeout);
  take(given.stall_timeout, out.hub.stall_timeout);
  take(given.retries, out.hub.retries);
  VITALIS_TRY(hub::check_options(out.hub));
  return out;
}

Result<session::DownloadRequest> read_download(const vitalis_download_options* options) {
  VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
  session::DownloadRequest out;
  if ((given.flags & ~VITALIS_DOWNLOAD_ALL) != 0) {
    return error(Code::kInvalidArgument, "options.flags: expected 0 or 1; found ", given.flags);
  }
  out.selection.all = (given.flags & VITALIS_DOWNLOAD_ALL) != 0;
  VITALIS_ASSIGN(out.revision, optional(given.revision, "options.revision"));
  VITALIS_ASSIGN(out.local_folder, optional(given.local_folder, "options.local_folder"));
  VITALIS_ASSIGN(out.selection.include,
                 texts(given.includes, given.include_count, "options.includes"));
  VITALIS_ASSIGN(out.selection.exclude,
                 texts(given.excludes, given.exclude_count, "options.excludes"));
  VITALIS_ASSIGN(out.adopt_from, texts(given.adopt_from, given.adopt_count, "options.adopt_from"));
  VITALIS_ASSIGN(out.pin.commit, optional(given.pin, "options.pin"));
  VITALIS_ASSIGN(const std::string manifest, optional(given.manifest, "options.manifest"));
  if (given.manifest) {
    VITALIS_ASSIGN(out.pin.manifest, hub::parse_manifest(manifest, "options.manifest"));
  }
  return out;
}

Result<hub::Policy> read_policy(int32_t policy) {
  switch (policy) {
    case VITALIS_POLICY_PINNED:
      return hub::Policy::kPinned;
    case VITALIS_POLICY_NOTIFY:
      return hub::Policy::kNotify;
    case VITALIS_POLICY_CONFIG_ONLY:
      return hub::Policy::kConfigOnly;
    case VITALIS_POLICY_AUTO:
      return hub::Policy::kAuto;
    default:
      return error(Code::kInvalidArgument, "policy: expected 0 to 3; found ", policy);
  }
}

// body(client, repository, its revision) -> Result<std::string>, lent out.
template <class Body>
int32_t with_repo(vitalis_hub* hub, const char* name, const char* revision, vitalis_text* out,
                  Body&& body) {
  return lend(hub, "hub", out, [&](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const std::string named, required(name, "name"));
    VITALIS_ASSIGN(const std::string at, optional(revision, "revision"));
    VITALIS_ASSIGN(const hub::RepoRef ref, of.client.repo(named, at));
    VITALIS_ASSIGN(hub::Store store, of.client.store());
    return body(store, ref);
  });
}

int32_t stage_of(hub::Progress::Stage stage) {
  switch (stage) {
    case hub::Progress::Stage::kLocked:
      return VITALIS_TRANSFER_LOCKED;
    case hub::Progress::Stage::kWorking:
      return VITALIS_TRANSFER_WORKING;
    case hub::Progress::Stage::kPaused:
      return VITALIS_TRANSFER_PAUSED;
    case hub::Progress::Stage::kDone:
      return VITALIS_TRANSFER_DONE;
    case hub::Progress::Stage::kCancelled:
      return VITALIS_TRANSFER_CANCELLED;
  }
  return VITALIS_TRANSFER_WORKING;
}

int32_t state_of(hub::TransferFile::State state) {
  switch (state) {
    case hub::TransferFile::State::kWaiting:
      return VITALIS_FILE_WAITING;
    case hub::TransferFile::State::kFetching:
      return VITALIS_FILE_FETCHING;
    case hub::TransferFile::State::kVerifying:
      return VITALIS_FILE_VERIFYING;
    case hub::TransferFile::State::kDone:
      return VITALIS_FILE_DONE;
  }
  return VITALIS_FILE_WAITING;
}

}  // namespace

extern "C" {

void vitalis_hub_options_init(vitalis_hub_options* options, size_t size) {
  init_struct(options, size);
}
void vitalis_download_options_init(vitalis_download_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_hub_create(const vitalis_hub_options* options, vitalis_hub** hub_out) {
  return guard([&]() -> Status {
    if (!hub_out) return missing("hub_out");
    *hub_out = nullptr;
    VITALIS_ASSIGN(session::HubClientOptions given, read_hub(options));
    std::string endpoint = given.hub.endpoint;
    *hub_out = new vitalis_hub(std::move(given), std::move(endpoint));
    return {};
  });
}
vitalis_hub* vitalis_hub_retain(vitalis_hub* hub) {
  return retain(hub);
}
void vitalis_hub_release(vitalis_hub* hub) {
  release(hub);
}
void vitalis_hub_cancel(vitalis_hub* hub) {
  if (hub) hub->client.cancel();
}

int32_t vitalis_hub_notices(vitalis_hub* hub, vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [](vitalis_hub& of) -> Result<std::string> {
    return session::to_json(of.client.take_notices());
  });
}

int32_t vitalis_hub_login(vitalis_hub* hub, const char* token, size_t size, const char* name,
                          vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [&](vitalis_hub& of) -> Result<std::string> {
    if (!token) return missing("token");
    VITALIS_ASSIGN(const std::string_view secret, bytes_argument(token, size, "token"));
    VITALIS_ASSIGN(const std::string as, optional(name, "name"));
    VITALIS_ASSIGN(const hub::Identity identity, of.client.login(secret, as));
    return session::to_json(identity, of.endpoint);
  });
}

int32_t vitalis_hub_whoami(vitalis_hub* hub, vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const hub::Identity identity, of.client.whoami());
    return session::to_json(identity, of.endpoint);
  });
}

int32_t vitalis_hub_tokens(vitalis_hub* hub, vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const hub::TokenStore files, of.client.tokens());
    VITALIS_ASSIGN(const auto tokens, files.list());
    return session::to_json(tokens);
  });
}

int32_t vitalis_hub_switch(vitalis_hub* hub, const char* name) {
  return with(hub, "hub", [&](vitalis_hub& of) -> Status {
    VITALIS_ASSIGN(const std::string chosen, required(name, "name"));
    VITALIS_ASSIGN(hub::TokenStore files, of.client.tokens());
    VITALIS_TRY(files.use(chosen));
    of.client.forget_connection();
    return {};
  });
}

int32_t vitalis_hub_logout(vitalis_hub* hub, const char* name) {
  return with(hub, "hub", [&](vitalis_hub& of) -> Status {
    VITALIS_ASSIGN(const std::string chosen, optional(name, "name"));
    VITALIS_ASSIGN(hub::TokenStore files, of.client.tokens());
    VITALIS_TRY(name ? files.remove(chosen) : files.clear());
    of.client.forget_connection();
    return {};
  });
}

int32_t vitalis_hub_begin_login(vitalis_hub* hub, const char* client_id, const char* scope,
                                vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [&](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const std::string application, required(client_id, "client_id"));
    VITALIS_ASSIGN(const std::string wanted, required(scope, "scope"));
    VITALIS_ASSIGN(const hub::DeviceCode code, of.client.begin_login(application, wanted));
    return session::to_json(code);
  });
}

int32_t vitalis_hub_poll_login(vitalis_hub* hub, vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const auto identity, of.client.poll_login());
    return identity ? session::to_json(*identity, of.endpoint) : std::string();
  });
}

int32_t vitalis_hub_locate(vitalis_hub* hub, const char* name, const char* revision,
                           vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [&](vitalis_hub& of) -> Result<std::string> {
    if (!name) return missing("name");
    VITALIS_ASSIGN(const std::string_view named, bytes_argument(name, VITALIS_NUL, "name"));
    VITALIS_ASSIGN(const std::string at, optional(revision, "revision"));
    VITALIS_ASSIGN(const session::Located located, of.client.locate(named, at));
    return session::to_json(located);
  });
}

int32_t vitalis_hub_models(vitalis_hub* hub, vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const hub::Store store, of.client.store());
    VITALIS_ASSIGN(const auto models, store.models());
    return session::to_json(models);
  });
}

int32_t vitalis_hub_remove(vitalis_hub* hub, const char* name, const char* commit, int32_t dry_run,
                           vitalis_text* json_out) {
  return with_repo(hub, name, nullptr, json_out,
                   [&](hub::Store& store, const hub::RepoRef& ref) -> Result<std::string> {
                     VITALIS_ASSIGN(const std::string only, optional(commit, "commit"));
                     // What goes with the whole folder is counted beforehand.
                     VITALIS_ASSIGN(const auto gone, store.remove(ref.id, only, true));
                     if (dry_run == 0) {
                       VITALIS_ASSIGN(const auto done, store.remove(ref.id, only, false));
                       static_cast<void>(done);
                     }
                     return session::to_json(gone);
                   });
}

int32_t vitalis_hub_prune(vitalis_hub* hub, const char* name, uint32_t keep, int32_t dry_run,
                          vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [&](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const std::string named, optional(name, "name"));
    VITALIS_ASSIGN(hub::Store store, of.client.store());
    std::string repo;
    if (!named.empty()) {
      VITALIS_ASSIGN(const hub::RepoRef ref, of.client.repo(named, ""));
      repo = ref.id;
    }
    VITALIS_ASSIGN(const auto gone, store.prune(repo, keep, dry_run != 0));
    return session::to_json(gone);
  });
}

int32_t vitalis_hub_activate(vitalis_hub* hub, const char* name, const char* revision,
                             const char* commit) {
  return with(hub, "hub", [&](vitalis_hub& of) -> Status {
    VITALIS_ASSIGN(const std::string named, required(name, "name"));
    VITALIS_ASSIGN(const std::string at, optional(revision, "revision"));
    VITALIS_ASSIGN(const std::string to, required(commit, "commit"));
    VITALIS_ASSIGN(const hub::RepoRef ref, of.client.repo(named, at));
    VITALIS_ASSIGN(hub::Store store, of.client.store());
    return store.activate(ref.id, ref.revision, to, "activate");
  });
}

int32_t vitalis_hub_rollback(vitalis_hub* hub, const char* name, const char* revision,
                             vitalis_text* commit_out) {
  return with_repo(hub, name, revision, commit_out, [](hub::Store& store, const hub::RepoRef& ref) {
    return store.rollback(ref.id, ref.revision);
  });
}

int32_t vitalis_hub_pin(vitalis_hub* hub, const char* name, const char* commit) {
  return with(hub, "hub", [&](vitalis_hub& of) -> Status {
    VITALIS_ASSIGN(const std::string named, required(name, "name"));
    VITALIS_ASSIGN(const std::string to, optional(commit, "commit"));
    VITALIS_ASSIGN(const hub::RepoRef ref, of.client.repo(named, ""));
    VITALIS_ASSIGN(hub::Store store, of.client.store());
    return store.set_pin(ref.id, to);
  });
}

int32_t vitalis_hub_audit(vitalis_hub* hub, const char* name, vitalis_text* lines_out) {
  return with_repo(hub, name, nullptr, lines_out,
                   [](hub::Store& store, const hub::RepoRef& ref) -> Result<std::string> {
                     auto lines = read_file(store.repo_folder(ref.id) + "/vitalis/audit.jsonl",
                                            kLongestAudit);
                     if (!lines.ok() && lines.status().code() == Code::kNotFound) {
                       return std::string();
                     }
                     return lines;
                   });
}

int32_t vitalis_hub_list(vitalis_hub* hub, const char* name, const char* revision,
                         vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [&](vitalis_hub& of) -> Result<std::string> {
    VITALIS_ASSIGN(const std::string named, required(name, "name"));
    VITALIS_ASSIGN(const std::string at, optional(revision, "revision"));
    VITALIS_ASSIGN(const hub::Listing listing, of.client.list(named, at));
    return session::to_json(listing);
  });
}

int32_t vitalis_hub_check(vitalis_hub* hub, const char* name, const char* revision, int32_t policy,
                          vitalis_text* json_out) {
  return lend(hub, "hub", json_out, [&](vitalis_hub& of) -> Result<std::string> {
    of.check.reset();
    VITALIS_ASSIGN(const std::string named, required(name, "name"));
    VITALIS_ASSIGN(const std::string at, optional(revision, "revision"));
    VITALIS_ASSIGN(const hub::Policy chosen, read_policy(policy));
    VITALIS_ASSIGN(of.check, of.client.check(named, at));
    of.checked = named;
    return session::to_json(*of.check, hub::decide(chosen, *of.check));
  });
}

int32_t vitalis_hub_download(vitalis_hub* hub, const char* name,
                             const vitalis_download_options* options,
                             vitalis_transfer** transfer_out) {
  if (transfer_out) *transfer_out = nullptr;
  return with(hub, "hub", [&](vitalis_hub& of) -> Status {
    if (!transfer_out) return missing("transfer_out");
    VITALIS_ASSIGN(session::DownloadRequest request, read_download(options));
    VITALIS_ASSIGN(request.name, required(name, "name"));
    VITALIS_ASSIGN(hub::Transfer transfer, of.client.download(request));
    *transfer_out = new vitalis_transfer(std::move(transfer));
    return {};
  });
}

int32_t vitalis_hub_update(vitalis_hub* hub, vitalis_transfer** transfer_out) {
  if (transfer_out) *transfer_out = nullptr;
  return with(hub, "hub", [&](vitalis_hub& of) -> Status {
    if (!transfer_out) return missing("transfer_out");
    if (!of.check) {
      return error(Code::kInvalidArgument, "vitalis_hub_check comes first, and has to succeed");
    }
    VITALIS_ASSIGN(hub::Transfer transfer, of.client.update(of.checked, *of.check));
    *transfer_out = new vitalis_transfer(std::move(transfer));
    return {};
  });
}

vitalis_transfer* vitalis_transfer_retain(vitalis_transfer* transfer) {
  return retain(transfer);
}
void vitalis_transfer_release(vitalis_transfer* transfer) {
  release(transfer);
}

int32_t vitalis_transfer_plan(vitalis_transfer* transfer, vitalis_text* json_out) {
  return lend(transfer, "transfer", json_out, [](vitalis_transfer& of) -> Result<std::string> {
    return session::to_json(of.transfer.plan());
  });
}

int32_t vitalis_transfer_next(vitalis_transfer* transfer, vitalis_transfer_progress* progress) {
  clear_struct(progress);
  int32_t stage = VITALIS_TRANSFER_WORKING;
  const int32_t status = with(transfer, "transfer", [&](vitalis_transfer& of) -> Status {
    if (!progress) return missing("progress");
    VITALIS_TRY(check_size<vitalis_transfer_progress>(progress->struct_size, "progress"));
    VITALIS_ASSIGN(hub::Progress news, of.transfer.next());
    of.note = std::move(news.note);
    vitalis_transfer_progress out = {};
    out.stage = stage = stage_of(news.stage);
    out.bytes_total = news.bytes_total;
    out.bytes_landed = news.bytes_landed;
    out.bytes_verified = news.bytes_verified;
    out.bytes_fetched = news.bytes_fetched;
    out.bytes_per_second = news.bytes_per_second;
    out.seconds_left = news.seconds_left;
    out.connections = news.connections;
    out.files = static_cast<uint32_t>(of.transfer.files().size());
    out.note = borrowed(of.note);
    return write_struct(out, progress, "progress");
  });
  if (status != VITALIS_OK) return status;
  return stage == VITALIS_TRANSFER_DONE        ? VITALIS_DONE
         : stage == VITALIS_TRANSFER_CANCELLED ? VITALIS_CANCELLED
                                               : VITALIS_OK;
}

int32_t vitalis_transfer_get_file(vitalis_transfer* transfer, size_t index,
                                  vitalis_transfer_file* file) {
  clear_struct(file);
  return with(transfer, "transfer", [&](vitalis_transfer& of) -> Status {
    const auto& files = of.transfer.files();
    if (index >= files.size()) {
      return error(Code::kNotFound, "the transfer has ", files.size(), " files; there is no ",
                   index);
    }
    vitalis_transfer_file out = {};
    out.state = state_of(files[index].state);
    out.size = files[index].size;
    out.landed = files[index].landed;
    out.verified = files[index].verified;
    out.path = borrowed(files[index].path);
    return write_struct(out, file, "file");
  });
}

int32_t vitalis_transfer_notices(vitalis_transfer* transfer, vitalis_text* json_out) {
  return lend(transfer, "transfer", json_out, [](vitalis_transfer& of) -> Result<std::string> {
    return session::to_json(of.transfer.take_notices());
  });
}

void vitalis_transfer_pause(vitalis_transfer* transfer) {
  if (transfer) transfer->transfer.pause();
}
void vitalis_transfer_resume(vitalis_transfer* transfer) {
  if (transfer) transfer->transfer.resume();
}
void vitalis_transfer_cancel(vitalis_transfer* transfer) {
  if (transfer) transfer->transfer.cancel();
}
void vitalis_transfer_set_rate_limit(vitalis_transfer* transfer, uint64_t bytes_per_second) {
  if (transfer) transfer->transfer.set_rate_limit(bytes_per_second);
}

}  // extern "C"
