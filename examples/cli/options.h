// SPDX-License-Identifier: Apache-2.0
// The command line, read and checked. Files that options name are read here, so that a mistake is
// told before a model is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "output.h"

namespace vitalis::cli {

enum class Command : uint8_t { kRun, kChat, kInfo, kPlan, kVerify, kTokenize, kRender, kParse, kBench };

struct BenchOptions {
  std::vector<uint32_t> prompts = {128, 512, 2048};  // tokens
  std::vector<uint32_t> depths = {0, 2048, 8192};    // of the context, ascending
  uint32_t generate = 64;                            // tokens at each depth
  uint32_t repeats = 3;
};

struct Options {
  Command command = Command::kRun;
  std::string model;
  std::string text;  // the prompt of run, the text of tokenize, render, parse

  int32_t threads = 0;  // zero and empty: the library's default, here and below
  std::string tier;
  uint32_t context = 0;
  uint32_t memory_budget_mib = 0;
  uint32_t sequences = 1;  // plan
  bool probe = true;       // plan
  std::string manifest;    // verify

  int32_t effort = 0;
  std::string identity;
  std::string instructions;
  std::string date;                  // empty: none is told to the model
  std::optional<std::string> tools;  // JSON text
  std::string tool_choice;           // auto, none, required, free, or a function's name
  std::optional<std::string> schema;  // JSON text
  std::string tool_results;           // a file, "-": a line for each call; empty: none

  float temperature = 1.0f;  // zero: greedy
  float top_p = 1.0f;
  float min_p = 0.0f;
  uint32_t top_k = 0;
  std::optional<uint64_t> seed;
  float repetition_penalty = 1.0f;
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  std::optional<uint32_t> logprobs;  // run: alternatives to tell besides each token
  std::string session_file;          // chat: empty for none
  uint32_t max_tokens = 0;

  bool show_reasoning = false;
  bool stats = false;
  bool json = false;
  bool list_tensors = false;
  bool special = false;

  int32_t form = 0;          // render: VITALIS_JSON_*
  int32_t mode = 0;          // render: VITALIS_RENDER_*
  bool as_template = false;  // render: as the model's chat template
  bool ids = false;          // render: print token ids
  bool keep_analysis = false;
  int32_t policy = 0;      // parse: VITALIS_PARSE_*
  bool from_text = false;  // parse: the input is text, not ids
  bool from_start = false;

  BenchOptions bench;
};

// The options, or an exit code where nothing is left to do: after --help, --version or an error.
std::variant<Options, int> parse_options(int argc, char** argv, Output& output);

// "low", "medium" or "high" as VITALIS_EFFORT_*.
std::optional<int32_t> parse_effort(std::string_view name);

}  // namespace vitalis::cli
