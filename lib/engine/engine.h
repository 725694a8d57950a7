// SPDX-License-Identifier: Apache-2.0
// What a computation runs on: the kernels of one tier, the numeric class and the threads.
// Shared by models and sessions; immutable. Two sessions may use one engine at the same time.
#pragma once

#include <memory>
#include <string_view>

#include "base/status.h"
#include "engine/parallel.h"
#include "kernels/table.h"

namespace vitalis::engine {

enum class Numerics : uint8_t {
  // Activations enter products as bf16, everything accumulates in fp32; the KV cache is bf16.
  kFaithful,
  // Activations and the KV cache stay fp32. Slower; for tests and for judging the other class.
  kFloat32,
};

struct Engine {
  const kernels::Table* kernels;
  Numerics numerics;
  std::unique_ptr<Parallel> parallel;

  kernels::Round round() const {
    return numerics == Numerics::kFaithful ? kernels::Round::kBf16 : kernels::Round::kNone;
  }
  kernels::KvType kv_type() const {
    return numerics == Numerics::kFaithful ? kernels::KvType::kBf16 : kernels::KvType::kF32;
  }
};

struct EngineOptions {
  int threads = 0;        // 0: physical cores that this process may use
  std::string_view tier;  // empty: the fastest
  Numerics numerics = Numerics::kFaithful;
};

// kInvalidArgument for a senseless number of threads, kUnsupported for a tier that cannot run here.
Result<Engine> make_engine(const EngineOptions& options);

}  // namespace vitalis::engine
