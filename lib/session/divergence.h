// SPDX-License-Identifier: Apache-2.0
// How far one checkpoint is from another of the same shape and vocabulary: both read a built-in
// conversation, and at each token of it their distributions of the next one are compared. One model
// after the other, so that a machine that cannot keep both in memory reads each once. One thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/engine.h"
#include "engine/forward.h"
#include "engine/kv_cache.h"
#include "model/checkpoint.h"

namespace vitalis::session {

struct Divergence {
  size_t tokens = 0;
  double mean = 0;       // of the KL divergence of the other model's distribution from the
                         // reference's, in nats
  double worst = 0;      // token
  double agreement = 0;  // share of tokens where both think the same one the most probable
};

class Comparison {
 public:
  // The text becomes tokens by the vocabulary of `reference`. Errors are those of Checkpoint::open
  // and Vocabulary::open.
  static Result<std::unique_ptr<Comparison>> create(std::shared_ptr<const engine::Engine> engine,
                                                    const std::string& reference,
                                                    const std::string& other);

  // Computes for some tokens. True when done. If `cancel` becomes true it stops within a layer, and
  // the next call goes on.
  Result<bool> next(const std::atomic<bool>& cancel);
  size_t steps_done() const { return at_ + (judged_ ? tokens_.size() : 0); }
  size_t steps() const { return 2 * tokens_.size(); }
  Divergence divergence() const;  // when done

 private:
  static constexpr size_t kChunk = 64;  // tokens in a step

  Comparison(std::shared_ptr<const engine::Engine> engine, model::Checkpoint reference,
             model::Checkpoint other)
      : engine_(std::move(engine)), reference_(std::move(reference)), other_(std::move(other)) {}

  const model::Checkpoint& current() const { return judged_ ? other_ : reference_; }
  Status prepare();
  void judge(size_t count);

  std::shared_ptr<const engine::Engine> engine_;
  model::Checkpoint reference_, other_;
  std::vector<engine::Token> tokens_;
  size_t named_ = 0;     // tokens that have names; the rows beyond are padding
  bool judged_ = false;  // the reference is through
  size_t at_ = 0;        // tokens that the current model has read
  std::optional<engine::Forward> forward_;
  std::optional<engine::KvCache> cache_;
  std::vector<float> logits_;    // of a step, [kChunk][vocab]
  std::vector<float> expected_;  // the reference's log-probabilities, [tokens][named]
  double sum_ = 0, worst_ = 0;
  size_t same_ = 0;
};

}  // namespace vitalis::session
