// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/special_finder.h"

#include <algorithm>

namespace vitalis::tokenizer {

SpecialFinder::SpecialFinder(const Vocabulary& vocabulary, std::span<const Token> tokens) {
  for (const Token token : tokens) {
    const std::string_view name = vocabulary.bytes(token);
    if (name.empty() || !vocabulary.is_special(token)) continue;
    names_.push_back({name, token});
    begins_name_[static_cast<uint8_t>(name[0])] = true;
  }
  std::sort(names_.begin(), names_.end(),
            [](const Name& a, const Name& b) { return a.text.size() > b.text.size(); });
}

SpecialFinder::Found SpecialFinder::next(std::string_view text, size_t from) const {
  if (names_.empty()) return {text.size(), kNone};
  for (size_t at = from; at < text.size(); ++at) {
    if (!begins_name_[static_cast<uint8_t>(text[at])]) continue;
    for (const Name& name : names_) {
      if (text.substr(at).starts_with(name.text)) return {at, name.token};
    }
  }
  return {text.size(), kNone};
}

}  // namespace vitalis::tokenizer
