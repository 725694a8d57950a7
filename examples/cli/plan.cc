// SPDX-License-Identifier: Apache-2.0
// vitalis plan: what a model would take, and how fast it would be, before it is run.
#include <string>

#include "commands.h"
#include "json_writer.h"
#include "library.h"
#include "text.h"

namespace vitalis::cli {

namespace {

constexpr const char* kFits[] = {"fits", "reads again", "does not fit"};

std::string verdict(const vitalis_plan& plan) {
  const std::string room = size_for_people(plan.room_bytes);
  if (plan.room_bytes == 0) return "it is not known how much memory is free";
  if (plan.fit == VITALIS_FIT_WHOLE) return "fits into " + room;
  if (plan.fit == VITALIS_FIT_PAGED) {
    return "more than " + room + ": weights would be read from disk again and again";
  }
  return "does not fit into " + room;
}

std::string for_people(const Options& options, const vitalis_plan& plan) {
  std::string text;
  const auto line = [&text](std::string name, const std::string& value) {
    name.resize(14, ' ');
    text += name + value + '\n';
  };
  const std::string many = plan.sequences == 1
                               ? " for a context of "
                               : " for " + with_separators(plan.sequences) + " contexts of ";
  line("model", options.model + ", " + size_for_people(plan.mapped_bytes) + " mapped");
  line("weights", size_for_people(plan.hot_bytes) + " in use, " +
                      size_for_people(plan.decode_bytes) + " read for each token");
  line("context",
       size_for_people(plan.kv_bytes) + many + with_separators(plan.context) + " tokens");
  line("scratch", size_for_people(plan.scratch_bytes));
  line("peak", size_for_people(plan.peak_bytes) + ", " + verdict(plan));
  line("machine",
       size_for_people(plan.memory_total) + " of memory, " +
           (plan.memory_limit == 0 ? std::string("no limit")
                                   : "limited to " + size_for_people(plan.memory_limit)) +
           ", " + size_for_people(plan.memory_available) + " free");
  line("largest", plan.largest_context == 0
                      ? "no context fits"
                      : "context that fits: " + with_separators(plan.largest_context) + " tokens");
  if (plan.tokens_per_second > 0) {
    line("speed", "about " + fixed(plan.tokens_per_second, 1) + " tokens/s, " +
                      fixed(plan.tokens_per_second_full, 1) + " with a full context");
  }
  return text;
}

std::string as_json(const Options& options, const vitalis_plan& plan) {
  JsonWriter json;
  json.begin_object().key("path").value(options.model).key("fit").value(kFits[plan.fit]);
  const std::pair<const char*, uint64_t> numbers[] = {{"context", plan.context},
                                                      {"chunk", plan.chunk},
                                                      {"sequences", plan.sequences},
                                                      {"largest_context", plan.largest_context},
                                                      {"mapped_bytes", plan.mapped_bytes},
                                                      {"hot_bytes", plan.hot_bytes},
                                                      {"kv_bytes", plan.kv_bytes},
                                                      {"scratch_bytes", plan.scratch_bytes},
                                                      {"peak_bytes", plan.peak_bytes},
                                                      {"decode_bytes", plan.decode_bytes},
                                                      {"memory_total", plan.memory_total},
                                                      {"memory_limit", plan.memory_limit},
                                                      {"memory_available", plan.memory_available},
                                                      {"room_bytes", plan.room_bytes}};
  for (const auto& [name, value] : numbers) json.key(name).value(value);
  const auto speed = [&](const char* name, double value) {
    json.key(name);
    if (value > 0) {
      json.number(value);
    } else {
      json.null();
    }
  };
  speed("tokens_per_second", plan.tokens_per_second);
  speed("tokens_per_second_full", plan.tokens_per_second_full);
  json.end_object();
  return json.text();
}

}  // namespace

int plan(const Options& options, Output& output) {
  const Engine engine = open_engine(options, output);
  if (!engine) return kExitError;
  vitalis_plan_options plan_options = VITALIS_PLAN_OPTIONS_INIT;
  vitalis_session_options session_options = VITALIS_SESSION_OPTIONS_INIT;
  if (!succeeded(vitalis_config_session_options(options.config.get(), &session_options), output)) {
    return kExitError;
  }
  plan_options.context = session_options.context;
  plan_options.sequences = options.sequences;
  plan_options.memory_budget_mib = session_options.memory_budget_mib;
  plan_options.flags = options.probe ? VITALIS_PLAN_PROBE : 0;
  vitalis_plan plan = {};
  plan.struct_size = sizeof plan;
  if (options.probe) output.show_progress("measuring ...");
  const int32_t status =
      vitalis_engine_plan(engine.get(), options.model.c_str(), &plan_options, &plan);
  if (!succeeded(status, output)) return kExitError;
  output.clear_progress();
  output.print(options.json ? as_json(options, plan) : for_people(options, plan));
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
