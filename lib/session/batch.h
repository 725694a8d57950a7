// SPDX-License-Identifier: Apache-2.0
// Answers of several sessions made together: one step of the engine computes a token for each, so
// that the weights are read once for all. Each session gets the tokens that it gets alone. Owns the
// memory of such a step and no session; the sessions may change from call to call. Belongs to one
// thread at a time, and so do the sessions while they are given.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/forward.h"
#include "session/session.h"

namespace vitalis::session {

struct BatchOptions {
  size_t sessions = 0;  // the most in one call; 0: 8
  size_t chunk = 0;     // tokens in one step, of prompts and answers together; 0: 512
};

class Batch {
 public:
  static Result<std::unique_ptr<Batch>> create(std::shared_ptr<const Model> model,
                                               const BatchOptions& options);

  // As Session::next() for each: steps[i] says what sessions[i] gives, and kAgain that it has
  // nothing to tell yet. Nothing is computed as long as one of them has an event to tell; then one
  // step, for all: a token of each answer in progress, and with the room that is left, of prompts.
  // False if all answers are over. A session that is cancelled leaves the others as they were, and
  // the step in progress is begun again by the next call.
  // kInvalidArgument for too many sessions, one given twice, or one of another model.
  Result<bool> next(std::span<Session* const> sessions, std::span<Event> events,
                    std::span<Session::Step> steps);

  const Model& model() const { return *model_; }

 private:
  Batch(std::shared_ptr<const Model> model, engine::Forward forward, size_t sessions);

  Status check(std::span<Session* const> sessions) const;
  Status compute(std::span<Session* const> sessions, std::span<Session::Step> steps);
  void gather(std::span<Session* const> sessions, std::span<const Session::Step> steps);

  std::shared_ptr<const Model> model_;
  engine::Forward forward_;
  size_t most_;
  std::vector<float> logits_;  // [sessions][vocab]
  // Of the step in progress: who takes part, and with what.
  std::vector<Session*> active_;
  std::vector<engine::Part> parts_;
};

}  // namespace vitalis::session
