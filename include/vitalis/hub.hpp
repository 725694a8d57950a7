// SPDX-License-Identifier: Apache-2.0
// Models from the hub, and those on this machine: C++ over vitalis_hub_* and vitalis_transfer_*. By
// the rules of vitalis/vitalis.hpp on errors, ownership and threads. What has more than a number to
// tell is JSON, which docs/models.md describes.
#ifndef VITALIS_HUB_HPP
#define VITALIS_HUB_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vitalis/base.hpp>

namespace vitalis {
inline namespace cpp {

// As vitalis_hub_options; what is empty or 0 has the default.
struct HubOptions {
  std::string endpoint = {};      // empty: https://huggingface.co
  std::string token = {};         // empty: the one that token_path holds, if any
  std::string token_path = {};    // "token" of the Hugging Face home; empty: nobody is signed in
  std::string cache_folder = {};  // "hub" of the Hugging Face home
  bool offline = false;           // what needs the network fails with kNetwork
  std::string proxy = {};         // empty: none
  std::string no_proxy = {};      // hosts that go without it, between commas
  std::string ca_file = {};       // certificates, PEM; empty: the system's
  std::string ca_folder = {};     // of certificates by their hashes; empty: the system's
  std::string user_agent = {};    // of your program: "name/version"
  uint64_t rate_limit = 0;        // bytes in a second; 0: none
  uint32_t connections = 0;       // 0: four
};

// As vitalis_download_options.
struct DownloadOptions {
  std::string revision = {};                 // over the name's own; empty: that
  std::string local_folder = {};             // empty: the cache
  std::vector<std::string> includes = {};    // globs of paths; '*' crosses '/'
  std::vector<std::string> excludes = {};    // globs of what is left out of those
  std::vector<std::string> adopt_from = {};  // folders that may hold some of the files already
  bool all = false;                          // every file, and not only what inference needs
  std::string pin = {};                      // commit
  std::string manifest = {};                 // JSON
};

// VITALIS_POLICY_*
enum class Policy : int32_t {
  kPinned = VITALIS_POLICY_PINNED,
  kNotify = VITALIS_POLICY_NOTIFY,
  kConfigOnly = VITALIS_POLICY_CONFIG_ONLY,
  kAuto = VITALIS_POLICY_AUTO,
};

// How far a transfer is; see vitalis_transfer_progress.
struct Progress {
  int32_t stage = VITALIS_TRANSFER_WORKING;  // VITALIS_TRANSFER_*
  uint64_t bytes_total = 0;                  // of all files
  uint64_t bytes_landed = 0;                 // on this machine
  uint64_t bytes_verified = 0;               // of whole files
  uint64_t bytes_fetched = 0;                // over the network, by this transfer
  double bytes_per_second = 0;               // over the last seconds
  double seconds_left = -1;                  // -1: unknown
  uint32_t files = 0;                        // of the transfer
  std::string note;                          // why it waits
};

namespace detail {

inline const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

inline std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) out.push_back(text.c_str());
  return out;
}

// What the call that gave the status has lent out.
inline Result<std::string> kept(int32_t status, const vitalis_text* text) {
  if (status < 0) return Error::last(status);
  return std::string(view(*text));
}

}  // namespace detail

// ---- transfer: a download in progress ----

// A download in progress: pulled, and paused or cancelled from any thread.
class Transfer : public detail::Owner<vitalis_transfer, vitalis_transfer_release> {
 public:
  explicit Transfer(vitalis_transfer* handle) : Owner(handle) {}  // takes over one reference

  // Commit, folder, bytes and files, as JSON.
  std::string plan() const { return try_plan().value(); }
  Result<std::string> try_plan() const {
    vitalis_text text = {};
    const int32_t status = vitalis_transfer_plan(native_handle(), &text);
    return detail::kept(status, &text);
  }

  // Works until there is news; nothing when it is over, see was_cancelled().
  std::optional<Progress> next() { return try_next().value(); }
  Result<std::optional<Progress>> try_next() {
    auto c = detail::sized<vitalis_transfer_progress>();
    const int32_t status = vitalis_transfer_next(native_handle(), &c);
    if (status < 0) return Error::last(status);
    cancelled_ = status == VITALIS_CANCELLED;
    if (status != VITALIS_OK) return std::optional<Progress>();
    return std::optional(Progress{.stage = c.stage,
                                  .bytes_total = c.bytes_total,
                                  .bytes_landed = c.bytes_landed,
                                  .bytes_verified = c.bytes_verified,
                                  .bytes_fetched = c.bytes_fetched,
                                  .bytes_per_second = c.bytes_per_second,
                                  .seconds_left = c.seconds_left,
                                  .files = c.files,
                                  .note = std::string(detail::view(c.note))});
  }
  bool was_cancelled() const { return cancelled_; }  // of the last next()

  // Any thread, as the next three: next() tells the stage PAUSED.
  void pause() { vitalis_transfer_pause(native_handle()); }
  void resume() { vitalis_transfer_resume(native_handle()); }  // after pause()
  void cancel() { vitalis_transfer_cancel(native_handle()); }  // for good; what landed stays
  // From now on; 0: none.
  void set_rate_limit(uint64_t bytes_per_second) {
    vitalis_transfer_set_rate_limit(native_handle(), bytes_per_second);
  }

 private:
  bool cancelled_ = false;
};

// ---- hub: signing in, the store, listings, updates ----

