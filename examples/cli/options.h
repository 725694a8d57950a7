// SPDX-License-Identifier: Apache-2.0
// The command line, read and checked. Files that options name are read here, so that a mistake is
// told before a model is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "output.h"
#include "settings.h"

namespace vitalis::cli {

enum class Command : uint8_t {
  kRun,
  kChat,
  kInfo,
  kPlan,
  kVerify,
  kQuantize,
  kTokenize,
  kRender,
  kParse,
  kBench,
  kConfig,
  kAuth,
  kDownload,
  kUpdate,
  kRollback,
  kModels
};

struct BenchOptions {
  std::vector<uint32_t> prompts = {128, 512, 2048};  // tokens
  std::vector<uint32_t> depths = {0, 2048, 8192};    // of the context, ascending
  std::vector<uint32_t> sequences = {4, 8};          // answered together
  uint32_t generate = 64;                            // tokens at each depth, or of each sequence
  uint32_t repeats = 3;
};

// Of the commands that deal with the hub and the models kept.
struct HubOptions {
  std::string name;  // of a model, or a token
  std::string commit;
  std::string revision;
  std::optional<std::string> token;
  std::string scope = "openid profile read-repos gated-repos";
  std::vector<std::string> includes;
  std::vector<std::string> excludes;
  std::vector<std::string> reuse;  // folders
  std::string local_folder;
  std::string pin;
  std::string manifest;  // JSON text
  bool all = false;
  bool dry_run = false;
  bool check = false;
  bool try_first = false;
  bool by_code = false;
};

struct Options {
  Command command = Command::kRun;
  std::string model;
  std::string text;  // the prompt of run, the text of tokenize, render, parse

  Config config;           // of the commands that have settings
  uint32_t sequences = 1;  // plan
  bool probe = true;       // plan, quantize
  std::string manifest;    // verify
  std::string out;         // quantize: the new folder
  bool compare = true;     // quantize

  std::string identity;  // empty: the library's default, here and below
  std::string instructions;
  std::string date;                   // empty: none is told to the model
  std::optional<std::string> tools;   // JSON text
  std::string tool_choice;            // auto, none, required, free, or a function's name
  std::optional<std::string> schema;  // JSON text
  std::string tool_results;           // a file, "-": a line for each call; empty: none

  std::optional<uint32_t> logprobs;  // run: alternatives to tell besides each token
  std::string session_file;          // chat: empty for none

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
  HubOptions hub;
  std::string action;  // of commands that have several
  std::string key;     // config get, set
  std::string value;   // config set
  bool show_origin = false;
};

// The options, or an exit code where nothing is left to do: after --help, --version or an error.
std::variant<Options, int> parse_options(int argc, char** argv, Output& output);

}  // namespace vitalis::cli
