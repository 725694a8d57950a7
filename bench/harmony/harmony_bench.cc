// SPDX-License-Identifier: Apache-2.0
// How fast conversations become tokens and tokens become events, and how often that allocates.
//   harmony_bench TOKENIZER_JSON [Google Benchmark's options]
#include <benchmark/benchmark.h>
#include <cstdio>

#include "count_allocations.h"
#include "harmony/openai_json.h"
#include "harmony/parse.h"
#include "harmony/render.h"

namespace {

using namespace vitalis;           // NOLINT(google-build-using-namespace)
using namespace vitalis::harmony;  // NOLINT(google-build-using-namespace)

const Format* format = nullptr;

constexpr std::string_view kProse =
    "The weather service answers with a forecast for the next three days, and the numbers agree "
    "with what the user asked for; so it is enough to say which day will be the warmest. ";

// 20 tools and 50 messages: a system of turns with reasoning, a call, its result, and an answer.
std::string request_of_an_agent() {
  std::string out = R"({"current_date":"2026-01-01","tools":[)";
  for (int i = 0; i < 20; ++i) {
    out += text(i > 0 ? "," : "", R"({"type":"function","function":{"name":"tool_)", i,
                R"(","description":"Looks things up.\nUse it sparingly.","parameters":{"type":)",
                R"("object","properties":{"city":{"type":"string","description":"City name"},)",
                R"("unit":{"type":"string","enum":["celsius","fahrenheit"],"default":"celsius"},)",
                R"("days":{"type":"integer","default":3},"options":{"type":"object","properties":)",
                R"({"a":{"type":"array","items":{"type":"string"}},"b":{"type":"boolean"}}}},)",
                R"("required":["city"]}}})");
  }
  out += R"(],"messages":[{"role":"system","content":"Be brief."})";
  for (int turn = 0; turn < 12; ++turn) {
    out +=
        text(R"(,{"role":"user","content":")", kProse, R"("},{"role":"assistant","thinking":")",
             kProse, R"(","tool_calls":[{"id":")", turn,
             R"(","function":{"name":"tool_3","arguments":"{\"city\":\"Paris\",\"days\":3}"}}]})",
             R"(,{"role":"tool","tool_call_id":")", turn, R"(","content":")", kProse,
             R"("},{"role":"assistant","content":")", kProse, R"("})");
  }
  return out + R"(,{"role":"user","content":"Thanks."}]})";
}

void read_request(benchmark::State& state) {
  const std::string json = request_of_an_agent();
  for (auto _ : state) {
    auto request = chat_from_json(json, default_system_content());
    if (!request.ok()) return state.SkipWithError(request.status().message().c_str());
    benchmark::DoNotOptimize(request->conversation.messages.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * json.size()));
}
BENCHMARK(read_request)->Unit(benchmark::kMicrosecond);

void render_50_messages_20_tools(benchmark::State& state) {
  const auto request = chat_from_json(request_of_an_agent(), default_system_content());
  if (!request.ok()) return state.SkipWithError(request.status().message().c_str());
  RenderOptions options;
  options.auto_drop_analysis = false;
  std::vector<Token> tokens;
  for (auto _ : state) {
    tokens.clear();
    if (!render(request->conversation, *format, options, tokens).ok()) {
      return state.SkipWithError("render failed");
    }
  }
  state.counters["tokens"] = static_cast<double>(tokens.size());
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * tokens.size()));
}
BENCHMARK(render_50_messages_20_tools)->Unit(benchmark::kMicrosecond);

std::vector<Token> long_turn(bool arguments) {
  std::string body;
  while (body.size() < 100000) {
    body += arguments ? R"({"command":["sed","-n","1,20p","a.py"],"n":12,"note":"Größe"},)"
                      : std::string(kProse) + "Größe 東京 👍🏽. ";
  }
  if (arguments) body = "[" + body + "null]";
  std::vector<Token> out;
  format->encode_rendered(
      text("<|channel|>analysis<|message|>Short.<|end|><|start|>assistant<|channel|>",
           arguments ? "commentary to=functions.f <|constrain|>json" : "final", "<|message|>", body,
           arguments ? "<|call|>" : "<|return|>"),
      out);
  return out;
}

void parse(benchmark::State& state, Policy policy, bool arguments) {
  const std::vector<Token> tokens = long_turn(arguments);
  ParserOptions options;
  options.policy = policy;
  const Parser fresh(*format, options);
  EventBuffer events;
  size_t allocated = 0;
  size_t in_content = 0;
  for (auto _ : state) {
    Parser parser = fresh;
    allocated = 0;
    in_content = 0;
    for (const Token token : tokens) {
      events.clear();
      const size_t before = allocation_count();
      const bool content = parser.state() == Parser::State::kContent;
      if (!parser.push(token, events).ok()) return state.SkipWithError("push failed");
      const size_t taken = allocation_count() - before;
      allocated += taken;
      if (content) in_content += taken;
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * tokens.size()));
  state.counters["tokens"] = static_cast<double>(tokens.size());
  state.counters["allocations"] = static_cast<double>(allocated);
  state.counters["allocations_in_content"] = static_cast<double>(in_content);
}
BENCHMARK_CAPTURE(parse, resilient_text, Policy::kResilient, false);
BENCHMARK_CAPTURE(parse, resilient_arguments, Policy::kResilient, true);
BENCHMARK_CAPTURE(parse, strict_text, Policy::kStrict, false);

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: harmony_bench TOKENIZER_JSON [options]\n");
    return 2;
  }
  const auto tokenizer = Tokenizer::open(argv[1]);
  if (!tokenizer.ok()) {
    std::fprintf(stderr, "%s\n", tokenizer.status().message().c_str());
    return 1;
  }
  const auto created = Format::create(*tokenizer);
  if (!created.ok()) {
    std::fprintf(stderr, "%s\n", created.status().message().c_str());
    return 1;
  }
  format = &*created;
  argv[1] = argv[0];
  argc -= 1;
  benchmark::Initialize(&argc, argv + 1);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
