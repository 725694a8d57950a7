// SPDX-License-Identifier: Apache-2.0
// The program's commands. Each gives the exit code, and has told on standard error about any that
// is not zero.
#pragma once

#include "interrupt.h"
#include "options.h"
#include "output.h"

namespace vitalis::cli {

int run(const Options& options, Interrupt& interrupt, Output& output);
int chat(const Options& options, Interrupt& interrupt, Output& output);
int info(const Options& options, Output& output);
int plan(const Options& options, Output& output);
int verify(const Options& options, Output& output);
int quantize(const Options& options, Interrupt& interrupt, Output& output);
int tokenize(const Options& options, Output& output);
int render(const Options& options, Output& output);
int parse(const Options& options, Output& output);
int bench(const Options& options, Output& output);
int config(const Options& options, Output& output);
int auth(const Options& options, Interrupt& interrupt, Output& output);
int download(const Options& options, Interrupt& interrupt, Output& output);
int update(const Options& options, Interrupt& interrupt, Output& output);
int rollback(const Options& options, Output& output);
int models(const Options& options, Output& output);

}  // namespace vitalis::cli
