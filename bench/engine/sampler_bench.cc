// SPDX-License-Identifier: Apache-2.0
// What a draw costs on gpt-oss's vocabulary, by the shape of the logits: `spread` is their standard
// deviation, 0 for all alike.
#include <benchmark/benchmark.h>
#include <cmath>
#include <vector>

#include "engine/sampler.h"

namespace vitalis::engine {
namespace {

constexpr size_t kVocab = 200'019;

std::vector<float> logits_of(double spread) {
  std::vector<float> logits(kVocab);
  for (size_t i = 0; i < kVocab; ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(1, i)));
    logits[i] = static_cast<float>(spread * radius * std::cos(2 * M_PI * uniform(2, i)));
  }
  return logits;
}

void draw(benchmark::State& state, double spread, float top_p) {
  const std::vector<float> logits = logits_of(spread);
  Sampler sampler(kVocab);
  uint64_t place = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(sampler.sample(logits, {.top_p = top_p}, place++));
  }
}

}  // namespace
}  // namespace vitalis::engine

int main(int argc, char** argv) {
  for (const double spread : {0.0, 0.01, 0.3, 1.0, 4.0}) {
    for (const float top_p : {1.0f, 0.99f, 0.9f, 0.5f}) {
      const std::string name =
          "spread " + std::to_string(spread) + ", top-p " + std::to_string(top_p);
      benchmark::RegisterBenchmark(name.c_str(), vitalis::engine::draw, spread, top_p)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
