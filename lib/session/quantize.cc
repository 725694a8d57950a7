// SPDX-License-Identifier: Apache-2.0
#include "session/quantize.h"

#include "session/plan.h"
#include "session/vocabulary.h"

namespace vitalis::session {

Result<std::unique_ptr<Quantization>> Quantization::create(
    std::shared_ptr<const engine::Engine> engine, const std::string& model, const std::string& out,
    const QuantizeOptions& options) {
  std::unique_ptr<Quantization> quantization(new Quantization(std::move(engine), model, options));
  VITALIS_ASSIGN(quantization->writer_, quantize::Writer::create(model, out));
  if (options.compare) {
    // Told before gigabytes are written.
    VITALIS_ASSIGN(const auto checkpoint, model::Checkpoint::open(model));
    VITALIS_ASSIGN(const auto vocabulary, Vocabulary::open(model, {}, checkpoint.config().vocab));
  }
  return quantization;
}

Result<Quantization::Progress> Quantization::next() {
  if (failed_) {
    return error(Code::kInvalidArgument,
                 "an earlier call failed; what is written stays for another run");
  }
  failed_ = true;  // also if an exception passes
  auto turn = advance();
  failed_ = !turn.ok();
  return turn;
}

Result<Quantization::Progress> Quantization::advance() {
  if (cancel_.exchange(false)) return Progress{.stage = stage_, .cancelled = true};
  if (stage_ == Stage::kWriting) return write();
  if (stage_ == Stage::kComparing) return compare();
  if (stage_ == Stage::kMeasuring) {
    VITALIS_TRY(measure());
    VITALIS_TRY(writer_->publish());
    report_.bytes = writer_->totals();
    stage_ = Stage::kDone;
  }
  return Progress{.stage = stage_};
}

Result<Quantization::Progress> Quantization::write() {
  VITALIS_ASSIGN(const auto written, writer_->next());
  if (written.done) stage_ = options_.compare ? Stage::kComparing : Stage::kMeasuring;
  return Progress{.stage = stage_,
                  .file = std::string(written.file),
                  .done = written.done ? 0 : written.bytes_done,
                  .total = written.done ? 0 : written.bytes_total};
}

Result<Quantization::Progress> Quantization::compare() {
  if (!comparison_) {
    VITALIS_ASSIGN(comparison_, Comparison::create(engine_, model_, writer_->folder()));
  }
  VITALIS_ASSIGN(const bool done, comparison_->next(cancel_));
  const bool cancelled = !done && cancel_.exchange(false);
  Progress progress{.stage = stage_,
                    .done = comparison_->steps_done(),
                    .total = comparison_->steps(),
                    .cancelled = cancelled};
  if (done) {
    report_.divergence = comparison_->divergence();
    comparison_.reset();
    stage_ = Stage::kMeasuring;
  }
  return progress;
}

Status Quantization::measure() {
  VITALIS_ASSIGN(const auto before, model::Checkpoint::open(model_));
  VITALIS_ASSIGN(const auto after, model::Checkpoint::open(writer_->folder()));
  report_.decode_before = decode_bytes(before);
  report_.decode_after = decode_bytes(after);
  if (!options_.probe) return {};
  const PlanOptions probing = {.probe = true};
  VITALIS_ASSIGN(const Plan plan_before, make_plan(*engine_, before, probing));
  VITALIS_ASSIGN(const Plan plan_after, make_plan(*engine_, after, probing));
  report_.speed_before = plan_before.tokens_per_second;
  report_.speed_after = plan_after.tokens_per_second;
  return {};
}

void Quantization::cancel() {
  cancel_.store(true, std::memory_order_relaxed);
}

}  // namespace vitalis::session
