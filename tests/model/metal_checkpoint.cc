// SPDX-License-Identifier: Apache-2.0
#include "model/metal_checkpoint.h"

#include <cmath>
#include <numbers>

#include "base/status.h"
#include "formats/gguf_writer.h"
#include "model/plain_weights.h"

namespace vitalis::model {
namespace {

constexpr uint32_t kSpecials = 16;

// 16 bytes of a UUID in the order of its text.
std::string uuid(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    if (text[i] == '-') ++i;
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return out;
}

class Writer {
 public:
  Writer(const Config& config, const Weights& weights, const SpelledTokenizer* spelled = nullptr)
      : c_(config), w_(weights), spelled_(spelled) {}

  std::string write_header() {
    header();
    tokenizer();
    round_up(16384);
    return std::move(out_);
  }

  std::string write() {
    out_ = write_header();
    matrix(w_.embed_tokens);
    for (const Layer& layer : w_.layers) attention(layer);
    matrix(w_.norm);
    matrix(w_.lm_head);
    for (const Layer& layer : w_.layers) {
      round_up(16384);
      for (uint32_t i = 0; i < c_.experts; ++i) expert(layer, i);
    }
    return std::move(out_);
  }

 private:
  void number(uint64_t value, int bytes) { out_ += formats::GgufWriter::number(value, bytes); }
  void real(double value) { number(std::bit_cast<uint32_t>(static_cast<float>(value)), 4); }
  void round_up(size_t to) { out_.resize((out_.size() + to - 1) / to * to, '\0'); }
  void bf16(float value) { number(std::bit_cast<uint32_t>(value) >> 16, 2); }

  void header() {
    out_ += std::string("GPT-OSS v1.0\0\0\0\0", 16);
    out_ += uuid("df52dc86-1789-4ed0-a295-66f10508145b");
    for (const uint32_t value :
         {c_.context, c_.layers, c_.experts, c_.experts_per_token, c_.hidden, c_.intermediate}) {
      number(value, 4);
    }
    real(c_.swiglu_limit);
    for (const uint32_t value : {c_.head_dim, c_.heads, c_.kv_heads, c_.sliding_window}) {
      number(value, 4);
    }
    real(c_.rope_theta);
    real(1 / c_.yarn.factor);
    const auto turns_at = [&](double turns) {
      return c_.head_dim / 2.0 *
             std::log(c_.yarn.original_context / (turns * 2 * std::numbers::pi)) /
             std::log(c_.rope_theta);
    };
    const double low = turns_at(c_.yarn.beta_fast);
    const double high = turns_at(c_.yarn.beta_slow);
    real(-low / (high - low));
    real(1 / (high - low));
    real(0.1 * std::log(c_.yarn.factor) + 1);
    real(c_.rms_norm_eps);
    out_ += uuid("229177a8-5775-4268-bfd8-d588b351c56d");
    out_ += uuid("7401aded-2a95-40cb-b782-9ccebaafe72b");
  }

  void tokenizer() {
    const uint32_t texts = spelled_ ? spelled_->first_special : c_.vocab - kSpecials;
    const std::string regex = (spelled_ ? spelled_->regex : "[a-z]+") + '\0';
    std::string table;
    for (uint32_t i = 0; i < texts; ++i) {
      // One token is long, since its length needs both bytes.
      const std::string token = spelled_ ? plain_bytes(spelled_->tokens[i])
                                : i == 3 ? std::string(300, 'x')
                                         : text(i);
      table += formats::GgufWriter::number(token.size(), 2) + token;
    }
    number(c_.vocab - texts, 4);
    number(texts, 4);
    number(regex.size(), 4);
    number(table.size(), 4);
    for (uint32_t i = texts; i < c_.vocab; ++i) {
      out_ +=
          spelled_ ? special(spelled_->tokens[i]) : std::string(16, static_cast<char>(i - texts));
    }
    out_ += regex + table;
  }

  static std::string special(std::string_view name) {
    if (name == "<|start|>") return uuid("55a77c2f-8a01-4c54-8ac2-313bfc7e208d");
    if (name == "<|message|>") return uuid("16e40431-f47f-4b22-b59b-8b278fc30a54");
    if (name == "<|end|>") return uuid("fcac2f6d-4705-4f6b-b228-642accac7238");
    if (name == "<|return|>") return uuid("f799ff69-1992-43c4-a3d8-d831f475dc75");
    if (name == "<|constrain|>") return uuid("c0bb14c7-6022-49da-ad08-792d67e8b470");
    if (name == "<|channel|>") return uuid("fd3dda11-c8ab-4033-876e-d93deb172c93");
    if (name == "<|call|>") return uuid("1220f796-e388-4de5-b487-fe2eb5fe03c0");
    return std::string(16, '\0');
  }

  void matrix(const Dense& tensor, float scale = 1) {
    round_up(16);
    rows(tensor, scale, false);
  }
  // Without padding before it: what is fused continues.
  void rows(const Dense& tensor, float scale, bool paired) {
    const bool vector = tensor.rows == 1;
    const size_t count = vector ? tensor.cols : tensor.rows;
    for (size_t row = 0; row < count; ++row) {
      const size_t from = paired ? unpaired(row) : row;
      if (vector) {
        bf16(element(tensor, 0, from) * scale);
      } else {
        for (size_t col = 0; col < tensor.cols; ++col) bf16(element(tensor, from, col) * scale);
      }
    }
  }

  // Which row of a head in halves stands at `row` of one in pairs.
  size_t unpaired(size_t row) const {
    const size_t in_head = row % c_.head_dim;
    return row - in_head + in_head / 2 + in_head % 2 * (c_.head_dim / 2);
  }

  void attention(const Layer& w) {
    matrix(w.input_layernorm);
    round_up(16);
    rows(w.q_proj, 0.5F, true);
    rows(w.k_proj, 0.25F, true);
    rows(w.v_proj, 1, false);
    round_up(16);
    rows(w.q_bias, 0.5F, true);
    rows(w.k_bias, 0.25F, true);
    rows(w.v_bias, 1, false);
    matrix(w.sinks);
    matrix(w.o_proj);
    matrix(w.o_bias);
    matrix(w.post_attention_layernorm);
    matrix(w.router);
    matrix(w.router_bias);
    round_up(16);
  }

  void quantized(const Mxfp4& tensor, uint32_t expert) {
    const size_t groups = tensor.rows * tensor.cols / 32;
    round_up(16);
    out_.append(reinterpret_cast<const char*>(tensor.blocks + expert * groups * 16), groups * 16);
    round_up(16);
    for (size_t i = 0; i < groups; ++i) {
      out_ += static_cast<char>(tensor.scales[expert * groups + i] + 14);
    }
  }

  void bias(const Dense& tensor, uint32_t expert) {
    round_up(16);
    for (size_t col = 0; col < tensor.cols; ++col) bf16(element(tensor, expert, col));
    round_up(16);
  }

  void expert(const Layer& w, uint32_t index) {
    quantized(w.gate_up_proj, index);
    bias(w.gate_up_bias, index);
    quantized(w.down_proj, index);
    bias(w.down_bias, index);
  }

  const Config& c_;
  const Weights& w_;  // not looked at for the header
  const SpelledTokenizer* spelled_;
  std::string out_;
};

}  // namespace

std::string metal_of(const Checkpoint& checkpoint, const SpelledTokenizer* tokenizer) {
  return Writer(checkpoint.config(), checkpoint.weights(), tokenizer).write();
}

std::string metal_header_of(const Config& config, const SpelledTokenizer* tokenizer) {
  return Writer(config, {}, tokenizer).write_header();
}

}  // namespace vitalis::model
