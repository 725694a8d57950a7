// SPDX-License-Identifier: Apache-2.0
// From logits to a token. Linear in the vocabulary: probabilities are selected, never sorted.
// Random numbers come from a counter, so a draw depends on seed and place alone and not on what
// else was drawn. Owns its workspace; one thread at a time; no allocation after create.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace vitalis::engine {

struct Sampling {
  bool greedy = false;    // the largest logit, ties to the lower id
  float temperature = 1;  // > 0
  uint32_t top_k = 0;     // keep the k most probable; 0: all
  float top_p = 1;        // then the fewest that sum to p; (0, 1]
  float min_p = 0;        // then those of at least min_p times the most probable; [0, 1]
  uint64_t seed = 0;

  // kInvalidArgument names the value and its range.
  Status check() const;
};

class Sampler {
 public:
  // `vocab`: logits that take part; rows of the model above it are padding.
  explicit Sampler(size_t vocab) : weights_(vocab), order_(vocab) {}

  // Draw number `place` of the sequence. logits [>= vocab]; NaN counts as impossible. If nothing is
  // possible the answer is 0.
  uint32_t sample(std::span<const float> logits, const Sampling& sampling, uint64_t place);

 private:
  float threshold_top_k(size_t k);
  float threshold_top_p(double p);

  std::vector<float> weights_;  // exp((logit - max) / temperature)
  std::vector<float> order_;    // workspace of the selections
};

// A uniform number in [0, 1) with 53 bits, from a seed and a place.
double uniform(uint64_t seed, uint64_t place);

}  // namespace vitalis::engine
