// SPDX-License-Identifier: Apache-2.0
#include "session/plan.h"

#include <algorithm>

#include "engine/probe.h"
#include "engine/weights.h"

namespace vitalis::session {
namespace {

constexpr size_t kMostSequences = 65536;
constexpr size_t kLeastContext = 256;  // below that no conversation begins

// Sums up what plans are made of, for any context.
class Planner {
 public:
  Planner(const engine::Engine& engine, const model::Checkpoint& checkpoint)
      : engine_(engine), config_(checkpoint.config()), hot_(hot_bytes(checkpoint)) {}

  const model::Config& config() const { return config_; }
  uint64_t hot() const { return hot_; }
  Session::Memory sessions(const SessionOptions& resolved) const {
    return Session::plan(config_, engine_.kv_type(), resolved);
  }
  uint64_t peak(const SessionOptions& resolved, size_t sequences) const {
    const Session::Memory one = sessions(resolved);
    return hot_ + sequences * (uint64_t{one.kv_cache} + one.scratch);
  }

  // The largest context that `room` holds; 0 if there is none.
  size_t largest_context(SessionOptions options, size_t sequences, uint64_t room) const {
    const auto fits = [&](size_t context) {
      SessionOptions some = options;
      some.context = context;
      some.chunk = std::min(options.chunk, context);
      return peak(some, sequences) <= room;
    };
    if (!fits(1)) return 0;
    size_t low = 1, high = config_.context;  // fits(low)
    while (low < high) {
      const size_t middle = low + (high - low + 1) / 2;
      if (fits(middle)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

 private:
  const engine::Engine& engine_;
  const model::Config& config_;
  uint64_t hot_;
};

// Keys and values that one token reads when `context` are there.
uint64_t kv_read(const model::Config& c, kernels::KvType type, size_t context) {
  uint64_t positions = 0;
  for (const bool sliding : c.sliding) {
    positions += sliding ? std::min<size_t>(context, c.sliding_window) : context;
  }
  return positions * 2 * c.kv_width() * (type == kernels::KvType::kBf16 ? 2 : 4);
}

uint64_t read_by_token(uint64_t bytes, size_t rows, model::Reads reads, const model::Config& c) {
  if (reads == model::Reads::kRow) return bytes / rows;
  if (reads == model::Reads::kExperts) return bytes / c.experts * c.experts_per_token;
  return bytes;
}

// A second for experts, one for the rest, which the head stands for.
Status probe(const engine::Engine& engine, const model::Checkpoint& checkpoint, Plan& plan) {
  const model::Weights& weights = checkpoint.weights();
  const model::Config& c = checkpoint.config();
  uint64_t experts = 0, dense = 0;
  model::for_each_tensor(weights, [&](const auto& tensor, model::Reads reads) {
    const uint64_t bytes = read_by_token(model::stored_bytes(tensor), tensor.rows, reads, c);
    (reads == model::Reads::kExperts ? experts : dense) += bytes;
  });
  VITALIS_ASSIGN(
      const double expert_speed,
      engine::product_bandwidth(engine, engine::matrix(weights.layers[0].down_proj, 0).type, 1));
  VITALIS_ASSIGN(const double dense_speed,
                 engine::product_bandwidth(engine, engine::matrix(weights.lm_head).type, 1));
  const double weights_time =
      static_cast<double>(experts) / expert_speed + static_cast<double>(dense) / dense_speed;
  const auto kv = static_cast<double>(kv_read(c, engine.kv_type(), plan.context));
  plan.tokens_per_second = 1 / weights_time;
  plan.tokens_per_second_full = 1 / (weights_time + kv / dense_speed);
  return {};
}

// "13.8 GB", "412.0 KB"
std::string size_text(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {" KB", " MB", " GB", " TB"};
  uint64_t unit = 1000;
  size_t name = 0;
  while (bytes >= 1000 * unit && name + 1 < std::size(kUnits)) {
    unit *= 1000;
    ++name;
  }
  const uint64_t tenths = (bytes + unit / 20) / (unit / 10);
  return text(tenths / 10, '.', tenths % 10, kUnits[name]);
}

}  // namespace

uint64_t decode_bytes(const model::Checkpoint& checkpoint) {
  uint64_t total = 0;
  model::for_each_tensor(checkpoint.weights(), [&](const auto& tensor, model::Reads reads) {
    total += read_by_token(model::stored_bytes(tensor), tensor.rows, reads, checkpoint.config());
  });
  return total;
}

uint64_t hot_bytes(const model::Checkpoint& checkpoint) {
  uint64_t total = 0;
  model::for_each_tensor(checkpoint.weights(), [&](const auto& tensor, model::Reads reads) {
    if (reads != model::Reads::kRow) total += model::stored_bytes(tensor);
  });
  return total;
}

Result<Plan> make_plan(const engine::Engine& engine, const model::Checkpoint& checkpoint,
                       const PlanOptions& options) {
  if (options.sequences == 0 || options.sequences > kMostSequences) {
    return error(Code::kInvalidArgument, "sequences: expected 1 to ", kMostSequences, "; found ",
                 options.sequences);
  }
  const Planner planner(engine, checkpoint);
  VITALIS_ASSIGN(const SessionOptions resolved,
                 Session::resolve(planner.config(), options.session));
  const Session::Memory one = planner.sessions(resolved);
  Plan plan;
  plan.context = resolved.context;
  plan.chunk = resolved.chunk;
  plan.sequences = options.sequences;
  plan.mapped = checkpoint.mapped_bytes();
  plan.hot = planner.hot();
  plan.kv = plan.sequences * uint64_t{one.kv_cache};
  plan.scratch = plan.sequences * uint64_t{one.scratch};
  plan.peak = plan.hot + plan.kv + plan.scratch;
  plan.decode = decode_bytes(checkpoint);
  plan.machine = cpu::memory();
  plan.room =
      options.session.memory_budget > 0 ? options.session.memory_budget : plan.machine.available;
  if (plan.room > 0) {
    plan.fit = plan.peak <= plan.room                ? Fit::kFits
               : plan.kv + plan.scratch <= plan.room ? Fit::kReadsAgain
                                                     : Fit::kDoesNotFit;
  }
  plan.largest_context = plan.room > 0
                             ? planner.largest_context(resolved, plan.sequences, plan.room)
                             : planner.config().context;
  if (options.probe) VITALIS_TRY(probe(engine, checkpoint, plan));
  return plan;
}

Result<SessionOptions> within_budget(const engine::Engine& engine,
                                     const model::Checkpoint& checkpoint,
                                     const SessionOptions& options) {
  const Planner planner(engine, checkpoint);
  VITALIS_ASSIGN(SessionOptions resolved, Session::resolve(planner.config(), options));
  if (options.memory_budget == 0) return resolved;
  if (planner.peak(resolved, 1) <= options.memory_budget) return resolved;
  const size_t largest = planner.largest_context(resolved, 1, options.memory_budget);
  if (options.context == 0 && largest >= kLeastContext) {
    resolved.context = largest;
    resolved.chunk = std::min(resolved.chunk, largest);
    return resolved;
  }
  const Session::Memory one = planner.sessions(resolved);
  return error(
      Code::kOutOfMemory, "a context of ", resolved.context, " tokens takes ",
      size_text(planner.peak(resolved, 1)), " (weights ", size_text(planner.hot()),
      ", keys and values ", size_text(one.kv_cache), ", scratch ", size_text(one.scratch),
      "), and the memory budget is ", size_text(options.memory_budget), "; ",
      largest == 0 ? "no context fits" : text("the largest context that fits is ", largest));
}

}  // namespace vitalis::session
