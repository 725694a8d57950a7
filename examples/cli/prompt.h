// SPDX-License-Identifier: Apache-2.0
// Questions to the person at the terminal: on standard error and from standard input, so that
// standard output stays what was asked for.
#pragma once

#include <optional>
#include <string>

#include "interrupt.h"
#include "output.h"

namespace vitalis::cli {

// Whether there is a person to ask.
bool can_ask();

// A line typed without being shown. Nothing: Ctrl-C, or the end of input. The terminal is as it was
// when this returns, or when a signal ends the program meanwhile.
std::optional<std::string> ask_secret(const std::string& question, Interrupt& interrupt,
                                      Output& output);

// Enter means yes.
bool ask_yes(const std::string& question, Output& output);

}  // namespace vitalis::cli
