// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "cpu/threads.h"
#include "kernels/dispatch.h"

namespace vitalis::engine {

namespace {
constexpr int kMostThreads = 1024;
}

Result<Engine> make_engine(const EngineOptions& options) {
  if (options.threads < 0 || options.threads > kMostThreads) {
    return error(Code::kInvalidArgument, "threads: expected 1 to ", kMostThreads,
                 ", or 0 for the number of cores; found ", options.threads);
  }
  VITALIS_ASSIGN(const kernels::Table* table, kernels::choose(options.tier));
  int threads = options.threads;
  if (threads == 0) threads = cpu::default_threads();
  return Engine{table, options.numerics, std::make_unique<Parallel>(threads)};
}

}  // namespace vitalis::engine
