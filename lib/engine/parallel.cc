// SPDX-License-Identifier: Apache-2.0
#include "engine/parallel.h"

#include <algorithm>
#include <cstdint>
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace vitalis::engine {
namespace {

// Flushes denormals for one scope, as the AMX tiles do by themselves; the host's setting comes
// back.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) {
    _mm_setcsr((saved_ & ~0x6000u) | 0x9FC0u);
  }
  ~FlushDenormals() {
    _mm_setcsr(saved_);
  }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"((saved_ & ~(uint64_t{3} << 22)) | uint64_t{1} << 24));
  }
  ~FlushDenormals() {
    asm volatile("msr fpcr, %0" : : "r"(saved_));
  }

 private:
  uint64_t saved_;
#endif
};

}  // namespace

struct Parallel::Arena {
  explicit Arena(int threads) : arena(threads) {}
  oneapi::tbb::task_arena arena;
};

Parallel::Parallel(int threads) {
  // More than the process allows would make oneTBB complain on stderr and run no faster.
  using Control = oneapi::tbb::global_control;
  const auto allowed = Control::active_value(Control::max_allowed_parallelism);
  threads_ = static_cast<int>(std::min<size_t>(static_cast<size_t>(threads), allowed));
  if (threads_ > 1) arena_ = std::make_unique<Arena>(threads_);
}

Parallel::~Parallel() = default;

void Parallel::enter_erased(void (*body)(void*), void* context) {
  const auto call = [&] {
    const FlushDenormals flush;
    body(context);
  };
  if (!arena_) return call();
  arena_->arena.execute([&] { oneapi::tbb::this_task_arena::isolate(call); });
}

void Parallel::run_erased(size_t tasks, Schedule schedule, void (*body)(void*, size_t, size_t),
                          void* context) {
  const auto call = [&](const oneapi::tbb::blocked_range<size_t>& range) {
    const FlushDenormals flush;
    body(context, range.begin(), range.end());
  };
  const oneapi::tbb::blocked_range<size_t> all(0, tasks);
  if (schedule == Schedule::kBalanced) {
    oneapi::tbb::parallel_for(all, call, oneapi::tbb::static_partitioner());
  } else {
    oneapi::tbb::parallel_for(all, call, oneapi::tbb::simple_partitioner());
  }
}

}  // namespace vitalis::engine
