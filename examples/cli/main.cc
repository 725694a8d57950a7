// SPDX-License-Identifier: Apache-2.0
// vitalis: talks to gpt-oss models on the command line. It uses the library through its C interface
// only, as any other program would.
#include <csignal>
#include <exception>
#include <string>

#include "commands.h"
#include "interrupt.h"
#include "model_name.h"
#include "options.h"
#include "output.h"
#include <vitalis/vitalis.h>

namespace vitalis::cli {

namespace {

int dispatch(const Options& options, Interrupt& interrupt, Output& output) {
  switch (options.command) {
    case Command::kRun:
      return run(options, interrupt, output);
    case Command::kChat:
      return chat(options, interrupt, output);
    case Command::kInfo:
      return info(options, output);
    case Command::kPlan:
      return plan(options, output);
    case Command::kVerify:
      return verify(options, output);
    case Command::kQuantize:
      return quantize(options, interrupt, output);
    case Command::kTokenize:
      return tokenize(options, output);
    case Command::kRender:
      return render(options, output);
    case Command::kParse:
      return parse(options, output);
    case Command::kBench:
      return bench(options, output);
    case Command::kConfig:
      return config(options, output);
    case Command::kAuth:
      return auth(options, interrupt, output);
    case Command::kDownload:
      return download(options, interrupt, output);
    case Command::kUpdate:
      return update(options, interrupt, output);
    case Command::kRollback:
      return rollback(options, output);
    case Command::kModels:
      return models(options, output);
  }
  return kExitError;
}

int start(int argc, char** argv) {
  Output output;
  if (vitalis_abi_version() != VITALIS_ABI_VERSION) {
    output.error("the library speaks ABI " + std::to_string(vitalis_abi_version()) +
                 ", this program " + std::to_string(VITALIS_ABI_VERSION));
    return kExitError;
  }
  const auto parsed = parse_options(argc, argv, output);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  Interrupt interrupt;
  Options options = std::get<Options>(parsed);
  if (!options.model.empty() && !find_model(options, interrupt, output)) return kExitError;
  return dispatch(options, interrupt, output);
}

}  // namespace

}  // namespace vitalis::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of write(), handled there
  try {
    return vitalis::cli::start(argc, argv);
  } catch (const std::exception& error) {  // out of memory, and the like
    vitalis::cli::Output().error(error.what());
    return vitalis::cli::kExitError;
  }
}
