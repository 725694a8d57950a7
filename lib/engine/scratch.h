// SPDX-License-Identifier: Apache-2.0
// The buffers of one forward pass over up to `rows` positions, planned once and laid out in one
// arena.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/arena.h"
#include "kernels/table.h"
#include "model/config.h"

namespace vitalis::engine {

// Rows that are packed together and share the decoding of a weight.
inline constexpr size_t kPanelRows = 256;

// Segments of keys that one row's attention takes together, each with a state of its own.
inline constexpr size_t kSegmentsAtOnce = 8;

// The tokens of one expert, or a part of them.
struct ExpertPanel {
  size_t expert;
  size_t first;  // in the order of experts
  size_t rows;
  size_t packed;  // offsets of the packed rows, in bytes
  size_t packed_activated;
};

// Slots are (row, rank) pairs: rows * experts_per_token of them.
struct Scratch {
  float* x;                  // [rows][hidden], the residual stream
  float* normed;             // [rows][hidden]
  float* qkv;                // [rows][q_width + 2 kv_width]
  float* attention;          // [rows][q_width]
  float* segment_max;        // [kSegmentsAtOnce + 1][heads], the last for all together
  float* segment_sum;        // likewise
  float* segment_out;        // [kSegmentsAtOnce + 1][heads][head_dim]
  float* projected;          // [rows][hidden]
  float* cos;                // [rows][head_dim / 2]
  float* sin;                // [rows][head_dim / 2]
  std::byte* packed;         // the activations that the next product reads
  float* router_logits;      // [rows][experts]
  std::byte* packed_router;  // the router's input, unrounded
  uint32_t* experts;         // [rows][experts_per_token], best first
  float* shares;             // [rows][experts_per_token]
  uint32_t* order;           // [slots]: row of each slot, slots in the order of experts
  uint32_t* place;           // [slots]: where slot (row, rank) stands in that order
  uint32_t* next;            // [experts]: where the next slot of each will stand
  ExpertPanel* panels;
  float* activated;  // [slots][intermediate], then expert outputs [slots][hidden]
};

// Adds the buffers to `plan` and returns how to find them once the arena stands.
class ScratchPlan {
 public:
  ScratchPlan(const model::Config& config, size_t rows, ArenaPlan& plan);
  Scratch bind(const Arena& arena) const;

 private:
  size_t x_, normed_, qkv_, attention_, segment_max_, segment_sum_, segment_out_, projected_, cos_,
      sin_, packed_, router_logits_, packed_router_, experts_, shares_, order_, place_, next_,
      panels_, activated_;
};

// The most bytes that a table's pack() needs for `panels` groups of `rows` rows in sum.
size_t packed_bound(size_t rows, size_t panels, size_t k);
size_t panel_count(size_t rows);

}  // namespace vitalis::engine
