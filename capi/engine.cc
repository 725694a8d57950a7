// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <cstdlib>

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

extern "C" {

void vitalis_engine_options_init(vitalis_engine_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_engine_create(const vitalis_engine_options* options, vitalis_engine** engine_out) {
  return guard([&]() -> Status {
    if (!engine_out) return missing("engine_out");
    *engine_out = nullptr;
    VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
    if (given.numerics != VITALIS_NUMERICS_FAITHFUL && given.numerics != VITALIS_NUMERICS_FLOAT32) {
      return error(Code::kInvalidArgument, "options.numerics: expected 0 or 1; found ",
                   given.numerics);
    }
    // The one environment variable that the library reads.
    const char* tier = given.tier ? given.tier : std::getenv("VITALIS_ISA");
    VITALIS_ASSIGN(auto engine,
                   engine::make_engine({.threads = given.threads,
                                        .tier = tier ? tier : "",
                                        .numerics = given.numerics == VITALIS_NUMERICS_FLOAT32
                                                        ? engine::Numerics::kFloat32
                                                        : engine::Numerics::kFaithful}));
    auto handle = std::make_unique<vitalis_engine>();
    handle->engine = std::make_shared<const engine::Engine>(std::move(engine));
    *engine_out = handle.release();
    return {};
  });
}

vitalis_engine* vitalis_engine_retain(vitalis_engine* engine) {
  return retain(engine);
}
void vitalis_engine_release(vitalis_engine* engine) {
  release(engine);
}

int32_t vitalis_engine_get_info(const vitalis_engine* engine, vitalis_engine_info* info) {
  clear_struct(info);
  return guard([&]() -> Status {
    if (!engine) return missing("engine");
    vitalis_engine_info out = VITALIS_ENGINE_INFO_INIT;
    out.threads = engine->engine->parallel->threads();
    out.tier = engine->engine->kernels->name;
    return write_struct(out, info, "info");
  });
}

}  // extern "C"
