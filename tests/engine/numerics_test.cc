// SPDX-License-Identifier: Apache-2.0
// Every number of the forward pass held to the float64 goldens, and shown to depend on neither
// chunks nor threads.
#include <cstdio>
#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include "engine/golden.h"
#include "kernels/tables.h"

namespace vitalis::engine {
namespace {

struct Case {
  const char* name;
  double tolerance;       // float32, logits and traces
  bool bound_divergence;  // faithful
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

constexpr Case kCases[] = {{"base", 1e-5, true},        {"odd-widths", 1e-5, true},
                           {"clamped", 1e-4, false},    {"many-experts", 1e-5, false},
                           {"all-experts", 1e-5, true}, {"one-token", 1e-5, true},
                           {"long", 1e-5, false}};

Engine make(Numerics numerics, int threads = 2, const kernels::Table* table = nullptr) {
  auto engine = make_engine({.threads = threads, .numerics = numerics});
  if (!engine.ok()) throw std::runtime_error(engine.status().message());
  Engine made = engine.take();
  if (table) made.kernels = table;
  return made;
}

model::Checkpoint open(const std::string& name) {
  auto checkpoint = model::Checkpoint::open(kGoldens + name);
  if (!checkpoint.ok()) throw std::runtime_error(checkpoint.status().message());
  return checkpoint.take();
}

class Numeric : public testing::TestWithParam<Case> {
 protected:
  model::Checkpoint checkpoint = open(GetParam().name);
  Golden golden = read_golden(kGoldens + GetParam().name + "/expected.safetensors");

