// SPDX-License-Identifier: Apache-2.0
// vitalis bench: how fast a model runs here, as llama.cpp's users compare: prompts of given lengths
// ("pp"), single tokens at given depths of the context ("tg"), and several sequences together
// ("tg64x4"). Tokens are arbitrary but the same each time; logits are computed for the last one
// only, and nothing is sampled but by sequences together.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

#include "bench_together.h"
#include "commands.h"
#include "json_writer.h"
#include "library.h"
#include "text.h"

namespace vitalis::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kFirstPrompt =
    64;  // tokens of the prompt whose first answer token is waited for

struct Row {
  std::string name;
  uint32_t tokens = 0;  // of one repeat
  uint32_t depth = 0;   // of the context before the first repeat
  uint32_t sequences = 1;
  std::vector<double> seconds;
};

struct Report {
  vitalis_model_info model{};
  vitalis_engine_info engine{};
  double open_seconds = 0;
  double first_token_seconds = 0;  // opening included
  std::vector<Row> rows;
  uint64_t peak_bytes = 0;
  uint64_t anonymous_bytes = 0;  // what is no mapped file
};

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The k-th token of every measurement: spread over the vocabulary, as a text's tokens are not, so
// that no expert is spared.
std::vector<uint32_t> tokens(uint32_t count, uint32_t vocab) {
  std::vector<uint32_t> ids(count);
  uint64_t state = 1;
  for (uint32_t& id : ids) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    id = static_cast<uint32_t>((state >> 33) % vocab);
  }
  return ids;
}

class Meter {
 public:
  Meter(vitalis_session* session, uint32_t vocab, Output& output)
      : session_(session), output_(output), logits_(vocab) {}

  // Appends the tokens `at_once` by as many.
  bool append(const std::vector<uint32_t>& ids, size_t at_once) {
    for (size_t at = 0; at < ids.size(); at += at_once) {
      const size_t count = std::min(at_once, ids.size() - at);
      const int32_t status = vitalis_session_forward(session_, ids.data() + at, count, 0,
                                                     logits_.data(), logits_.size());
      if (!succeeded(status, output_)) return false;
    }
    return true;
  }

  bool measure_prompt(uint32_t count, uint32_t repeats, Row& row) {
    row = {.name = "pp" + std::to_string(count), .tokens = count};
    const auto ids = tokens(count, static_cast<uint32_t>(logits_.size()));
    for (uint32_t i = 0; i < repeats; ++i) {
      if (!succeeded(vitalis_session_reset(session_), output_)) return false;
      const auto begin = Clock::now();
      if (!append(ids, ids.size())) return false;
      row.seconds.push_back(since(begin));
    }
    return true;
  }

  // From where the context is.
  bool measure_decode(uint32_t count, uint32_t depth, uint32_t repeats, Row& row) {
    row = {.name = "tg" + std::to_string(count), .tokens = count, .depth = depth};
    const auto ids = tokens(count, static_cast<uint32_t>(logits_.size()));
    for (uint32_t i = 0; i < repeats; ++i) {
      const auto begin = Clock::now();
      if (!append(ids, 1)) return false;
      row.seconds.push_back(since(begin));
    }
    return true;
  }

 private:
  vitalis_session* session_;
  Output& output_;
  std::vector<float> logits_;
};

// Of "Name:   123 kB" in /proc/self/status; 0 where there is none.
uint64_t status_bytes(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const size_t digits = std::min(line.find_first_of("0123456789"), line.size());
    uint64_t kilobytes = 0;
    std::from_chars(line.data() + digits, line.data() + line.size(), kilobytes);
    return kilobytes * 1024;
  }
  return 0;
}

bool measure_sequences(const BenchOptions& bench, vitalis_model* model, Report& report,
                       Output& output) {
  for (const uint32_t count : bench.sequences) {
    Row& row = report.rows.emplace_back();
    row = {.name = "tg" + std::to_string(bench.generate) + 'x' + std::to_string(count),
           .tokens = bench.generate * count,
           .sequences = count};
    output.show_progress(row.name + " ...");
    if (!measure_together(model, count, bench.generate, bench.repeats, row.seconds, output)) {
      return false;
    }
  }
  return true;
}

bool measure_rows(const Options& options, Meter& meter, vitalis_session* session, Report& report,
                  Output& output) {
  const BenchOptions& bench = options.bench;
  const auto tell = [&](const std::string& name) { output.show_progress(name + " ..."); };
  for (const uint32_t count : bench.prompts) {
    tell("pp" + std::to_string(count));
    if (!meter.measure_prompt(count, bench.repeats, report.rows.emplace_back())) return false;
  }
  if (!succeeded(vitalis_session_reset(session), output)) return false;
  uint32_t depth = 0;
  for (const uint32_t wanted : bench.depths) {
    tell("tg" + std::to_string(bench.generate) + " at depth " + std::to_string(wanted));
    // The repeats before have deepened the context: the depth told is where this row begins.
    if (wanted > depth) {
      const auto filling = tokens(wanted - depth, report.model.vocab);
      if (!meter.append(filling, filling.size())) return false;
      depth = wanted;
    }
    if (!meter.measure_decode(bench.generate, depth, bench.repeats, report.rows.emplace_back())) {
      return false;
    }
    depth += bench.generate * bench.repeats;
  }
  return true;
}

