// SPDX-License-Identifier: Apache-2.0
// Ctrl-C. A thread of its own waits for SIGINT, so that an answer can be stopped inside a long
// step, which a flag looked at between steps could not. While an answer or a download is watched,
// the signal cancels it; otherwise it ends the program, or is ignored if the caller said so. One
// object per process, made before any other thread so that all of them inherit the blocked signal.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace vitalis::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Calls this from now on, on the waiting thread; null: nothing is in progress.
  void watch(std::function<void()> cancel);
  // Without an answer in progress the program goes on.
  void ignore_when_idle() { ends_program_ = false; }

 private:
  void wait_for_signals();

  std::mutex mutex_;
  std::function<void()> cancel_;  // guarded by mutex_
  std::atomic<bool> ends_program_ = true;
  std::atomic<bool> stopping_ = false;
  std::thread waiter_;
};

}  // namespace vitalis::cli
