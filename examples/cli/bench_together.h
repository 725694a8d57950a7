// SPDX-License-Identifier: Apache-2.0
// Several answers made together: the part of `vitalis bench` that needs more than one session.
#pragma once

#include <cstdint>
#include <vector>

#include "output.h"
#include <vitalis/vitalis.h>

namespace vitalis::cli {

// `count` sequences of different prompts, sampled, each `generate` tokens after its first. Adds one
// time for each repeat. False: it failed and has told so.
bool measure_together(vitalis_model* model, uint32_t count, uint32_t generate, uint32_t repeats,
                      std::vector<double>& seconds, Output& output);

}  // namespace vitalis::cli
