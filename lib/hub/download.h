// SPDX-License-Identifier: Apache-2.0
// Carries out a plan: fetch, verify, publish. Pull, like generation: next() works on the calling
// thread (a second thread hashes and syncs while the call lasts, none between calls) and returns
// when there is something to tell, about ten times a second.
//
// What holds at every moment, power cuts included: a file under its own name is whole and verified;
// the set appears at once; a piece is marked as landed only after the disk said that it holds it;
// and what was marked is not fetched again.
//
// Between processes a lock on the repository (or the local folder) makes one wait for the other.
// Destroying a Transfer leaves what landed, for the next to continue; a connection's last piece is
// the most that is fetched twice.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/options.h"
#include "hub/plan.h"

namespace vitalis::hub {

class Disk;  // hub/disk.h

struct TransferFile {
  enum class State { kWaiting, kFetching, kVerifying, kDone };
  std::string path;
  uint64_t size = 0;
  uint64_t landed = 0;    // bytes on this machine
  uint64_t verified = 0;  // bytes hashed
  State state = State::kWaiting;
};

struct Progress {
  enum class Stage {
    kLocked,     // another process is at it; `note` says which
    kWorking,    // verifying, copying, fetching
    kPaused,     // until resume()
    kDone,       // published: the folder is complete
    kCancelled,  // by cancel(); what landed stays
  };
  Stage stage = Stage::kWorking;
  uint64_t bytes_total = 0;   // of all files
  uint64_t bytes_landed = 0;  // on this machine, adopted ones included
  uint64_t bytes_verified = 0;
  uint64_t bytes_fetched = 0;   // over the network, by this Transfer, useful or not
  double bytes_per_second = 0;  // over the last seconds
  double seconds_left = -1;     // -1: unknown
  uint32_t connections = 0;     // that bytes come through now
  std::string note;             // why it waits, one sentence; empty: it does not
};

struct TransferOptions {
  // Write refs/REVISION when all is verified. Off: the files are complete at the commit, and the
  // revision stays where it was until Store::activate (a staged update).
  bool switch_revision = true;
  std::string reason = "download";  // for the audit log
  Disk* disk = nullptr;             // for tests; null: the real one
};

class Transfer {
 public:
  // Refuses a plan that the disk has no space for (kIo), or, offline, one that needs the network.
  static Result<Transfer> create(Options options, Plan plan, TransferOptions transfer = {});
  Transfer(Transfer&& other) noexcept;
  Transfer& operator=(Transfer&& other) noexcept;
  ~Transfer();

  // Works until there is news. After kDone and kCancelled it only repeats itself. A failure is
  // final: kNetwork, kDenied, kNotFound, kIo (disk full, with what is free), kIntegrity (bytes
  // whose digest is not the one listed; they are not kept).
  Result<Progress> next();

  const Plan& plan() const;
  const std::vector<TransferFile>& files() const;  // in the plan's order, as of the last next()
  std::vector<std::string> take_notices();         // as Hub::take_notices

  // Any thread, any time. A paused transfer keeps its lock and what landed; next() waits in it a
  // tenth of a second and tells kPaused.
  void pause();
  void resume();
  void cancel();
  void set_rate_limit(uint64_t bytes_per_second);  // 0: none

 private:
  struct State;
  explicit Transfer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitalis::hub
