// SPDX-License-Identifier: Apache-2.0
// A model written again with an eight-bit dense part (quantize/writer.h), and what that did to it:
// compared with the model that it was made of, and both of them with what this machine reads in a
// second. Pull, as everything long. The new folder appears when all is done. One thread, but for
// cancel().
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "engine/engine.h"
#include "quantize/writer.h"
#include "session/divergence.h"

namespace vitalis::session {

struct QuantizeOptions {
  bool compare = true;
  bool probe = false;  // measure this machine for four seconds
};

struct QuantizeReport {
  quantize::WriteTotals bytes;  // of the weight files
  uint64_t decode_before = 0;   // bytes of weights that one token reads
  uint64_t decode_after = 0;
  std::optional<Divergence> divergence;  // if it was asked for
  double speed_before = 0;               // tokens in a second, foretold; 0 if not probed
  double speed_after = 0;
};

class Quantization {
 public:
  enum class Stage : uint8_t { kWriting, kComparing, kMeasuring, kDone };

  // As Writer::create. A model without a tokenizer cannot be compared: kNotFound.
  static Result<std::unique_ptr<Quantization>> create(std::shared_ptr<const engine::Engine> engine,
                                                      const std::string& model,
                                                      const std::string& out,
                                                      const QuantizeOptions& options);

  struct Progress {
    Stage stage = Stage::kWriting;
    std::string file;   // being written
    uint64_t done = 0;  // bytes, or tokens; of the stage
    uint64_t total = 0;
    bool cancelled = false;
  };
  // kDone: the new folder is there. After cancel() the work so far is kept, and next() goes on;
  // after a failure it does not: kInvalidArgument.
  Result<Progress> next();
  const QuantizeReport& report() const { return report_; }  // when done
  void cancel();                                            // any thread

 private:
  Quantization(std::shared_ptr<const engine::Engine> engine, std::string model,
               const QuantizeOptions& options)
      : engine_(std::move(engine)), model_(std::move(model)), options_(options) {}

  Result<Progress> advance();
  Result<Progress> write();
  Result<Progress> compare();
  Status measure();

  std::shared_ptr<const engine::Engine> engine_;
  std::string model_;
  QuantizeOptions options_;
  std::unique_ptr<quantize::Writer> writer_;
  std::unique_ptr<Comparison> comparison_;
  Stage stage_ = Stage::kWriting;
  bool failed_ = false;
  QuantizeReport report_;
  std::atomic<bool> cancel_ = false;
};

}  // namespace vitalis::session
