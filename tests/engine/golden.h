// SPDX-License-Identifier: Apache-2.0
// The numeric goldens (tests/goldens/numerics/README.md): checkpoints, and what a float64 forward
// pass makes of them. Also a runner that records what the engine makes of the same tokens.
#pragma once

#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "engine/engine.h"
#include "engine/forward.h"
#include "formats/safetensors.h"
#include "model/checkpoint.h"

namespace vitalis::engine {

inline const std::string kGoldens = VITALIS_SOURCE_DIR "/tests/goldens/numerics/";

struct Golden {
  std::vector<Token> tokens;
  size_t first_row = 0;
  std::map<std::string, std::vector<float>> floats;   // logits, embed, layer.i.*
  std::map<std::string, std::vector<uint32_t>> ints;  // layer.i.experts
};

inline Golden read_golden(const std::string& path) {
  Golden golden;
  auto file = MappedFile::open(path);
  if (!file.ok()) throw std::runtime_error(file.status().message());
  const auto parsed = formats::parse_safetensors(file->bytes(), path);
  if (!parsed.ok()) throw std::runtime_error(parsed.status().message());
  for (const auto& tensor : parsed->tensors) {
    const auto copy = [&](auto& into) {
      into.resize(tensor.bytes / 4);
      std::memcpy(into.data(), file->bytes().data() + tensor.offset, tensor.bytes);
    };
    if (tensor.name == "tokens") {
      copy(golden.tokens);
    } else if (tensor.name.ends_with("experts") || tensor.name == "top_ids") {
      copy(golden.ints[tensor.name]);
    } else {
      copy(golden.floats[tensor.name]);
    }
  }
  for (const auto& [key, value] : parsed->metadata) {
    if (key == "first_row") golden.first_row = std::stoul(value);
  }
  return golden;
}

// What the engine computed, under the goldens' names.
class Recorder : public Observer {
 public:
  std::map<std::string, std::vector<float>> floats;
  std::map<std::string, std::vector<uint32_t>> ints;

  void embed(std::span<const float> x) override { add("embed", x); }
  void attention(size_t layer, std::span<const float> x) override {
    add(name(layer, "attention"), x);
  }
  void output(size_t layer, std::span<const float> x) override { add(name(layer, "output"), x); }
  void experts(size_t layer, std::span<const uint32_t> ids,
               std::span<const float> shares) override {
    auto& into = ints[name(layer, "experts")];
    into.insert(into.end(), ids.begin(), ids.end());
    add(name(layer, "shares"), shares);
  }

  void add(const std::string& key, std::span<const float> x) {
    auto& into = floats[key];
    into.insert(into.end(), x.begin(), x.end());
  }

 private:
  static std::string name(size_t layer, const char* what) {
    return "layer." + std::to_string(layer) + "." + what;
  }
};

struct RunOptions {
  size_t chunk = 64;
  size_t first_row = 0;  // logits are kept from here on
  bool record = false;
};

// Logits of every token from first_row on, and the traces if asked for.
inline Recorder run_model(const Engine& engine, const model::Config& config,
                          const model::Weights& weights, std::span<const Token> tokens,
                          const RunOptions& options) {
  auto forward = Forward::create(engine, config, weights, options.chunk);
  auto cache = KvCache::create(config, tokens.size(), options.chunk, engine.kv_type());
  if (!forward.ok()) throw std::runtime_error(forward.status().message());
  if (!cache.ok()) throw std::runtime_error(cache.status().message());
  Recorder recorder;
  const std::atomic<bool> cancel = false;
  std::vector<float> logits(options.chunk * config.vocab);
  for (size_t at = 0; at < tokens.size();) {
    size_t count = std::min(options.chunk, tokens.size() - at);
    if (at < options.first_row) count = std::min(count, options.first_row - at);
    const bool keep = at >= options.first_row;
    const Part part{&*cache, tokens.subspan(at, count), keep};
    const auto outcome =
        forward->step({&part, 1}, logits.data(), cancel, options.record ? &recorder : nullptr);
    if (!outcome.ok()) throw std::runtime_error(outcome.status().message());
    if (keep) recorder.add("logits", {logits.data(), count * config.vocab});
    at += count;
  }
  return recorder;
}

inline double relative_error(const std::vector<float>& found, const std::vector<float>& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double gap = 0, norm = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    gap += std::pow(double{found[i]} - expected[i], 2);
    norm += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(gap / norm);
}

// KL(softmax(expected) || softmax(found)) of one row.
inline double divergence(const float* found, const float* expected, size_t n) {
  const auto log_sum = [n](const float* x) {
    const double max = *std::max_element(x, x + n);
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::exp(x[i] - max);
    return max + std::log(sum);
  };
  const double a = log_sum(expected), b = log_sum(found);
  double kl = 0;
  for (size_t i = 0; i < n; ++i) {
    kl += std::exp(expected[i] - a) * ((expected[i] - a) - (found[i] - b));
  }
  return kl;
}

}  // namespace vitalis::engine
