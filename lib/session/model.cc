// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

namespace vitalis::session {
namespace {

uint64_t dense_bytes(const model::Dense& w) {
  return uint64_t{w.rows} * w.cols * (w.type == model::DenseType::kF32 ? 4 : 2);
}

// Blocks of 32 values take 16 bytes of codes and one of scale.
uint64_t expert_bytes(const model::Mxfp4& w) {
  return uint64_t{w.rows} * w.cols / 32 * 17;
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::open(std::shared_ptr<const engine::Engine> engine,
                                                 const std::string& folder,
                                                 const std::string& cache_folder) {
  VITALIS_ASSIGN(auto checkpoint, model::Checkpoint::open(folder));
  // Told before a tokenizer is looked for, which formats of one file do not have beside them.
  if (const std::string found = model::differences(checkpoint.weights()); !found.empty()) {
    return error(Code::kUnsupported, folder, " (", checkpoint.format(),
                 ") can be described but not run yet: only weights laid out as in Hugging Face's "
                 "files can; found ",
                 found);
  }
  VITALIS_ASSIGN(auto vocabulary,
                 Vocabulary::open(folder, cache_folder, checkpoint.config().vocab));
  return std::shared_ptr<const Model>(
      new Model(std::move(engine), std::move(checkpoint), std::move(vocabulary)));
}

uint64_t Model::parameters() const {
  uint64_t total = 0;
  const auto& weights = checkpoint_.weights();
  const auto add = [&](const model::Dense& w) { total += uint64_t{w.rows} * w.cols; };
  for (const auto* w : {&weights.embed_tokens, &weights.norm, &weights.lm_head}) add(*w);
  for (const model::Layer& w : weights.layers) {
    for (const auto* dense :
         {&w.input_layernorm, &w.q_proj, &w.k_proj, &w.v_proj, &w.o_proj, &w.q_bias, &w.k_bias,
          &w.v_bias, &w.o_bias, &w.sinks, &w.post_attention_layernorm, &w.router, &w.router_bias,
          &w.gate_up_bias, &w.down_bias}) {
      add(*dense);
    }
    for (const auto* experts : {&w.gate_up_proj, &w.down_proj}) {
      total += uint64_t{experts->experts} * experts->rows * experts->cols;
    }
  }
  return total;
}

uint64_t Model::decode_bytes() const {
  const auto& weights = checkpoint_.weights();
  uint64_t total = dense_bytes(weights.lm_head) + dense_bytes(weights.norm) +
                   dense_bytes(weights.embed_tokens) / weights.embed_tokens.rows;
  for (const model::Layer& w : weights.layers) {
    for (const auto* dense :
         {&w.input_layernorm, &w.q_proj, &w.k_proj, &w.v_proj, &w.o_proj, &w.q_bias, &w.k_bias,
          &w.v_bias, &w.o_bias, &w.sinks, &w.post_attention_layernorm, &w.router, &w.router_bias}) {
      total += dense_bytes(*dense);
    }
    const uint64_t one =
        expert_bytes(w.gate_up_proj) + expert_bytes(w.down_proj) +
        (dense_bytes(w.gate_up_bias) + dense_bytes(w.down_bias)) / config().experts;
    total += one * config().experts_per_token;
  }
  return total;
}

}  // namespace vitalis::session
