// SPDX-License-Identifier: Apache-2.0
#include "engine/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vitalis::engine {

Rotary::Rotary(const model::Config& config) : frequency_(config.head_dim / 2) {
  const double dims = config.head_dim;
  const double base = config.rope_theta;
  const model::Yarn& yarn = config.yarn;
  // The dimension whose wave turns `turns` times within the original context.
  const auto dimension = [&](double turns) {
    return dims / 2 * std::log(yarn.original_context / (turns * 2 * std::numbers::pi)) /
           std::log(base);
  };
  double low = dimension(yarn.beta_fast), high = dimension(yarn.beta_slow);
  if (yarn.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  for (size_t i = 0; i < frequency_.size(); ++i) {
    const double plain = std::pow(base, -2.0 * static_cast<double>(i) / dims);
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequency_[i] = yarn.factor > 1 ? plain / yarn.factor * ramp + plain * (1 - ramp) : plain;
  }
  if (yarn.factor > 1) gain_ = 0.1 * std::log(yarn.factor) + 1;
}

void Rotary::at(size_t position, float* cos, float* sin) const {
  for (size_t i = 0; i < frequency_.size(); ++i) {
    const double angle = static_cast<double>(position) * frequency_[i];
    cos[i] = static_cast<float>(std::cos(angle) * gain_);
    sin[i] = static_cast<float>(std::sin(angle) * gain_);
  }
}

}  // namespace vitalis::engine
