// SPDX-License-Identifier: Apache-2.0
// What holding an answer to a grammar costs, on gpt-oss's vocabulary: the index of the tokens, once
// for a model; compiling tools, once for a conversation; and the mask of each token. Masks are
// measured along texts that a model might write, and along tokens drawn blindly from the masks,
// which is the worst that they meet.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "harmony/grammar/matcher.h"
#include "harmony/turn_grammar.h"

namespace vitalis::harmony::grammar {
namespace {

constexpr const char* kWeather =
    R"({"type":"object","properties":{"location":{"type":"string","description":"The city"},
    "unit":{"type":"string","enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":1,
    "maximum":14}},"required":["location"]})";
constexpr const char* kOrder =
    R"({"$defs":{"address":{"type":"object","properties":{"street":{"type":"string","minLength":1,
    "maxLength":80},"zip":{"type":"string","pattern":"^[0-9]{5}$"},"country":{"type":"string",
    "pattern":"^[A-Z]{2}$"}},"required":["street","zip","country"]}},"type":"object","properties":{
    "id":{"type":"string","format":"uuid"},"placed":{"type":"string","format":"date-time"},
    "total":{"type":"number","minimum":0,"maximum":100000},"ship_to":{"$ref":"#/$defs/address"},
    "bill_to":{"anyOf":[{"$ref":"#/$defs/address"},{"type":"null"}]},"items":{"type":"array",
    "minItems":1,"maxItems":50,"items":{"type":"object","properties":{"sku":{"type":"string",
    "pattern":"^[a-z0-9-]+$"},"count":{"type":"integer","minimum":1},"note":{"type":"string"}},
    "required":["sku","count"]}},"labels":{"type":"object","additionalProperties":{"type":"string",
    "maxLength":40}}},"required":["id","placed","total","ship_to","items"]})";
constexpr const char* kOrderText =
    R"({"id":"123e4567-e89b-12d3-a456-426614174000","placed":"2024-05-06T07:08:09Z","total":129.95,)"
    R"( "ship_to":{"street":"12 Harbour View Road, second floor","zip":"04109","country":"DE"},)"
    R"( "items":[{"sku":"blue-mug-2","count":3,"note":"Please wrap it as a present, with a card."},)"
    R"( {"sku":"tea-earl-grey","count":12}],"labels":{"priority":"high","channel":"web shop"}})";

const Tokenizer& tokenizer() {
  static const auto opened = Tokenizer::open(VITALIS_TEST_DATA "/tokenizer.json");
  return *opened;
}
const Format& format() {
  static const auto made = Format::create(tokenizer());
  return *made;
}
const std::shared_ptr<const TokenIndex>& index() {
  static const auto made = TokenIndex::create(tokenizer()).take();
  return made;
}
Json json(const char* text) {
  return Json::parse(text).take();
}

TurnRules rules(int64_t tools) {
  TurnRules out;
  out.tools.declared.push_back({"functions", {}, {}});
  for (int64_t i = 0; i < tools; ++i) {
    out.tools.declared[0].tools.push_back(
        {"tool_" + std::to_string(i), "", json(i % 2 == 0 ? kWeather : kOrder)});
  }
  return out;
}

void index_tokens(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(TokenIndex::create(tokenizer()));
  state.counters["nodes"] = static_cast<double>(index()->trie().nodes().size());
}
BENCHMARK(index_tokens)->Unit(benchmark::kMillisecond);

void compile_tools(benchmark::State& state) {
  const TurnRules given = rules(state.range(0));
  size_t nodes = 0;
  for (auto _ : state) nodes = turn_grammar(given, format(), index()).take()->grammar().nodes();
  state.counters["nodes"] = static_cast<double>(nodes);
}
BENCHMARK(compile_tools)->Arg(1)->Arg(2)->Arg(20)->Unit(benchmark::kMillisecond);

// Of this thread, which other work on the machine does not lengthen much.
double processor_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Processor time of each mask along a way, of which the caller's `next` chooses the tokens.
template <class Next>
void measure(benchmark::State& state, const std::shared_ptr<const TokenGrammar>& grammar,
             size_t left, const Next& next) {
  std::vector<double> times;
  Mask mask(index()->mask_words());
  for (auto _ : state) {
    Matcher matcher(*grammar);
    for (size_t i = 0; i < left && !matcher.ended(); ++i) {
      const double begin = processor_milliseconds();
      matcher.allowed(left - i, mask);
      times.push_back(processor_milliseconds() - begin);
      Token token = 0;
      if (!next(mask, i, token) || !matcher.accept(token)) break;
    }
  }
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (const double t : times) sum += t;
  const auto at = [&](double q) {
    return times[static_cast<size_t>(q * double(times.size() - 1))];
  };
  state.counters["masks"] = static_cast<double>(times.size());
  state.counters["mean_ms"] = sum / static_cast<double>(times.size());
  state.counters["median_ms"] = at(0.5);
  state.counters["p99_ms"] = at(0.99);
  state.counters["most_ms"] = times.back();
}

// Every time from nothing known: the first answer of a conversation.
void masks_of_a_first_text(benchmark::State& state) {
  std::vector<Token> tokens;
  tokenizer().encode(kOrderText, tokens);
  const auto grammar = json_grammar(json(kOrder), TokenIndex::create(tokenizer()).take()).take();
  measure(state, grammar, 10000, [&](const Mask&, size_t i, Token& token) {
    if (i >= tokens.size()) return false;
    token = tokens[i];
    return true;
  });
}
BENCHMARK(masks_of_a_first_text)->Iterations(1)->Unit(benchmark::kMillisecond);

void masks_of_a_text(benchmark::State& state) {
  std::vector<Token> tokens;
  tokenizer().encode(kOrderText, tokens);
  const auto grammar = json_grammar(json(kOrder), index()).take();
  measure(state, grammar, 10000, [&](const Mask&, size_t i, Token& token) {
    if (i >= tokens.size()) return false;
    token = tokens[i];
    return true;
  });
}
BENCHMARK(masks_of_a_text)->Iterations(20)->Unit(benchmark::kMillisecond);

void masks_of_blind_turns(benchmark::State& state) {
  const auto grammar = turn_grammar(rules(20), format(), index()).take();
  std::mt19937 random(1);
  measure(state, grammar, 400, [&](const Mask& mask, size_t, Token& token) {
    size_t count = 0;
    for (const uint64_t word : mask) count += static_cast<size_t>(__builtin_popcountll(word));
    if (count == 0) return false;
    size_t skip = random() % count;
    for (size_t i = 0;; ++i) {
      const auto here = static_cast<size_t>(__builtin_popcountll(mask[i]));
      if (skip >= here) {
        skip -= here;
        continue;
      }
      for (token = static_cast<Token>(64 * i);; ++token) {
        if (allows(mask, token) && skip-- == 0) return true;
      }
    }
  });
}
BENCHMARK(masks_of_blind_turns)->Iterations(30)->Unit(benchmark::kMillisecond);

void forced_tokens(benchmark::State& state) {
  TurnRules given = rules(1);
  given.constraint.tool_choice.kind = ToolChoice::Kind::kRequired;
  const auto grammar = turn_grammar(given, format(), index()).take();
  std::vector<Token> header, forced;
  format().encode_rendered("<|channel|>commentary to", header);
  for (auto _ : state) {
    Matcher matcher(*grammar);
    for (const Token token : header) matcher.accept(token);
    forced.clear();
    matcher.take_forced(1000, forced);
  }
  state.counters["tokens"] = static_cast<double>(forced.size());
}
BENCHMARK(forced_tokens)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vitalis::harmony::grammar

BENCHMARK_MAIN();
