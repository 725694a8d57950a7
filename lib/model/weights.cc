// SPDX-License-Identifier: Apache-2.0
#include "model/weights.h"

#include <set>
#include <string_view>

#include "model/schema.h"

namespace vitalis::model {
namespace {

class Differences {
 public:
  void look_at(const Dense& tensor) {
    if (!tensor.data) return;
    if (tensor.type == DenseType::kF32) found_.insert("dense weights in F32");
    if (tensor.type == DenseType::kQ8_0) found_.insert("dense weights in Q8_0");
  }
  void look_at(const Mxfp4& tensor) {
    if (!tensor.blocks) return;
    if (tensor.layout == Mxfp4Layout::kGgml) found_.insert("MXFP4 in ggml's blocks");
    if (tensor.layout == Mxfp4Layout::kOllama) found_.insert("MXFP4 in Ollama's early blocks");
    if (tensor.layout == Mxfp4Layout::kMetal) found_.insert("MXFP4 with Metal's scales");
  }
  void add(std::string_view difference) { found_.insert(difference); }

  std::string take() const {
    std::string out;
    for (const std::string_view difference : found_) {
      if (!out.empty()) out += ", ";
      out += difference;
    }
    return out;
  }

 private:
  std::set<std::string_view> found_;
};

}  // namespace

std::string differences(const Weights& weights) {
  Differences differences;
  for (const SchemaTensor& tensor : schema()) {
    if (const auto* shared = std::get_if<Dense Weights::*>(&tensor.slot)) {
      differences.look_at(weights.**shared);
      continue;
    }
    for (const Layer& layer : weights.layers) {
      if (const auto* dense = std::get_if<Dense Layer::*>(&tensor.slot)) {
        differences.look_at(layer.**dense);
      } else {
        differences.look_at(layer.*std::get<Mxfp4 Layer::*>(tensor.slot));
      }
    }
  }
  for (const Layer& layer : weights.layers) {
    if (layer.gate_proj.blocks) differences.add("gate and up apart");
  }
  if (weights.rotary_pairs != RotaryPairs::kHalves) differences.add("rotary pairs side by side");
  if (weights.q_scale != 1 || weights.k_scale != 1) differences.add("scaled q and k");
  return differences.take();
}

}  // namespace vitalis::model
