// SPDX-License-Identifier: Apache-2.0
// Everything that is immutable about a model in use: the engine, the mapped weights, the tokenizer
// and the harmony format in its ids. Shared by sessions; any thread may read.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "engine/engine.h"
#include "harmony/format.h"
#include "model/checkpoint.h"
#include "tokenizer/tokenizer.h"

namespace vitalis::session {

class Model {
 public:
  // `folder` holds the checkpoint and its tokenizer.json. Errors are those of Checkpoint::open and
  // Tokenizer::open, and kMalformed if vocabulary and weights do not fit each other.
  static Result<std::shared_ptr<const Model>> open(std::shared_ptr<const engine::Engine> engine,
                                                   const std::string& folder);

  const engine::Engine& engine() const { return *engine_; }
  const model::Checkpoint& checkpoint() const { return checkpoint_; }
  const model::Config& config() const { return checkpoint_.config(); }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const harmony::Format& format() const { return *format_; }

  uint64_t parameters() const;
  // Bytes of weights that one decoded token reads.
  uint64_t decode_bytes() const;

 private:
  Model(std::shared_ptr<const engine::Engine> engine, model::Checkpoint checkpoint,
        Tokenizer tokenizer)
      : engine_(std::move(engine)),
        checkpoint_(std::move(checkpoint)),
        tokenizer_(std::move(tokenizer)) {}

  std::shared_ptr<const engine::Engine> engine_;
  model::Checkpoint checkpoint_;
  Tokenizer tokenizer_;
  std::optional<harmony::Format> format_;  // points to tokenizer_; set once, by open
};

}  // namespace vitalis::session
