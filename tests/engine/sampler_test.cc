// SPDX-License-Identifier: Apache-2.0
#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <map>

namespace vitalis::engine {
namespace {

const std::vector<float> kLogits = {2.0f, 1.0f, -1.0f, 2.0f, 0.5f, -INFINITY, 1.5f, NAN};

std::vector<int> draw(Sampling sampling, int draws, TokenMask allowed = {},
                      const std::vector<float>& logits = kLogits) {
  Sampler sampler(logits.size());
  std::vector<int> counts(logits.size());
  sampling.seed = 7;
  for (int i = 0; i < draws; ++i) ++counts[sampler.sample(logits, sampling, i, allowed)];
  return counts;
}

// Pearson's statistic against the exact distribution over `allowed`, which must hold all draws.
double chi_squared(const std::vector<int>& counts, float temperature,
                   const std::vector<size_t>& allowed, const std::vector<float>& logits = kLogits) {
  double total = 0, statistic = 0;
  int draws = 0, seen = 0;
  for (const int n : counts) draws += n;
  for (const size_t i : allowed) total += std::exp(logits[i] / temperature);
  for (const size_t i : allowed) {
    const double expected = draws * std::exp(logits[i] / temperature) / total;
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

TEST(Sampler, FollowsTheMask) {
  const std::vector<uint64_t> mask = {0b01011010};  // 1, 3, 4, 6
  EXPECT_LT(chi_squared(draw({}, 100000, mask), 1, {1, 3, 4, 6}), 16.3);
  EXPECT_LT(chi_squared(draw({.top_k = 2}, 100000, mask), 1, {3, 6}), 10.9);
  Sampler sampler(kLogits.size());
  EXPECT_EQ(sampler.sample(kLogits, {.greedy = true}, 0, mask), 3u);
  const std::vector<uint64_t> impossible = {0b10100000};
  EXPECT_EQ(sampler.sample(kLogits, {}, 0, impossible), 5u);
  EXPECT_EQ(sampler.sample(kLogits, {.greedy = true}, 0, impossible), 5u);
  // Words that the mask lacks allow nothing.
  const std::vector<float> many(200, 0.f);
  const std::vector<uint64_t> short_mask = {0, 0b110};
  Sampler wide(many.size());
  for (int i = 0; i < 100; ++i) {
    const uint32_t token = wide.sample(many, {.seed = 1}, i, short_mask);
    EXPECT_TRUE(token == 65 || token == 66) << token;
  }
}

// Thousands of weights, over several blocks: drawn by blocks, and cut by thresholds that are found
// without sorting.
TEST(Sampler, SelectsAsASortWould) {
  std::vector<float> logits(3000);
  for (size_t i = 0; i < logits.size(); ++i) {
    logits[i] = static_cast<float>(6 * uniform(3, i) - (i % 7 == 0 ? 4 : 0));
  }
  std::vector<size_t> order(logits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  const auto first = [&](size_t n) {
    return std::vector<size_t>(order.begin(), order.begin() + n);
  };
  // 99.9 % of chi-squared with 11 and 39 degrees of freedom.
  EXPECT_LT(chi_squared(draw({.top_k = 12}, 50000, {}, logits), 1, first(12), logits), 31.3);
  EXPECT_LT(chi_squared(draw({.top_k = 40}, 50000, {}, logits), 1, first(40), logits), 72.1);
  // More than there are blocks of weights.
  for (const uint32_t k : {1u, 11u, 12u, 13u, 1000u, 2999u, 3000u, 5000u}) {
    std::vector<bool> kept(logits.size());
    for (const size_t i : first(std::min<size_t>(k, logits.size()))) kept[i] = true;
    Sampler sampler(logits.size());
    for (int i = 0; i < 500; ++i) {
      EXPECT_TRUE(kept[sampler.sample(logits, {.temperature = 9, .top_k = k}, i)]) << k;
    }
  }
  double total = 0;
  for (const float logit : logits) total += std::exp(logit);
  for (const float p : {0.001f, 0.1f, 0.5f, 0.9f, 0.999f}) {
    std::vector<bool> kept(logits.size());
    double sum = 0;
    size_t count = 0;
    for (; sum < p * total * (1 - 1e-6); ++count) {
      kept[order[count]] = true;
      sum += std::exp(logits[order[count]]);
    }
    const auto counts = draw({.top_p = p}, 3000, {}, logits);
    for (size_t i = 0; i < logits.size(); ++i) EXPECT_TRUE(counts[i] == 0 || kept[i]) << p;
    EXPECT_GT(counts[order[0]], 0);
  }
}

// The plain twin of nucleus_threshold.
float sorted_threshold(std::vector<float> weights, double sum) {
  std::sort(weights.begin(), weights.end(), std::greater<>());
  double reached = 0;
  for (const float weight : weights) {
    reached += weight;
    if (reached >= sum) return weight;
  }
  return weights.back();
}

// Logits of many shapes, by a number for each.
constexpr size_t kShapes = 9;
std::vector<float> shaped_logits(size_t shape, size_t count) {
  std::vector<float> logits(count);
  for (size_t i = 0; i < count; ++i) {
    const double u = uniform(shape, i);
    const double shapes[kShapes] = {
        0,                            // all alike
        1e-6 * u,                     // alike but for the last bits
        u,                            // flat
        30 * u,                       // peaked
        u < 0.5 ? 0.0 : -1.0,         // of two values
        u < 0.5 ? 0.0 : -1e-7,        // that are neighbours
        std::floor(8 * u),            // tied
        i == count / 2 ? 20 : u,      // one, and a flat rest
        u < 0.7 ? -INFINITY : 3 * u,  // mostly impossible
    };
    logits[i] = static_cast<float>(shapes[shape]);
  }
  if (logits[0] == -INFINITY) logits[0] = 0;
  return logits;
}
constexpr float kShares[] = {1e-6f, 1e-3f, 0.1f,   0.25f,   0.5f,       0.75f,
                             0.9f,  0.99f, 0.999f, 0.9999f, 0.9999999f, 1.f};

TEST(Sampler, FindsTheNucleusAsASortWould) {
  for (const size_t count : {1, 2, 3, 5, 255, 3000, 200019}) {
    for (size_t shape = 0; shape < kShapes; ++shape) {
      const std::vector<float> logits = shaped_logits(shape, count);
      const float best = *std::max_element(logits.begin(), logits.end());
      std::vector<float> weights;
      double total = 0;
      for (const float logit : logits) {
        // Multiples of 2^-34, of which sums are exact in any order.
        const double weight = std::floor(std::exp(logit - best) * 0x1p34 + 1) * 0x1p-34;
        total += weights.emplace_back(static_cast<float>(weight));
      }
      for (const float p : kShares) {
        std::vector<float> moved = weights;
        ASSERT_EQ(nucleus_threshold(moved, p * total), sorted_threshold(weights, p * total))
            << count << " of shape " << shape << ", " << p;
      }
      // More than there is: all of them.
      const float least = *std::min_element(weights.begin(), weights.end());
      EXPECT_EQ(nucleus_threshold(weights, 2 * total), least);
    }
  }
}

// What a draw was from is what the twin keeps of the same logits.
TEST(Sampler, KeepsTheNucleus) {
  for (const size_t count : {1, 2, 3, 7, 300}) {
    for (size_t shape = 0; shape < kShapes; ++shape) {
      const std::vector<float> logits = shaped_logits(shape, count);
      const float best = *std::max_element(logits.begin(), logits.end());
      std::vector<float> weights;
      double total = 0;
      for (const float logit : logits) total += weights.emplace_back(std::exp(logit - best));
      Sampler sampler(count);
      for (const float p : kShares) {
        if (p > 0.9999f && p < 1) continue;  // nearer to 1 than a sum of floats is exact
        const float least = p < 1 ? sorted_threshold(weights, p * total) : 0;
        const uint32_t token = sampler.sample(logits, {.top_p = p, .seed = 5}, shape);
        EXPECT_GE(weights[token], least);
        for (uint32_t i = 0; i < count; ++i) {
          EXPECT_EQ(sampler.candidates(logits, i, 0)[0].after > -INFINITY,
                    weights[i] > 0 && weights[i] >= least)
              << count << " of shape " << shape << ", " << p << ", " << i;
        }
      }
    }
  }
}

// What a seed draws is a promise.
TEST(Sampler, DrawsWhatItDrew) {
  std::vector<float> logits(3000);
  for (size_t i = 0; i < logits.size(); ++i) {
    logits[i] = static_cast<float>(6 * uniform(3, i) - (i % 7 == 0 ? 4 : 0));
  }
  Sampler sampler(logits.size());
  const std::pair<float, std::vector<uint32_t>> drawn[] = {
      {1e-6f, {2262, 2262, 2262, 2262, 2262, 2262}}, {0.1f, {1248, 2927, 1678, 173, 2175, 173}},
      {0.5f, {1019, 2925, 1515, 129, 2139, 129}},    {0.9f, {1060, 2897, 1462, 153, 2024, 153}},
      {0.999f, {1058, 2897, 1464, 165, 2033, 170}},  {1.f, {1058, 2897, 1465, 165, 2033, 170}},
  };
  for (const auto& [p, tokens] : drawn) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      EXPECT_EQ(sampler.sample(logits, {.top_p = p, .seed = 42}, i), tokens[i]) << p;
    }
  }
}

TEST(Sampler, PenaltiesAndBiasMoveLogits) {
  Sampler sampler(kLogits.size());
  const std::vector<uint32_t> prompt = {0, 2, 2, 99};
  sampler.begin(prompt);
  for (const uint32_t token : {3, 3, 4}) sampler.take(token);
  Sampling sampling = {.repetition_penalty = 1.25f,
                       .presence_penalty = 0.25f,
                       .frequency_penalty = 0.5f,
                       .bias = {{1, 1.5f}, {6, -INFINITY}, {1, -1.f}},
                       .seed = 7};
  // Tokens of the prompt are repetitions only; 3 came twice in the answer, 4 once.
  const std::vector<float> moved = {1.6f,         1.5f,      -1.25f,    1.6f - 1.25f,
                                    0.4f - 0.75f, -INFINITY, -INFINITY, NAN};
  std::vector<int> counts(kLogits.size());
  for (int i = 0; i < 100000; ++i) ++counts[sampler.sample(kLogits, sampling, i)];
  EXPECT_LT(chi_squared(counts, 1, {0, 1, 2, 3, 4}, moved), 18.5);
  sampling.greedy = true;
  EXPECT_EQ(sampler.sample(kLogits, sampling, 0), 0u);
  sampling.bias.push_back({4, 10});
  EXPECT_EQ(sampler.sample(kLogits, sampling, 0), 4u);
  sampler.begin({});
  EXPECT_EQ(sampler.sample(kLogits, {.greedy = true, .repetition_penalty = 50}, 0), 0u);
}

TEST(Sampler, TellsProbabilitiesBeforeAndAfter) {
  Sampler sampler(kLogits.size());
  double whole = 0;
  for (const size_t i : {0, 1, 2, 3, 4, 6}) whole += std::exp(kLogits[i]);
  whole = std::log(whole);
  const Sampling sampling = {.temperature = 2, .top_k = 3, .bias = {{0, -INFINITY}, {4, 3.f}}};
  sampler.sample(kLogits, sampling, 0);  // from 4 (3.5), 3 (2) and 6 (1.5)
  const double after = std::log(std::exp(1.75) + std::exp(1.0) + std::exp(0.75));
  const auto found = sampler.candidates(kLogits, 4, 4);
  ASSERT_EQ(found.size(), 5u);
  const uint32_t expected[] = {4, 0, 3, 6, 1};
  const double moved[] = {1.75, -INFINITY, 1.0, 0.75, -INFINITY};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(found[i].token, expected[i]);
    EXPECT_NEAR(found[i].before, kLogits[expected[i]] - whole, 1e-6);
    if (std::isinf(moved[i])) {
      EXPECT_EQ(found[i].after, -INFINITY);
    } else {
      EXPECT_NEAR(found[i].after, moved[i] - after, 1e-6);
    }
  }
  // Fewer are possible than asked for; what is impossible has no probability.
  EXPECT_EQ(sampler.candidates(kLogits, 7, 20).size(), 7u);
  EXPECT_EQ(sampler.candidates(kLogits, 7, 0)[0].before, -INFINITY);
  // Greedy leaves no choice.
  const uint32_t best = sampler.sample(kLogits, {.greedy = true}, 0);
  EXPECT_EQ(sampler.candidates(kLogits, best, 1)[0].after, 0);
  EXPECT_EQ(sampler.candidates(kLogits, 3, 1)[0].after, -INFINITY);
  EXPECT_NEAR(sampler.candidates(kLogits, 3, 1)[0].before, 2 - whole, 1e-6);
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
        Sampling{.min_p = -0.1f}, Sampling{.min_p = 2}, Sampling{.min_p = NAN},
        Sampling{.repetition_penalty = 0}, Sampling{.repetition_penalty = -1},
        Sampling{.repetition_penalty = NAN}, Sampling{.presence_penalty = 2.1f},
        Sampling{.presence_penalty = NAN}, Sampling{.frequency_penalty = -2.1f},
        Sampling{.frequency_penalty = NAN}, Sampling{.bias = {{8, 1.f}}},
        Sampling{.bias = {{1, NAN}}}, Sampling{.bias = {{1, INFINITY}}}}) {
    EXPECT_EQ(bad.check(8).code(), Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace vitalis::engine
