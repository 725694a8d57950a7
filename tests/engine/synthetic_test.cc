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

  // The last row's logits and traces against the golden; experts are those of all 48 rows.
  void run(Numerics numerics, double tolerance, bool exact_experts) {
    auto checkpoint = model::Checkpoint::open(folder_);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
    const auto engine = make_engine({.numerics = numerics});
    ASSERT_TRUE(engine.ok());
    const Golden golden =
        read_golden(kGoldens + "synthetic-20b-" + layers_ + "-layers.safetensors");
    const Recorder found = run_model(*engine, checkpoint->config(), checkpoint->weights(),
                                     golden.tokens, {.chunk = 48, .first_row = 0, .record = true});
    const size_t vocab = checkpoint->config().vocab;
    const auto& all = found.floats.at("logits");
    const std::vector<float> last(all.end() - static_cast<std::ptrdiff_t>(vocab), all.end());
    const double error = relative_error(last, golden.floats.at("last_logits"));
    size_t same = 0, rows = 0;
    for (const auto& [name, expected] : golden.ints) {
      if (!name.ends_with("experts")) continue;
      const auto& ids = found.ints.at(name);
      for (size_t i = 0; i < ids.size(); i += 4, ++rows) {
        same += std::is_permutation(ids.begin() + i, ids.begin() + i + 4, expected.begin() + i);
      }
    }
    std::printf("%s layers: relative error %.2e, divergence %.2e, same experts in %zu of %zu\n",
                layers_.c_str(), error,
                divergence(last.data(), golden.floats.at("last_logits").data(), vocab), same, rows);
    EXPECT_LE(error, tolerance);
    if (exact_experts) {
      EXPECT_EQ(same, rows);
    }
  }

  static inline std::string layers_;
  static inline fs::path folder_;
  static inline bool keep_ = false;
};

// One test, because ctest runs each in a process of its own and the checkpoint takes a while to
// write.
TEST_F(Synthetic, MatchesTheReference) {
  run(Numerics::kFloat32, 1e-5, layers_ == "2");
  run(Numerics::kFaithful, layers_ == "2" ? 2e-2 : 1, false);
}

}  // namespace
}  // namespace vitalis::engine
