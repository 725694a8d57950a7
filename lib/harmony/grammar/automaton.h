// SPDX-License-Identifier: Apache-2.0
// Finite automata over bytes: regular parts of a grammar (strings, numbers, lists of literals) are
// built as an Nfa and used as a Dfa. A Dfa has no dead states: from each one an accepting state is
// in reach, and `close` says how near. Values; immutable once made, then any thread may read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::harmony::grammar {

class DfaBuilder;

class Dfa {
 public:
  using State = uint16_t;
  static constexpr State kDead = 0xFFFF;
  static constexpr size_t kMaxStates = 20000;
  static constexpr State kStart = 0;

  // No text at all is accepted.
  bool empty() const { return accepting_.empty(); }
  size_t states() const { return accepting_.size(); }
  State step(State from, uint8_t byte) const { return next_[from * classes_ + class_of_[byte]]; }
  bool accepts(State state) const { return accepting_[state]; }
  bool accepts(std::string_view text) const;
  bool goes_on(State state) const;  // some byte may follow
  // The fewest bytes from here to an accepting state.
  uint32_t close(State state) const { return close_[state]; }
  uint32_t longest_close() const;

 private:
  friend class DfaBuilder;
  std::array<uint8_t, 256> class_of_{};
  size_t classes_ = 0;
  std::vector<State> next_;  // [state][class]
  std::vector<bool> accepting_;
  std::vector<uint32_t> close_;
};

// A nondeterministic automaton in the making. kBegin and kEnd edges are the anchors of regular
// expressions: they cost no byte, and can be passed before the first byte, after the last.
class Nfa {
 public:
  using State = uint32_t;
  State add_state();
  void add_bytes(State from, State to, uint8_t low, uint8_t high);
  void add_empty(State from, State to) { add(from, to, Kind::kEmpty); }
  void add_begin(State from, State to) { add(from, to, Kind::kBegin); }
  void add_end(State from, State to) { add(from, to, Kind::kEnd); }
  void add_literal(State from, State to, std::string_view bytes);
  size_t states() const { return edges_.size(); }

  // kUnsupported if that takes more than Dfa::kMaxStates states.
  Result<Dfa> determinize(State start, State accept) const;

 private:
  enum class Kind : uint8_t { kBytes, kEmpty, kBegin, kEnd };
  struct Edge {
    State to;
    Kind kind;
    uint8_t low, high;
  };
  using Set = std::vector<State>;  // sorted
  void add(State from, State to, Kind kind);
  Set closure(Set from, bool begin, bool end) const;
  void split_bytes(DfaBuilder& into) const;

  std::vector<std::vector<Edge>> edges_;
};

// Texts of both; texts of `a` that are none of `b`. kUnsupported as above.
Result<Dfa> intersect(const Dfa& a, const Dfa& b);
Result<Dfa> subtract(const Dfa& a, const Dfa& b);
// Whether some text is in both; false where that would take too many states to know.
bool disjoint(const Dfa& a, const Dfa& b);

// `body` is a language of encoded characters of a JSON string: those texts of `min` to `max`
// characters, in quotes.
Result<Dfa> limit_characters(const Dfa& body, size_t min, size_t max);
Result<Dfa> quote(const Dfa& body);

}  // namespace vitalis::harmony::grammar
