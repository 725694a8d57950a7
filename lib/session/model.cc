// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

#include <algorithm>

#include "tokenizer/fingerprint.h"

namespace vitalis::session {
namespace {

uint64_t dense_bytes(const model::Dense& w) {
  return uint64_t{w.rows} * w.cols * (w.type == model::DenseType::kF32 ? 4 : 2);
}

// Blocks of 32 values take 16 bytes of codes and one of scale.
uint64_t expert_bytes(const model::Mxfp4& w) {
  return uint64_t{w.rows} * w.cols / 32 * 17;
}

// Facts about a model, end to end, to be summed.
class Facts {
 public:
  template <class... Numbers>
  void add(Numbers... numbers) {
    (append(&numbers, sizeof numbers), ...);
  }
  void add(std::string_view text) { append(text.data(), text.size()); }
  // Sixty-four bytes from the middle.
  void add(const model::Dense& w) {
    add(w.rows, w.cols, w.type);
    if (!w.data) return;
    const size_t row = w.cols * (w.type == model::DenseType::kF32 ? 4 : 2);
    append(w.data + w.rows / 2 * std::max(row, w.row_stride), std::min<size_t>(row, 64));
  }
  void add(const model::Mxfp4& w) {
    add(w.experts, w.rows, w.cols, w.layout);
    if (w.blocks) append(w.blocks + w.rows * (w.cols / 32) * 8, 64);
  }
  uint64_t sum() const { return tokenizer::fingerprint(facts_); }

 private:
  void append(const void* data, size_t size) {
    facts_.append(static_cast<const char*>(data), size);
  }
  std::string facts_;
};

// Of so many tokens, one takes part in the fingerprint.
constexpr size_t kTokenStep = 61;

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

uint64_t Model::fingerprint() const {
  std::call_once(fingerprint_once_, [&] {
    const model::Config& c = config();
    const model::Weights& weights = checkpoint_.weights();
    Facts facts;
    facts.add(c.layers, c.hidden, c.intermediate, c.heads, c.kv_heads, c.head_dim, c.experts,
              c.experts_per_token, c.vocab, c.sliding_window, c.rope_theta, c.yarn.factor,
              c.yarn.beta_fast, c.yarn.beta_slow, c.yarn.original_context, c.yarn.truncate,
              c.rms_norm_eps, c.swiglu_limit, weights.rotary_pairs);
    for (const bool sliding : c.sliding) facts.add(sliding);
    for (const auto* w : {&weights.embed_tokens, &weights.norm, &weights.lm_head}) facts.add(*w);
    for (const model::Layer& w : weights.layers) {
      for (const auto* dense :
           {&w.input_layernorm, &w.q_proj, &w.k_proj, &w.v_proj, &w.o_proj, &w.q_bias, &w.k_bias,
            &w.v_bias, &w.o_bias, &w.sinks, &w.post_attention_layernorm, &w.router, &w.router_bias,
            &w.gate_up_bias, &w.down_bias, &w.gate_bias, &w.up_bias}) {
        facts.add(*dense);
      }
      for (const auto* experts : {&w.gate_up_proj, &w.down_proj, &w.gate_proj, &w.up_proj}) {
        facts.add(*experts);
      }
    }
    for (size_t token = 0; token < tokenizer().size(); token += kTokenStep) {
      facts.add(tokenizer().bytes(static_cast<Token>(token)));
    }
    fingerprint_ = facts.sum();
  });
  return fingerprint_;
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
