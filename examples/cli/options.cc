// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "text.h"
#include <vitalis/vitalis.h>

namespace vitalis::cli {

namespace {

// What options hold until files are read.
struct Sources {
  std::string text;
  std::string instructions_file;
  std::string tools_file;
  std::string schema_file;
  std::string input_file;
};

// CLI11's own numbers take "010" for 8 and "nan" for a number within any range.
template <typename Number>
bool parse_number(const std::string& text, Number low, Number high, Number& number) {
  Number parsed{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, parsed);
  if (error != std::errc() || rest != end || !(parsed >= low && parsed <= high)) return false;
  number = parsed;
  return true;
}

std::string number_text(float number) {
  if (number == std::numeric_limits<float>::min()) return "above 0";
  return fixed(static_cast<double>(number), 0);
}
template <typename Number>
std::string number_text(Number number) {
  return std::to_string(number);
}

template <typename Number>
void add_number(CLI::App& app, const std::string& name, Number& number, Number low, Number high,
                const std::string& help) {
  const auto read = [&number, low, high, name](const std::string& text) {
    if (parse_number(text, low, high, number)) return;
    std::string range =
        number_text(low) +
        (high == std::numeric_limits<Number>::max() ? " or more" : " to " + number_text(high));
    throw CLI::ValidationError(name, "expected a number, " + range + ", found \"" + text + "\"");
  };
  app.add_option_function<std::string>(name, read, help)->type_name("N");
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  char date[sizeof "2026-01-31"];
  if (localtime_r(&now, &local) == nullptr) return "";
  return {date, std::strftime(date, sizeof date, "%Y-%m-%d", &local)};
}

void add_engine(CLI::App& app, Options& options) {
  app.add_option("model", options.model, "a gpt-oss checkpoint: its folder, GGUF file or model.bin")
      ->required()
      ->type_name("MODEL");
  add_number<int32_t>(app, "--threads", options.threads, 1, 4096,
                      "threads (default: the cores that may be used)");
  app.add_option("--tier", options.tier,
                 "kernels: portable, avx2, avx512, avx512bf16 (default: the fastest)")
      ->type_name("NAME");
}

void add_context(CLI::App& app, Options& options) {
  add_number<uint32_t>(app, "--context", options.context, 1, std::numeric_limits<uint32_t>::max(),
                       "tokens of prompt and answers (default: 16384, or the model's limit)");
}

// "12GiB", "12G", "12000M": whole mebibytes of it. Nothing if it is no size.
std::optional<uint32_t> parse_mebibytes(const std::string& text) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr double kKibi = 1024;
  constexpr Unit kUnits[] = {{"GiB", kKibi * kKibi * kKibi},
                             {"G", kKibi * kKibi * kKibi},
                             {"MiB", kKibi * kKibi},
                             {"M", kKibi * kKibi},
                             {"GB", 1e9},
                             {"MB", 1e6}};
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || !(number > 0)) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (std::string_view(rest, end) != unit.name) continue;
    const double mebibytes = number * unit.bytes / (kKibi * kKibi);
    if (mebibytes < 1 || mebibytes >= 4294967296.0) return std::nullopt;
    return static_cast<uint32_t>(mebibytes);
  }
  return std::nullopt;
}

void add_budget(CLI::App& app, Options& options, const std::string& help) {
  const auto read = [&options](const std::string& text) {
    const auto mebibytes = parse_mebibytes(text);
    if (!mebibytes) {
      throw CLI::ValidationError("--memory-budget",
                                 "expected a size such as 12GiB or 900MB, found \"" + text + '"');
    }
    options.memory_budget_mib = *mebibytes;
  };
  app.add_option_function<std::string>("--memory-budget", read, help)->type_name("SIZE");
}

