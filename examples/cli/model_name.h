// SPDX-License-Identifier: Apache-2.0
// What a command's MODEL stands for: a path, or a name that is looked up among the models on this
// machine; one that is absent may be downloaded first.
#pragma once

#include "interrupt.h"
#include "options.h"
#include "output.h"

namespace vitalis::cli {

// Makes options.model a path. False after telling what is wrong, or what to type.
bool find_model(Options& options, Interrupt& interrupt, Output& output);

}  // namespace vitalis::cli
