// SPDX-License-Identifier: Apache-2.0
#include "engine/sampler.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>

namespace vitalis::engine {
namespace {

const std::vector<float> kLogits = {2.0f, 1.0f, -1.0f, 2.0f, 0.5f, -INFINITY, 1.5f, NAN};

std::vector<int> draw(Sampling sampling, int draws) {
  Sampler sampler(kLogits.size());
  std::vector<int> counts(kLogits.size());
  sampling.seed = 7;
  for (int i = 0; i < draws; ++i) ++counts[sampler.sample(kLogits, sampling, i)];
  return counts;
}

// Pearson's statistic against the exact distribution over `allowed`, which must hold all draws.
double chi_squared(const std::vector<int>& counts, float temperature, std::vector<size_t> allowed) {
  double total = 0, statistic = 0;
  int draws = 0, seen = 0;
  for (const int n : counts) draws += n;
  for (const size_t i : allowed) total += std::exp(kLogits[i] / temperature);
  for (const size_t i : allowed) {
    const double expected = draws * std::exp(kLogits[i] / temperature) / total;
    statistic += std::pow(counts[i] - expected, 2) / expected;
    seen += counts[i];
  }
  EXPECT_EQ(seen, draws);
  return statistic;
}

TEST(Sampler, FollowsTheExactDistribution) {
  // 99.9 % of chi-squared with 5, 2, 3 and 4 degrees of freedom.
  EXPECT_LT(chi_squared(draw({}, 100000), 1, {0, 1, 2, 3, 4, 6}), 20.5);
  EXPECT_LT(chi_squared(draw({.temperature = 2.5f}, 100000), 2.5f, {0, 1, 2, 3, 4, 6}), 20.5);
  EXPECT_LT(chi_squared(draw({.top_k = 3}, 100000), 1, {0, 3, 6}), 13.8);
  // Shares: 0.31 0.31 0.19 0.11 0.07 0.02; the first three sum to 0.80.
  EXPECT_LT(chi_squared(draw({.top_p = 0.7f}, 100000), 1, {0, 3, 6}), 13.8);
  EXPECT_LT(chi_squared(draw({.top_p = 0.85f}, 100000), 1, {0, 1, 3, 6}), 16.3);
  EXPECT_LT(chi_squared(draw({.min_p = 0.2f}, 100000), 1, {0, 1, 3, 4, 6}), 18.5);
}

TEST(Sampler, GreedyTakesTheLowestOfEquals) {
  Sampler sampler(kLogits.size());
  EXPECT_EQ(sampler.sample(kLogits, {.greedy = true}, 0), 0u);
  const std::vector<float> nothing(4, NAN);
  EXPECT_EQ(Sampler(4).sample(nothing, {}, 0), 0u);
}

TEST(Sampler, PaddingIsNeverDrawn) {
  const std::vector<float> logits = {0, 0, 100};
  Sampler sampler(2);
  for (int i = 0; i < 100; ++i) EXPECT_LT(sampler.sample(logits, {}, i), 2u);
  EXPECT_LT(sampler.sample(logits, {.greedy = true}, 0), 2u);
}

TEST(Sampler, ADrawDependsOnSeedAndPlaceAlone) {
  Sampler a(kLogits.size()), b(kLogits.size());
  const Sampling sampling{.top_p = 0.9f, .seed = 42};
  std::vector<uint32_t> forwards, backwards(100);
  for (int i = 0; i < 100; ++i) forwards.push_back(a.sample(kLogits, sampling, i));
  for (int i = 99; i >= 0; --i) backwards[i] = b.sample(kLogits, sampling, i);
  EXPECT_EQ(forwards, backwards);
}

TEST(Sampler, RefusesSenselessValues) {
  EXPECT_TRUE(Sampling{}.check(8).ok());
  for (const Sampling& bad :
       {Sampling{.temperature = 0}, Sampling{.temperature = -1}, Sampling{.temperature = NAN},
        Sampling{.top_p = 0}, Sampling{.top_p = 1.1f}, Sampling{.top_p = NAN},
        Sampling{.min_p = -0.1f}, Sampling{.min_p = 2}, Sampling{.min_p = NAN}}) {
    EXPECT_EQ(bad.check(8).code(), Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace vitalis::engine
