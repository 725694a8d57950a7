// SPDX-License-Identifier: Apache-2.0
// The shape of a gpt-oss model, as its config.json states it. Plain data, checked once when read:
// code above may divide by, allocate from and index with any of these numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::model {

struct Yarn {
  double factor = 1;  // 1: no scaling
  double beta_fast = 32;
  double beta_slow = 1;
  double original_context = 4096;
  // gpt-oss does not round the range; true only to compare with engines that do.
  bool truncate = false;
};

struct Config {
  uint32_t layers = 0;
  uint32_t hidden = 0;        // a multiple of 32, as every dimension that a product runs over
  uint32_t intermediate = 0;  // likewise
  uint32_t heads = 0;         // query heads, a multiple of kv_heads
  uint32_t kv_heads = 0;
  uint32_t head_dim = 0;  // a multiple of 32
  uint32_t experts = 0;
  uint32_t experts_per_token = 0;
  uint32_t vocab = 0;
  uint32_t context = 0;  // max_position_embeddings
  uint32_t sliding_window = 0;
  std::vector<bool> sliding;  // one per layer
  double rope_theta = 0;
  Yarn yarn;
  float rms_norm_eps = 0;
  float swiglu_limit = 0;
  // "dense_quantization_config" asks for Q8_0: the tensors that the schema calls eight_bit are in
  // it.
  bool dense_q8_0 = false;

  uint32_t q_width() const { return heads * head_dim; }
  uint32_t kv_width() const { return kv_heads * head_dim; }
};

// Reads the text of a Hugging Face config.json, with either spelling of the rotary settings
// (rope_scaling, rope_parameters). `where` names the file in messages. kMalformed or kUnsupported
// lists everything that is wrong at once.
Result<Config> parse_config(std::string_view json, std::string_view where);

}  // namespace vitalis::model
