// SPDX-License-Identifier: Apache-2.0
// Byte strings with a value each, as a trie laid out in preorder: walking it reads memory forwards,
// and leaving a branch is one jump. Immutable once built; any thread may read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vitalis::harmony::grammar {

class TokenTrie {
 public:
  static constexpr uint32_t kNoValue = 0xFFFFFFFF;
  struct Node {
    uint32_t end;    // the node after this one's descendants
    uint32_t value;  // kNoValue: no entry ends here
    uint8_t byte;
    uint16_t depth;  // bytes up to here, at least one
  };

  // Strings that are empty are left out; of equal ones the first counts.
  explicit TokenTrie(std::vector<std::pair<std::string_view, uint32_t>> entries);

  std::span<const Node> nodes() const { return nodes_; }
  size_t longest() const { return longest_; }

  // Steps down from the root: a cursor is one more than a node's index.
  using Cursor = uint32_t;
  static constexpr Cursor kNowhere = 0xFFFFFFFF;
  Cursor root() const { return 0; }
  Cursor child(Cursor at, uint8_t byte) const;
  uint32_t value(Cursor at) const { return at == 0 ? kNoValue : nodes_[at - 1].value; }
  bool has_children(Cursor at) const {
    return at == 0 ? !nodes_.empty() : nodes_[at - 1].end != at;
  }

 private:
  std::vector<Node> nodes_;
  size_t longest_ = 0;
};

}  // namespace vitalis::harmony::grammar
