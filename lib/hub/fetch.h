// SPDX-License-Identifier: Apache-2.0
// Brings blobs over the network: several ranges at a time, each on a connection of its own,
// resolved once per file and again when a signed address expires. On the thread that calls step().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/blob.h"
#include "hub/http.h"
#include "hub/options.h"
#include "hub/protocol.h"

namespace vitalis::hub {

class Fetcher {
 public:
  // The four outlive it.
  Fetcher(HttpClient& client, Endpoint& endpoint, const Options& options, std::string repo,
          std::string commit);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;
  ~Fetcher();

  void add(Blob* blob);
  // The bytes were wrong: from the begin, one connection.
  void fetch_anew(Blob* blob);

  // Works for up to `milliseconds`. A failure is final. While `held`, connections stay but bring
  // nothing.
  Status step(int milliseconds, bool held);
  // Ends all that is under way; what landed has landed.
  void stop();
  bool is_done() const;  // nothing is left to be claimed or under way

  void set_rate_limit(uint64_t bytes_per_second) { rate_limit_ = bytes_per_second; }
  uint64_t bytes_fetched() const { return bytes_fetched_; }
  uint32_t active() const;
  std::string note() const;  // why it waits, if it does

 private:
  using Clock = std::chrono::steady_clock;
  struct Remote;
  struct Slot;

  void assign();
  bool claim(Slot& slot, Remote& remote, size_t most);
  Status begin(Slot& slot);
  Status begin_resolve(Slot& slot);
  Status begin_fetch(Slot& slot);
  Status finish(Slot& slot);
  Status finish_resolve(Slot& slot);
  Status finish_fetch(Slot& slot);
  Status check_resolved(const Slot& slot) const;
  Status retry(Slot& slot, const Verdict& verdict);
  Status follow_redirect(Slot& slot);
  void release(Slot& slot);
  void drop_others_of(const Slot& slot);
  void refill();
  Asked asked(const Slot& slot) const;

  HttpClient& client_;
  Endpoint& endpoint_;
  const Options options_;
  const std::string repo_;
  const std::string commit_;
  std::vector<std::unique_ptr<Remote>> remotes_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::minstd_rand random_;  // only spreads retries

  uint64_t rate_limit_ = 0;
  double allowance_ = 0;  // bytes that may come now
  Clock::time_point refilled_;
  Clock::time_point not_before_;  // the server asked all of us to wait
  uint64_t bytes_fetched_ = 0;
  std::string note_;
  Clock::time_point note_until_;
};

}  // namespace vitalis::hub
