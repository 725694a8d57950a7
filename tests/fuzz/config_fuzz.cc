// SPDX-License-Identifier: Apache-2.0
// Any text as a config. What is accepted must be safe to divide, allocate and index by.
#include <cstddef>
#include <cstdint>

#include "model/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = vitalis::model::parse_config(text, "fuzz");
  if (!config.ok()) return 0;
  const vitalis::model::Config& c = *config;
  const bool sound =
      c.layers >= 1 && c.sliding.size() == c.layers && c.hidden >= 32 && c.hidden % 32 == 0 &&
      c.intermediate >= 32 && c.intermediate % 32 == 0 && c.head_dim >= 32 &&
      c.head_dim % 32 == 0 && c.kv_heads >= 1 && c.heads >= c.kv_heads &&
      c.heads % c.kv_heads == 0 && c.experts_per_token >= 1 && c.experts_per_token <= c.experts &&
      c.vocab >= 1 && c.context >= 1 && c.sliding_window >= 1 && c.rope_theta > 1 &&
      c.yarn.factor >= 1 && c.yarn.beta_fast > c.yarn.beta_slow && c.rms_norm_eps > 0;
  if (!sound) __builtin_trap();
  return 0;
}
