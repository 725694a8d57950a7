// SPDX-License-Identifier: Apache-2.0
// Merges as files spell them, to merges of ids.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tokenizer/vocabulary_source.h"

namespace vitalis::tokenizer {

// Raw bytes of the two parts. They stand side by side in memory, so that their join is a view too.
struct SpelledMerge {
  std::string_view left, right;
};

// kMalformed with the number of a merge whose parts or result are no entries.
Result<std::vector<VocabularySource::Merge>> resolve_merges(
    std::span<const VocabularySource::Entry> entries, std::span<const SpelledMerge> merges);

}  // namespace vitalis::tokenizer
