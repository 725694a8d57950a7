// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "hub_options.h"
#include "library.h"
#include "settings.h"
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
  std::string manifest_file;
};

// CLI11's own numbers take "010" for 8.
bool parse_number(const std::string& text, uint32_t low, uint32_t high, uint32_t& number) {
  uint32_t parsed = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, parsed);
  if (error != std::errc() || rest != end || parsed < low || parsed > high) return false;
  number = parsed;
  return true;
}

void add_number(CLI::App& app, const std::string& name, uint32_t& number, uint32_t low,
                uint32_t high, const std::string& help) {
  const auto read = [&number, low, high, name](const std::string& text) {
    if (parse_number(text, low, high, number)) return;
    throw CLI::ValidationError(name, "expected a number, " + std::to_string(low) + " to " +
                                         std::to_string(high) + ", found \"" + text + "\"");
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

void add_engine(CLI::App& app, Options& options, SettingFlags& flags) {
  app.add_option("model", options.model, "a model's name, folder, GGUF file or model.bin")
      ->required()
      ->type_name("MODEL");
  flags.add(app, "runtime.threads");
  flags.add(app, "runtime.tier");
}

void add_answer(CLI::App& app, Options& options, Sources& sources, SettingFlags& flags) {
  flags.add(app, "reasoning.effort");
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
  for (const char* key :
       {"sampling.temperature", "sampling.top_p", "sampling.min_p", "sampling.top_k",
        "sampling.seed", "sampling.repetition_penalty", "sampling.presence_penalty",
        "sampling.frequency_penalty", "sampling.max_tokens", "reasoning.show"}) {
    flags.add(app, key);
  }
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

void add_quantize(CLI::App& app, Options& options, SettingFlags& flags) {
  add_engine(app, options, flags);
  app.add_option("out", options.out, "the new folder")->required()->type_name("OUT");
  app.add_flag("!--no-compare", options.compare,
               "do not run both models on a text to tell how they differ");
  app.add_flag("!--no-probe", options.probe, "do not measure this machine's speed");
  app.add_flag("--json", options.json, "print JSON");
}

void add_bench(CLI::App& app, Options& options, SettingFlags& flags) {
  add_engine(app, options, flags);
  BenchOptions& bench = options.bench;
  add_numbers(app, "--prompts", bench.prompts, 1, "lengths of prompts (default: 128,512,2048)");
  add_numbers(app, "--depths", bench.depths, 0,
              "tokens in the context before single ones are measured (default: 0,2048,8192)");
  add_numbers(app, "--sequences", bench.sequences, 1, "answers made together (default: 4,8)");
  add_number(app, "--generate", bench.generate, 1, 1 << 20,
             "tokens at each depth, and of each sequence (default: 64)");
  add_number(app, "--repeats", bench.repeats, 1, 1000,
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
  app.add_option("model", options.model, "a model's name or path, or a tokenizer.json")
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

void add_config(CLI::App& app, Options& options) {
  app.add_option("action", options.action, "show, get, set or path (default: show)")
      ->check(CLI::IsMember({"show", "get", "set", "path"}))
      ->type_name("ACTION");
  app.add_option("key", options.key, "of get and set: sampling.seed, for example")
      ->type_name("KEY");
  app.add_option("value", options.value, "of set")->type_name("VALUE");
  app.add_flag("--origin", options.show_origin, "with show: where each value comes from");
  app.add_flag("--json", options.json, "print JSON");
}

// What CLI11 cannot say: which of the words after the action it takes.
std::string check_config(const CLI::App& app, const Options& options) {
  const size_t words = app.count("key") + app.count("value");
  const size_t wanted = options.action == "get" ? 1 : options.action == "set" ? 2 : 0;
  if (words == wanted) return "";
  return "config " + options.action + ": expected " +
         (wanted == 0   ? "nothing after it"
          : wanted == 1 ? "a KEY"
                        : "a KEY and a VALUE");
}

// The others work whatever the user's files say; config set and path are there to mend them.
bool has_settings(const Options& options) {
  std::error_code failed;
  switch (options.command) {
    case Command::kTokenize:
    case Command::kRender:
    case Command::kParse:  // where a name's folder is, settings say
      return !std::filesystem::exists(options.model, failed);
    case Command::kConfig:
      return options.action != "set" && options.action != "path";
    default:
      return true;
  }
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
  if (!sources.manifest_file.empty()) {
    auto text = read_whole(sources.manifest_file, problem);
    if (!text) return problem;
    options.hub.manifest = std::move(*text);
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

std::variant<Options, int> parse_options(int argc, char** argv, Output& output) {
  Options options;
  Sources sources;
  SettingFlags flags;
  CLI::App app("Talks to OpenAI's gpt-oss models on this computer.", "vitalis");
  app.set_version_flag("--version", std::string("vitalis ") + vitalis_version_string());
  app.require_subcommand(1);

  CLI::App* run = app.add_subcommand("run", "answer one prompt");
  add_engine(*run, options, flags);
  flags.add(*run, "runtime.context");
  run->add_option("prompt", sources.text, "what to answer; - reads it from standard input")
      ->required()
      ->type_name("TEXT");
  flags.add(*run, "runtime.memory_budget");
  add_answer(*run, options, sources, flags);
  const auto logprobs = [&options](const std::string& text) {
    uint32_t number = 0;
    if (!parse_number(text, 0, 20, number)) {
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
  add_engine(*chat, options, flags);
  flags.add(*chat, "runtime.context");
  flags.add(*chat, "runtime.memory_budget");
  add_answer(*chat, options, sources, flags);
  chat->add_option("--session", options.session_file,
                   "go on with the conversation in this file, if it is there, and keep it there")
      ->type_name("FILE");

  CLI::App* info = app.add_subcommand("info", "describe a model");
  add_engine(*info, options, flags);
  flags.add(*info, "runtime.context");
  info->add_flag("--tensors", options.list_tensors, "list each tensor");
  info->add_flag("--json", options.json, "print JSON");

  CLI::App* plan = app.add_subcommand("plan", "tell what memory a model needs, and its speed here");
  add_engine(*plan, options, flags);
  flags.add(*plan, "runtime.context");
  flags.add(*plan, "runtime.memory_budget");
  add_number(*plan, "--sequences", options.sequences, 1, 65536,
             "conversations at once (default: 1)");
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

  CLI::App* quantize =
      app.add_subcommand("quantize", "write a model again, its dense part in eight bits");
  add_quantize(*quantize, options, flags);

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
  add_bench(*bench, options, flags);
  CLI::App* config = app.add_subcommand("config", "show or change settings");
  add_config(*config, options);
  HubCommands hub(app, options.hub, options, sources.manifest_file, flags);

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
  options.command = run->parsed()        ? Command::kRun
                    : chat->parsed()     ? Command::kChat
                    : info->parsed()     ? Command::kInfo
                    : plan->parsed()     ? Command::kPlan
                    : verify->parsed()   ? Command::kVerify
                    : quantize->parsed() ? Command::kQuantize
                    : render->parsed()   ? Command::kRender
                    : parse->parsed()    ? Command::kParse
                    : bench->parsed()    ? Command::kBench
                    : config->parsed()   ? Command::kConfig
                                         : hub.command().value_or(Command::kTokenize);
  if (options.action.empty()) options.action = config->parsed() ? "show" : "list";
  if (tokenize->parsed() && tokenize->count("text") == 0) sources.text = "-";
  std::sort(options.bench.depths.begin(), options.bench.depths.end());
  if (options.as_template && options.form != VITALIS_JSON_CHAT) {
    output.error("--template: the model's template renders the chat form alone");
    return kExitUsage;
  }
  if (const std::string wrong = config->parsed() ? check_config(*config, options) : "";
      !wrong.empty()) {
    output.error(wrong + " (see vitalis config --help)");
    return kExitUsage;
  }
  if (const std::string wrong = hub.complain(options); !wrong.empty()) {
    output.error(wrong);
    return kExitUsage;
  }
  if (has_settings(options)) {
    options.config = flags.load(output);
    if (!options.config) return kExitError;
    options.show_reasoning =
        view(find_setting(options.config.get(), "reasoning.show").value) == "true";
  }
  const std::string problem = read_sources(options, sources);
  if (problem.empty()) return options;
  output.error(problem);
  return kExitError;
}

}  // namespace vitalis::cli
