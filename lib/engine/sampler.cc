// SPDX-License-Identifier: Apache-2.0
#include "engine/sampler.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace vitalis::engine {
namespace {

using Row = Eigen::Map<Eigen::ArrayXf>;
using ConstRow = Eigen::Map<const Eigen::ArrayXf>;

Eigen::Index index(size_t n) {
  return static_cast<Eigen::Index>(n);
}

uint32_t greedy(std::span<const float> logits) {
  uint32_t best = 0;
  float most = -INFINITY;
  for (uint32_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > most) {
      most = logits[i];
      best = i;
    }
  }
  return best;
}

}  // namespace

Status Sampling::check() const {
  // Comparisons are written so that a NaN fails them.
  if (!(temperature > 0 && temperature <= 100)) {
    return error(Code::kInvalidArgument, "temperature: expected above 0, at most 100; found ",
                 temperature);
  }
  if (!(top_p > 0 && top_p <= 1)) {
    return error(Code::kInvalidArgument, "top_p: expected above 0, at most 1; found ", top_p);
  }
  if (!(min_p >= 0 && min_p <= 1)) {
    return error(Code::kInvalidArgument, "min_p: expected 0 to 1; found ", min_p);
  }
  return {};
}

// The splitmix64 generator (Steele, Lea and Flood 2014), whose n-th output needs no earlier one.
double uniform(uint64_t seed, uint64_t place) {
  const auto mix = [](uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  };
  const uint64_t bits = mix(mix(seed + 0x9E3779B97F4A7C15u) + (place + 1) * 0x9E3779B97F4A7C15u);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

uint32_t Sampler::sample(std::span<const float> logits, const Sampling& sampling, uint64_t place) {
  logits = logits.first(std::min(logits.size(), weights_.size()));
  const uint32_t best = greedy(logits);
  if (sampling.greedy || logits.empty() || !std::isfinite(logits[best])) return best;

  const ConstRow row(logits.data(), index(logits.size()));
  Row weights(weights_.data(), index(logits.size()));
  weights = ((row - logits[best]) / sampling.temperature).exp();
  weights = (weights == weights).select(weights, 0.f);

  float least = sampling.min_p;  // the largest weight is 1
  if (sampling.top_k > 0 && sampling.top_k < logits.size()) {
    least = std::max(least, threshold_top_k(sampling.top_k));
    weights = (weights >= least).select(weights, 0.f);
  }
  if (sampling.top_p < 1) least = std::max(least, threshold_top_p(sampling.top_p));

  const auto kept = [&](float w) { return w >= least && w > 0; };
  double total = 0;
  for (const float w : std::span(weights_).first(logits.size())) total += kept(w) ? w : 0;
  double left = uniform(sampling.seed, place) * total;
  uint32_t last = best;
  for (uint32_t i = 0; i < logits.size(); ++i) {
    if (!kept(weights_[i])) continue;
    last = i;
    left -= weights_[i];
    if (left < 0) return i;
  }
  return last;  // rounding left a crumb
}

// The k-th largest weight. Equals of it stay too: which of them to drop would be arbitrary.
float Sampler::threshold_top_k(size_t k) {
  std::copy(weights_.begin(), weights_.end(), order_.begin());
  const auto kth = order_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(order_.begin(), kth, order_.end(), std::greater<>());
  return *kth;
}

// The smallest weight among the fewest largest ones whose sum reaches p of the whole. Quickselect
// by weight: the part that holds the boundary shrinks, so the work is linear on average.
float Sampler::threshold_top_p(double p) {
  std::copy(weights_.begin(), weights_.end(), order_.begin());
  double missing = p * std::accumulate(order_.begin(), order_.end(), 0.0);
  auto begin = order_.begin(), end = order_.end();
  while (end - begin > 1) {
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end, std::greater<>());
    const double upper = std::accumulate(begin, middle, 0.0);
    if (upper >= missing) {
      end = middle;
    } else {
      missing -= upper;
      begin = middle;
    }
  }
  return *begin;
}

}  // namespace vitalis::engine
