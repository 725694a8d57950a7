// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/closing_cost.h"

#include <algorithm>

namespace vitalis::harmony::grammar {
namespace {

uint32_t sum(uint32_t a, uint32_t b) {
  return std::min(a + b, ClosingCost::kNever);
}

}  // namespace

ClosingCost::ClosingCost(const Grammar& grammar, const TokenTrie* trie)
    : costs_(grammar.nodes(), kNever), depths_(grammar.nodes(), kNever) {
  // Costs only fall, and nodes are made from the end to the front: few rounds.
  for (bool changed = true; changed;) {
    changed = false;
    for (NodeId id = 0; id < grammar.nodes(); ++id) {
      const uint32_t cost = cost_of(grammar, trie, id);
      if (cost < costs_[id]) {
        costs_[id] = cost;
        changed = true;
      }
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (NodeId id = 0; id < grammar.nodes(); ++id) {
      const uint32_t depth = depth_of(grammar, id);
      if (depth < depths_[id]) {
        depths_[id] = depth;
        changed = true;
      }
    }
  }
}

uint32_t ClosingCost::cost_of(const Grammar& grammar, const TokenTrie* trie, NodeId id) const {
  const Node& node = grammar.node(id);
  if (node.may_cut) return 0;
  switch (node.op) {
    case Op::kFail:
    case Op::kCount:  // may have been passed often enough: no way to rely on
      return kNever;
    case Op::kReturn:
      return 0;
    case Op::kToken:
      return sum(1, costs_[node.next]);
    case Op::kChoice:
      return std::min(costs_[node.next], node.other == kNoNode ? kNever : costs_[node.other]);
    case Op::kCall:
      if (grammar.rule(node.arg) == kNoNode) return kNever;
      return sum(costs_[grammar.rule(node.arg)], costs_[node.next]);
    case Op::kLeaf:
      return sum(leaf(grammar.leaf(node.arg), Dfa::kStart, 0), costs_[node.next]);
    case Op::kByte:
      break;
  }
  uint32_t best = sum(1, costs_[node.next]);
  if (!trie) return best;
  // Or one token for several bytes that follow each other.
  TokenTrie::Cursor at = trie->root();
  for (NodeId next = id; grammar.node(next).op == Op::kByte; next = grammar.node(next).next) {
    at = trie->child(at, static_cast<uint8_t>(grammar.node(next).arg));
    if (at == TokenTrie::kNowhere) break;
    if (trie->value(at) != TokenTrie::kNoValue) {
      best = std::min(best, sum(1, costs_[grammar.node(next).next]));
    }
  }
  return best;
}

// Along the way that the cost is of, so that both promises can be kept at once.
uint32_t ClosingCost::depth_of(const Grammar& grammar, NodeId id) const {
  const Node& node = grammar.node(id);
  if (costs_[id] == kNever) return kNever;
  if (node.may_cut) return 0;
  switch (node.op) {
    case Op::kFail:
    case Op::kCount:
      return kNever;
    case Op::kReturn:
      return 0;
    case Op::kChoice: {
      const bool first = node.other == kNoNode || costs_[node.next] <= costs_[node.other];
      return depths_[first ? node.next : node.other];
    }
    case Op::kCall:
      return std::max(sum(1, depths_[grammar.rule(node.arg)]), depths_[node.next]);
    case Op::kLeaf:
      return std::max(1u, depths_[node.next]);
    case Op::kByte:
    case Op::kToken:
      return depths_[node.next];
  }
  return kNever;
}

}  // namespace vitalis::harmony::grammar
