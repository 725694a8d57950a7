// SPDX-License-Identifier: Apache-2.0
// The vocabulary in a GGUF file's metadata.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/status.h"
#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// kNotFound if the file has none; else kMalformed, kUnsupported with what is wrong. `path` names
// the file in messages.
Result<Vocabulary> load_gguf(std::span<const std::byte> file, const std::string& path);

}  // namespace vitalis::tokenizer
