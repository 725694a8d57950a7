// SPDX-License-Identifier: Apache-2.0
// Shows an answer while the session makes it: the final channel and what the model says before it
// calls a tool, tool calls in brackets, and on demand the reasoning.
#pragma once

#include <cstdint>
#include <string>

#include "interrupt.h"
#include "library.h"
#include "options.h"
#include "output.h"

namespace vitalis::cli {

// Pulls the answer that `session` has started to its end. The exit code that a program with this
// answer ends with; what is not kExitOk has been told on standard error.
// `called`, unless it is null, becomes the recipient that the answer calls, empty if it calls none.
int show_answer(vitalis_session* session, const Options& options, Interrupt& interrupt,
                Output& output, std::string* called = nullptr);

// --stats: speed and memory of the last answer, on standard error.
void show_stats(const vitalis_session* session, const vitalis_model* model, Output& output);

// --logprobs: a line on standard error for each token of the last answer, then its alternatives:
// its text, its log-probability by the model, and in what was sampled from, with tabs between.
void show_logprobs(const vitalis_session* session, const vitalis_model* model, Output& output);

}  // namespace vitalis::cli
