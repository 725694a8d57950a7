// SPDX-License-Identifier: Apache-2.0
// Pulls a download to its end and shows it: a line for each file under way and one for all on a
// terminal, JSON lines on demand, else nothing.
#pragma once

#include <string>

#include "hub_connection.h"
#include "interrupt.h"
#include "json_reader.h"
#include "options.h"
#include "output.h"

namespace vitalis::cli {

// What would be done: three lines for people.
std::string plan_for_people(const Json& plan);

// An exit code; what is not kExitOk has been told. Ctrl-C stops it, and what landed stays.
int show_transfer(vitalis_transfer* transfer, const Options& options, Interrupt& interrupt,
                  Output& output);

}  // namespace vitalis::cli
