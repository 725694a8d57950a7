// SPDX-License-Identifier: Apache-2.0
// scales_divergence [MODEL]: how far eight-bit dense matrices take a model from itself, by how many
// columns share a scale. The matrices that `vitalis quantize` rewrites are rounded and put back as
// f32, so that nothing but the rounding differs. Without MODEL: the goldens' models on their
// tokens, and vitalis-tiny on the goldens' conversations; MODEL's tokens follow from a rule.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <random>
#include <simdjson.h>
#include <vector>

#include "engine/golden.h"
#include "kernels/math-inl.h"
#include "model/checkpoint.h"

namespace vitalis::engine {
namespace {

using Tokens = std::vector<Token>;

float to_f16_and_back(float x) {
  if (x == 0) return 0;
  int exponent = 0;
  std::frexp(x, &exponent);
  const int step = std::max(exponent - 11, -24);
  return std::ldexp(std::nearbyint(std::ldexp(x, -step)), step);
}

struct Rule {
  const char* name;
  size_t group;     // columns that share a scale; 0: the row
  bool f16;         // scales are f16, else f32
  bool by_rounded;  // numbers are divided by the scale as it is stored
  double bytes;     // of a number, in rows of 2880
};
constexpr Rule kRules[] = {
    {"row, f32", 0, false, true, 1 + 4.0 / 2880},
    {"row, f16", 0, true, true, 1 + 2.0 / 2880},
    {"128, f16", 128, true, true, 1 + 2.0 / 128},
    {"32, f16 (Q8_0)", 32, true, true, 1 + 2.0 / 32},
    {"32, f16, ggml's", 32, true, false, 1 + 2.0 / 32},
};

void round_group(float* x, size_t n, const Rule& rule) {
  float greatest = 0;
  for (size_t i = 0; i < n; ++i) greatest = std::max(greatest, std::abs(x[i]));
  const float exact = greatest / 127;
  const float scale = rule.f16 ? to_f16_and_back(exact) : exact;
  const float divisor = rule.by_rounded ? scale : exact;
  for (size_t i = 0; i < n; ++i) {
    const float steps = divisor > 0 ? std::round(x[i] / divisor) : 0;
    x[i] = std::clamp(steps, -127.0F, 127.0F) * scale;
  }
}

// A model whose dense matrices are rounded by a rule.
class Rounded {
 public:
  Rounded(const model::Weights& weights, const Rule& rule) : weights_(weights), rule_(rule) {
    round(weights_.embed_tokens);
    round(weights_.lm_head);
    for (model::Layer& layer : weights_.layers) {
      for (auto part : {&layer.q_proj, &layer.k_proj, &layer.v_proj, &layer.o_proj}) round(*part);
    }
  }
  const model::Weights& weights() const { return weights_; }

 private:
  void round(model::Dense& w) {
    std::vector<float>& numbers = numbers_.emplace_back(w.rows * w.cols);
    for (size_t row = 0; row < w.rows; ++row) {
      float* x = numbers.data() + row * w.cols;
      const std::byte* from = w.data + row * w.row_stride;
      for (size_t i = 0; i < w.cols; ++i) {
        uint16_t bits = 0;
        std::memcpy(&bits, from + 2 * i, 2);
        x[i] = kernels::bf16_to_f32(bits);
      }
      const size_t group = rule_.group == 0 ? w.cols : rule_.group;
      for (size_t i = 0; i < w.cols; i += group) {
        round_group(x + i, std::min(group, w.cols - i), rule_);
      }
    }
    w.data = reinterpret_cast<const std::byte*>(numbers.data());
    w.type = model::DenseType::kF32;
    w.row_stride = 4 * w.cols;
  }

  model::Weights weights_;
  const Rule& rule_;
  std::deque<std::vector<float>> numbers_;
};

template <class T>
T value(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().message());
  return result.take();
}

struct Distance {
  double kl = 0, worst = 0;
  size_t same = 0, rows = 0;

  void add(const float* expected, const float* found, size_t n) {
    const double row = divergence(found, expected, n);
    kl += row;
    worst = std::max(worst, row);
    same += std::max_element(expected, expected + n) - expected ==
            std::max_element(found, found + n) - found;
    ++rows;
  }
};

std::vector<float> logits_of(const Engine& engine, const model::Config& config,
                             const model::Weights& weights, const Tokens& tokens) {
  return run_model(engine, config, weights, tokens, {}).floats.at("logits");
}

void compare(const Engine& engine, const std::string& name, const std::string& folder,
             const std::vector<Tokens>& texts) {
  const auto checkpoint = value(model::Checkpoint::open(folder));
  const model::Config& config = checkpoint.config();
  std::vector<std::vector<float>> expected;
  for (const Tokens& text : texts) {
    expected.push_back(logits_of(engine, config, checkpoint.weights(), text));
  }
  for (const Rule& rule : kRules) {
    const Rounded rounded(checkpoint.weights(), rule);
    Distance distance;
    for (size_t t = 0; t < texts.size(); ++t) {
      const auto found = logits_of(engine, config, rounded.weights(), texts[t]);
      for (size_t at = 0; at < found.size(); at += config.vocab) {
        distance.add(&expected[t][at], &found[at], config.vocab);
      }
    }
    std::printf("%-13s %-16s %7.4f B  KL mean %.3e  worst %.3e  top-1 %6.2f %% of %zu\n",
                name.c_str(), rule.name, rule.bytes, distance.kl / double(distance.rows),
                distance.worst, 100.0 * double(distance.same) / double(distance.rows),
                distance.rows);
  }
}

Tokens golden_tokens(const std::string& folder) {
  Tokens out = read_golden(folder + "/expected.safetensors").tokens;
  out.resize(std::min<size_t>(out.size(), 700));
  return out;
}

std::vector<Tokens> conversations() {
  std::vector<Tokens> out;
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  if (parser.load_many(kGoldens + "vitalis-tiny-logprobs.jsonl").get(lines)) return out;
  for (auto line : lines) {
    Tokens& tokens = out.emplace_back();
    for (const char* part : {"prompt", "continuation"}) {
      simdjson::dom::array ids;
      if (line[part].get(ids)) continue;
      for (const auto id : ids) {
        uint64_t number = 0;
        if (!id.get(number)) tokens.push_back(static_cast<Token>(number));
      }
    }
  }
  return out;
}

void run(int argc, char** argv) {
  const Engine engine = value(make_engine({}));
  if (argc > 1) {
    const auto checkpoint = value(model::Checkpoint::open(argv[1]));
    std::mt19937 random(1);
    Tokens tokens(96);
    for (Token& token : tokens) token = random() % checkpoint.config().vocab;
    return compare(engine, "MODEL", argv[1], {tokens});
  }
  for (const char* name :
       {"base", "odd-widths", "clamped", "many-experts", "all-experts", "one-token", "long"}) {
    compare(engine, name, kGoldens + name, {golden_tokens(kGoldens + name)});
  }
  compare(engine, "vitalis-tiny", VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny",
          conversations());
}

}  // namespace
}  // namespace vitalis::engine

int main(int argc, char** argv) {
  try {
    vitalis::engine::run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
  }
}
