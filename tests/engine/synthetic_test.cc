// SPDX-License-Identifier: Apache-2.0
// The true widths of gpt-oss-20b, with weights that follow from a rule. By default two layers (3.3
// GB of disk while the test runs). VITALIS_SYNTHETIC_LAYERS=24 runs the full size (13.8 GB), and
// VITALIS_SYNTHETIC_DIR names a folder in which the checkpoint is kept for the next time.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

#include "engine/golden.h"
#include "synthetic/checkpoint_writer.h"

namespace vitalis::engine {
namespace {

namespace fs = std::filesystem;

class Synthetic : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* layers = std::getenv("VITALIS_SYNTHETIC_LAYERS");
    layers_ = layers ? layers : "2";
    const char* keep = std::getenv("VITALIS_SYNTHETIC_DIR");
    folder_ = keep ? keep : fs::temp_directory_path() / "vitalis-synthetic-test";
    keep_ = keep != nullptr;
    if (fs::exists(folder_ / "config.json")) return;
    fs::create_directories(folder_);
    const auto written = synthetic::write_checkpoint(
        synthetic::gpt_oss_20b(static_cast<uint32_t>(std::stoul(layers_))), folder_, 3);
    ASSERT_TRUE(written.ok()) << written.message();
  }
  static void TearDownTestSuite() {
    if (!keep_) fs::remove_all(folder_);
  }

  struct Outcome {
    double error, divergence;  // of the last row's logits
    size_t same, rows;         // rows and layers in which the golden's experts were chosen
    float widest_flip;         // the largest gap of router logits that a flip bridged
  };

  // With `forced`, each row takes the golden's experts, whatever its logits say.
  Outcome run(Numerics numerics, bool forced) {
    auto checkpoint = model::Checkpoint::open(folder_);
    if (!checkpoint.ok()) throw std::runtime_error(checkpoint.status().message());
    auto engine = make_engine({.numerics = numerics});
    if (!engine.ok()) throw std::runtime_error(engine.status().message());
    const Golden golden =
        read_golden(kGoldens + "synthetic-20b-" + layers_ + "-layers.safetensors");
    Routing routing(golden, checkpoint->config().layers, *engine->kernels, forced);
    kernels::Table table = *engine->kernels;
    table.top_k = [](const float* logits, size_t n, size_t k, uint32_t* ids, float* shares) {
      Routing::current->choose(logits, n, k, ids, shares);
    };
    engine->kernels = &table;
    const Recorder found = run_model(*engine, checkpoint->config(), checkpoint->weights(),
                                     golden.tokens, {.chunk = golden.tokens.size()});
    const size_t vocab = checkpoint->config().vocab;
    const auto& all = found.floats.at("logits");
    const std::vector<float> last(all.end() - static_cast<std::ptrdiff_t>(vocab), all.end());
    const auto& expected = golden.floats.at("last_logits");
    const Outcome outcome = {relative_error(last, expected),
                             divergence(last.data(), expected.data(), vocab), routing.same,
                             routing.calls, routing.widest_flip};
    std::printf(
        "%s layers, %s%s: relative error %.2e, divergence %.2e, same experts in %zu of %zu, "
        "flips bridge at most %.4f\n",
        layers_.c_str(), numerics == Numerics::kFaithful ? "faithful" : "float32",
        forced ? ", routed as the reference" : "", outcome.error, outcome.divergence, outcome.same,
        outcome.rows, outcome.widest_flip);
    return outcome;
  }

  // Stands in for top_k. The rows fit one panel, so calls come layer by layer, row by row.
  struct Routing {
    Routing(const Golden& golden, size_t layers, const kernels::Table& table, bool force)
        : choose_best(table.top_k), forced(force) {
      for (size_t i = 0; i < layers; ++i) {
        const auto& ids = golden.ints.at("layer." + std::to_string(i) + ".experts");
        expected.insert(expected.end(), ids.begin(), ids.end());
      }
      current = this;
    }

    void choose(const float* logits, size_t n, size_t k, uint32_t* ids, float* shares) {
      const uint32_t* wanted = &expected[calls++ * k];
      choose_best(logits, n, k, ids, shares);
      if (std::is_permutation(ids, ids + k, wanted)) {
        ++same;
        return;
      }
      float worst = INFINITY;
      for (size_t i = 0; i < k; ++i) worst = std::min(worst, logits[wanted[i]]);
      widest_flip = std::max(widest_flip, logits[ids[k - 1]] - worst);
      if (!forced) return;
      float sum = 0;
      for (size_t i = 0; i < k; ++i) sum += shares[i] = std::exp(logits[wanted[i]] - worst);
      for (size_t i = 0; i < k; ++i) shares[i] /= sum;
      std::copy_n(wanted, k, ids);
    }

    decltype(kernels::Table::top_k) choose_best;
    bool forced;
    std::vector<uint32_t> expected;
    size_t calls = 0, same = 0;
    float widest_flip = 0;
    static inline Routing* current;
  };

  static inline std::string layers_;
  static inline fs::path folder_;
  static inline bool keep_ = false;
};

// One test, because ctest runs each in a process of its own and the checkpoint takes a while to
// write. The weights are random and so is the routing: bf16 activations flip experts at near ties,
// and what follows a flip differs. So the arithmetic is judged under the reference's routing, and
// flips by how near the ties were.
TEST_F(Synthetic, MatchesTheReference) {
  const Outcome exact = run(Numerics::kFloat32, false);
  const Outcome routed = run(Numerics::kFaithful, true);
  const Outcome faithful = run(Numerics::kFaithful, false);
  if (layers_ != "2") return;
  EXPECT_LE(exact.error, 1e-5);
  EXPECT_EQ(exact.same, exact.rows);
  EXPECT_LE(routed.error, 2e-2);
  EXPECT_LE(routed.widest_flip, 0.05f);
  EXPECT_LE(faithful.divergence, 2e-3);
}

}  // namespace
}  // namespace vitalis::engine
