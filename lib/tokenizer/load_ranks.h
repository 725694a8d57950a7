// SPDX-License-Identifier: Apache-2.0
// Reads a *.tiktoken rank file: a line per entry, its bytes in base64, a space, its rank. The rank
// is the token's id.
#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

// kNotFound, kIo, kMalformed with the line, kUnsupported.
Result<Vocabulary> load_ranks(const std::string& path,
                              std::span<const VocabularySource::Entry> specials);

}  // namespace vitalis::tokenizer
