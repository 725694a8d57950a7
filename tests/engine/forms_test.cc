// SPDX-License-Identifier: Apache-2.0
// The goldens in every published form: bit for bit what Hugging Face's files give wherever the
// numbers are the same, and close where a form rounds them.
#include <cstdio>
#include <gtest/gtest.h>

#include "engine/golden.h"
#include "kernels/tables.h"
#include "model/checkpoint_folder.h"
#include "model/gguf_checkpoint.h"
#include "model/metal_checkpoint.h"

namespace vitalis::engine {
namespace {

using model::Checkpoint;
using model::GgufMatrices;

Checkpoint opened(const std::string& path) {
  auto checkpoint = Checkpoint::open(path);
  if (!checkpoint.ok()) throw std::runtime_error(checkpoint.status().message());
  return checkpoint.take();
}

class Forms : public testing::TestWithParam<std::string> {
 protected:
  Checkpoint reference = opened(kGoldens + GetParam());
  Golden golden = read_golden(kGoldens + GetParam() + "/expected.safetensors");
  model::CheckpointFolder folder{GetParam()};

  void SetUp() override {
    if (golden.tokens.size() > 700) golden.tokens.resize(700);  // past a segment of keys
    golden.first_row = 0;
  }

  Checkpoint gguf(GgufMatrices matrices, bool ollama = false) {
    folder.write("m.gguf", model::gguf_of(reference, matrices, ollama).file());
    return opened(folder.file("m.gguf"));
  }

  Recorder run(const Checkpoint& checkpoint, Numerics numerics, size_t chunk = 64,
               const kernels::Table* table = nullptr) {
    auto engine = make_engine({.threads = 2, .numerics = numerics});
    if (!engine.ok()) throw std::runtime_error(engine.status().message());
    if (table) engine->kernels = table;
    return run_model(*engine, checkpoint.config(), checkpoint.weights(), golden.tokens,
                     {.chunk = chunk, .record = true});
  }

  void expect_same_bits(const Checkpoint& other) {
    for (const Numerics numerics : {Numerics::kFaithful, Numerics::kFloat32}) {
      const Recorder expected = run(reference, numerics);
      for (const size_t chunk : {64, 3}) {
        const Recorder found = run(other, numerics, chunk);
        EXPECT_TRUE(found.floats.at("logits") == expected.floats.at("logits"))
            << other.format() << ", chunks of " << chunk;
        if (chunk != 64) continue;
        EXPECT_TRUE(found.floats == expected.floats) << other.format();
        EXPECT_TRUE(found.ints == expected.ints) << other.format();
      }
    }
  }
};

TEST_P(Forms, GgufWithExactMatricesGivesTheSameBits) {
  expect_same_bits(gguf(GgufMatrices::kBf16));
  expect_same_bits(gguf(GgufMatrices::kF32));
}

TEST_P(Forms, EarlyOllamaGivesTheSameBits) {
  expect_same_bits(gguf(GgufMatrices::kBf16, true));
}

TEST_P(Forms, GgufInPartsGivesTheSameBits) {
  auto parts = model::split(model::gguf_of(reference, GgufMatrices::kBf16), 3);
  for (size_t i = 0; i < parts.size(); ++i) {
    folder.write(text("m-0000", i + 1, "-of-00003.gguf"), parts[i].file());
  }
  expect_same_bits(opened(folder.file("m-00001-of-00003.gguf")));
}

// Its rotary pairs are put in halves after they are turned, its factors are powers of two.
TEST_P(Forms, MetalGivesTheSameBits) {
  folder.write("model.bin", model::metal_of(reference));
  expect_same_bits(opened(folder.file("model.bin")));
}

class OriginalForm : public Forms {};
TEST_P(OriginalForm, GivesTheSameBits) {
  expect_same_bits(opened(kGoldens + GetParam() + "/original"));
}
INSTANTIATE_TEST_SUITE_P(Goldens, OriginalForm, testing::Values("base", "odd-widths"));

// What Q8_0 does to the numbers is the file's affair; what the engine does with them must be right.
TEST_P(Forms, Q8IsComputedAsItsNumbersSay) {
  const Checkpoint rounded = gguf(GgufMatrices::kQ8_0);
  const auto found = run(rounded, Numerics::kFloat32).floats;
  const Checkpoint same_numbers = gguf(GgufMatrices::kQ8AsF32);
  const auto expected = run(same_numbers, Numerics::kFloat32).floats;
  // Clamps and near ties of experts make much of the last bits.
  const double tolerance = GetParam() == "clamped" ? 5e-4 : 1e-5;
  EXPECT_LE(relative_error(found.at("logits"), expected.at("logits")), tolerance);
  const auto exact = run(reference, Numerics::kFloat32).floats;
  const size_t vocab = reference.config().vocab;
  double worst = 0;
  for (size_t at = 0; at < exact.at("logits").size(); at += vocab) {
    worst = std::max(worst, divergence(&found.at("logits")[at], &exact.at("logits")[at], vocab));
  }
  std::printf("%-13s Q8_0 against bf16: relative error %.2e, divergence <= %.2e\n",
              GetParam().c_str(), relative_error(found.at("logits"), exact.at("logits")), worst);
}

TEST_P(Forms, TiersAndChunksChangeNoBit) {
  for (const GgufMatrices matrices : {GgufMatrices::kQ8_0, GgufMatrices::kF16}) {
    const Checkpoint checkpoint = gguf(matrices);
    const auto tables = kernels::tested_tables();
    const auto expected =
        run(checkpoint, Numerics::kFaithful, 64, tables.front()).floats.at("logits");
    for (const kernels::Table* table : tables) {
      for (const size_t chunk : {64, 1}) {
        EXPECT_TRUE(run(checkpoint, Numerics::kFaithful, chunk, table).floats.at("logits") ==
                    expected)
            << table->name << ", chunks of " << chunk;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, Forms,
                         testing::Values("base", "odd-widths", "clamped", "many-experts",
                                         "all-experts", "one-token", "long"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace vitalis::engine
