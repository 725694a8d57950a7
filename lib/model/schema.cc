// SPDX-License-Identifier: Apache-2.0
#include "model/schema.h"

namespace vitalis::model {
namespace {

using enum TensorId;
using enum Axis;

constexpr SchemaTensor kSchema[] = {
    {kEmbedTokens, &Weights::embed_tokens, {kVocab, kHidden}, true, true},
    {kNorm, &Weights::norm, {kHidden}},
    {kLmHead, &Weights::lm_head, {kVocab, kHidden}, true, true},
    {kInputLayernorm, &Layer::input_layernorm, {kHidden}},
    {kQProj, &Layer::q_proj, {kQWidth, kHidden}, true, true},
    {kKProj, &Layer::k_proj, {kKvWidth, kHidden}, true, true},
    {kVProj, &Layer::v_proj, {kKvWidth, kHidden}, true, true},
    {kOProj, &Layer::o_proj, {kHidden, kQWidth}, true, true},
    {kQBias, &Layer::q_bias, {kQWidth}},
    {kKBias, &Layer::k_bias, {kKvWidth}},
    {kVBias, &Layer::v_bias, {kKvWidth}},
    {kOBias, &Layer::o_bias, {kHidden}},
    {kSinks, &Layer::sinks, {kHeads}},
    {kPostAttentionLayernorm, &Layer::post_attention_layernorm, {kHidden}},
    {kRouter, &Layer::router, {kExperts, kHidden}, true},
    {kRouterBias, &Layer::router_bias, {kExperts}},
    {kGateUpProj, &Layer::gate_up_proj, {kExperts, kGateUp, kHidden}},
    {kGateUpBias, &Layer::gate_up_bias, {kExperts, kGateUp}},
    {kDownProj, &Layer::down_proj, {kExperts, kHidden, kIntermediate}},
    {kDownBias, &Layer::down_bias, {kExperts, kHidden}},
    {kGateProj, &Layer::gate_proj, {kExperts, kIntermediate, kHidden}},
    {kUpProj, &Layer::up_proj, {kExperts, kIntermediate, kHidden}},
    {kGateBias, &Layer::gate_bias, {kExperts, kIntermediate}},
    {kUpBias, &Layer::up_bias, {kExperts, kIntermediate}},
};

constexpr bool in_order_of_ids() {
  for (size_t i = 0; i < std::size(kSchema); ++i) {
    if (static_cast<size_t>(kSchema[i].id) != i) return false;
  }
  return std::size(kSchema) == static_cast<size_t>(kUpBias) + 1;
}
static_assert(in_order_of_ids());

}  // namespace

uint64_t extent(Axis axis, const Config& config) {
  switch (axis) {
    case kNone:
      return 1;
    case kVocab:
      return config.vocab;
    case kHidden:
      return config.hidden;
    case kIntermediate:
      return config.intermediate;
    case kGateUp:
      return 2 * uint64_t{config.intermediate};
    case kHeads:
      return config.heads;
    case kQWidth:
      return config.q_width();
    case kKvWidth:
      return config.kv_width();
    case kExperts:
      return config.experts;
  }
  return 0;
}

const SchemaTensor& schema(TensorId id) {
  return kSchema[static_cast<size_t>(id)];
}

std::span<const SchemaTensor> schema() {
  return kSchema;
}

}  // namespace vitalis::model
