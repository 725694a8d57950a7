// SPDX-License-Identifier: Apache-2.0
#include "model/gguf_checkpoint.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/status.h"
#include "model/name_tables.h"
#include "model/plain_weights.h"

namespace vitalis::model {
namespace {

using formats::GgufWriter;

constexpr uint32_t kF32 = 0;
constexpr uint32_t kF16 = 1;
constexpr uint32_t kEarlyMxfp4 = 4;
constexpr uint32_t kQ8_0 = 8;
constexpr uint32_t kBf16 = 30;
constexpr uint32_t kMxfp4 = 39;

std::string f32_bytes(float value) {
  return GgufWriter::number(std::bit_cast<uint32_t>(value), 4);
}

// To nearest, ties to even; numbers of models are far below what f16 can hold.
uint16_t to_f16(float value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  const int step = std::max(exponent - 11, -24);  // of the last place
  const auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(std::abs(value), -step)));
  const uint32_t bits = steps < 1024 ? steps : steps + (static_cast<uint32_t>(step + 24) << 10);
  return static_cast<uint16_t>(bits | (std::signbit(value) ? 0x8000 : 0));
}

// 32 numbers in steps of the greatest / 127, as llama.cpp cuts them: times the inverse, in floats.
struct Q8Block {
  uint16_t scale;
  std::array<int8_t, 32> steps;
};
Q8Block q8_block(const Dense& tensor, size_t row, size_t col) {
  float greatest = 0;
  for (size_t i = 0; i < 32; ++i) {
    greatest = std::max(greatest, std::abs(element(tensor, row, col + i)));
  }
  Q8Block out{to_f16(greatest / 127), {}};
  for (size_t i = 0; i < 32; ++i) {
    const float inverse = greatest > 0 ? 1 / (greatest / 127) : 0;
    const float steps = element(tensor, row, col + i) * inverse;
    out.steps[i] = static_cast<int8_t>(std::lround(steps));
  }
  return out;
}

constexpr uint32_t kQ8AsF32 = 1000;  // no number of ggml's

std::string dense_bytes(const Dense& tensor, uint32_t type) {
  std::string out;
  for (size_t row = 0; row < tensor.rows; ++row) {
    for (size_t col = 0; col < tensor.cols; ++col) {
      if (type == kF32) out += f32_bytes(element(tensor, row, col));
      if (type == kBf16) {
        out += GgufWriter::number(std::bit_cast<uint32_t>(element(tensor, row, col)) >> 16, 2);
      }
      if (type == kF16) out += GgufWriter::number(to_f16(element(tensor, row, col)), 2);
      if ((type != kQ8_0 && type != kQ8AsF32) || col % 32 != 0) continue;
      const Q8Block block = q8_block(tensor, row, col);
      if (type == kQ8_0) out += GgufWriter::number(block.scale, 2);
      for (const int8_t step : block.steps) {
        if (type == kQ8_0) out += static_cast<char>(step);
        if (type == kQ8AsF32) out += f32_bytes(f16(block.scale) * static_cast<float>(step));
      }
    }
  }
  return out;
}

// The groups of the rows `first`, `first` + step, … of every expert.
std::string packed_bytes(const Mxfp4& tensor, size_t first, size_t step, bool early) {
  std::string out;
  const size_t groups = tensor.cols / 32;
  for (size_t expert = 0; expert < tensor.experts; ++expert) {
    for (size_t row = first; row < tensor.rows; row += step) {
      for (size_t group = 0; group < groups; ++group) {
        const size_t index = (expert * tensor.rows + row) * groups + group;
        const uint8_t* codes = tensor.blocks + 16 * index;
        if (early) {
          out += static_cast<char>(tensor.scales[index]);
          out.append(reinterpret_cast<const char*>(codes), 16);
        } else {
          out += ggml_block(codes, tensor.scales[index]);
        }
      }
    }
  }
  return out;
}

// Rows `first`, `first` + 2, … as f32.
std::string every_other_row(const Dense& tensor, size_t first) {
  std::string out;
  for (size_t row = 0; row < tensor.rows; ++row) {
    for (size_t col = first; col < tensor.cols; col += 2)
      out += f32_bytes(element(tensor, row, col));
  }
  return out;
}

