// SPDX-License-Identifier: Apache-2.0
// vitalis quantize: a model again, its dense part in eight bits, and what that did to it.
#include <string>

#include "commands.h"
#include "json_writer.h"
#include "library.h"
#include "text.h"

namespace vitalis::cli {

namespace {

using Quantization = std::unique_ptr<vitalis_quantization, Releaser<vitalis_quantization_release>>;

std::string line(const vitalis_quantize_progress& progress) {
  if (progress.stage == VITALIS_QUANTIZE_MEASURING) return "measuring ...";
  if (progress.total == 0) return "";
  const std::string share = std::to_string(100 * progress.done / progress.total) + " %";
  if (progress.stage == VITALIS_QUANTIZE_COMPARING) return "comparing  " + share;
  return std::string(view(progress.file)) + "  " + share;
}

// A number of any size in three digits: "5.15e-06", "0.0213".
std::string small(double number) {
  if (number == 0 || number >= 0.001) return fixed(number, 4);
  int exponent = 0;
  for (; number < 1; number *= 10) --exponent;
  return fixed(number, 2) + "e" + std::to_string(exponent);
}

std::string for_people(const Options& options, const vitalis_quantize_report& report) {
  std::string text;
  const auto add = [&text](std::string name, const std::string& value) {
    name.resize(14, ' ');
    text += name + value + '\n';
  };
  const bool smaller = report.target_bytes < report.source_bytes;
  const uint64_t saved = smaller ? report.source_bytes - report.target_bytes : 0;
  add("model", options.out);
  add("files", size_for_people(report.target_bytes) + ", " + size_for_people(saved) +
                   " less than before; " + size_for_people(report.shared_bytes) +
                   " shared with them on disk");
  add("each token", size_for_people(report.decode_bytes_after) + " of weights read, before " +
                        size_for_people(report.decode_bytes_before));
  if (report.tokens > 0) {
    add("divergence", small(report.divergence) + " nats on average over " +
                          std::to_string(report.tokens) + " tokens, " +
                          small(report.divergence_worst) + " at the worst");
    add("agreement", fixed(100 * report.agreement, 2) + " % of the most probable tokens");
  }
  if (report.tokens_per_second_after > 0) {
    add("speed", "about " + fixed(report.tokens_per_second_after, 1) + " tokens/s, before " +
                     fixed(report.tokens_per_second_before, 1));
  }
  return text;
}

std::string as_json(const Options& options, const vitalis_quantize_report& report) {
  JsonWriter json;
  json.begin_object().key("path").value(options.out);
  const std::pair<const char*, uint64_t> numbers[] = {
      {"source_bytes", report.source_bytes},
      {"target_bytes", report.target_bytes},
      {"shared_bytes", report.shared_bytes},
      {"resumed_bytes", report.resumed_bytes},
      {"decode_bytes_before", report.decode_bytes_before},
      {"decode_bytes_after", report.decode_bytes_after},
      {"tokens", report.tokens}};
  for (const auto& [name, value] : numbers) json.key(name).value(value);
  const auto add = [&](const char* name, double value, bool known) {
    json.key(name);
    if (known) {
      json.number(value);
    } else {
      json.null();
    }
  };
  add("divergence", report.divergence, report.tokens > 0);
  add("divergence_worst", report.divergence_worst, report.tokens > 0);
  add("agreement", report.agreement, report.tokens > 0);
  const bool probed = report.tokens_per_second_after > 0;
  add("tokens_per_second_before", report.tokens_per_second_before, probed);
  add("tokens_per_second_after", report.tokens_per_second_after, probed);
  json.end_object();
  return json.text();
}

}  // namespace

int quantize(const Options& options, Interrupt& interrupt, Output& output) {
  const Engine engine = open_engine(options, output);
  if (!engine) return kExitError;
  vitalis_quantize_options given = VITALIS_QUANTIZE_OPTIONS_INIT;
  given.flags = (options.compare ? 0 : VITALIS_QUANTIZE_NO_COMPARISON) |
                (options.probe ? VITALIS_QUANTIZE_PROBE : 0);
  vitalis_quantization* handle = nullptr;
  const int32_t created = vitalis_quantization_create(engine.get(), options.model.c_str(),
                                                      options.out.c_str(), &given, &handle);
  if (!succeeded(created, output)) return kExitError;
  const Quantization quantization(handle);
  interrupt.watch([handle] { vitalis_quantization_cancel(handle); });
  int32_t status = VITALIS_OK;
  while (status == VITALIS_OK) {
    vitalis_quantize_progress progress = {};
    progress.struct_size = sizeof progress;
    status = vitalis_quantization_next(handle, &progress);
    if (status == VITALIS_OK) output.show_progress(line(progress));
  }
  interrupt.watch(nullptr);
  const std::string problem = status < VITALIS_OK ? vitalis_last_error() : "";
  output.clear_progress();
  if (status == VITALIS_CANCELLED) {
    output.error(
        "stopped by Ctrl-C; what is written stays, and the same command goes on from there");
    return kExitInterrupted;
  }
  if (status < VITALIS_OK) {
    output.error(problem);
    return kExitError;
  }
  vitalis_quantize_report report = {};
  report.struct_size = sizeof report;
  if (!succeeded(vitalis_quantization_get_report(handle, &report), output)) return kExitError;
  output.print(options.json ? as_json(options, report) : for_people(options, report));
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
