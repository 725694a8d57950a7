// SPDX-License-Identifier: Apache-2.0
// Everything that is immutable about a model in use: the engine, the mapped weights, the
// vocabulary. Shared by sessions; any thread may read.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/status.h"
#include "engine/engine.h"
#include "model/checkpoint.h"
#include "session/vocabulary.h"

namespace vitalis::session {

class Model {
 public:
  // `folder` holds the checkpoint and its tokenizer.json; `cache_folder` as for Vocabulary::open.
  // Errors are those of Checkpoint::open and Vocabulary::open, and kMalformed if vocabulary and
  // weights do not fit each other.
  static Result<std::shared_ptr<const Model>> open(std::shared_ptr<const engine::Engine> engine,
                                                   const std::string& folder,
                                                   const std::string& cache_folder = {});

  const engine::Engine& engine() const { return *engine_; }
  const model::Checkpoint& checkpoint() const { return checkpoint_; }
  const model::Config& config() const { return checkpoint_.config(); }
  const std::shared_ptr<const Vocabulary>& vocabulary() const { return vocabulary_; }
  const Tokenizer& tokenizer() const { return vocabulary_->tokenizer(); }
  const harmony::Format& format() const { return vocabulary_->format(); }

  // Tells one model from another: of the config, a few bytes from the middle of every tensor and
  // some of the vocabulary. The same for any name and division of its files. Computed on first use,
  // which reads a page of each tensor.
  uint64_t fingerprint() const;

  uint64_t parameters() const;
  // Bytes of weights that one decoded token reads.
  uint64_t decode_bytes() const;

 private:
  Model(std::shared_ptr<const engine::Engine> engine, model::Checkpoint checkpoint,
        std::shared_ptr<const Vocabulary> vocabulary)
      : engine_(std::move(engine)),
        checkpoint_(std::move(checkpoint)),
        vocabulary_(std::move(vocabulary)) {}

  std::shared_ptr<const engine::Engine> engine_;
  model::Checkpoint checkpoint_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  mutable std::once_flag fingerprint_once_;
  mutable uint64_t fingerprint_ = 0;
};

}  // namespace vitalis::session
