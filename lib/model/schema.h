// SPDX-License-Identifier: Apache-2.0
// Every tensor that gpt-oss has, once: where it goes in Weights and its shape in terms of Config.
// Formats differ in how they name, join and encode these; that is in name_tables.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <variant>

#include "model/config.h"
#include "model/weights.h"

namespace vitalis::model {

enum class TensorId : uint8_t {
  kEmbedTokens,
  kNorm,
  kLmHead,
  kInputLayernorm,
  kQProj,
  kKProj,
  kVProj,
  kOProj,
  kQBias,
  kKBias,
  kVBias,
  kOBias,
  kSinks,
  kPostAttentionLayernorm,
  kRouter,
  kRouterBias,
  kGateUpProj,
  kGateUpBias,
  kDownProj,
  kDownBias,
  // In place of kGateUpProj and kGateUpBias where a format keeps gate and up apart.
  kGateProj,
  kUpProj,
  kGateBias,
  kUpBias,
};

enum class Axis : uint8_t {
  kNone,
  kVocab,
  kHidden,
  kIntermediate,
  kGateUp,  // twice intermediate
  kHeads,
  kQWidth,
  kKvWidth,
  kExperts,
};
uint64_t extent(Axis axis, const Config& config);

struct SchemaTensor {
  TensorId id;
  std::variant<Dense Weights::*, Dense Layer::*, Mxfp4 Layer::*> slot;
  std::array<Axis, 3> axes;  // slowest first, kNone after the last

  bool matrix = false;     // read by products or row by row, so it may be stored in more ways than
                           // norms, sinks and biases
  bool eight_bit = false;  // in Q8_0 where the config says so: all matrices but the router

  bool per_layer() const { return slot.index() != 0; }
};
const SchemaTensor& schema(TensorId id);
std::span<const SchemaTensor> schema();

}  // namespace vitalis::model
