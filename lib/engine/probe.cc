// SPDX-License-Identifier: Apache-2.0
#include "engine/probe.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "base/arena.h"

namespace vitalis::engine {
namespace {

constexpr size_t kColumns = 2880;  // gpt-oss's own width: rows are as long as they will be
constexpr size_t kRows = 96;       // of weights in a task
constexpr size_t kMost = size_t{256} << 20;

size_t row_bytes(kernels::MatrixType type) {
  using enum kernels::MatrixType;
  const size_t blocks = kColumns / kernels::kBlock;
  switch (type) {
    case kF32:
      return blocks * 128;
    case kBf16:
    case kF16:
      return blocks * 64;
    case kQ8_0:
      return blocks * 34;
    default:
      return blocks * 17;
  }
}

}  // namespace

Result<double> product_bandwidth(const Engine& engine, kernels::MatrixType type, double seconds) {
  using Clock = std::chrono::steady_clock;
  const size_t task_bytes = kRows * row_bytes(type);
  const size_t tasks = kMost / task_bytes;
  VITALIS_ASSIGN(const Arena memory, Arena::allocate(tasks * task_bytes));
  auto* bytes = memory.at<uint8_t>(0);
  const std::vector<float> x(kColumns, 1);
  std::vector<std::byte> packed(engine.kernels->packed_bytes(1, kColumns));
  double best = 0;
  engine.parallel->enter([&] {
    engine.kernels->pack(x.data(), kColumns, nullptr, 1, kColumns, engine.round(), packed.data());
    // Touched by the threads that will read it. 0x3C is a tame number in every type.
    engine.parallel->run(tasks, Parallel::Schedule::kBalanced, [&](size_t task) {
      std::memset(bytes + task * task_bytes, 0x3C, task_bytes);
    });
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    do {
      const auto begin = Clock::now();
      engine.parallel->run(tasks, Parallel::Schedule::kBalanced, [&](size_t task) {
        const uint8_t* data = bytes + task * task_bytes;
        const size_t codes = kRows * (kColumns / 2);  // where scales lie apart
        float out[kRows];
        engine.kernels->matmul(packed.data(), 1, kColumns, {type, data, data + codes}, 0, kRows, {},
                               out, kRows);
      });
      const double taken = std::chrono::duration<double>(Clock::now() - begin).count();
      best = std::max(best, static_cast<double>(tasks * task_bytes) / taken);
    } while (Clock::now() < end);
  });
  return best;
}

}  // namespace vitalis::engine
