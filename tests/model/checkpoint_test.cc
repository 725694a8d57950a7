// SPDX-License-Identifier: Apache-2.0
// Opening whole checkpoints: every golden, the demonstration model, and OpenAI's own layout.
#include "model/checkpoint.h"

#include <gtest/gtest.h>
#include <string>

namespace vitalis::model {
namespace {

const std::string kGoldens = VITALIS_SOURCE_DIR "/tests/goldens/numerics/";

TEST(Checkpoint, OpensEveryGolden) {
  for (const char* name : {"base", "odd-widths", "clamped", "many-experts", "all-experts",
                           "one-token", "long", "base/original", "odd-widths/original"}) {
    const auto checkpoint = Checkpoint::open(kGoldens + name);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
    EXPECT_EQ(checkpoint->weights().layers.size(), checkpoint->config().layers) << name;
  }
}

TEST(Checkpoint, OpensTheDemonstrationModel) {
  const auto checkpoint = Checkpoint::open(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  EXPECT_EQ(checkpoint->format(), "safetensors");
}

}  // namespace
}  // namespace vitalis::model
