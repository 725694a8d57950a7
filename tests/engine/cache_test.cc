// SPDX-License-Identifier: Apache-2.0
// Stopping, cutting back and going on: the bits must be those of a run that never stopped.
#include <gtest/gtest.h>

#include "engine/golden.h"

namespace vitalis::engine {
namespace {

class Cache : public testing::Test {
 protected:
  static constexpr size_t kChunk = 16;

  void SetUp() override {
    auto opened = model::Checkpoint::open(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny");
    ASSERT_TRUE(opened.ok());
    checkpoint.emplace(opened.take());
    config = checkpoint->config();
    config.sliding_window = 20;  // so that rings turn over soon
    engine.emplace(make_engine({}).take());
    for (Token i = 0; i < 400; ++i) tokens.push_back(i * 7919 % config.vocab);
  }

  KvCache cache(size_t context = 512) {
    return KvCache::create(config, context, kChunk, engine->kv_type()).take();
  }
  Forward forward() {
    return Forward::create(*engine, config, checkpoint->weights(), kChunk).take();
  }
  // Appends tokens [from, to), and returns the last one's logits.
  std::vector<float> run(Forward& f, KvCache& kv, size_t from, size_t to, size_t chunk = kChunk) {
    std::vector<float> logits(config.vocab);
    while (from < to) {
      const size_t count = std::min(chunk, to - from);
      const Part part{&kv, std::span(tokens).subspan(from, count), false};
      const auto outcome = f.step({&part, 1}, logits.data(), never);
      EXPECT_TRUE(outcome.ok() && *outcome == Outcome::kDone);
      from += count;
    }
    return logits;
  }

  std::optional<model::Checkpoint> checkpoint;
  model::Config config;
  std::optional<Engine> engine;
  std::vector<Token> tokens;
  const std::atomic<bool> never = false;
};

TEST_F(Cache, TruncatesWhileTheRingsHoldTheWindow) {
  Forward f = forward();
  KvCache kv = cache(), fresh = cache();
  run(f, kv, 0, 300);
  const auto expected = run(f, fresh, 0, 295);
  EXPECT_TRUE(kv.can_truncate(290));
  EXPECT_FALSE(kv.can_truncate(200));
  EXPECT_TRUE(kv.can_truncate(0));
  kv.truncate(290);
  EXPECT_EQ(run(f, kv, 290, 295), expected);
}

TEST_F(Cache, RestoresAWindowThatTheRingsHaveLost) {
  Forward f = forward();
  KvCache kv = cache(), fresh = cache();
  run(f, kv, 0, 130);
  KvCache::Window window;
  kv.save(130, window);
  run(f, kv, 130, 300);
  EXPECT_FALSE(kv.can_truncate(130));
  kv.restore(window);
  EXPECT_EQ(kv.size(), 130u);
  EXPECT_EQ(run(f, kv, 130, 200), run(f, fresh, 0, 200));
}

// At every size around the edges of the window and of the blocks, into a cache with other rings,
// and from a place below the end.
TEST_F(Cache, GoesOnInACacheOfAnotherShape) {
  Forward f = forward();
  for (const size_t size : {1, 19, 20, 21, 31, 32, 33, 63, 64, 65, 130}) {
    KvCache kv = cache(), other = cache(size + 97), fresh = cache();
    run(f, kv, 0, size + 9);
    ASSERT_TRUE(kv.can_truncate(size));
    KvCache::Window window;
    kv.save(size, window);
    EXPECT_EQ(window.bytes.size(), other.window_bytes(size));
    EXPECT_LE(window.bytes.size(), KvCache::window_bytes(config, engine->kv_type()));
    const auto from = kv.full(size), to = other.full(size);
    ASSERT_EQ(from.size(), to.size());
    for (size_t i = 0; i < from.size(); ++i) {
      ASSERT_EQ(from[i].size(), to[i].size());
      std::copy(from[i].begin(), from[i].end(), to[i].begin());
    }
    other.restore(window);
    // What was never there is not cut back to.
    EXPECT_EQ(other.can_truncate(size - 1), size < 20);
    EXPECT_EQ(run(f, other, size, size + 90), run(f, fresh, 0, size + 90)) << size;
  }
}

TEST_F(Cache, ACopyGoesOnByItself) {
  Forward f = forward();
  KvCache kv = cache(), fresh = cache();
  run(f, kv, 0, 133);
  KvCache copy = cache();
  copy.copy(kv);
  run(f, kv, 300, 333);
  EXPECT_EQ(copy.size(), 133u);
  EXPECT_TRUE(copy.can_truncate(130));
  EXPECT_EQ(run(f, copy, 133, 200), run(f, fresh, 0, 200));
}

// Cancels at the beginning of layer `layer`.
class CancelAt : public Observer {
 public:
  CancelAt(size_t layer, std::atomic<bool>& flag) : layer_(layer), flag_(flag) {
    if (layer == 0) flag = true;
  }
  void output(size_t layer, std::span<const float>) override {
    last_ = layer;
    if (layer + 1 == layer_) flag_ = true;
  }
  size_t last() const { return last_; }

