// SPDX-License-Identifier: Apache-2.0
// The demonstration model held to the float64 log-probabilities of 60 conversations
// (tests/goldens/numerics/README.md, vitalis-tiny-logprobs.jsonl).
#include <cstdio>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "engine/golden.h"

namespace vitalis::engine {
namespace {

double log_probability(const float* logits, size_t vocab, Token token) {
  const double max = *std::max_element(logits, logits + vocab);
  double sum = 0;
  for (size_t i = 0; i < vocab; ++i) sum += std::exp(logits[i] - max);
  return logits[token] - max - std::log(sum);
}

TEST(VitalisTiny, LogProbabilitiesMatchTheReference) {
  auto checkpoint = model::Checkpoint::open(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  const auto engine = make_engine({});
  ASSERT_TRUE(engine.ok());
  const size_t vocab = checkpoint->config().vocab;

  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines = parser.load_many(kGoldens + "vitalis-tiny-logprobs.jsonl");
  double gap = 0;
  size_t tokens = 0, conversations = 0;
  for (const simdjson::dom::element line : lines) {
    const auto read = [&](const char* name) {
      std::vector<Token> out;
      for (const uint64_t id : line[name].get_array()) out.push_back(static_cast<Token>(id));
      return out;
    };
    std::vector<Token> all = read("prompt");
    const size_t first = all.size() - 1;  // the row that predicts the continuation's first token
    const std::vector<Token> continuation = read("continuation"), greedy = read("greedy");
    all.insert(all.end(), continuation.begin(), continuation.end() - 1);
    const Recorder found = run_model(*engine, checkpoint->config(), checkpoint->weights(), all,
                                     {.chunk = 128, .first_row = first});
    const auto& logits = found.floats.at("logits");
    ASSERT_EQ(logits.size(), continuation.size() * vocab);
    auto expected = line["logprobs"].get_array().begin();
    auto lead = line["lead"].get_array().begin();
    for (size_t i = 0; i < continuation.size(); ++i, ++expected, ++lead, ++tokens) {
      const float* row = &logits[i * vocab];
      gap += std::abs(log_probability(row, vocab, continuation[i]) - double(*expected));
      if (double(*lead) <= 0.1) continue;
      EXPECT_EQ(std::max_element(row, row + vocab) - row, greedy[i])
          << "conversation " << conversations << ", token " << i;
    }
    ++conversations;
  }
  EXPECT_EQ(conversations, 60u);
  gap /= static_cast<double>(tokens);
  std::printf("mean absolute difference over %zu tokens: %.5f nats\n", tokens, gap);
  EXPECT_LE(gap, 0.02);
}

}  // namespace
}  // namespace vitalis::engine
