// SPDX-License-Identifier: Apache-2.0
// What running a model will take, from its headers alone: no weight is read.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "cpu/memory.h"
#include "engine/engine.h"
#include "model/checkpoint.h"
#include "session/session.h"

namespace vitalis::session {

struct PlanOptions {
  SessionOptions session;
  size_t sequences = 1;  // sessions of these options at once
  bool probe = false;    // measure this machine for two seconds
};

enum class Fit : uint8_t {
  kFits,
  kReadsAgain,  // sessions fit, the weights beside them do not: they are read from disk again and
                // again
  kDoesNotFit,
};

struct Plan {
  size_t context = 0, chunk = 0, sequences = 0;
  uint64_t mapped = 0;  // the files
  uint64_t hot = 0;     // what tokens read of them again and again: all but the embedding
  uint64_t kv = 0;      // of all sequences
  uint64_t scratch = 0;
  uint64_t peak = 0;    // hot, kv and scratch
  uint64_t decode = 0;  // bytes of weights that one token reads
  cpu::Memory machine;
  uint64_t room =
      0;  // what the peak is judged by: the budget, or else what the machine has; 0: unknown
  Fit fit = Fit::kFits;
  size_t largest_context = 0;  // whose peak the room holds; 0: none
  // Of one sequence, at its beginning and with a full context; 0 if not probed.
  double tokens_per_second = 0, tokens_per_second_full = 0;
};

// The budget is that of options.session. kInvalidArgument for senseless options.
Result<Plan> make_plan(const engine::Engine& engine, const model::Checkpoint& checkpoint,
                       const PlanOptions& options);

// Bytes of weights that one token reads, and those that all tokens together read.
uint64_t decode_bytes(const model::Checkpoint& checkpoint);
uint64_t hot_bytes(const model::Checkpoint& checkpoint);

// Options with a memory budget: the context they ask for, or the largest that the budget holds if
// they ask for none. kOutOfMemory with the plan in the message if it holds none.
Result<SessionOptions> within_budget(const engine::Engine& engine,
                                     const model::Checkpoint& checkpoint,
                                     const SessionOptions& options);

}  // namespace vitalis::session
