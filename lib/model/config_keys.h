// SPDX-License-Identifier: Apache-2.0
// What a config holds, under which names each kind of file has it, and what values make sense.
// Readers only look up, compare and complain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/problems.h"
#include "model/config.h"

namespace vitalis::model {

// The bounds are far beyond any published gpt-oss, and small enough that no product of the sizes of
// one tensor leaves 64 bits.
struct IntegerKey {
  std::string_view json[2];  // spellings in use; all that are present must agree
  std::string_view gguf[2];  // after "gpt-oss."; the first that is present counts
  uint32_t Config::*member;
  uint32_t least;
  uint32_t most;
  uint32_t multiple_of;
};
// {"quant_method": "q8_0"}: what `vitalis quantize` adds to a config.
inline constexpr std::string_view kDenseQuantizationKey = "dense_quantization_config";
inline constexpr std::string_view kQ8_0Method = "q8_0";

inline constexpr uint32_t kMostContext = 1 << 24;
inline constexpr IntegerKey kIntegerKeys[] = {
    {{"num_hidden_layers"}, {"block_count"}, &Config::layers, 1, 1024, 1},
    {{"hidden_size"}, {"embedding_length"}, &Config::hidden, 32, 1 << 16, 32},
    {{"intermediate_size"},
     {"expert_feed_forward_length", "feed_forward_length"},
     &Config::intermediate,
     32,
     1 << 17,
     32},
    {{"num_attention_heads"}, {"attention.head_count"}, &Config::heads, 1, 1024, 1},
    {{"num_key_value_heads"}, {"attention.head_count_kv"}, &Config::kv_heads, 1, 1024, 1},
    {{"head_dim"}, {"attention.key_length"}, &Config::head_dim, 32, 1024, 32},
    {{"num_local_experts", "num_experts"}, {"expert_count"}, &Config::experts, 1, 4096, 1},
    {{"experts_per_token", "num_experts_per_tok"},
     {"expert_used_count"},
     &Config::experts_per_token,
     1,
     4096,
     1},
    {{"vocab_size"}, {"vocab_size"}, &Config::vocab, 1, 1 << 22, 1},
    {{"sliding_window"}, {"attention.sliding_window"}, &Config::sliding_window, 1, 1 << 24, 1},
};
inline constexpr IntegerKey kContextKey = {
    {"max_position_embeddings"}, {"context_length"}, &Config::context, 1, kMostContext, 1};

// In JSON, rotary settings stand in an object of their own, or, in OpenAI's own config, at the top
// under other names.
struct RealKey {
  std::string_view json_rope;
  std::string_view json_top;
  std::string_view gguf;
  void (*set)(Config&, double);
  double least;
  double most;
  std::optional<double> otherwise;  // none: must be there
};
inline constexpr RealKey kRealKeys[] = {
    {"", "rms_norm_eps", "attention.layer_norm_rms_epsilon",
     [](Config& c, double x) { c.rms_norm_eps = static_cast<float>(x); }, 1e-12, 1e-2, 1e-5},
    {"", "swiglu_limit", "", [](Config& c, double x) { c.swiglu_limit = static_cast<float>(x); },
     1e-3, 1e6, 7.0},
    {"rope_theta", "rope_theta", "rope.freq_base", [](Config& c, double x) { c.rope_theta = x; },
     1.0 + 1e-9, 1e12, std::nullopt},
};
inline constexpr RealKey kYarnKeys[] = {
    {"factor", "rope_scaling_factor", "rope.scaling.factor",
     [](Config& c, double x) { c.yarn.factor = x; }, 1, 1e4, std::nullopt},
    {"beta_fast", "rope_ntk_beta", "rope.scaling.yarn_beta_fast",
     [](Config& c, double x) { c.yarn.beta_fast = x; }, 1e-3, 1e6, 32.0},
    {"beta_slow", "rope_ntk_alpha", "rope.scaling.yarn_beta_slow",
     [](Config& c, double x) { c.yarn.beta_slow = x; }, 1e-3, 1e6, 1.0},
    {"original_max_position_embeddings", "initial_context_length",
     "rope.scaling.original_context_length",
     [](Config& c, double x) { c.yarn.original_context = x; }, 1, kMostContext, std::nullopt},
};

// As short as it can be read back.
std::string decimal(double value);
// "an integer between 32 and 65536, a multiple of 32"
std::string expectation(const IntegerKey& key);
bool fits(const IntegerKey& key, uint64_t value);
std::string expectation(const RealKey& key);
bool fits(const RealKey& key, double value);

// What holds between numbers that are each in bounds. Zero stands for one already complained of.
void check_relations(const Config& config, std::string_view where, Problems& problems);

// The default: layers alternate, the first one slides.
void alternate_layers(Config& config);

}  // namespace vitalis::model
