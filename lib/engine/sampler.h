// SPDX-License-Identifier: Apache-2.0
// From logits to a token. Linear in the vocabulary: probabilities are selected, never sorted.
// Random numbers come from a counter, so a draw depends on its logits, seed, place and the tokens
// before it, and not on what else was drawn. Owns its workspace and remembers the tokens that
// penalties count; one thread at a time; sample() and take() allocate nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace vitalis::engine {

struct LogitBias {
  uint32_t token;
  float value;  // added to the logit; -infinity bans the token
};

// What happens to the logits, in this order: penalties, bias, mask, temperature, top-k, top-p,
// min-p. Greedy ends after the mask.
struct Sampling {
  bool greedy = false;    // the largest logit, ties to the lower id
  float temperature = 1;  // > 0
  uint32_t top_k = 0;     // keep the k most probable; 0: all
  float top_p = 1;        // then the fewest that sum to p; (0, 1]
  float min_p = 0;        // then those of at least min_p times the most probable; [0, 1]
  // Of tokens in the prompt or the answer, a positive logit is divided by it, another multiplied.
  float repetition_penalty = 1;  // > 0
  // Of tokens in the answer, a logit loses `presence` once, and `frequency` for each time.
  float presence_penalty = 0;   // [-2, 2]
  float frequency_penalty = 0;  // [-2, 2]
  std::vector<LogitBias> bias;  // if a token is named twice, both count
  uint64_t seed = 0;

  // kInvalidArgument names the value and its range. `vocab`: ids that a bias may name.
  Status check(size_t vocab) const;
};

// A token's log-probability by the model alone, and in the distribution that was drawn from, with
// -infinity for what that excludes.
struct Candidate {
  uint32_t token;
  float before;
  float after;
};

// A set of tokens, one bit for each id from the lowest bit of the first word; ids beyond its end
// are not in it. An empty span stands for all tokens.
using TokenMask = std::span<const uint64_t>;

class Sampler {
 public:
  static constexpr size_t kMostAlternatives = 20;

  // `vocab`: logits that take part; rows of the model above it are padding.
  explicit Sampler(size_t vocab);

  // What penalties count: begin() forgets all and sees a prompt, take() adds a token of the answer,
  // whether it was drawn or not.
  void begin(std::span<const uint32_t> prompt);
  void take(uint32_t token);

  // Draw number `place` of the sequence, from the tokens in `allowed`. logits [>= vocab]; NaN
  // counts as impossible. If nothing is possible the answer is the lowest allowed id, or 0.
  uint32_t sample(std::span<const float> logits, const Sampling& sampling, uint64_t place,
                  TokenMask allowed = {});

  // Of the last draw, with the same logits: `token`, then the `alternatives` (at most
  // kMostAlternatives) most probable ones before the transformations, ties to the lower id; fewer
  // if not as many are possible. Valid until the next call.
  std::span<const Candidate> candidates(std::span<const float> logits, uint32_t token,
                                        size_t alternatives);

 private:
  void adjust(const Sampling& sampling, TokenMask allowed);
  float threshold_top_k(size_t k);
  float threshold_top_p(double p);
  void cut(float least);
  uint32_t pick(double left) const;
  float after(uint32_t token) const;

  std::vector<float> weights_;    // adjusted logits, then exp((logit - max) / temperature), cut
  std::vector<float> order_;      // workspace of the selections
  std::vector<double> blocks_;    // sums of kBlock weights each
  std::vector<uint32_t> counts_;  // of each token: 0 not seen, else 1 + times in the answer
  std::vector<uint32_t> seen_;    // the tokens whose count is not 0
  std::vector<Candidate> candidates_;
  double total_ = 0;      // of the weights; 0: there was no choice, but only
  uint32_t certain_ = 0;  // this token
};

// The smallest of the fewest largest weights that reach `sum`, or of all if they do not. They are
// above 0, and one at least; what is in their places afterwards has no meaning.
float nucleus_threshold(std::span<float> weights, double sum);

// A uniform number in [0, 1) with 53 bits, from a seed and a place.
double uniform(uint64_t seed, uint64_t place);

}  // namespace vitalis::engine
