// SPDX-License-Identifier: Apache-2.0
// The only vocabulary for threads in the library, and the only place that uses oneTBB
// (parallel.cc). An engine owns one; worker threads run only while enter() does.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace vitalis::engine {

class Parallel {
 public:
  // threads >= 1; with 1 everything runs on the calling thread. No more are used than the process
  // allows oneTBB: its cores, or what a global_control of the host says.
  explicit Parallel(int threads);
  ~Parallel();
  Parallel(const Parallel&) = delete;
  Parallel& operator=(const Parallel&) = delete;

  int threads() const { return threads_; }

  // Runs body() on the calling thread, isolated from whatever tasks the host has, with denormals
  // flushed to zero (restored on return). run() is called inside.
  template <class Body>
  void enter(Body&& body) {
    enter_erased([](void* context) { (*static_cast<std::remove_reference_t<Body>*>(context))(); },
                 const_cast<void*>(static_cast<const void*>(&body)));
  }

  // body(task) for every task in [0, tasks), on any thread, in any order; returns when all are
  // done. Bodies neither throw nor call run(). Balanced: tasks are about equally long and are split
  // between threads once, so that a thread meets the same weights every time.
  enum class Schedule : unsigned char { kBalanced, kDynamic };
  template <class Body>
  void run(size_t tasks, Schedule schedule, Body&& body) {
    if (tasks <= 1 || threads_ == 1) {
      for (size_t task = 0; task < tasks; ++task) body(task);
      return;
    }
    run_erased(
        tasks, schedule,
        [](void* context, size_t begin, size_t end) {
          auto& call = *static_cast<std::remove_reference_t<Body>*>(context);
          for (size_t task = begin; task < end; ++task) call(task);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  void enter_erased(void (*body)(void*), void* context);
  void run_erased(size_t tasks, Schedule schedule, void (*body)(void*, size_t, size_t),
                  void* context);

  struct Arena;
  int threads_;
  std::unique_ptr<Arena> arena_;
};

}  // namespace vitalis::engine
