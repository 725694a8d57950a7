// SPDX-License-Identifier: Apache-2.0
#include "engine/sampler.h"

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace vitalis::engine {
namespace {

using Row = Eigen::Map<Eigen::ArrayXf>;
using ConstRow = Eigen::Map<const Eigen::ArrayXf>;

// Weights that are summed, or searched for their largest, together.
constexpr size_t kBlock = 256;
// exp of less than this is not a normal float, and no draw of 53 bits could ever meet it.
constexpr float kLeastExponent = -87;
constexpr float kMostRepetitionPenalty = 100;

Eigen::Index index(size_t n) {
  return static_cast<Eigen::Index>(n);
}
Row row(std::span<float> values) {
  return {values.data(), index(values.size())};
}
ConstRow row(std::span<const float> values) {
  return {values.data(), index(values.size())};
}

// body(i, values of block i) for the blocks of `values`.
template <class T, class Body>
void each_block(std::span<T> values, Body&& body) {
  for (size_t at = 0; at < values.size(); at += kBlock) {
    body(at / kBlock, values.subspan(at, std::min(kBlock, values.size() - at)));
  }
}

// The largest number, -infinity if there is none.
float largest(std::span<const float> values) {
  float most = -INFINITY;
  each_block(values, [&](size_t, std::span<const float> block) {
    const float here = row(block).maxCoeff<Eigen::PropagateNumbers>();
    if (here > most) most = here;
  });
  return most;
}

// exp((values - most) / temperature), 0 for what is not a number.
using Block = Eigen::Array<float, Eigen::Dynamic, 1, 0, kBlock, 1>;
Block exponentials(std::span<const float> values, float most, float temperature) {
  const Block exponents = (row(values) - most) / temperature;
  return (exponents > kLeastExponent).select(exponents.exp(), 0.f);
}

// The ids of the largest numbers, as many as `ids` has room for, in order; returns their number.
size_t most_probable(std::span<const float> logits, std::span<uint32_t> ids) {
  size_t count = 0;
  float least = -INFINITY;  // to be among them, a logit must be larger
  if (ids.empty()) return 0;
  for (uint32_t id = 0; id < logits.size(); ++id) {
    if (!(logits[id] > least)) continue;
    if (count < ids.size()) ++count;
    size_t at = count - 1;
    for (; at > 0 && logits[ids[at - 1]] < logits[id]; --at) ids[at] = ids[at - 1];
    ids[at] = id;
    if (count == ids.size()) least = logits[ids[count - 1]];
  }
  return count;
}

// Copies those that `is_wanted` to `out`, which may begin where `weights` do. As many are wanted as
// not, and in no order, so there is no branch that could be foreseen.
template <class Wanted>
std::span<float> select(std::span<const float> weights, float* out, Wanted&& is_wanted) {
  size_t count = 0;
  for (const float weight : weights) {
    out[count] = weight;
    count += is_wanted(weight);
  }
  return {out, count};
}

uint32_t lowest(TokenMask mask) {
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0)
      return static_cast<uint32_t>(i * 64) + static_cast<uint32_t>(std::countr_zero(mask[i]));
  }
  return 0;
}

Status out_of_range(std::string_view name, std::string_view range, float found) {
  return error(Code::kInvalidArgument, name, ": expected ", range, "; found ", found);
}

}  // namespace

