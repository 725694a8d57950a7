// SPDX-License-Identifier: Apache-2.0
// The hub's JSON interface: who am I, what is there at which commit, and signing in by a code.
// Each call blocks, with its own retries and time limits. A Hub belongs to one thread at a time;
// cancel() may be called from any. The token goes to the endpoint's own scheme, host and port only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/listing.h"
#include "hub/options.h"
#include "hub/repo.h"

namespace vitalis::hub {

struct Identity {
  std::string name;
  std::string full_name;
  std::string email;       // may be empty
  std::string token_name;  // as its owner called it
  std::string role;        // "read", "write", "fineGrained" or whatever comes later
  std::vector<std::string> organisations;
};

struct Branches {
  struct Ref {
    std::string name;
    std::string commit;
  };
  std::vector<Ref> branches;
  std::vector<Ref> tags;
};

// One sign-in by a code (RFC 8628): show the address and the code, then poll.
struct DeviceCode {
  std::string user_code;
  std::string verification_uri;
  std::string verification_uri_complete;  // with the code in it; may be empty
  std::string device_code;                // secret
  uint32_t interval = 5;                  // seconds between polls
  uint32_t expires_in = 0;                // seconds
};
struct OAuthTokens {
  Token access;
  std::string refresh;     // may be empty
  int64_t expires_at = 0;  // Unix time; 0: never
};

class Hub {
 public:
  static Result<Hub> create(Options options);
  Hub(Hub&& other) noexcept;
  Hub& operator=(Hub&& other) noexcept;
  ~Hub();

  const Options& options() const;

  // kDenied when there is no token or the hub knows none such. Rarely to be called: the hub counts.
  Result<Identity> whoami();

  // The commit that a revision stands for now: one small request that counts as no download.
  Result<RepoInfo> freeze(const std::string& repo, const std::string& revision);
  // All files at that commit; `repo` and `commit` as freeze() gave them.
  Result<Listing> list(const RepoInfo& info, const std::string& revision);
  // Both.
  Result<Listing> list(const RepoRef& ref);
  Result<Branches> branches(const std::string& repo);

  // `client_id` is the application's, registered with the hub; Vitalis has none of its own yet.
  Result<DeviceCode> begin_device_login(const std::string& client_id, const std::string& scope);
  // None while the person has not decided; call again after code.interval seconds, which this may
  // raise. kDenied when it was refused or has expired.
  Result<std::optional<OAuthTokens>> poll_device_login(const std::string& client_id,
                                                       DeviceCode& code);

  // What the person should hear about, each once: a renamed repository, a token that the hub does
  // not know (a public model was then read without it), warnings of the hub's own.
  std::vector<std::string> take_notices();

  // Makes the call under way, and every later one, fail with kNetwork "cancelled". Any thread.
  void cancel();

 private:
  struct State;
  explicit Hub(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitalis::hub