void add_answer(CLI::App& app, Options& options, Sources& sources) {
  const auto effort = [&options](const std::string& name) {
    const auto parsed = parse_effort(name);
    if (!parsed) {
      throw CLI::ValidationError("--effort", "expected low, medium or high, found \"" + name + '"');
    }
    options.effort = *parsed;
  };
  app.add_option_function<std::string>("--effort", effort,
                                       "reasoning: low, medium or high (default: medium)")
      ->type_name("LEVEL");
  app.add_option("--identity", options.identity, "first line of the system message")
      ->type_name("TEXT");
  CLI::Option* text = app.add_option("--instructions", options.instructions,
                                     "what the assistant is to heed (the developer message)");
  text->type_name("TEXT");
  app.add_option("--instructions-file", sources.instructions_file, "the same from a file")
      ->excludes(text)
      ->type_name("FILE");
  options.date = today();
  app.add_option("--date", options.date, "current date told to the model, \"\" for none")
      ->default_str("today")
      ->type_name("TEXT");
  add_number(app, "--temperature", options.temperature, 0.0f, 100.0f,
             "0 takes the most probable token each time (default: 1)");
  add_number(app, "--top-p", options.top_p, std::numeric_limits<float>::min(), 1.0f,
             "sample from the most probable tokens of this sum (default: 1)");
  add_number(app, "--min-p", options.min_p, 0.0f, 1.0f,
             "drop tokens below this share of the most probable one (default: 0)");
  add_number<uint32_t>(app, "--top-k", options.top_k, 0, std::numeric_limits<uint32_t>::max(),
                       "sample from this many tokens (default: 0, all)");
  const auto seed = [&options](const std::string& given) {
    uint64_t number = 0;
    if (!parse_number(given, uint64_t{0}, std::numeric_limits<uint64_t>::max(), number)) {
      throw CLI::ValidationError("--seed", "expected a number, 0 or more, found \"" + given + '"');
    }
    options.seed = number;
  };
  app.add_option_function<std::string>("--seed", seed,
                                       "makes sampling repeatable (default: a new one each time)")
      ->type_name("N");
  add_number(app, "--repetition-penalty", options.repetition_penalty,
             std::numeric_limits<float>::min(), 100.0f,
             "divides the logits of tokens that were there (default: 1)");
  add_number(app, "--presence-penalty", options.presence_penalty, -2.0f, 2.0f,
             "taken from the logits of tokens in the answer (default: 0)");
  add_number(app, "--frequency-penalty", options.frequency_penalty, -2.0f, 2.0f,
             "taken from them for each time that they came (default: 0)");
  add_number<uint32_t>(app, "--max-tokens", options.max_tokens, 1,
                       std::numeric_limits<uint32_t>::max(),
                       "longest answer, reasoning included (default: what the context holds)");
  app.add_flag("--show-reasoning", options.show_reasoning, "print the reasoning too");
  app.add_flag("--stats", options.stats, "after an answer, print speed and memory to stderr");
}

// "128,512": numbers between commas; "" is none.
void add_numbers(CLI::App& app, const std::string& name, std::vector<uint32_t>& numbers,
                 uint32_t low, const std::string& help) {
  const auto read = [&numbers, low, name](const std::string& text) {
    constexpr uint32_t kHigh = 1 << 24;
    numbers.clear();
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find(',', at), text.size());
      if (!parse_number(text.substr(at, end - at), low, kHigh, numbers.emplace_back())) {
        throw CLI::ValidationError(name, "expected numbers of " + std::to_string(low) + " to " +
                                             std::to_string(kHigh) + " between commas, found \"" +
                                             text + '"');
      }
      at = end + 1;
    }
  };
  app.add_option_function<std::string>(name, read, help)->type_name("N,...");
}

void add_bench(CLI::App& app, Options& options) {
  add_engine(app, options);
  BenchOptions& bench = options.bench;
  add_numbers(app, "--prompts", bench.prompts, 1, "lengths of prompts (default: 128,512,2048)");
  add_numbers(app, "--depths", bench.depths, 0,
              "tokens in the context before single ones are measured (default: 0,2048,8192)");
  add_number<uint32_t>(app, "--generate", bench.generate, 1, 1 << 20,
                       "tokens at each depth (default: 64)");
  add_number<uint32_t>(app, "--repeats", bench.repeats, 1, 1000,
                       "of each measurement; the median is told (default: 3)");
  app.add_flag("--json", options.json, "print JSON");
}

void add_tools(CLI::App& app, Options& options, Sources& sources) {
  CLI::Option* tools = app.add_option("--tools", sources.tools_file,
                                      "functions the model may call, as OpenAI's JSON");
  tools->type_name("FILE");
  app.add_option("--tool-choice", options.tool_choice,
                 "auto, none, required, free or a function's name (default: auto)")
      ->needs(tools)
      ->type_name("CHOICE");
  app.add_option("--tool-results", options.tool_results,
                 "answer calls with the lines of this file, - for standard input")
      ->needs(tools)
      ->type_name("FILE");
  app.add_option("--schema", sources.schema_file, "JSON Schema that the answer is held to")
      ->type_name("FILE");
}

void add_model(CLI::App& app, Options& options) {
  app.add_option("model", options.model, "a gpt-oss checkpoint, or its tokenizer.json")
      ->required()
      ->type_name("MODEL");
}

