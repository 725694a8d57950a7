// SPDX-License-Identifier: Apache-2.0
// The vocabulary of a metal/model.bin: raw bytes by id, whose ranks are their ids, then special
// tokens by UUID.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/status.h"
#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// kMalformed, kUnsupported. `path` names the file in messages.
Result<Vocabulary> load_metal(std::span<const std::byte> file, const std::string& path);

}  // namespace vitalis::tokenizer
