// SPDX-License-Identifier: Apache-2.0
// The same model as metal/model.bin: made from a checkpoint in Hugging Face's layout.
#pragma once

#include <string>

#include "model/checkpoint.h"

namespace vitalis::model {

// The vocabulary becomes 16 special tokens after the text ones, which are their own numbers.
std::string metal_of(const Checkpoint& checkpoint);

// What stands before the weights.
std::string metal_header_of(const Config& config);

}  // namespace vitalis::model
