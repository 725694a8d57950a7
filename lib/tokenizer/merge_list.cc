// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/merge_list.h"

#include <unordered_map>

namespace vitalis::tokenizer {

Result<std::vector<VocabularySource::Merge>> resolve_merges(
    std::span<const VocabularySource::Entry> entries, std::span<const SpelledMerge> merges) {
  std::unordered_map<std::string_view, Token> ids;
  ids.reserve(entries.size());
  for (const auto& entry : entries) ids.emplace(entry.bytes, entry.id);
  std::vector<VocabularySource::Merge> out;
  out.reserve(merges.size());
  for (const auto& [left, right] : merges) {
    const auto l = ids.find(left), r = ids.find(right);
    const auto both = ids.find({left.data(), left.size() + right.size()});
    if (l == ids.end() || r == ids.end() || both == ids.end()) {
      return error(Code::kMalformed, "merge ", out.size(),
                   ": a part or the result is not in the vocabulary");
    }
    out.push_back({l->second, r->second, both->second});
  }
  return out;
}

}  // namespace vitalis::tokenizer
