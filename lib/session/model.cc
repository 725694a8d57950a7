// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

#include <filesystem>

namespace vitalis::session {
namespace {

uint64_t dense_bytes(const model::Dense& w) {
  return uint64_t{w.rows} * w.cols * (w.type == model::DenseType::kF32 ? 4 : 2);
}

// Blocks of 32 values take 16 bytes of codes and one of scale.
uint64_t expert_bytes(const model::Mxfp4& w) {
  return uint64_t{w.rows} * w.cols / 32 * 17;
}

// The folder original/ of a published checkpoint leaves the tokenizer to its parent.
std::string tokenizer_path(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / "tokenizer.json";
  const auto parent = std::filesystem::path(folder) / ".." / "tokenizer.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored) && std::filesystem::exists(parent, ignored)) {
    return parent.lexically_normal().string();
  }
  return path.string();
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::open(std::shared_ptr<const engine::Engine> engine,
                                                 const std::string& folder) {
  VITALIS_ASSIGN(auto checkpoint, model::Checkpoint::open(folder));
  VITALIS_ASSIGN(auto tokenizer, Tokenizer::open(tokenizer_path(folder)));
  const size_t vocab = checkpoint.config().vocab;
  if (tokenizer.size() > vocab) {
    return error(Code::kMalformed, tokenizer_path(folder), " names tokens up to ",
                 tokenizer.size() - 1, ", but the model has only ", vocab, " rows for them");
  }
  // make_shared cannot reach the private constructor.
  std::shared_ptr<Model> model(
      new Model(std::move(engine), std::move(checkpoint), std::move(tokenizer)));
  auto format = harmony::Format::create(model->tokenizer_, static_cast<Token>(vocab));
  if (!format.ok()) return format.status();
  model->format_ = *format;
  return std::shared_ptr<const Model>(std::move(model));
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
