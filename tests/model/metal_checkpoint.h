// SPDX-License-Identifier: Apache-2.0
// The same model as metal/model.bin: made from a checkpoint in Hugging Face's layout.
#pragma once

#include <string>

#include "model/checkpoint.h"
#include "model/spelled_tokenizer.h"

namespace vitalis::model {

// Without a tokenizer the vocabulary becomes 16 special tokens after the text ones, which are their
// own numbers.
std::string metal_of(const Checkpoint& checkpoint, const SpelledTokenizer* tokenizer = nullptr);

// What stands before the weights.
std::string metal_header_of(const Config& config, const SpelledTokenizer* tokenizer = nullptr);

}  // namespace vitalis::model
