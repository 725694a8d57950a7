// SPDX-License-Identifier: Apache-2.0
// The forward pass of gpt-oss over some rows: new positions of one or several sequences.
// Owns its scratch memory, taken once; a step allocates nothing. Belongs to one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/arena.h"
#include "base/status.h"
#include "engine/engine.h"
#include "engine/kv_cache.h"
#include "engine/rotary.h"
#include "engine/scratch.h"
#include "model/config.h"
#include "model/weights.h"

namespace vitalis::engine {

using Token = uint32_t;

// What a layer computed, for tests that hold every step to a reference. Rows are in the step's
// order.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void embed(std::span<const float>) {}              // [rows][hidden]
  virtual void attention(size_t, std::span<const float>) {}  // layer, [rows][hidden] after o_proj
  virtual void experts(size_t, std::span<const uint32_t>, std::span<const float>) {}  // ids, shares
  virtual void output(size_t, std::span<const float>) {}  // layer, [rows][hidden]
};

// One sequence's part of a step.
struct Part {
  KvCache* cache;                 // appended to
  std::span<const Token> tokens;  // not empty
  bool all_logits;                // one row of logits for each token, else only for the last
  const std::atomic<bool>* cancel = nullptr;  // the sequence's own, besides the step's
};

enum class Outcome : uint8_t { kDone, kCancelled };

class Forward {
 public:
  // `rows`: the most tokens in one step. engine, config and weights must outlive the object.
  // kUnsupported for sizes beyond what a step has room for.
  static Result<Forward> create(const Engine& engine, const model::Config& config,
                                const model::Weights& weights, size_t rows);
  // The memory that create() takes, by name.
  static void plan(const model::Config& config, size_t rows, ArenaPlan& plan);

  // Runs the parts together and writes their logits [wanted rows][vocab], in order. Each part's
  // cache is advanced, unless `cancel` or a part's own became true: then kCancelled, and every
  // cache is as before. kInvalidArgument for a token outside the vocabulary, kContextFull for a
  // cache without room.
  Result<Outcome> step(std::span<const Part> parts, float* logits, const std::atomic<bool>& cancel,
                       Observer* observer = nullptr);

  size_t rows() const { return rows_; }

 private:
  // Where a row stands.
  struct Row {
    const KvCache* cache;
    size_t position;
  };

  Forward(const Engine& engine, const model::Config& config, const model::Weights& weights,
          size_t rows)
      : engine_(&engine), config_(&config), weights_(&weights), rotary_(config), rows_(rows) {}

  Status check(std::span<const Part> parts) const;
  void embed(std::span<const Part> parts);
  bool layers(std::span<const Part> parts, const std::atomic<bool>& cancel, Observer* observer);
  void attention(size_t layer);
  // Positions [begin, end).
  struct Keys {
    size_t begin, end;
  };
  Keys keys_of(size_t layer, size_t row) const;
  static size_t segments(const Keys& keys);
  template <class Body>
  void each_group(size_t kv_head, Body&& body) const;
  void fold(size_t layer, size_t row, size_t kv_head, size_t head, size_t heads, const Keys& keys,
            const kernels::AttentionState& state) const;
  void open(const model::Layer& w, size_t head, size_t heads,
            const kernels::AttentionState& state) const;
  void attend(size_t layer, const model::Layer& w, size_t row, size_t kv_head);
  void attend_by_segments(size_t layer, const model::Layer& w);
  void experts(const model::Layer& w);
  void route(const model::Layer& w);
  size_t group_by_expert();
  void run_experts(const model::Layer& w, size_t panels);
  void activate(const model::Layer& w, const ExpertPanel& p, size_t begin, size_t end) const;
  void head(std::span<const Part> parts, float* logits);

  // packed_ = rows of `source`, rounded as the engine says; then products over all panels of it.
  void pack(const float* source, size_t stride, size_t rows, size_t k);
  void project(size_t rows, size_t k, const model::Dense& w, const model::Dense& bias, size_t begin,
               size_t end, float* out, size_t out_stride) const;

  template <class Body>
  void parallel(size_t tasks, Body&& body) const {
    const auto schedule =
        active_ == 1 ? Parallel::Schedule::kBalanced : Parallel::Schedule::kDynamic;
    engine_->parallel->run(tasks, schedule, static_cast<Body&&>(body));
  }

  // As parallel(), but one after another where a meeting of threads would take longer than the
  // work.
  template <class Body>
  void each_panel(size_t panels, Body&& body) const {
    if (active_ > 1) return parallel(panels, static_cast<Body&&>(body));
    for (size_t i = 0; i < panels; ++i) body(i);
  }

  const Engine* engine_;
  const model::Config* config_;
  const model::Weights* weights_;
  Rotary rotary_;
  size_t rows_;
  Arena arena_;
  Scratch s_{};
  Row* row_ = nullptr;  // [rows_], in the arena
  size_t active_ = 0;   // rows of the present step
};

}  // namespace vitalis::engine
