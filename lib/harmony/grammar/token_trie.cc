// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/token_trie.h"

#include <algorithm>

namespace vitalis::harmony::grammar {

TokenTrie::TokenTrie(std::vector<std::pair<std::string_view, uint32_t>> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<uint32_t> open;  // the path to the entry before
  std::string_view last;
  const auto close_to = [&](size_t depth) {
    for (; open.size() > depth; open.pop_back()) {
      nodes_[open.back()].end = static_cast<uint32_t>(nodes_.size());
    }
  };
  for (const auto& [bytes, value] : entries) {
    if (bytes.empty() || bytes == last) continue;
    const size_t common = static_cast<size_t>(
        std::mismatch(bytes.begin(), bytes.end(), last.begin(), last.end()).first - bytes.begin());
    close_to(common);
    for (size_t i = common; i < bytes.size(); ++i) {
      open.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, kNoValue, static_cast<uint8_t>(bytes[i]), static_cast<uint16_t>(i + 1)});
    }
    nodes_.back().value = value;
    longest_ = std::max(longest_, bytes.size());
    last = bytes;
  }
  close_to(0);
}

TokenTrie::Cursor TokenTrie::child(Cursor at, uint8_t byte) const {
  const uint32_t end = at == 0 ? static_cast<uint32_t>(nodes_.size()) : nodes_[at - 1].end;
  for (uint32_t i = at; i < end; i = nodes_[i].end) {
    if (nodes_[i].byte == byte) return i + 1;
    if (nodes_[i].byte > byte) break;
  }
  return kNowhere;
}

}  // namespace vitalis::harmony::grammar
