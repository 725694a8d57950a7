// SPDX-License-Identifier: Apache-2.0
// metal/model.bin, the file of OpenAI's Metal implementation: a header of sizes, a token table,
// then weights by position alone. Views lead into the caller's mapping, which must outlive them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::formats {

struct MetalBin {
  using Uuid = std::array<std::byte, 16>;

  uint32_t context_length = 0;
  uint32_t blocks = 0;
  uint32_t experts = 0;
  uint32_t active_experts = 0;
  uint32_t embedding_dim = 0;
  uint32_t mlp_dim = 0;
  float swiglu_limit = 0;
  uint32_t head_dim = 0;
  uint32_t heads = 0;
  uint32_t kv_heads = 0;
  uint32_t attention_window = 0;
  float rope_theta = 0;
  float interpolation_scale = 0;
  float yarn_offset = 0;
  float yarn_scale = 0;
  float yarn_multiplier = 0;
  float rms_norm_eps = 0;

  std::vector<Uuid> special_tokens;           // by id from text_tokens.size() on; zero: unused
  std::string_view regex;                     // of the pre-tokenizer
  std::vector<std::string_view> text_tokens;  // by id
  uint64_t weights_offset = 0;                // a multiple of kMetalPage
};

inline constexpr uint64_t kMetalPage = 16384;  // weights and each block's experts begin on one
inline constexpr uint64_t kMetalAlign = 16;    // every array begins on one

bool is_metal_bin(std::span<const std::byte> file);

// Reads all but the weights. `file_name` names the file in messages.
Result<MetalBin> parse_metal_bin(std::span<const std::byte> file, std::string_view file_name);

}  // namespace vitalis::formats