uint32_t context_needed(const BenchOptions& bench) {
  uint32_t longest = kFirstPrompt;
  for (const uint32_t count : bench.prompts) longest = std::max(longest, count);
  uint32_t depth = 0;
  for (const uint32_t wanted : bench.depths) {
    depth = std::max(depth, wanted) + bench.generate * bench.repeats;
  }
  return std::max(longest, depth);
}

bool measure(const Options& options, Report& report, Output& output) {
  const auto begin = Clock::now();
  const Model model = open_model(options, output);
  if (!model) return false;
  report.model.struct_size = sizeof report.model;
  if (!succeeded(vitalis_model_get_info(model.get(), &report.model), output)) return false;
  report.open_seconds = since(begin);
  const std::string context = std::to_string(context_needed(options.bench));
  if (!succeeded(
          vitalis_config_set(options.config.get(), "runtime.context", context.c_str(), "bench"),
          output)) {
    return false;
  }
  const Session session = open_session(model.get(), options, output);
  if (!session) return false;
  Meter meter(session.get(), report.model.vocab, output);
  const auto first = tokens(kFirstPrompt, report.model.vocab);
  if (!meter.append(first, first.size())) return false;
  report.first_token_seconds = since(begin);
  if (!measure_rows(options, meter, session.get(), report, output) ||
      !measure_sequences(options.bench, model.get(), report, output)) {
    return false;
  }
  output.clear_progress();
  struct rusage process {};
  if (getrusage(RUSAGE_SELF, &process) == 0) {
    report.peak_bytes = static_cast<uint64_t>(process.ru_maxrss) * 1024;
  }
  report.anonymous_bytes = status_bytes("RssAnon:");
  return true;
}

// The engine that open_model() makes is its own; another of the same options says what they mean.
bool describe_engine(const Options& options, vitalis_engine_info& info, Output& output) {
  const Engine engine = open_engine(options, output);
  info.struct_size = sizeof info;
  return engine && succeeded(vitalis_engine_get_info(engine.get(), &info), output);
}

double rate(const Row& row, double seconds) {
  return seconds > 0 ? row.tokens / seconds : 0;
}

std::string column(const std::string& text, size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string for_people(const Options& options, const Report& report) {
  std::string text = "model         " + options.model + ", " +
                     size_for_people(report.model.mapped_bytes) + " mapped\n" + "kernels       " +
                     report.engine.tier + ", " + std::to_string(report.engine.threads) +
                     " threads\n" + "opened in     " + fixed(report.open_seconds, 3) + " s\n" +
                     "first token   " + fixed(report.first_token_seconds, 3) +
                     " s after the start, prompt of " + std::to_string(kFirstPrompt) + " tokens\n" +
                     "peak memory   " + size_for_people(report.peak_bytes) + " resident, " +
                     size_for_people(report.anonymous_bytes) + " of it no mapped file\n\n" +
                     "test     depth  tokens/s    lowest   highest      GB/s\n";
  for (const Row& row : report.rows) {
    const auto [fastest, slowest] = std::minmax_element(row.seconds.begin(), row.seconds.end());
    const double middle = rate(row, median(row.seconds));
    std::string name = row.name;
    name.resize(std::max<size_t>(name.size(), 7), ' ');
    text += name + column(std::to_string(row.depth), 7) + column(fixed(middle, 2), 10) +
            column(fixed(rate(row, *slowest), 2), 10) + column(fixed(rate(row, *fastest), 2), 10);
    // A token alone reads its share of the weights; others share theirs.
    const bool single = row.sequences == 1 && row.name.starts_with("tg");
    text += single ? column(fixed(middle * static_cast<double>(report.model.decode_bytes) / 1e9, 1),
                            10) +
                         '\n'
                   : "         -\n";
  }
  return text;
}

std::string as_json(const Options& options, const Report& report) {
  JsonWriter json;
  json.begin_object().key("model").value(options.model);
  json.key("version").value(vitalis_version_string());
  json.key("kernels").value(report.engine.tier);
  json.key("threads").value(static_cast<uint64_t>(report.engine.threads));
  json.key("mapped_bytes").value(report.model.mapped_bytes);
  json.key("decode_bytes").value(report.model.decode_bytes);
  json.key("open_seconds").number(report.open_seconds);
  json.key("first_token_seconds").number(report.first_token_seconds);
  json.key("peak_bytes").value(report.peak_bytes);
  json.key("anonymous_bytes").value(report.anonymous_bytes);
  json.key("tests").begin_array();
  for (const Row& row : report.rows) {
    json.begin_object().key("name").value(row.name);
    json.key("tokens").value(uint64_t{row.tokens}).key("depth").value(uint64_t{row.depth});
    json.key("sequences").value(uint64_t{row.sequences});
    json.key("tokens_per_second").number(rate(row, median(row.seconds)));
    json.key("seconds").begin_array();
    for (const double seconds : row.seconds) json.number(seconds);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace

int bench(const Options& options, Output& output) {
  Report report;
  if (!describe_engine(options, report.engine, output) || !measure(options, report, output)) {
    return kExitError;
  }
  output.print(options.json ? as_json(options, report) : for_people(options, report));
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