// The hub or a mirror of it, and the models on this machine; see vitalis_hub.
class Hub : public detail::Owner<vitalis_hub, vitalis_hub_release> {
 public:
  explicit Hub(vitalis_hub* handle) : Owner(handle) {}  // takes over one reference
  // Connects to nothing yet.
  explicit Hub(const HubOptions& options) : Hub(try_open(options).value()) {}
  static Result<Hub> try_open(const HubOptions& options) {
    auto c = detail::sized<vitalis_hub_options>();
    c.offline = options.offline ? 1 : 0;
    c.endpoint = detail::or_null(options.endpoint);
    c.token = detail::or_null(options.token);
    c.token_path = detail::or_null(options.token_path);
    c.cache_folder = detail::or_null(options.cache_folder);
    c.proxy = detail::or_null(options.proxy);
    c.no_proxy = detail::or_null(options.no_proxy);
    c.ca_file = detail::or_null(options.ca_file);
    c.ca_folder = detail::or_null(options.ca_folder);
    c.user_agent = detail::or_null(options.user_agent);
    c.rate_limit = options.rate_limit;
    c.connections = options.connections;
    vitalis_hub* hub = nullptr;
    return detail::made<Hub>(vitalis_hub_create(&c, &hub), &hub);
  }

  // Checks a token and stores it, where Hugging Face's tools find it too. As whoami().
  std::string login(std::string_view token, const std::string& name = {}) {
    return try_login(token, name).value();
  }
  Result<std::string> try_login(std::string_view token, const std::string& name = {}) {
    return told(&vitalis_hub_login, token.data(), token.size(), detail::or_null(name));
  }
  // Who the token in force belongs to; kDenied if there is none.
  std::string whoami() { return try_whoami().value(); }
  Result<std::string> try_whoami() { return told(&vitalis_hub_whoami); }
  // Forgets a stored token; empty: all.
  void logout(const std::string& name = {}) { try_logout(name).value(); }
  Result<Done> try_logout(const std::string& name = {}) {
    return detail::done(vitalis_hub_logout(native_handle(), detail::or_null(name)));
  }

  // Where a model lies: a name or a path.
  std::string locate(const std::string& name, const std::string& revision = {}) {
    return try_locate(name, revision).value();
  }
  Result<std::string> try_locate(const std::string& name, const std::string& revision = {}) {
    return told(&vitalis_hub_locate, name.c_str(), detail::or_null(revision));
  }
  // The models in the cache folder.
  std::string models() { return try_models().value(); }
  Result<std::string> try_models() { return told(&vitalis_hub_models); }

  // Freezes the commit, lists, and plans; nothing is fetched before next().
  Transfer download(const std::string& name, const DownloadOptions& options = {}) {
    return try_download(name, options).value();
  }
  Result<Transfer> try_download(const std::string& name, const DownloadOptions& options = {}) {
    const auto includes = detail::pointers(options.includes);
    const auto excludes = detail::pointers(options.excludes);
    const auto adopt_from = detail::pointers(options.adopt_from);
    auto c = detail::sized<vitalis_download_options>();
    c.flags = options.all ? VITALIS_DOWNLOAD_ALL : 0;
    c.revision = detail::or_null(options.revision);
    c.local_folder = detail::or_null(options.local_folder);
    c.includes = includes.data();
    c.include_count = includes.size();
    c.excludes = excludes.data();
    c.exclude_count = excludes.size();
    c.adopt_from = adopt_from.data();
    c.adopt_count = adopt_from.size();
    c.pin = detail::or_null(options.pin);
    c.manifest = detail::or_null(options.manifest);
    vitalis_transfer* transfer = nullptr;
    const int32_t status = vitalis_hub_download(native_handle(), name.c_str(), &c, &transfer);
    return detail::made<Transfer>(status, &transfer);
  }

  // What changed at the hub since the commit that is here, and what the policy makes of it.
  std::string check(const std::string& name, Policy policy = Policy::kAuto,
                    const std::string& revision = {}) {
    return try_check(name, policy, revision).value();
  }
  Result<std::string> try_check(const std::string& name, Policy policy = Policy::kAuto,
                                const std::string& revision = {}) {
    return told(&vitalis_hub_check, name.c_str(), detail::or_null(revision),
                static_cast<int32_t>(policy));
  }
  // What the last check found, fetched beside what is there; then activate().
  Transfer update() { return try_update().value(); }
  Result<Transfer> try_update() {
    vitalis_transfer* transfer = nullptr;
    return detail::made<Transfer>(vitalis_hub_update(native_handle(), &transfer), &transfer);
  }
  // Lets a revision stand for a commit whose files are here.
  void activate(const std::string& name, const std::string& commit,
                const std::string& revision = {}) {
    try_activate(name, commit, revision).value();
  }
  Result<Done> try_activate(const std::string& name, const std::string& commit,
                            const std::string& revision = {}) {
    return detail::done(vitalis_hub_activate(native_handle(), name.c_str(),
                                             detail::or_null(revision), commit.c_str()));
  }
  // The commit that is in use afterwards.
  std::string rollback(const std::string& name, const std::string& revision = {}) {
    return try_rollback(name, revision).value();
  }
  Result<std::string> try_rollback(const std::string& name, const std::string& revision = {}) {
    return told(&vitalis_hub_rollback, name.c_str(), detail::or_null(revision));
  }

  // Any thread.
  void cancel() { vitalis_hub_cancel(native_handle()); }

 private:
  template <class... Parameters, class... Arguments>
  Result<std::string> told(int32_t (*function)(vitalis_hub*, Parameters...),
                           Arguments... arguments) {
    vitalis_text text = {};
    const int32_t status = function(native_handle(), arguments..., &text);
    return detail::kept(status, &text);
  }
};

}  // namespace cpp
}  // namespace vitalis

#endif  // VITALIS_HUB_HPP
