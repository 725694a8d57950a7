// SPDX-License-Identifier: Apache-2.0
#include "session/quantize.h"

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

static_assert(VITALIS_QUANTIZE_DONE == static_cast<int>(session::Quantization::Stage::kDone));

extern "C" {

void vitalis_quantize_options_init(vitalis_quantize_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_quantization_create(const vitalis_engine* engine, const char* path, const char* out,
                                    const vitalis_quantize_options* options,
                                    vitalis_quantization** quantization_out) {
  return guard([&]() -> Status {
    if (!quantization_out) return missing("quantization_out");
    *quantization_out = nullptr;
    if (!engine) return missing("engine");
    if (!path) return missing("path");
    if (!out) return missing("out");
    VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
    constexpr uint32_t kFlags = VITALIS_QUANTIZE_NO_COMPARISON | VITALIS_QUANTIZE_PROBE;
    if ((given.flags & ~kFlags) != 0) {
      return error(Code::kInvalidArgument, "options.flags: expected VITALIS_QUANTIZE_*; found ",
                   given.flags);
    }
    const session::QuantizeOptions wanted = {
        .compare = (given.flags & VITALIS_QUANTIZE_NO_COMPARISON) == 0,
        .probe = (given.flags & VITALIS_QUANTIZE_PROBE) != 0};
    auto handle = std::make_unique<vitalis_quantization>();
    VITALIS_ASSIGN(handle->quantization,
                   session::Quantization::create(engine->engine, path, out, wanted));
    *quantization_out = handle.release();
    return {};
  });
}

vitalis_quantization* vitalis_quantization_retain(vitalis_quantization* quantization) {
  return retain(quantization);
}
void vitalis_quantization_release(vitalis_quantization* quantization) {
  release(quantization);
}

int32_t vitalis_quantization_next(vitalis_quantization* quantization,
                                  vitalis_quantize_progress* progress) {
  clear_struct(progress);
  return with(quantization, "quantization", [&](vitalis_quantization& of) -> Result<int32_t> {
    if (!progress) return missing("progress");
    VITALIS_ASSIGN(of.progress, of.quantization->next());
    const session::Quantization::Progress& told = of.progress;
    if (told.cancelled) return VITALIS_CANCELLED;
    of.done = told.stage == session::Quantization::Stage::kDone;
    vitalis_quantize_progress out = {};
    out.stage = static_cast<int32_t>(told.stage);
    out.done = told.done;
    out.total = told.total;
    out.file = borrowed(told.file);
    VITALIS_TRY(write_struct(out, progress, "progress"));
    return of.done ? VITALIS_DONE : VITALIS_OK;
  });
}

void vitalis_quantization_cancel(vitalis_quantization* quantization) {
  if (quantization) quantization->quantization->cancel();
}

int32_t vitalis_quantization_get_report(const vitalis_quantization* quantization,
                                        vitalis_quantize_report* report) {
  clear_struct(report);
  return with(quantization, "quantization", [&](const vitalis_quantization& of) -> Status {
    if (!report) return missing("report");
    if (!of.done) return error(Code::kInvalidArgument, "there is no report before all is done");
    const session::QuantizeReport& found = of.quantization->report();
    vitalis_quantize_report out = {};
    out.source_bytes = found.bytes.source_bytes;
    out.target_bytes = found.bytes.target_bytes;
    out.shared_bytes = found.bytes.shared_bytes;
    out.resumed_bytes = found.bytes.resumed_bytes;
    out.decode_bytes_before = found.decode_before;
    out.decode_bytes_after = found.decode_after;
    if (found.divergence) {
      out.tokens = static_cast<uint32_t>(found.divergence->tokens);
      out.divergence = found.divergence->mean;
      out.divergence_worst = found.divergence->worst;
      out.agreement = found.divergence->agreement;
    }
    out.tokens_per_second_before = found.speed_before;
    out.tokens_per_second_after = found.speed_after;
    return write_struct(out, report, "report");
  });
}

}  // extern "C"
