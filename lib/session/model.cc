// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

#include <algorithm>

#include "session/plan.h"
#include "tokenizer/fingerprint.h"

namespace vitalis::session {
namespace {

// Facts about a model, end to end, to be summed.
class Facts {
 public:
  template <class... Numbers>
  void add(Numbers... numbers) {
    (append(&numbers, sizeof numbers), ...);
  }
  void add(std::string_view text) { append(text.data(), text.size()); }
  // Up to 64 bytes from the middle of a tensor.
  void add(const model::Dense& w) {
    add(w.rows, w.cols, w.type);
    if (!w.data || w.rows == 0) return;
    const size_t row = model::stored_bytes(w) / w.rows;
    append(w.data + w.rows / 2 * std::max(row, w.row_stride), std::min<size_t>(row, 64));
  }
  void add(const model::Mxfp4& w) {
    add(w.experts, w.rows, w.cols, w.layout);
    if (w.blocks) append(w.blocks + w.rows * (w.cols / model::kMxfp4Group) * 8, 64);
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
    model::for_each_tensor(weights, [&](const auto& tensor, model::Reads) { facts.add(tensor); });
    for (size_t token = 0; token < tokenizer().size(); token += kTokenStep) {
      facts.add(tokenizer().bytes(static_cast<Token>(token)));
    }
    fingerprint_ = facts.sum();
  });
  return fingerprint_;
}

uint64_t Model::parameters() const {
  uint64_t total = 0;
  model::for_each_tensor(checkpoint_.weights(), [&](const auto& tensor, model::Reads) {
    total += model::elements(tensor);
  });
  return total;
}

uint64_t Model::decode_bytes() const {
  return session::decode_bytes(checkpoint_);
}

}  // namespace vitalis::session
