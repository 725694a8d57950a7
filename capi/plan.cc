// SPDX-License-Identifier: Apache-2.0
#include "session/plan.h"

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

extern "C" {

void vitalis_plan_options_init(vitalis_plan_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_engine_plan(const vitalis_engine* engine, const char* path,
                            const vitalis_plan_options* options, vitalis_plan* plan) {
  clear_struct(plan);
  return guard([&]() -> Status {
    if (!engine) return missing("engine");
    if (!path) return missing("path");
    VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
    if ((given.flags & ~VITALIS_PLAN_PROBE) != 0) {
      return error(Code::kInvalidArgument, "options.flags: expected VITALIS_PLAN_*; found ",
                   given.flags);
    }
    VITALIS_ASSIGN(const auto checkpoint, model::Checkpoint::open(path));
    const session::PlanOptions wanted = {
        .session = {.context = given.context,
                    .chunk = given.chunk,
                    .memory_budget = uint64_t{given.memory_budget_mib} << 20},
        .sequences = given.sequences == 0 ? 1 : given.sequences,
        .probe = (given.flags & VITALIS_PLAN_PROBE) != 0};
    VITALIS_ASSIGN(const auto found, session::make_plan(*engine->engine, checkpoint, wanted));
    vitalis_plan out = {};
    out.context = static_cast<uint32_t>(found.context);
    out.chunk = static_cast<uint32_t>(found.chunk);
    out.sequences = static_cast<uint32_t>(found.sequences);
    out.fit = static_cast<int32_t>(found.fit);
    out.largest_context = static_cast<uint32_t>(found.largest_context);
    out.mapped_bytes = found.mapped;
    out.hot_bytes = found.hot;
    out.kv_bytes = found.kv;
    out.scratch_bytes = found.scratch;
    out.peak_bytes = found.peak;
    out.decode_bytes = found.decode;
    out.memory_total = found.machine.total;
    out.memory_limit = found.machine.limit;
    out.memory_available = found.machine.available;
    out.room_bytes = found.room;
    out.tokens_per_second = found.tokens_per_second;
    out.tokens_per_second_full = found.tokens_per_second_full;
    return write_struct(out, plan, "plan");
  });
}

}  // extern "C"
