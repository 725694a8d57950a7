// SPDX-License-Identifier: Apache-2.0
#include "engine/scratch.h"

#include <algorithm>

namespace vitalis::engine {

size_t panel_count(size_t rows) {
  return (rows + kPanelRows - 1) / kPanelRows;
}

size_t packed_bound(size_t rows, size_t panels, size_t k) {
  return 4 * (rows + 15 * panels) * ((k + 511) / 512 * 512) + 64 * panels;
}

ScratchPlan::ScratchPlan(const model::Config& c, size_t rows, ArenaPlan& plan) {
  const size_t slots = rows * c.experts_per_token;
  const size_t panels = panel_count(rows);
  const size_t expert_panels = slots / kPanelRows + std::min<size_t>(slots, c.experts);
  x_ = plan.add<float>("residual", rows * c.hidden);
  normed_ = plan.add<float>("normed", rows * c.hidden);
  qkv_ = plan.add<float>("qkv", rows * (c.q_width() + 2 * c.kv_width()));
  attention_ = plan.add<float>("attention", rows * c.q_width());
  const size_t states = (kSegmentsAtOnce + 1) * c.heads;
  segment_max_ = plan.add<float>("segment_max", states);
  segment_sum_ = plan.add<float>("segment_sum", states);
  segment_out_ = plan.add<float>("segment_out", states * c.head_dim);
  projected_ = plan.add<float>("projected", rows * c.hidden);
  cos_ = plan.add<float>("cos", rows * c.head_dim / 2);
  sin_ = plan.add<float>("sin", rows * c.head_dim / 2);
  // One buffer serves every product in turn; the experts' is the largest.
  packed_ = plan.add_bytes(
      "packed",
      std::max({packed_bound(rows, panels, c.hidden), packed_bound(rows, panels, c.q_width()),
                packed_bound(slots, expert_panels, std::max(c.hidden, c.intermediate))}));
  router_logits_ = plan.add<float>("router_logits", rows * c.experts);
  packed_router_ = plan.add_bytes("packed_router", packed_bound(rows, panels, c.hidden));
  experts_ = plan.add<uint32_t>("experts", slots);
  shares_ = plan.add<float>("shares", slots);
  order_ = plan.add<uint32_t>("order", slots);
  place_ = plan.add<uint32_t>("place", slots);
  next_ = plan.add<uint32_t>("next", c.experts);
  panels_ = plan.add<ExpertPanel>("panels", expert_panels);
  activated_ = plan.add<float>("activated", slots * std::max(c.hidden, c.intermediate));
}

Scratch ScratchPlan::bind(const Arena& a) const {
  return {.x = a.at<float>(x_),
          .normed = a.at<float>(normed_),
          .qkv = a.at<float>(qkv_),
          .attention = a.at<float>(attention_),
          .segment_max = a.at<float>(segment_max_),
          .segment_sum = a.at<float>(segment_sum_),
          .segment_out = a.at<float>(segment_out_),
          .projected = a.at<float>(projected_),
          .cos = a.at<float>(cos_),
          .sin = a.at<float>(sin_),
          .packed = a.at<std::byte>(packed_),
          .router_logits = a.at<float>(router_logits_),
          .packed_router = a.at<std::byte>(packed_router_),
          .experts = a.at<uint32_t>(experts_),
          .shares = a.at<float>(shares_),
          .order = a.at<uint32_t>(order_),
          .place = a.at<uint32_t>(place_),
          .next = a.at<uint32_t>(next_),
          .panels = a.at<ExpertPanel>(panels_),
          .activated = a.at<float>(activated_)};
}

}  // namespace vitalis::engine
