// SPDX-License-Identifier: Apache-2.0
// What a program asks for when it says "get this model": the hub, the store and the token files put
// together. Names become folders, folders become names; what is pinned stays, and what the library
// knows the digests of has to have them.
// One thread at a time; cancel() may be called from any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "hub/download.h"
#include "hub/hub.h"
#include "hub/store.h"
#include "hub/token_store.h"
#include "hub/update.h"

namespace vitalis::session {

struct HubClientOptions {
  hub::Options hub;          // with a token: it is used whatever the token files say
  std::string cache_folder;  // of the store; empty: whatever needs it is refused
  std::string token_path;    // empty: nobody is signed in
};

// Where a model lies.
struct Located {
  std::string repo;  // empty for a path that no repository is known of
  std::string revision;
  std::string commit;
  std::string folder;  // or a file, for a path
  bool is_path = false;
  bool complete = true;
  std::string missing;  // if not complete: the first file that is not there
};

struct DownloadRequest {
  std::string name;      // as hub::parse_repo takes it
  std::string revision;  // empty: the name's, else "main"
  std::string local_folder;
  std::vector<std::string> adopt_from;
  hub::Selection selection;
  hub::Pin pin;
};

class HubClient {
 public:
  explicit HubClient(HubClientOptions options) : options_(std::move(options)) {}

  // A path that exists, or a name of the hub's that is in the store. kNotFound if it is not there,
  // kInvalidArgument if it is neither.
  Result<Located> locate(std::string_view name, std::string_view revision) const;

  // Checks the token with the hub and stores it, under the name that its owner gave it if `name` is
  // empty.
  Result<hub::Identity> login(std::string_view token, std::string_view name);
  Result<hub::Identity> whoami();
  Result<hub::DeviceCode> begin_login(const std::string& client_id, const std::string& scope);
  // After begin_login: nothing while the person has not decided.
  Result<std::optional<hub::Identity>> poll_login();

  // Two requests, and nothing is fetched before the transfer is pulled.
  Result<hub::Listing> list(const std::string& name, std::string_view revision);
  Result<hub::Transfer> download(const DownloadRequest& request);

  // `name` may be the path of a local folder.
  Result<hub::UpdateCheck> check(const std::string& name, std::string_view revision);
  // Fetches what the check found. In the store the revision stays where it is until activate().
  Result<hub::Transfer> update(const std::string& name, const hub::UpdateCheck& check);

  // The store, or why there is none.
  Result<hub::Store> store() const;
  Result<hub::TokenStore> tokens() const;
  // The repository of a name that is in the store or may come there, with its revision.
  Result<hub::RepoRef> repo(std::string_view name, std::string_view revision) const;

  // What people should hear about the last calls.
  std::vector<std::string> take_notices();
  // The token in force has changed.
  void forget_connection();
  void cancel();

 private:
  Result<std::shared_ptr<hub::Hub>> connect(std::optional<hub::Token> token = {});

  HubClientOptions options_;
  std::mutex mutex_;               // guards hub_, for cancel()
  std::shared_ptr<hub::Hub> hub_;  // with the token in force
  std::string client_id_;
  std::optional<hub::DeviceCode> code_;
};

}  // namespace vitalis::session
