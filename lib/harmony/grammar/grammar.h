// SPDX-License-Identifier: Apache-2.0
// What may be said, as a pushdown automaton over bytes and control tokens. Rules call each other;
// inside a rule stand single bytes, control tokens, choices, and leaves: regular languages with a
// Dfa of their own. Built once, backwards (each node is given what follows it), then immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "harmony/grammar/automaton.h"
#include "tokenizer/tokenizer.h"

namespace vitalis::harmony::grammar {

using NodeId = uint32_t;
using RuleId = uint32_t;
inline constexpr NodeId kNoNode = 0xFFFFFFFF;

enum class Op : uint8_t {
  kFail,    // a way that does not exist
  kByte,    // arg: the byte
  kToken,   // arg: a control token
  kChoice,  // next or other
  kCall,    // arg: the rule; next after its return
  kLeaf,    // arg: the leaf; next after it
  kCount,   // passes at most arg times in one call of the rule
  kReturn,
};

struct Node {
  Op op = Op::kFail;
  // The text may stop here, unfinished: max_tokens cuts it as it would without a grammar.
  bool may_cut = false;
  uint32_t arg = 0;
  NodeId next = kNoNode, other = kNoNode;
};

struct Leaf {
  enum class Kind : uint8_t {
    kText,    // any bytes; only a control token ends it
    kString,  // string_dfa() with min to max characters
    kQuoted,  // a Dfa that accepts only after a closing quote, and then goes no further
    kPlain,   // any other Dfa
  };
  Kind kind = Kind::kPlain;
  std::shared_ptr<const Dfa> dfa;  // null for kText
  uint32_t min = 0, max = kNoLimit;
  static constexpr uint32_t kNoLimit = 0xFFFFFFFF;
};

// A JSON string, quotes and all escapes included. counted: the state that is entered with each
// character that is complete.
struct StringDfa {
  std::shared_ptr<const Dfa> dfa;
  Dfa::State counted;
};
const StringDfa& string_dfa();

class Grammar {
 public:
  const Node& node(NodeId id) const { return nodes_[id]; }
  size_t nodes() const { return nodes_.size(); }
  const Leaf& leaf(uint32_t id) const { return leaves_[id]; }
  NodeId rule(RuleId id) const { return rules_[id]; }
  size_t rules() const { return rules_.size(); }
  // Where a match begins; it has ended after this rule's return.
  NodeId start() const { return start_; }
  void set_start(NodeId start) { start_ = start; }

  NodeId fail() { return add({.op = Op::kFail}); }
  NodeId byte(uint8_t value, NodeId next) {
    return add({.op = Op::kByte, .arg = value, .next = next});
  }
  NodeId literal(std::string_view bytes, NodeId next);
  NodeId token(Token id, NodeId next) { return add({.op = Op::kToken, .arg = id, .next = next}); }
  // Either may be kNoNode: then it is the other one.
  NodeId choice(NodeId a, NodeId b);
  NodeId call(RuleId rule, NodeId next) {
    return add({.op = Op::kCall, .arg = rule, .next = next});
  }
  NodeId leaf(Leaf leaf, NodeId next);
  NodeId count(uint32_t limit, NodeId next) {
    return add({.op = Op::kCount, .arg = limit, .next = next});
  }
  NodeId finish() { return add({.op = Op::kReturn}); }
  // A node whose content is set later, for loops.
  NodeId placeholder() { return add({}); }
  void replace(NodeId id, NodeId by) { nodes_[id] = {.op = Op::kChoice, .next = by}; }
  // All nodes made since there were `first` of them.
  void set_may_cut(size_t first) {
    for (size_t id = first; id < nodes_.size(); ++id) nodes_[id].may_cut = true;
  }

  RuleId add_rule() {
    rules_.push_back(kNoNode);
    return static_cast<RuleId>(rules_.size() - 1);
  }
  void set_rule(RuleId id, NodeId start) { rules_[id] = start; }

 private:
  NodeId add(Node node) {
    nodes_.push_back(node);
    return static_cast<NodeId>(nodes_.size() - 1);
  }
  std::vector<Node> nodes_;
  std::vector<Leaf> leaves_;
  std::vector<NodeId> rules_;
  NodeId start_ = kNoNode;
};

}  // namespace vitalis::harmony::grammar
