// SPDX-License-Identifier: Apache-2.0
// Ctrl-C. A thread of its own waits for SIGINT, so that an answer can be stopped inside a long
// step, which a flag looked at between steps could not. While an answer is watched, the signal
// cancels it; otherwise it ends the program, or is ignored if the caller said so. One object per
// process, made before any other thread so that all of them inherit the blocked signal.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include <vitalis/vitalis.h>

namespace vitalis::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Cancels this session from now on; null: no answer is in progress.
  void watch(vitalis_session* session);
  // Without an answer in progress the program goes on.
  void ignore_when_idle() { ends_program_ = false; }

 private:
  void wait_for_signals();

  std::mutex mutex_;
  vitalis_session* session_ = nullptr;  // guarded by mutex_
  std::atomic<bool> ends_program_ = true;
  std::atomic<bool> stopping_ = false;
  std::thread waiter_;
};

}  // namespace vitalis::cli
