// SPDX-License-Identifier: Apache-2.0
// Weights in a layout that no kernel reads are refused in words, not run into nonsense.
#include <gtest/gtest.h>

#include "engine/golden.h"

namespace vitalis::engine {
namespace {

TEST(Layout, WhatNoKernelReadsIsRefused) {
  const auto engine = make_engine({.threads = 1});
  ASSERT_TRUE(engine.ok()) << engine.status().message();
  const auto checkpoint = model::Checkpoint::open(kGoldens + "base");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  model::Weights weights = checkpoint->weights();
  ASSERT_TRUE(Forward::create(*engine, checkpoint->config(), weights, 8).ok());
  weights.norm.type = model::DenseType::kF32;
  weights.rotary_pairs = model::RotaryPairs::kAdjacent;
  weights.layers[1].down_proj.layout = model::Mxfp4Layout::kGgml;
  const auto forward = Forward::create(*engine, checkpoint->config(), weights, 8);
  EXPECT_EQ(forward.status().code(), Code::kUnsupported);
  EXPECT_EQ(forward.status().message(),
            "only weights laid out as in Hugging Face's files can be run; found MXFP4 in ggml's "
            "blocks, dense weights in F32, rotary pairs side by side");
}

}  // namespace
}  // namespace vitalis::engine
