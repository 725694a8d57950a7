// SPDX-License-Identifier: Apache-2.0
// Quantized models, number by number and logit by logit: what is rounded is what Q8_0 says, what is
// not has the same bytes, and what is computed is what the same blocks give from a GGUF file, on
// any tier and for any number of threads.
#include <fstream>

#include "engine/golden.h"
#include "kernels/dispatch.h"
#include "model/gguf_checkpoint.h"
#include "model/plain_weights.h"
#include "quantize/q8_0.h"
#include "quantize/quantized.h"

namespace vitalis::quantize {
namespace {

using model::Checkpoint;
using model::Dense;

const std::string kTiny = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

Checkpoint opened(const std::string& path) {
  auto checkpoint = Checkpoint::open(path);
  if (!checkpoint.ok()) throw std::runtime_error(checkpoint.status().message());
  return checkpoint.take();
}

class Models : public QuantizedFolder, public testing::WithParamInterface<std::string> {
 protected:
  std::string source() const {
    return GetParam() == "tiny" ? kTiny : engine::kGoldens + GetParam();
  }
  std::string quantized() const {
    const Status status = quantize(source(), path("out"));
    if (!status.ok()) throw std::runtime_error(status.message());
    return path("out");
  }
};

void expect_rounded(const Dense& from, const Dense& to) {
  ASSERT_EQ(to.type, model::DenseType::kQ8_0);
  ASSERT_EQ(from.rows, to.rows);
  ASSERT_EQ(from.cols, to.cols);
  for (size_t row = 0; row < from.rows; ++row) {
    for (size_t col = 0; col < from.cols; col += kBlockNumbers) {
      double greatest = 0;
      for (size_t i = col; i < col + kBlockNumbers; ++i) {
        greatest = std::max(greatest, std::abs(double{element(from, row, i)}));
      }
      const double step = greatest / 127;
      for (size_t i = col; i < col + kBlockNumbers; ++i) {
        // Half a step, and what the scale's 11 bits lose of up to 127 steps.
        ASSERT_NEAR(element(to, row, i), element(from, row, i),
                    step * (0.5 + 127 * 0x1p-11) + 127 * 0x1p-25);
      }
    }
  }
}

TEST_P(Models, WhatIsRoundedIsNearAndTheRestIsTheSame) {
  const Checkpoint from = opened(source()), to = opened(quantized());
  EXPECT_TRUE(to.format().ends_with("8-bit dense part"));
  EXPECT_TRUE(to.config().dense_q8_0);
  expect_rounded(from.weights().embed_tokens, to.weights().embed_tokens);
  expect_rounded(from.weights().lm_head, to.weights().lm_head);
  for (size_t i = 0; i < from.weights().layers.size(); ++i) {
    const model::Layer &a = from.weights().layers[i], &b = to.weights().layers[i];
    for (auto part : {&model::Layer::q_proj, &model::Layer::k_proj, &model::Layer::v_proj,
                      &model::Layer::o_proj}) {
      expect_rounded(a.*part, b.*part);
    }
    EXPECT_EQ(b.router.type, model::DenseType::kBf16);
  }
  std::vector<std::pair<const void*, uint64_t>> kept;
  const auto collect = [&kept](const auto& tensor, model::Reads) {
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, model::Mxfp4>) {
      const uint64_t groups = elements(tensor) / model::kMxfp4Group;
      kept.emplace_back(tensor.blocks, groups * 16);
      kept.emplace_back(tensor.scales, groups);
    } else if (tensor.type == model::DenseType::kBf16) {
      kept.emplace_back(tensor.data, stored_bytes(tensor));
    }
  };
  model::for_each_tensor(to.weights(), collect);
  const auto after = std::move(kept);
  kept.clear();
  model::for_each_tensor(from.weights(), [&](const auto& tensor, model::Reads reads) {
    if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, Dense>) {
      const model::Weights& w = from.weights();
      bool rounds = &tensor == &w.embed_tokens || &tensor == &w.lm_head;
      for (const model::Layer& l : w.layers) {
        rounds = rounds || &tensor == &l.q_proj || &tensor == &l.k_proj || &tensor == &l.v_proj ||
                 &tensor == &l.o_proj;
      }
      if (rounds) return;
    }
    collect(tensor, reads);
  });
  ASSERT_EQ(after.size(), kept.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    ASSERT_EQ(after[i].second, kept[i].second);
    EXPECT_EQ(std::memcmp(after[i].first, kept[i].first, kept[i].second), 0) << i;
  }
}

TEST_P(Models, LogitsAreThoseOfTheSameBlocksInGguf) {
  std::vector<engine::Token> tokens(150);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<engine::Token>(i * 7 % 97);
  if (std::filesystem::exists(source() + "/expected.safetensors")) {
    tokens = engine::read_golden(source() + "/expected.safetensors").tokens;
    if (tokens.size() > 200) tokens.resize(200);
  }
  const auto logits = [&](const Checkpoint& checkpoint, int threads, std::string_view tier) {
    auto engine = engine::make_engine({.threads = threads, .tier = tier});
    if (!engine.ok()) throw std::runtime_error(engine.status().message());
    return engine::run_model(*engine, checkpoint.config(), checkpoint.weights(), tokens, {})
        .floats.at("logits");
  };
  const Checkpoint to = opened(quantized());
  std::ofstream(path("m.gguf"), std::ios::binary)
      << model::gguf_of(opened(source()), model::GgufMatrices::kQ8_0).file();
  const auto expected = logits(opened(path("m.gguf")), 2, {});
  EXPECT_TRUE(logits(to, 2, {}) == expected);
  for (const kernels::Table* table : kernels::available()) {
    for (const int threads : {1, 7}) {
      EXPECT_TRUE(logits(to, threads, table->name) == expected) << table->name << ' ' << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Models,
                         testing::Values("tiny", "base", "base/original", "odd-widths", "clamped",
                                         "many-experts", "all-experts", "one-token", "long"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace vitalis::quantize
