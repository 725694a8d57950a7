// SPDX-License-Identifier: Apache-2.0
// Reads a Hugging Face tokenizer.json that describes byte-level BPE with the o200k pattern.
#pragma once

#include <string>

#include "base/status.h"
#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// kNotFound, kIo, kMalformed, kUnsupported; the message names the file and the place in it.
Result<Vocabulary> load_json(const std::string& path);

}  // namespace vitalis::tokenizer