void add_render(CLI::App& app, Options& options, Sources& sources) {
  add_model(app, options);
  app.add_option("file", sources.input_file, "JSON (default: -, standard input)")
      ->default_val("-")
      ->type_name("FILE");
  const std::map<std::string, int32_t> forms = {{"chat", VITALIS_JSON_CHAT},
                                                {"responses", VITALIS_JSON_RESPONSES},
                                                {"harmony", VITALIS_JSON_HARMONY}};
  app.add_option("--form", options.form, "of the JSON: chat, responses or harmony (default: chat)")
      ->transform(CLI::CheckedTransformer(forms))
      ->type_name("FORM");
  const std::map<std::string, int32_t> modes = {{"completion", VITALIS_RENDER_COMPLETION},
                                                {"conversation", VITALIS_RENDER_CONVERSATION},
                                                {"training", VITALIS_RENDER_TRAINING}};
  app.add_option("--mode", options.mode,
                 "completion, conversation or training (default: completion)")
      ->transform(CLI::CheckedTransformer(modes))
      ->type_name("MODE");
  CLI::Option* keep = app.add_flag("--keep-analysis", options.keep_analysis,
                                   "also the reasoning of finished turns");
  app.add_flag("--template", options.as_template,
               "as the model's chat template renders the chat form")
      ->excludes(keep);
  app.add_flag("--ids", options.ids, "print token ids, not text");
  options.date = today();
  app.add_option("--date", options.date, "current date told to the model, \"\" for none")
      ->default_str("today")
      ->type_name("TEXT");
}

void add_parse(CLI::App& app, Options& options, Sources& sources) {
  add_model(app, options);
  app.add_option("file", sources.input_file,
                 "token ids in any spelling (default: -, standard input)")
      ->default_val("-")
      ->type_name("FILE");
  app.add_flag("--text", options.from_text, "the input is text that spells control tokens");
  const std::map<std::string, int32_t> policies = {{"resilient", VITALIS_PARSE_RESILIENT},
                                                   {"strict", VITALIS_PARSE_STRICT},
                                                   {"lenient", VITALIS_PARSE_LENIENT}};
  app.add_option("--policy", options.policy, "resilient, strict or lenient (default: resilient)")
      ->transform(CLI::CheckedTransformer(policies))
      ->type_name("POLICY");
  app.add_flag("--from-start", options.from_start,
               "the input begins with <|start|>, not with what follows <|start|>assistant");
}

std::string check_utf8(std::string_view text, std::string_view what) {
  const size_t good = utf8_prefix(text);
  if (good == text.size()) return "";
  return std::string(what) + " is not UTF-8: ill-formed at byte " + std::to_string(good);
}

// The sentence about what is wrong, or nothing.
std::string read_sources(Options& options, const Sources& sources) {
  std::string problem;
  options.text = sources.text;
  if (options.command == Command::kRender || options.command == Command::kParse) {
    const auto text = read_whole(sources.input_file, problem);
    if (!text) return problem;
    options.text = options.from_text ? without_last_newline(*text) : *text;
  } else if (sources.text == "-") {
    const auto text = read_whole("-", problem);
    if (!text) return problem;
    // A prompt ends where its last line does; tokenize is asked for the bytes that are there.
    options.text = options.command == Command::kRun ? without_last_newline(*text) : *text;
  }
  if (!sources.instructions_file.empty()) {
    const auto text = read_whole(sources.instructions_file, problem);
    if (!text) return problem;
    options.instructions = without_last_newline(*text);
  }
  if (!sources.tools_file.empty()) {
    auto text = read_whole(sources.tools_file, problem);
    if (!text) return problem;
    options.tools = std::move(*text);
  }
  if (!sources.schema_file.empty()) {
    auto text = read_whole(sources.schema_file, problem);
    if (!text) return problem;
    options.schema = std::move(*text);
  }
  const std::pair<std::string_view, std::string_view> texts[] = {
      {options.text, options.command == Command::kRun ? "the prompt" : "the text"},
      {options.instructions, "the instructions"},
      {options.identity, "the identity"},
      {options.date, "the date"},
      {options.tools ? *options.tools : std::string_view(), sources.tools_file},
      {options.schema ? *options.schema : std::string_view(), sources.schema_file}};
  for (const auto& [text, name] : texts) {
    problem = check_utf8(text, name);
    if (!problem.empty()) return problem;
  }
  if (options.command == Command::kRun && options.text.empty()) return "the prompt is empty";
  return "";
}

}  // namespace

std::optional<int32_t> parse_effort(std::string_view name) {
  if (name == "low") return VITALIS_EFFORT_LOW;
  if (name == "medium") return VITALIS_EFFORT_MEDIUM;
  if (name == "high") return VITALIS_EFFORT_HIGH;
  return std::nullopt;
}