Status Sampling::check(size_t vocab) const {
  // Comparisons are written so that a NaN fails them.
  if (!(temperature > 0 && temperature <= 100)) {
    return out_of_range("temperature", "above 0, at most 100", temperature);
  }
  if (!(top_p > 0 && top_p <= 1)) return out_of_range("top_p", "above 0, at most 1", top_p);
  if (!(min_p >= 0 && min_p <= 1)) return out_of_range("min_p", "0 to 1", min_p);
  if (!(repetition_penalty > 0 && repetition_penalty <= kMostRepetitionPenalty)) {
    return out_of_range("repetition_penalty", "above 0, at most 100", repetition_penalty);
  }
  if (!(presence_penalty >= -2 && presence_penalty <= 2)) {
    return out_of_range("presence_penalty", "-2 to 2", presence_penalty);
  }
  if (!(frequency_penalty >= -2 && frequency_penalty <= 2)) {
    return out_of_range("frequency_penalty", "-2 to 2", frequency_penalty);
  }
  for (const LogitBias& b : bias) {
    if (b.token >= vocab) {
      return error(Code::kInvalidArgument, "bias: token ", b.token,
                   " is outside the vocabulary of ", vocab);
    }
    if (!(b.value < INFINITY)) {
      return error(Code::kInvalidArgument, "bias of token ", b.token,
                   ": expected a number, or -infinity; found ", b.value);
    }
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

// Positive floats are in the order of their bits. So weights are summed by their leading bits, from
// the largest to the smallest of them, and the bin in which the sum is reached is all that is left.
float nucleus_threshold(std::span<float> weights, double sum) {
  constexpr uint32_t kBinBits = 11;
  const auto bits = [](float weight) { return std::bit_cast<uint32_t>(weight); };
  while (true) {
    const uint32_t most = bits(row(weights).maxCoeff()), least = bits(row(weights).minCoeff());
    if (most == least) return weights[0];
    const uint32_t width = std::bit_width(most - least);
    const uint32_t shift = width - std::min(width, kBinBits);
    double sums[1 << kBinBits] = {};
    const auto bin_of = [&](float weight) { return (most - bits(weight)) >> shift; };
    for (const float weight : weights) sums[bin_of(weight)] += weight;
    const uint32_t last = (most - least) >> shift;
    uint32_t bin = 0;
    for (; bin < last && sums[bin] < sum; ++bin) sum -= sums[bin];
    weights = select(weights, weights.data(), [&](float w) { return bin_of(w) == bin; });
  }
}

Sampler::Sampler(size_t vocab)
    : weights_(vocab), order_(vocab), blocks_((vocab + kBlock - 1) / kBlock), counts_(vocab) {
  seen_.reserve(vocab);
  candidates_.reserve(1 + kMostAlternatives + 1);
}

void Sampler::begin(std::span<const uint32_t> prompt) {
  for (const uint32_t token : seen_) counts_[token] = 0;
  seen_.clear();
  for (const uint32_t token : prompt) {
    if (token >= counts_.size() || counts_[token] > 0) continue;
    counts_[token] = 1;
    seen_.push_back(token);
  }
}

void Sampler::take(uint32_t token) {
  if (token >= counts_.size()) return;
  if (counts_[token] == 0) {
    counts_[token] = 1;
    seen_.push_back(token);
  }
  ++counts_[token];
}

// Penalties, bias and mask, on the copy of the logits in weights_.
void Sampler::adjust(const Sampling& sampling, TokenMask allowed) {
  const bool penalties = sampling.repetition_penalty != 1 || sampling.presence_penalty != 0 ||
                         sampling.frequency_penalty != 0;
  for (const uint32_t token : std::span(seen_).first(penalties ? seen_.size() : 0)) {
    float& logit = weights_[token];
    logit = logit > 0 ? logit / sampling.repetition_penalty : logit * sampling.repetition_penalty;
    const auto times = static_cast<float>(counts_[token] - 1);
    if (times > 0) logit -= sampling.presence_penalty + sampling.frequency_penalty * times;
  }
  for (const LogitBias& b : sampling.bias) weights_[b.token] += b.value;
  if (allowed.empty()) return;
  for (size_t word = 0; word * 64 < weights_.size(); ++word) {
    const std::span<float> logits =
        std::span(weights_).subspan(word * 64, std::min<size_t>(64, weights_.size() - word * 64));
    uint64_t banned = word < allowed.size() ? ~allowed[word] : ~uint64_t{0};
    if (banned == ~uint64_t{0}) {
      std::fill(logits.begin(), logits.end(), -INFINITY);
      continue;
    }
    for (; banned != 0; banned &= banned - 1) {
      const auto bit = static_cast<size_t>(std::countr_zero(banned));
      if (bit < logits.size()) logits[bit] = -INFINITY;
    }
  }
}

// The k-th largest weight. Equals of it stay too: which of them to drop would be arbitrary. No
// weight below the k-th largest of the blocks' largest can be it, which leaves few to select from.
float Sampler::threshold_top_k(size_t k) {
  float bound = 0;
  if (k <= blocks_.size()) {
    each_block(std::span<const float>(weights_),
               [&](size_t i, std::span<const float> block) { order_[i] = row(block).maxCoeff(); });
    const auto maxima = std::span(order_).first(blocks_.size());
    std::nth_element(maxima.begin(), maxima.begin() + static_cast<std::ptrdiff_t>(k - 1),
                     maxima.end(), std::greater<>());
    bound = maxima[k - 1];
  }
  const auto end = std::copy_if(weights_.begin(), weights_.end(), order_.begin(),
                                [&](float w) { return w >= bound; });
  const auto kth = order_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(order_.begin(), kth, end, std::greater<>());
  return *kth;
}

// All weights below (1 - p) / count of the whole sum to less than 1 - p of it: they are left out.
float Sampler::threshold_top_p(double p) {
  const double floor = total_ * (1 - p) / static_cast<double>(weights_.size());
  const auto kept =
      select(weights_, order_.data(), [&](float w) { return (w > 0) & (w >= floor); });
  return nucleus_threshold(kept, p * total_);
}

// Drops the weights below `least` and sums the others, by blocks.
void Sampler::cut(float least) {
  total_ = 0;
  each_block(std::span(weights_), [&](size_t i, std::span<float> block) {
    Row weights = row(block);
    weights = (weights >= least).select(weights, 0.f);
    blocks_[i] = weights.sum();
    total_ += blocks_[i];
  });
}

// The token at which the running sum of weights passes `left`: first by blocks, then within one.
uint32_t Sampler::pick(double left) const {
  size_t block = 0, last = 0;
  for (; block < blocks_.size(); ++block) {
    if (blocks_[block] <= 0) continue;
    last = block;
    if (left < blocks_[block]) break;
    left -= blocks_[block];
  }
  const size_t end = std::min(weights_.size(), (last + 1) * kBlock);
  size_t token = 0;
  for (size_t i = last * kBlock; i < end; ++i) {
    if (weights_[i] <= 0) continue;
    token = i;
    left -= weights_[i];
    if (left < 0) break;
  }
  return static_cast<uint32_t>(token);  // if rounding left a crumb, the last one possible
}

uint32_t Sampler::sample(std::span<const float> logits, const Sampling& sampling, uint64_t place,
                         TokenMask allowed) {
  const auto copied =
      std::copy_n(logits.begin(), std::min(logits.size(), weights_.size()), weights_.begin());
  std::fill(copied, weights_.end(), -INFINITY);
  adjust(sampling, allowed);

  const float best = largest(weights_);
  total_ = 0;
  if (best == -INFINITY) {
    certain_ = lowest(allowed);
    return certain_;
  }
  if (sampling.greedy || best == INFINITY) {
    certain_ =
        static_cast<uint32_t>(std::find(weights_.begin(), weights_.end(), best) - weights_.begin());
    return certain_;
  }
  each_block(std::span(weights_), [&](size_t, std::span<float> block) {
    row(block) = exponentials(block, best, sampling.temperature);
  });
  float least = 0;
  if (sampling.top_k > 0 && sampling.top_k < weights_.size()) {
    least = threshold_top_k(sampling.top_k);
  }
  if (sampling.top_p < 1) {
    cut(least);
    least = std::max(least, threshold_top_p(sampling.top_p));
  }
  cut(std::max(least, sampling.min_p));  // the largest weight is 1
  return pick(uniform(sampling.seed, place) * total_);
}

std::span<const Candidate> Sampler::candidates(std::span<const float> logits, uint32_t token,
                                               size_t alternatives) {
  logits = logits.first(std::min(logits.size(), weights_.size()));
  const float best = largest(logits);
  double sum = 0;
  each_block(logits, [&](size_t, std::span<const float> block) {
    sum += exponentials(block, best, 1).sum();
  });
  const double whole = std::isfinite(best) ? best + std::log(sum) : best;
  const auto candidate = [&](uint32_t id) {
    double before = -INFINITY;
    if (id < logits.size() && logits[id] > -INFINITY) {
      before = logits[id] == whole ? 0 : std::min(logits[id] - whole, 0.0);
    }
    return Candidate{id, static_cast<float>(before), after(id)};
  };
  candidates_.assign(1, candidate(token));
  uint32_t found[kMostAlternatives];
  const size_t count = most_probable(logits, {found, std::min(alternatives, kMostAlternatives)});
  for (const uint32_t id : std::span(found).first(count)) candidates_.push_back(candidate(id));
  return candidates_;
}

// The log-probability of `token` in what the last draw was from.
float Sampler::after(uint32_t token) const {
  if (total_ == 0) return token == certain_ ? 0 : -INFINITY;
  if (token >= weights_.size() || weights_[token] <= 0) return -INFINITY;
  return static_cast<float>(std::log(weights_[token] / total_));
}

}  // namespace vitalis::engine
