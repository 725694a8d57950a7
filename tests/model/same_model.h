// SPDX-License-Identifier: Apache-2.0
// Compares two bound models number by number, whatever their layouts.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>

#include "model/checkpoint.h"
#include "model/plain_weights.h"

namespace vitalis::model {

inline void expect_equal(const Config& a, const Config& b) {
  EXPECT_EQ(a.layers, b.layers);
  EXPECT_EQ(a.hidden, b.hidden);
  EXPECT_EQ(a.intermediate, b.intermediate);
  EXPECT_EQ(a.heads, b.heads);
  EXPECT_EQ(a.kv_heads, b.kv_heads);
  EXPECT_EQ(a.head_dim, b.head_dim);
  EXPECT_EQ(a.experts, b.experts);
  EXPECT_EQ(a.experts_per_token, b.experts_per_token);
  EXPECT_EQ(a.vocab, b.vocab);
  EXPECT_EQ(a.context, b.context);
  EXPECT_EQ(a.sliding_window, b.sliding_window);
  EXPECT_EQ(a.sliding, b.sliding);
  EXPECT_EQ(a.rope_theta, b.rope_theta);
  EXPECT_EQ(a.yarn.factor, b.yarn.factor);
  EXPECT_EQ(a.yarn.beta_fast, b.yarn.beta_fast);
  EXPECT_EQ(a.yarn.beta_slow, b.yarn.beta_slow);
  EXPECT_EQ(a.yarn.original_context, b.yarn.original_context);
  EXPECT_EQ(a.yarn.truncate, b.yarn.truncate);
  EXPECT_EQ(a.rms_norm_eps, b.rms_norm_eps);
  EXPECT_EQ(a.swiglu_limit, b.swiglu_limit);
}

class SameModel {
 public:
  // Numbers must be equal, save where b holds Q8_0 or f16: there they may differ by its rounding.
  SameModel(const Checkpoint& a, const Checkpoint& b) : a_(a), b_(b), c_(a.config()) {}

  void expect() {
    expect_equal(c_, b_.config());
    matrix("embedding", a_.weights().embed_tokens, b_.weights().embed_tokens);
    matrix("norm", a_.weights().norm, b_.weights().norm);
    matrix("head", a_.weights().lm_head, b_.weights().lm_head);
    ASSERT_EQ(b_.weights().layers.size(), c_.layers);
    for (uint32_t i = 0; i < c_.layers; ++i) {
      layer(a_.weights().layers[i], b_.weights().layers[i]);
    }
  }

 private:
  // `row_of` says which row of b holds a row of a, `scale` what it was multiplied by.
  template <class RowOf>
  void matrix(const char* name, const Dense& a, const Dense& b, RowOf row_of, float scale) {
    ASSERT_EQ(a.rows, b.rows) << name;
    ASSERT_EQ(a.cols, b.cols) << name;
    const bool vector = a.rows == 1;
    size_t wrong = 0;
    for (size_t r = 0; r < a.rows; ++r) {
      for (size_t c = 0; c < a.cols; ++c) {
        const float expected = element(a, r, c) * scale;
        const float found = vector ? element(b, 0, row_of(c)) : element(b, row_of(r), c);
        // Half a step of 127 to the greatest of 32, and what the f16 of that step is off by.
        const float allowed = b.type == DenseType::kQ8_0 ? greatest(a, r, c) / 127
                              : b.type == DenseType::kF16
                                  ? std::max(std::abs(expected) / 2048, 0x1p-25F)
                                  : 0;
        wrong += std::abs(found - expected) > allowed;
      }
    }
    EXPECT_EQ(wrong, 0U) << name;
  }
  void matrix(const char* name, const Dense& a, const Dense& b) {
    matrix(
        name, a, b, [](size_t row) { return row; }, 1);
  }

  static float greatest(const Dense& a, size_t row, size_t col) {
    float out = 0;
    for (size_t i = 0; i < 32; ++i) {
      out = std::max(out, std::abs(element(a, row, col / 32 * 32 + i)));
    }
    return out;
  }

  // Where the rotary pairs stand side by side, row i of a head's first half is row 2i, row i of its
  // second half 2i + 1.
  size_t rotated(size_t row) const {
    if (b_.weights().rotary_pairs == RotaryPairs::kHalves) return row;
    const size_t half = c_.head_dim / 2;
    const size_t in_head = row % c_.head_dim;
    return row - in_head + 2 * (in_head % half) + in_head / half;
  }

  void layer(const Layer& a, const Layer& b) {
    const auto turn = [this](size_t row) { return rotated(row); };
    matrix("input_layernorm", a.input_layernorm, b.input_layernorm);
    matrix("q_proj", a.q_proj, b.q_proj, turn, b_.weights().q_scale);
    matrix("k_proj", a.k_proj, b.k_proj, turn, b_.weights().k_scale);
    matrix("v_proj", a.v_proj, b.v_proj);
    matrix("o_proj", a.o_proj, b.o_proj);
    matrix("q_bias", a.q_bias, b.q_bias, turn, b_.weights().q_scale);
    matrix("k_bias", a.k_bias, b.k_bias, turn, b_.weights().k_scale);
    matrix("v_bias", a.v_bias, b.v_bias);
    matrix("o_bias", a.o_bias, b.o_bias);
    matrix("sinks", a.sinks, b.sinks);
    matrix("post_attention_layernorm", a.post_attention_layernorm, b.post_attention_layernorm);
    matrix("router", a.router, b.router);
    matrix("router_bias", a.router_bias, b.router_bias);
    matrix("down_bias", a.down_bias, b.down_bias);
    experts(a, b);
  }

  void experts(const Layer& a, const Layer& b) {
    ASSERT_EQ(a.down_proj.cols, b.down_proj.cols);
    size_t wrong = 0;
    for (size_t e = 0; e < c_.experts; ++e) {
      for (size_t r = 0; r < 2 * c_.intermediate; ++r) {
        wrong += gate_up_bias(a, e, r) != gate_up_bias(b, e, r);
        for (size_t c = 0; c < c_.hidden; ++c) {
          wrong += gate_up_element(a, e, r, c) != gate_up_element(b, e, r, c);
        }
      }
      for (size_t r = 0; r < c_.hidden; ++r) {
        for (size_t c = 0; c < c_.intermediate; ++c) {
          wrong += element(a.down_proj, e, r, c) != element(b.down_proj, e, r, c);
        }
      }
    }
    EXPECT_EQ(wrong, 0U) << "experts";
  }

  const Checkpoint& a_;
  const Checkpoint& b_;
  const Config& c_;
};

}  // namespace vitalis::model