 private:
  size_t layer_, last_ = 0;
  std::atomic<bool>& flag_;
};

TEST_F(Cache, CancelledStepsLeaveNoTrace) {
  Forward f = forward();
  KvCache fresh = cache();
  const auto expected = run(f, fresh, 0, 200);
  for (size_t layer = 0; layer < config.layers; ++layer) {
    for (size_t at = 0; at < 200; at += kChunk) {
      KvCache kv = cache();
      run(f, kv, 0, at);
      std::atomic<bool> cancel = false;
      CancelAt observer(layer, cancel);
      std::vector<float> logits(config.vocab, 7.f);
      const Part part{&kv, std::span(tokens).subspan(at, kChunk), false};
      const auto outcome = f.step({&part, 1}, logits.data(), cancel, &observer);
      ASSERT_TRUE(outcome.ok() && *outcome == Outcome::kCancelled);
      EXPECT_EQ(observer.last() + 1, std::max<size_t>(layer, 1)) << "a later layer ran";
      EXPECT_EQ(kv.size(), at);
      EXPECT_EQ(logits[0], 7.f);
      EXPECT_EQ(run(f, kv, at, 200), expected);
    }
  }
}

TEST_F(Cache, SequencesDecodedTogetherGetWhatTheyGetAlone) {
  Forward f = forward();
  std::vector<KvCache> alone, together;
  for (size_t i = 0; i < 3; ++i) {
    alone.push_back(cache());
    together.push_back(cache());
    run(f, alone[i], 0, 30 + 40 * i);
    run(f, together[i], 0, 30 + 40 * i);
  }
  const size_t vocab = config.vocab;
  for (size_t step = 0; step < 5; ++step) {
    std::vector<Part> parts;
    std::vector<float> logits(3 * vocab), expected;
    for (size_t i = 0; i < 3; ++i) {
      const size_t at = together[i].size();
      parts.push_back({&together[i], std::span(tokens).subspan(at, 1 + i), false});
      const auto one = run(f, alone[i], at, at + 1 + i);
      expected.insert(expected.end(), one.begin(), one.end());
    }
    const auto outcome = f.step(parts, logits.data(), never);
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(logits, expected) << "step " << step;
  }
}

// One row's attention goes by segments of keys, several rows' row by row.
TEST_F(Cache, KeysFoldedBySegmentsGiveTheSameBits) {
  config.sliding_window = 700;
  const size_t most = (kSegmentsAtOnce + 1) * kernels::kSegment + 90;
  for (Token i = 400; i < most; ++i) tokens.push_back(i * 7919 % config.vocab);
  Forward f = forward();
  KvCache by_rows = cache(most), alone = cache(most);
  size_t at = 0;
  for (const size_t size : {size_t{512}, size_t{514}, size_t{900}, size_t{1026}, most}) {
    run(f, by_rows, at, size - 2);
    run(f, alone, at, size - 2);
    const auto expected = run(f, by_rows, size - 2, size);
    EXPECT_EQ(run(f, alone, size - 2, size, 1), expected) << size;
    at = size;
  }
}

TEST_F(Cache, RefusesWhatDoesNotFit) {
  Forward f = forward();
  KvCache kv = cache(32);
  run(f, kv, 0, 24);
  std::vector<float> logits(config.vocab);
  const auto step = [&](std::vector<Token> ids) {
    const Part part{&kv, ids, false};
    return f.step({&part, 1}, logits.data(), never).status();
  };
  EXPECT_EQ(step(std::vector<Token>(9, 0)).code(), Code::kContextFull);
  EXPECT_EQ(step(std::vector<Token>(17, 0)).code(), Code::kInvalidArgument);
  EXPECT_EQ(step({}).code(), Code::kInvalidArgument);
  EXPECT_EQ(step({config.vocab}).code(), Code::kInvalidArgument);
  EXPECT_EQ(kv.size(), 24u);
  EXPECT_TRUE(step(std::vector<Token>(8, 0)).ok());
}

}  // namespace
}  // namespace vitalis::engine
