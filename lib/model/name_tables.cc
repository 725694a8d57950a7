// SPDX-License-Identifier: Apache-2.0
#include "model/name_tables.h"

#include "base/status.h"

namespace vitalis::model {
namespace {

using enum TensorId;
using enum Part;

constexpr NameRow kHuggingFace[] = {
    {kEmbedTokens, kWhole, "model.embed_tokens.weight"},
    {kNorm, kWhole, "model.norm.weight"},
    {kLmHead, kWhole, "lm_head.weight"},
    {kInputLayernorm, kWhole, "model.layers.{}.input_layernorm.weight"},
    {kQProj, kWhole, "model.layers.{}.self_attn.q_proj.weight"},
    {kKProj, kWhole, "model.layers.{}.self_attn.k_proj.weight"},
    {kVProj, kWhole, "model.layers.{}.self_attn.v_proj.weight"},
    {kOProj, kWhole, "model.layers.{}.self_attn.o_proj.weight"},
    {kQBias, kWhole, "model.layers.{}.self_attn.q_proj.bias"},
    {kKBias, kWhole, "model.layers.{}.self_attn.k_proj.bias"},
    {kVBias, kWhole, "model.layers.{}.self_attn.v_proj.bias"},
    {kOBias, kWhole, "model.layers.{}.self_attn.o_proj.bias"},
    {kSinks, kWhole, "model.layers.{}.self_attn.sinks"},
    {kPostAttentionLayernorm, kWhole, "model.layers.{}.post_attention_layernorm.weight"},
    {kRouter, kWhole, "model.layers.{}.mlp.router.weight"},
    {kRouterBias, kWhole, "model.layers.{}.mlp.router.bias"},
    {kGateUpProj, kBlocks, "model.layers.{}.mlp.experts.gate_up_proj_blocks"},
    {kGateUpProj, kScales, "model.layers.{}.mlp.experts.gate_up_proj_scales"},
    {kGateUpBias, kWhole, "model.layers.{}.mlp.experts.gate_up_proj_bias"},
    {kDownProj, kBlocks, "model.layers.{}.mlp.experts.down_proj_blocks"},
    {kDownProj, kScales, "model.layers.{}.mlp.experts.down_proj_scales"},
    {kDownBias, kWhole, "model.layers.{}.mlp.experts.down_proj_bias"},
};

constexpr NameRow kOpenAi[] = {
    {kEmbedTokens, kWhole, "embedding.weight"},
    {kNorm, kWhole, "norm.scale"},
    {kLmHead, kWhole, "unembedding.weight"},
    {kInputLayernorm, kWhole, "block.{}.attn.norm.scale"},
    {kQProj, kWhole, "block.{}.attn.qkv.weight"},
    {kKProj, kWhole, "block.{}.attn.qkv.weight"},
    {kVProj, kWhole, "block.{}.attn.qkv.weight"},
    {kQBias, kWhole, "block.{}.attn.qkv.bias"},
    {kKBias, kWhole, "block.{}.attn.qkv.bias"},
    {kVBias, kWhole, "block.{}.attn.qkv.bias"},
    {kOProj, kWhole, "block.{}.attn.out.weight"},
    {kOBias, kWhole, "block.{}.attn.out.bias"},
    {kSinks, kWhole, "block.{}.attn.sinks"},
    {kPostAttentionLayernorm, kWhole, "block.{}.mlp.norm.scale"},
    {kRouter, kWhole, "block.{}.mlp.gate.weight"},
    {kRouterBias, kWhole, "block.{}.mlp.gate.bias"},
    {kGateUpProj, kBlocks, "block.{}.mlp.mlp1_weight.blocks"},
    {kGateUpProj, kScales, "block.{}.mlp.mlp1_weight.scales"},
    {kGateUpBias, kWhole, "block.{}.mlp.mlp1_bias"},
    {kDownProj, kBlocks, "block.{}.mlp.mlp2_weight.blocks"},
    {kDownProj, kScales, "block.{}.mlp.mlp2_weight.scales"},
    {kDownBias, kWhole, "block.{}.mlp.mlp2_bias"},
};

constexpr NameTable kTables[] = {
    {"safetensors", kHuggingFace},
    {"safetensors, OpenAI names", kOpenAi},
};

}  // namespace

std::span<const NameTable> name_tables() {
  return kTables;
}

std::string expand_name(std::string_view name, size_t layer) {
  const size_t hole = name.find("{}");
  if (hole == std::string_view::npos) return std::string(name);
  return text(name.substr(0, hole), layer, name.substr(hole + 2));
}

formats::DType stored_type(Part part) {
  return part == Part::kWhole ? formats::DType::kBf16 : formats::DType::kU8;
}

std::vector<uint64_t> stored_shape(std::span<const NameRow> fused, const Config& config) {
  std::vector<uint64_t> shape;
  for (const Axis axis : schema(fused[0].id).axes) {
    if (axis != Axis::kNone) shape.push_back(extent(axis, config));
  }
  for (const NameRow& row : fused.subspan(1)) {
    shape[0] += extent(schema(row.id).axes[0], config);
  }
  if (fused[0].part != Part::kWhole) shape.back() /= kMxfp4Group;
  if (fused[0].part == Part::kBlocks) shape.push_back(kMxfp4Group / 2);
  return shape;
}

}  // namespace vitalis::model
