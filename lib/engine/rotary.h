// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding with YaRN (Peng et al. 2023, arXiv:2309.00071): the frequencies, and
// the cosines and sines of given positions, computed in double.
#pragma once

#include <cstddef>
#include <vector>

#include "model/config.h"

namespace vitalis::engine {

class Rotary {
 public:
  explicit Rotary(const model::Config& config);

  // cos, sin [head_dim / 2] at `position`, times YaRN's attention factor 0.1 ln(factor) + 1.
  void at(size_t position, float* cos, float* sin) const;

 private:
  std::vector<double> frequency_;  // radians a position
  double gain_ = 1;
};

}  // namespace vitalis::engine