class Converter {
 public:
  Converter(const Checkpoint& checkpoint, GgufMatrices matrices, bool ollama,
            const SpelledTokenizer* tokenizer)
      : c_(checkpoint.config()), w_(checkpoint.weights()), ollama_(ollama), tokenizer_(tokenizer) {
    constexpr uint32_t kTypes[] = {kF32, kBf16, kF16, kQ8_0, kQ8AsF32};
    matrices_ = kTypes[static_cast<size_t>(matrices)];
  }

  GgufWriter convert() {
    metadata();
    matrix("token_embd.weight", w_.embed_tokens);
    for (uint32_t i = 0; i < c_.layers; ++i) {
      prefix_ = text("blk.", i, '.');
      attention(w_.layers[i]);
      experts(w_.layers[i]);
    }
    prefix_.clear();
    vector("output_norm.weight", w_.norm);
    matrix("output.weight", w_.lm_head);
    return std::move(out_);
  }

 private:
  void metadata() {
    const std::string arch = ollama_ ? "gptoss" : "gpt-oss";
    const auto put = [&](const char* key, auto value) { out_.add(text(arch, '.', key), value); };
    out_.add("general.architecture", std::string_view(arch));
    put("block_count", c_.layers);
    put("context_length", c_.context);
    put("embedding_length", c_.hidden);
    put("feed_forward_length", c_.intermediate);
    if (!ollama_) put("expert_feed_forward_length", c_.intermediate);
    put("attention.head_count", c_.heads);
    put("attention.head_count_kv", c_.kv_heads);
    put("attention.key_length", c_.head_dim);
    put("attention.value_length", c_.head_dim);
    put("attention.layer_norm_rms_epsilon", c_.rms_norm_eps);
    put("attention.sliding_window", c_.sliding_window);
    put("expert_count", c_.experts);
    put("expert_used_count", c_.experts_per_token);
    put("rope.freq_base", static_cast<float>(c_.rope_theta));
    if (!ollama_) put("rope.scaling.type", std::string_view("yarn"));
    put("rope.scaling.factor", static_cast<float>(c_.yarn.factor));
    put("rope.scaling.original_context_length", static_cast<uint32_t>(c_.yarn.original_context));
    if (tokenizer_) return add_tokenizer(*tokenizer_, c_.vocab, out_);
    std::vector<std::string> tokens;
    for (uint32_t i = 0; i < c_.vocab; ++i) tokens.push_back(text("token", i));
    out_.add_strings("tokenizer.ggml.tokens", tokens);
  }

  void add(const std::string& name, std::vector<uint64_t> shape, uint32_t type, std::string bytes) {
    if (type == kQ8AsF32) type = kF32;
    out_.tensors.push_back({prefix_ + name, std::move(shape), type, std::move(bytes)});
  }
  void matrix(const std::string& name, const Dense& tensor) {
    add(name, {tensor.rows, tensor.cols}, matrices_, dense_bytes(tensor, matrices_));
  }
  // Small tensors are f32 whatever the matrices are.
  void vector(const std::string& name, const Dense& tensor) {
    std::vector<uint64_t> shape = {tensor.rows, tensor.cols};
    if (tensor.rows == 1) shape.erase(shape.begin());
    add(name, shape, kF32, dense_bytes(tensor, kF32));
  }

  void attention(const Layer& w) {
    vector("attn_norm.weight", w.input_layernorm);
    if (ollama_) {
      const uint64_t rows = w.q_proj.rows + 2 * w.k_proj.rows;
      add("attn_qkv.weight", {rows, c_.hidden}, matrices_,
          dense_bytes(w.q_proj, matrices_) + dense_bytes(w.k_proj, matrices_) +
              dense_bytes(w.v_proj, matrices_));
      add("attn_qkv.bias", {rows}, kF32,
          dense_bytes(w.q_bias, kF32) + dense_bytes(w.k_bias, kF32) + dense_bytes(w.v_bias, kF32));
    } else {
      matrix("attn_q.weight", w.q_proj);
      vector("attn_q.bias", w.q_bias);
      matrix("attn_k.weight", w.k_proj);
      vector("attn_k.bias", w.k_bias);
      matrix("attn_v.weight", w.v_proj);
      vector("attn_v.bias", w.v_bias);
    }
    matrix(ollama_ ? "attn_out.weight" : "attn_output.weight", w.o_proj);
    vector(ollama_ ? "attn_out.bias" : "attn_output.bias", w.o_bias);
    vector(ollama_ ? "attn_sinks" : "attn_sinks.weight", w.sinks);
    vector(ollama_ ? "ffn_norm.weight" : "post_attention_norm.weight", w.post_attention_layernorm);
  }