std::variant<Options, int> parse_options(int argc, char** argv, Output& output) {
  Options options;
  Sources sources;
  CLI::App app("Talks to OpenAI's gpt-oss models on this computer.", "vitalis");
  app.set_version_flag("--version", std::string("vitalis ") + vitalis_version_string());
  app.require_subcommand(1);

  CLI::App* run = app.add_subcommand("run", "answer one prompt");
  add_engine(*run, options);
  run->add_option("prompt", sources.text, "what to answer; - reads it from standard input")
      ->required()
      ->type_name("TEXT");
  add_context(*run, options);
  add_budget(*run, options, "the most memory to take for weights and context (default: any)");
  add_answer(*run, options, sources);
  const auto logprobs = [&options](const std::string& text) {
    uint32_t number = 0;
    if (!parse_number(text, 0u, 20u, number)) {
      throw CLI::ValidationError("--logprobs", "expected a number, 0 to 20, found \"" + text + '"');
    }
    options.logprobs = number;
  };
  run->add_option_function<std::string>(
         "--logprobs", logprobs,
         "after the answer, print each token's log-probability and N others' to stderr")
      ->type_name("N");
  add_tools(*run, options, sources);

  CLI::App* chat = app.add_subcommand("chat", "converse; /help there tells more");
  add_engine(*chat, options);
  add_context(*chat, options);
  add_budget(*chat, options, "the most memory to take for weights and context (default: any)");
  add_answer(*chat, options, sources);
  chat->add_option("--session", options.session_file,
                   "go on with the conversation in this file, if it is there, and keep it there")
      ->type_name("FILE");

  CLI::App* info = app.add_subcommand("info", "describe a model");
  add_engine(*info, options);
  add_context(*info, options);
  info->add_flag("--tensors", options.list_tensors, "list each tensor");
  info->add_flag("--json", options.json, "print JSON");

  CLI::App* plan = app.add_subcommand("plan", "tell what memory a model needs, and its speed here");
  add_engine(*plan, options);
  add_context(*plan, options);
  add_number<uint32_t>(*plan, "--sequences", options.sequences, 1, 65536,
                       "conversations at once (default: 1)");
  add_budget(*plan, options, "what has to suffice (default: the memory that is free)");
  plan->add_flag("!--no-probe", options.probe, "do not measure this machine's speed");
  plan->add_flag("--json", options.json, "print JSON");

  CLI::App* verify = app.add_subcommand("verify", "check that a model's files are whole");
  verify
      ->add_option("model", options.model,
                   "a gpt-oss checkpoint: its folder, GGUF file or model.bin")
      ->required()
      ->type_name("MODEL");
  verify
      ->add_option("--manifest", options.manifest,
                   "sizes and digests as JSON (default: those of the release it is from)")
      ->type_name("FILE");
  verify->add_flag("--json", options.json, "print JSON");

  CLI::App* tokenize = app.add_subcommand("tokenize", "show the tokens of a text");
  add_model(*tokenize, options);
  tokenize->add_option("text", sources.text, "the text (default: -, standard input)")
      ->default_str("-")
      ->type_name("TEXT");
  tokenize->add_flag("--special", options.special, "take the names of special tokens for them");
  tokenize->add_flag("--json", options.json, "print JSON");

  CLI::App* render = app.add_subcommand("render", "show the prompt that a conversation makes");
  add_render(*render, options, sources);
  CLI::App* parse = app.add_subcommand("parse", "show the messages that tokens make, as JSON");
  add_parse(*parse, options, sources);
  CLI::App* bench = app.add_subcommand("bench", "measure a model's speed on this computer");
  add_bench(*bench, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    output.print(app.help());
    return output.exit_code(kExitOk);
  } catch (const CLI::CallForVersion& version) {
    output.print(std::string(version.what()) + '\n');
    return output.exit_code(kExitOk);
  } catch (const CLI::Error& error) {
    output.error(std::string(error.what()) + " (see vitalis --help)");
    return kExitUsage;
  }
  options.command = run->parsed()      ? Command::kRun
                    : chat->parsed()   ? Command::kChat
                    : info->parsed()   ? Command::kInfo
                    : plan->parsed()   ? Command::kPlan
                    : verify->parsed() ? Command::kVerify
                    : render->parsed() ? Command::kRender
                    : parse->parsed()  ? Command::kParse
                    : bench->parsed()  ? Command::kBench
                                       : Command::kTokenize;
  if (tokenize->parsed() && tokenize->count("text") == 0) sources.text = "-";
  std::sort(options.bench.depths.begin(), options.bench.depths.end());
  if (options.as_template && options.form != VITALIS_JSON_CHAT) {
    output.error("--template: the model's template renders the chat form alone");
    return kExitUsage;
  }
  const std::string problem = read_sources(options, sources);
  if (problem.empty()) return options;
  output.error(problem);
  return kExitError;
}

}  // namespace vitalis::cli
