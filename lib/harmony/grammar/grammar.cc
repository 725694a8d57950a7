// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/grammar.h"

namespace vitalis::harmony::grammar {
namespace {

// One character of a string to `to`, in any encoding that JSON has for it.
void add_character(Nfa& nfa, Nfa::State from, Nfa::State to) {
  const auto range = [&](Nfa::State a, Nfa::State b, int low, int high) {
    nfa.add_bytes(a, b, static_cast<uint8_t>(low), static_cast<uint8_t>(high));
  };
  const auto step = [&](Nfa::State a, int low, int high) {
    const Nfa::State b = nfa.add_state();
    range(a, b, low, high);
    return b;
  };
  const auto hex = [&](Nfa::State a, Nfa::State b) {
    range(a, b, '0', '9');
    range(a, b, 'a', 'f');
    range(a, b, 'A', 'F');
  };
  const auto hexes = [&](Nfa::State a, int n, Nfa::State b) {
    for (; n > 1; --n) {
      const Nfa::State next = nfa.add_state();
      hex(a, next);
      a = next;
    }
    hex(a, b);
  };
  range(from, to, 0x20, 0x21);
  range(from, to, 0x23, 0x5B);
  range(from, to, 0x5D, 0x7F);
  // UTF-8 (RFC 3629, section 4).
  const auto tails = [&](Nfa::State a, int n) {
    for (; n > 1; --n) a = step(a, 0x80, 0xBF);
    range(a, to, 0x80, 0xBF);
  };
  tails(step(from, 0xC2, 0xDF), 1);
  tails(step(step(from, 0xE0, 0xE0), 0xA0, 0xBF), 1);
  tails(step(from, 0xE1, 0xEC), 2);
  tails(step(step(from, 0xED, 0xED), 0x80, 0x9F), 1);
  tails(step(from, 0xEE, 0xEF), 2);
  tails(step(step(from, 0xF0, 0xF0), 0x90, 0xBF), 2);
  tails(step(from, 0xF1, 0xF3), 3);
  tails(step(step(from, 0xF4, 0xF4), 0x80, 0x8F), 2);

  const Nfa::State escape = step(from, '\\', '\\');
  for (const char c : std::string_view("\"\\/bfnrt")) range(escape, to, c, c);
  const Nfa::State unicode = step(escape, 'u', 'u');
  const Nfa::State plain = nfa.add_state(), d = nfa.add_state(), high = nfa.add_state();
  range(unicode, plain, '0', '9');
  for (const int c : {'a', 'b', 'c', 'e', 'f', 'A', 'B', 'C', 'E', 'F'})
    range(unicode, plain, c, c);
  hexes(plain, 3, to);
  for (const int c : {'d', 'D'}) range(unicode, d, c, c);
  const Nfa::State low_plane = step(d, '0', '7');
  hexes(low_plane, 2, to);
  // A high surrogate, then a low one.
  range(d, high, '8', '9');
  for (const int c : {'a', 'b', 'A', 'B'}) range(d, high, c, c);
  const Nfa::State second = nfa.add_state();
  hexes(high, 2, second);
  const Nfa::State again = step(step(second, '\\', '\\'), 'u', 'u');
  const Nfa::State low_d = nfa.add_state(), low = nfa.add_state();
  for (const int c : {'d', 'D'}) range(again, low_d, c, c);
  for (const int c : {'c', 'd', 'e', 'f', 'C', 'D', 'E', 'F'}) range(low_d, low, c, c);
  hexes(low, 2, to);
}

}  // namespace

const StringDfa& string_dfa() {
  static const StringDfa made = [] {
    Nfa nfa;
    const Nfa::State start = nfa.add_state(), first = nfa.add_state(), body = nfa.add_state(),
                     end = nfa.add_state();
    nfa.add_bytes(start, first, '"', '"');
    for (const Nfa::State from : {first, body}) {
      add_character(nfa, from, body);
      nfa.add_bytes(from, end, '"', '"');
    }
    auto dfa = std::make_shared<const Dfa>(nfa.determinize(start, end).take());
    const Dfa::State counted = dfa->step(dfa->step(Dfa::kStart, '"'), 'a');
    return StringDfa{std::move(dfa), counted};
  }();
  return made;
}

NodeId Grammar::literal(std::string_view bytes, NodeId next) {
  for (size_t i = bytes.size(); i-- > 0;) next = byte(static_cast<uint8_t>(bytes[i]), next);
  return next;
}

NodeId Grammar::choice(NodeId a, NodeId b) {
  if (a == kNoNode) return b;
  if (b == kNoNode) return a;
  return add({.op = Op::kChoice, .next = a, .other = b});
}

NodeId Grammar::leaf(Leaf leaf, NodeId next) {
  leaves_.push_back(std::move(leaf));
  return add({.op = Op::kLeaf, .arg = static_cast<uint32_t>(leaves_.size() - 1), .next = next});
}

}  // namespace vitalis::harmony::grammar