  void experts(const Layer& w) {
    vector("ffn_gate_inp.weight", w.router);
    vector("ffn_gate_inp.bias", w.router_bias);
    const uint64_t e = c_.experts;
    const uint64_t rows = c_.intermediate;
    if (ollama_) {
      add("ffn_gate_up_exps.weight", {e, 2 * rows, c_.hidden}, kEarlyMxfp4,
          packed_bytes(w.gate_up_proj, 0, 1, true));
      vector("ffn_gate_up_exps.bias", w.gate_up_bias);
    } else {
      add("ffn_gate_exps.weight", {e, rows, c_.hidden}, kMxfp4,
          packed_bytes(w.gate_up_proj, 0, 2, false));
      add("ffn_up_exps.weight", {e, rows, c_.hidden}, kMxfp4,
          packed_bytes(w.gate_up_proj, 1, 2, false));
      add("ffn_gate_exps.bias", {e, rows}, kF32, every_other_row(w.gate_up_bias, 0));
      add("ffn_up_exps.bias", {e, rows}, kF32, every_other_row(w.gate_up_bias, 1));
    }
    add("ffn_down_exps.weight", {e, c_.hidden, rows}, ollama_ ? kEarlyMxfp4 : kMxfp4,
        packed_bytes(w.down_proj, 0, 1, ollama_));
    vector("ffn_down_exps.bias", w.down_bias);
  }

  const Config& c_;
  const Weights& w_;
  bool ollama_;
  const SpelledTokenizer* tokenizer_;
  uint32_t matrices_;
  std::string prefix_;
  GgufWriter out_;
};

}  // namespace

GgufWriter gguf_of(const Checkpoint& checkpoint, GgufMatrices matrices, bool ollama,
                   const SpelledTokenizer* tokenizer) {
  return Converter(checkpoint, matrices, ollama, tokenizer).convert();
}

void add_tokenizer(const SpelledTokenizer& tokenizer, uint32_t rows, GgufWriter& out) {
  out.add("tokenizer.ggml.model", std::string_view("gpt2"));
  out.add("tokenizer.ggml.pre", std::string_view("gpt-4o"));
  std::vector<std::string> tokens = tokenizer.tokens;
  std::string types = GgufWriter::number(5, 4) + GgufWriter::number(rows, 8);
  for (uint32_t id = 0; id < rows; ++id) {
    const bool padding = id >= tokenizer.tokens.size();
    if (padding) tokens.push_back(text("[PAD", id, ']'));
    types += GgufWriter::number(padding ? 5 : id >= tokenizer.first_special ? 3 : 1, 4);
  }
  out.add_strings("tokenizer.ggml.tokens", tokens);
  out.put("tokenizer.ggml.token_type", 9, types);
  out.add_strings("tokenizer.ggml.merges", tokenizer.merges);
}

std::vector<GgufWriter> split(const GgufWriter& whole, size_t parts) {
  std::vector<GgufWriter> out(parts);
  out[0] = whole;
  out[0].tensors.clear();
  for (size_t i = 0; i < whole.tensors.size(); ++i) {
    out[i * parts / whole.tensors.size()].tensors.push_back(whole.tensors[i]);
  }
  for (size_t i = 0; i < parts; ++i) {
    out[i].add_u16("split.no", static_cast<uint16_t>(i));
    out[i].add_u16("split.count", static_cast<uint16_t>(parts));
    out[i].put("split.tensors.count", 5, GgufWriter::number(whole.tensors.size(), 4));
  }
  return out;
}

std::string ggml_block(const uint8_t* codes, uint8_t scale) {
  uint8_t elements[32];
  for (size_t i = 0; i < 16; ++i) {
    elements[2 * i] = codes[i] & 15;
    elements[2 * i + 1] = codes[i] >> 4;
  }
  std::string out(1, static_cast<char>(scale));
  for (size_t i = 0; i < 16; ++i) {
    out += static_cast<char>(elements[i] | elements[i + 16] << 4);
  }
  return out;
}

}  // namespace vitalis::model