  Recorder run(const Engine& engine, size_t chunk, bool record = false) {
    return run_model(engine, checkpoint.config(), checkpoint.weights(), golden.tokens,
                     {.chunk = chunk, .first_row = golden.first_row, .record = record});
  }
};

TEST_P(Numeric, Float32MatchesTheReference) {
  const Engine engine = make(Numerics::kFloat32);
  const bool traces = golden.floats.contains("embed");
  const Recorder found = run(engine, 64, traces);
  for (const auto& [name, expected] : golden.floats) {
    ASSERT_TRUE(found.floats.contains(name)) << name;
    EXPECT_LE(relative_error(found.floats.at(name), expected), GetParam().tolerance) << name;
  }
  for (const auto& [name, expected] : golden.ints) EXPECT_EQ(found.ints.at(name), expected) << name;
}

TEST_P(Numeric, FaithfulStaysClose) {
  const Engine engine = make(Numerics::kFaithful);
  const bool traces = golden.floats.contains("embed");
  const Recorder found = run(engine, 64, traces);
  const size_t vocab = checkpoint.config().vocab, top = checkpoint.config().experts_per_token;
  const auto& expected = golden.floats.at("logits");
  const auto& logits = found.floats.at("logits");
  ASSERT_EQ(logits.size(), expected.size());
  double worst = 0;
  size_t same = 0;
  for (size_t row = 0; row < logits.size() / vocab; ++row) {
    bool same_experts = true;
    for (const auto& [name, ids] : golden.ints) {
      // The order of near ties does not matter: the set does.
      std::vector<uint32_t> a(ids.begin() + row * top, ids.begin() + (row + 1) * top);
      const auto& other = found.ints.at(name);
      std::vector<uint32_t> b(other.begin() + row * top, other.begin() + (row + 1) * top);
      std::sort(a.begin(), a.end());
      std::sort(b.begin(), b.end());
      same_experts = same_experts && a == b;
    }
    if (!same_experts) continue;
    ++same;
    worst = std::max(worst, divergence(&logits[row * vocab], &expected[row * vocab], vocab));
  }
  std::printf(
      "%-13s relative error %.2e; divergence <= %.2e in %zu of %zu rows with equal experts\n",
      GetParam().name, relative_error(logits, expected), worst, same, logits.size() / vocab);
  EXPECT_GT(same, 0u);
  if (GetParam().bound_divergence) {
    EXPECT_LE(worst, 1e-3);
    EXPECT_LE(relative_error(logits, expected), 1e-2);
  }
}

TEST_P(Numeric, ChunksAndThreadsChangeNoBit) {
  // As a host would that wants more threads than cores.
  const oneapi::tbb::global_control more(oneapi::tbb::global_control::max_allowed_parallelism, 7);
  if (golden.tokens.size() > 1000) golden.tokens.resize(1000);  // past a segment and many windows
  golden.first_row = 0;
  const std::vector<const kernels::Table*> tables = kernels::tested_tables();
  for (const kernels::Table* table : {kernels::available().back(), tables.back()}) {
    const Engine two = make(Numerics::kFaithful, 2, table);
    const auto expected = run(two, golden.tokens.size()).floats.at("logits");
    for (const size_t chunk : {1, 7, 64}) {
      EXPECT_TRUE(run(two, chunk).floats.at("logits") == expected) << "chunks of " << chunk;
    }
    for (const int threads : {1, 7}) {
      const Engine other = make(Numerics::kFaithful, threads, table);
      EXPECT_EQ(other.parallel->threads(), threads);
      EXPECT_TRUE(run(other, 64).floats.at("logits") == expected) << threads << " threads";
    }
  }
}

TEST_P(Numeric, TiersChangeNoBit) {
  if (golden.tokens.size() > 700) golden.tokens.resize(700);
  golden.first_row = golden.tokens.size() > 100 ? golden.tokens.size() - 1 : 0;
  for (const Numerics numerics : {Numerics::kFaithful, Numerics::kFloat32}) {
    const auto tables = kernels::tested_tables();
    const auto expected = run(make(numerics, 2, tables.front()), 64).floats.at("logits");
    for (const kernels::Table* table : tables) {
      const Engine engine = make(numerics, 2, table);
      EXPECT_TRUE(run(engine, 64).floats.at("logits") == expected) << table->name;
      EXPECT_TRUE(run(engine, 5).floats.at("logits") == expected) << table->name << ", chunks of 5";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, Numeric, testing::ValuesIn(kCases), [](const auto& test) {
  std::string name = test.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// ---- each mistake that other engines made must show ----

class NegativeControl : public testing::Test {
 protected:
  model::Checkpoint checkpoint = open("base");
  Golden golden = read_golden(kGoldens + "base/expected.safetensors");
  Engine engine = make(Numerics::kFloat32);
  kernels::Table table = *engine.kernels;

  double error_with(const model::Config& config, const model::Weights& weights) {
    engine.kernels = &table;
    const auto found = run_model(engine, config, weights, golden.tokens, {});
    return relative_error(found.floats.at("logits"), golden.floats.at("logits"));
  }
  double error_with(const model::Config& config) {
    return error_with(config, checkpoint.weights());
  }
};

// What Float32MatchesTheReference allows; every control must be far outside.
constexpr double kTolerance = 1e-5;

TEST_F(NegativeControl, TheRightModelPasses) {
  EXPECT_LE(error_with(checkpoint.config()), kTolerance);
}

TEST_F(NegativeControl, RoundedYarnRange) {
  model::Config config = checkpoint.config();
  config.yarn.truncate = true;
  EXPECT_GT(error_with(config), 10 * kTolerance);
}

TEST_F(NegativeControl, NoSinks) {
  model::Weights weights = checkpoint.weights();
  const std::vector<uint16_t> minus_infinity(checkpoint.config().heads, 0xFF80);
  for (model::Layer& layer : weights.layers) {
    layer.sinks.data = reinterpret_cast<const std::byte*>(minus_infinity.data());
  }
  EXPECT_GT(error_with(checkpoint.config(), weights), 10 * kTolerance);
}

TEST_F(NegativeControl, WindowOffByOne) {
  for (const int step : {-1, 1}) {
    model::Config config = checkpoint.config();
    config.sliding_window += step;
    EXPECT_GT(error_with(config), 10 * kTolerance);
  }
}

TEST_F(NegativeControl, MissingClamp) {
  checkpoint = open("clamped");
  golden = read_golden(kGoldens + "clamped/expected.safetensors");
  model::Config config = checkpoint.config();
  config.swiglu_limit = 1e30f;
  EXPECT_GT(error_with(config), 1e-3);
}

TEST_F(NegativeControl, SoftmaxBeforeTopK) {
  table.top_k = [](const float* logits, size_t n, size_t k, uint32_t* ids, float* shares) {
    std::vector<float> all(n);
    std::vector<uint32_t> order(n);
    kernels::available()[0]->top_k(logits, n, n, order.data(), all.data());
    std::copy_n(order.data(), k, ids);
    std::copy_n(all.data(), k, shares);
  };
  EXPECT_GT(error_with(checkpoint.config()), 10 * kTolerance);
}

TEST_F(NegativeControl, GateAndUpSwapped) {
  table.swiglu = [](const float* x, size_t n, float limit, float* out) {
    std::vector<float> swapped(2 * n);
    for (size_t i = 0; i < 2 * n; ++i) swapped[i] = x[i ^ 1];
    kernels::available()[0]->swiglu(swapped.data(), n, limit, out);
  };
  EXPECT_GT(error_with(checkpoint.config()), 10 * kTolerance);
}

}  // namespace
}  // namespace vitalis::engine
