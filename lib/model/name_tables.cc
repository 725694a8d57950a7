// SPDX-License-Identifier: Apache-2.0
#include "model/name_tables.h"

#include "base/status.h"

namespace vitalis::model {
namespace {

using enum TensorId;
using enum Part;
using formats::DType;

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

constexpr NameRow kGgml[] = {
    {kEmbedTokens, kWhole, "token_embd.weight"},
    {kNorm, kWhole, "output_norm.weight"},
    {kLmHead, kWhole, "output.weight"},
    {kInputLayernorm, kWhole, "blk.{}.attn_norm.weight"},
    {kQProj, kWhole, "blk.{}.attn_q.weight"},
    {kKProj, kWhole, "blk.{}.attn_k.weight"},
    {kVProj, kWhole, "blk.{}.attn_v.weight"},
    {kOProj, kWhole, "blk.{}.attn_output.weight"},
    {kQBias, kWhole, "blk.{}.attn_q.bias"},
    {kKBias, kWhole, "blk.{}.attn_k.bias"},
    {kVBias, kWhole, "blk.{}.attn_v.bias"},
    {kOBias, kWhole, "blk.{}.attn_output.bias"},
    {kSinks, kWhole, "blk.{}.attn_sinks.weight"},
    {kPostAttentionLayernorm, kWhole, "blk.{}.post_attention_norm.weight"},
    {kRouter, kWhole, "blk.{}.ffn_gate_inp.weight"},
    {kRouterBias, kWhole, "blk.{}.ffn_gate_inp.bias"},
    {kGateProj, kPacked, "blk.{}.ffn_gate_exps.weight"},
    {kGateBias, kWhole, "blk.{}.ffn_gate_exps.bias"},
    {kUpProj, kPacked, "blk.{}.ffn_up_exps.weight"},
    {kUpBias, kWhole, "blk.{}.ffn_up_exps.bias"},
    {kDownProj, kPacked, "blk.{}.ffn_down_exps.weight"},
    {kDownBias, kWhole, "blk.{}.ffn_down_exps.bias"},
};

// The first files that Ollama published: OpenAI's cut of the tensors under names of its own.
constexpr NameRow kOllama[] = {
    {kEmbedTokens, kWhole, "token_embd.weight"},
    {kNorm, kWhole, "output_norm.weight"},
    {kLmHead, kWhole, "output.weight"},
    {kInputLayernorm, kWhole, "blk.{}.attn_norm.weight"},
    {kQProj, kWhole, "blk.{}.attn_qkv.weight"},
    {kKProj, kWhole, "blk.{}.attn_qkv.weight"},
    {kVProj, kWhole, "blk.{}.attn_qkv.weight"},
    {kQBias, kWhole, "blk.{}.attn_qkv.bias"},
    {kKBias, kWhole, "blk.{}.attn_qkv.bias"},
    {kVBias, kWhole, "blk.{}.attn_qkv.bias"},
    {kOProj, kWhole, "blk.{}.attn_out.weight"},
    {kOBias, kWhole, "blk.{}.attn_out.bias"},
    {kSinks, kWhole, "blk.{}.attn_sinks"},
    {kPostAttentionLayernorm, kWhole, "blk.{}.ffn_norm.weight"},
    {kRouter, kWhole, "blk.{}.ffn_gate_inp.weight"},
    {kRouterBias, kWhole, "blk.{}.ffn_gate_inp.bias"},
    {kGateUpProj, kPacked, "blk.{}.ffn_gate_up_exps.weight"},
    {kGateUpBias, kWhole, "blk.{}.ffn_gate_up_exps.bias"},
    {kDownProj, kPacked, "blk.{}.ffn_down_exps.weight"},
    {kDownBias, kWhole, "blk.{}.ffn_down_exps.bias"},
};

constexpr DType kBf16Only[] = {DType::kBf16};
constexpr DType kBytes[] = {DType::kU8};
constexpr DType kPackedGgml[] = {DType::kMxfp4};
constexpr DType kPackedOllama[] = {DType::kMxfp4Early};
constexpr DType kGgmlMatrices[] = {DType::kF32, DType::kBf16, DType::kF16, DType::kQ8_0};
constexpr DType kGgmlVectors[] = {DType::kF32, DType::kBf16};

constexpr NameTable kSafetensors[] = {
    {"safetensors", kHuggingFace, kBf16Only, kBf16Only},
    {"safetensors, OpenAI names", kOpenAi, kBf16Only, kBf16Only},
};
constexpr NameTable kEightBit[] = {
    {"safetensors, 8-bit dense part", kHuggingFace, kBf16Only, kBf16Only, Mxfp4Layout::kSeparate,
     RotaryPairs::kHalves, 1, 1, true},
    {"safetensors, OpenAI names, 8-bit dense part", kOpenAi, kBf16Only, kBf16Only,
     Mxfp4Layout::kSeparate, RotaryPairs::kHalves, 1, 1, true},
};
constexpr NameTable kGguf[] = {
    {"GGUF", kGgml, kGgmlMatrices, kGgmlVectors, Mxfp4Layout::kGgml},
    {"GGUF, early Ollama", kOllama, kGgmlMatrices, kGgmlVectors, Mxfp4Layout::kOllama},
};
// The file has no names: they are OpenAI's, given by position.
constexpr NameTable kMetal[] = {{"Metal", kOpenAi, kBf16Only, kBf16Only, Mxfp4Layout::kMetal,
                                 RotaryPairs::kAdjacent, 0.5F, 0.25F}};

}  // namespace

std::span<const NameTable> metal_tables() {
  return kMetal;
}

std::span<const NameTable> safetensors_tables(bool eight_bit) {
  return eight_bit ? std::span(kEightBit) : std::span(kSafetensors);
}

std::span<const NameTable> gguf_tables() {
  return kGguf;
}

std::string expand_name(std::string_view name, size_t layer) {
  const size_t hole = name.find("{}");
  if (hole == std::string_view::npos) return std::string(name);
  return text(name.substr(0, hole), layer, name.substr(hole + 2));
}

std::span<const DType> stored_types(const NameRow& row, const NameTable& table) {
  if (table.in_q8_0(row.id)) return kBytes;
  if (row.part == kWhole) return schema(row.id).matrix ? table.matrix_types : table.vector_types;
  if (row.part != kPacked) return kBytes;
  return table.mxfp4_layout == Mxfp4Layout::kGgml ? kPackedGgml : kPackedOllama;
}

std::vector<uint64_t> stored_shape(std::span<const NameRow> fused, const NameTable& table,
                                   const Config& config) {
  std::vector<uint64_t> shape;
  for (const Axis axis : schema(fused[0].id).axes) {
    if (axis != Axis::kNone) shape.push_back(extent(axis, config));
  }
  for (const NameRow& row : fused.subspan(1)) {
    shape[0] += extent(schema(row.id).axes[0], config);
  }
  if (table.in_q8_0(fused[0].id)) {
    const formats::DTypeInfo& q8_0 = formats::info(DType::kQ8_0);
    shape.back() /= q8_0.block_elements;
    shape.push_back(q8_0.block_bytes);
  }
  if (fused[0].part == kBlocks || fused[0].part == kScales) shape.back() /= kMxfp4Group;
  if (fused[0].part == kBlocks) shape.push_back(kMxfp4Group / 2);
  return shape;
}

}  // namespace vitalis::model
