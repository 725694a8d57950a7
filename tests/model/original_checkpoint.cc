// SPDX-License-Identifier: Apache-2.0
#include "model/original_checkpoint.h"

#include "base/status.h"
#include "model/name_tables.h"
#include "synthetic/checkpoint_writer.h"

namespace vitalis::model {
namespace {

std::string bytes_of(const Weights& weights, const NameRow& row, size_t layer) {
  const SchemaTensor& tensor = schema(row.id);
  if (const auto* experts = std::get_if<Mxfp4 Layer::*>(&tensor.slot)) {
    const Mxfp4& w = weights.layers[layer].**experts;
    const bool scales = row.part == Part::kScales;
    const auto* from = reinterpret_cast<const char*>(scales ? w.scales : w.blocks);
    return {from, w.experts * (scales ? w.scales_stride : w.blocks_stride)};
  }
  const auto* shared = std::get_if<Dense Weights::*>(&tensor.slot);
  const Dense& w =
      shared ? weights.**shared : weights.layers[layer].*std::get<Dense Layer::*>(tensor.slot);
  return {reinterpret_cast<const char*>(w.data), stored_bytes(w)};
}

std::string config_of(const Config& c) {
  return text("{\"num_hidden_layers\": ", c.layers, ", \"num_experts\": ", c.experts,
              ", \"experts_per_token\": ", c.experts_per_token, ", \"vocab_size\": ", c.vocab,
              ", \"hidden_size\": ", c.hidden, ", \"intermediate_size\": ", c.intermediate,
              ", \"swiglu_limit\": ", c.swiglu_limit, ", \"head_dim\": ", c.head_dim,
              ", \"num_attention_heads\": ", c.heads, ", \"num_key_value_heads\": ", c.kv_heads,
              ", \"sliding_window\": ", c.sliding_window,
              ", \"initial_context_length\": ", static_cast<uint64_t>(c.yarn.original_context),
              ", \"rope_theta\": ", c.rope_theta, ", \"rope_scaling_factor\": ", c.yarn.factor,
              ", \"rope_ntk_alpha\": ", c.yarn.beta_slow, ", \"rope_ntk_beta\": ", c.yarn.beta_fast,
              "}");
}

}  // namespace

OriginalFiles original_of(const Checkpoint& checkpoint) {
  const NameTable& table = safetensors_tables()[1];
  const Config& c = checkpoint.config();
  std::vector<formats::TensorRange> ranges;
  std::string data;
  for (size_t first = 0, end = 0; first < table.rows.size(); first = end) {
    while (end < table.rows.size() && table.rows[end].name == table.rows[first].name) ++end;
    const auto fused = table.rows.subspan(first, end - first);
    const size_t times = schema(fused[0].id).per_layer() ? c.layers : 1;
    for (size_t layer = 0; layer < times; ++layer) {
      const size_t before = data.size();
      for (const NameRow& row : fused) data += bytes_of(checkpoint.weights(), row, layer);
      formats::TensorRange range;
      range.name = expand_name(fused[0].name, layer);
      range.dtype = stored_types(fused[0], table).front();
      range.shape = stored_shape(fused, table, c);
      range.bytes = data.size() - before;
      ranges.push_back(std::move(range));
    }
  }
  return {config_of(c), synthetic::safetensors_header(ranges) + data};
}

}  // namespace vitalis::model
