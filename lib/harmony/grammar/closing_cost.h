// SPDX-License-Identifier: Apache-2.0
// How many tokens it takes at most to bring a text to its end from each node of a grammar, so that
// an answer can be closed before its tokens run out. Immutable; any thread may read.
#pragma once

#include <cstdint>
#include <vector>

#include "harmony/grammar/grammar.h"
#include "harmony/grammar/token_trie.h"

namespace vitalis::harmony::grammar {

class ClosingCost {
 public:
  static constexpr uint32_t kNever = 0x3FFFFFFF;

  // Without a trie each byte counts as a token.
  ClosingCost(const Grammar& grammar, const TokenTrie* trie);

  // Tokens from here to the return of the rule; kNever if there is no way.
  uint32_t node(NodeId id) const { return costs_[id]; }
  // Calls that the cheapest way nests.
  uint32_t depth(NodeId id) const { return depths_[id]; }
  // Of a leaf, from a state and the characters so far, to its end.
  static uint32_t leaf(const Leaf& leaf, Dfa::State state, uint32_t count) {
    if (leaf.kind == Leaf::Kind::kText) return 0;
    const uint32_t missing =
        leaf.kind == Leaf::Kind::kString && count < leaf.min ? leaf.min - count : 0;
    return leaf.dfa->close(state) + missing;
  }

 private:
  uint32_t cost_of(const Grammar& grammar, const TokenTrie* trie, NodeId id) const;
  uint32_t depth_of(const Grammar& grammar, NodeId id) const;

  std::vector<uint32_t> costs_, depths_;
};

}  // namespace vitalis::harmony::grammar
