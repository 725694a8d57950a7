// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/automaton.h"

#include <algorithm>
#include <limits>
#include <map>

namespace vitalis::harmony::grammar {
namespace {

constexpr uint32_t kFar = std::numeric_limits<uint32_t>::max();

Status too_large() {
  return error(Code::kUnsupported, "needs an automaton of more than ", Dfa::kMaxStates, " states");
}

}  // namespace

bool Dfa::accepts(std::string_view text) const {
  if (empty()) return false;
  State state = kStart;
  for (const char c : text) {
    state = step(state, static_cast<uint8_t>(c));
    if (state == kDead) return false;
  }
  return accepting_[state];
}

bool Dfa::goes_on(State state) const {
  const auto row = next_.begin() + static_cast<ptrdiff_t>(state * classes_);
  return std::any_of(row, row + static_cast<ptrdiff_t>(classes_),
                     [](State to) { return to != kDead; });
}

uint32_t Dfa::longest_close() const {
  return empty() ? 0 : *std::max_element(close_.begin(), close_.end());
}

// Collects rows of transitions, then drops the states that lead nowhere.
class DfaBuilder {
 public:
  // A byte begins a new class of bytes, which all edges treat alike.
  void cut_at(size_t byte) {
    if (byte < 256) cuts_[byte] = true;
  }
  void finish_classes() {
    size_t classes = 0;
    for (size_t b = 0; b < 256; ++b) {
      if (cuts_[b] && b > 0) ++classes;
      dfa_.class_of_[b] = static_cast<uint8_t>(classes);
      if (b == 0 || cuts_[b]) firsts_.push_back(static_cast<uint8_t>(b));
    }
    dfa_.classes_ = classes + 1;
  }
  // One byte of each class.
  const std::vector<uint8_t>& firsts() const { return firsts_; }

  Dfa::State add_state(bool accepting) {
    dfa_.accepting_.push_back(accepting);
    dfa_.next_.resize(dfa_.next_.size() + dfa_.classes_, Dfa::kDead);
    return static_cast<Dfa::State>(dfa_.accepting_.size() - 1);
  }
  size_t states() const { return dfa_.accepting_.size(); }
  void set(Dfa::State from, size_t byte_class, Dfa::State to) {
    dfa_.next_[from * dfa_.classes_ + byte_class] = to;
  }

  Dfa take() {
    measure();
    return drop_dead();
  }

 private:
  // Distances to acceptance: breadth first, backwards.
  void measure() {
    const size_t n = states();
    std::vector<std::vector<Dfa::State>> before(n);
    for (size_t s = 0; s < n; ++s) {
      for (size_t c = 0; c < dfa_.classes_; ++c) {
        const Dfa::State to = dfa_.next_[s * dfa_.classes_ + c];
        if (to != Dfa::kDead) before[to].push_back(static_cast<Dfa::State>(s));
      }
    }
    dfa_.close_.assign(n, kFar);
    std::vector<Dfa::State> queue;
    for (size_t s = 0; s < n; ++s) {
      if (!dfa_.accepting_[s]) continue;
      dfa_.close_[s] = 0;
      queue.push_back(static_cast<Dfa::State>(s));
    }
    for (size_t at = 0; at < queue.size(); ++at) {
      for (const Dfa::State from : before[queue[at]]) {
        if (dfa_.close_[from] != kFar) continue;
        dfa_.close_[from] = dfa_.close_[queue[at]] + 1;
        queue.push_back(from);
      }
    }
  }

  Dfa drop_dead() const {
    Dfa out;
    if (dfa_.close_.empty() || dfa_.close_[Dfa::kStart] == kFar) return out;
    std::vector<Dfa::State> renumbered(states(), Dfa::kDead);
    size_t kept = 0;
    for (size_t s = 0; s < states(); ++s) {
      if (dfa_.close_[s] != kFar) renumbered[s] = static_cast<Dfa::State>(kept++);
    }
    out.class_of_ = dfa_.class_of_;
    out.classes_ = dfa_.classes_;
    for (size_t s = 0; s < states(); ++s) {
      if (renumbered[s] == Dfa::kDead) continue;
      out.accepting_.push_back(dfa_.accepting_[s]);
      out.close_.push_back(dfa_.close_[s]);
      for (size_t c = 0; c < dfa_.classes_; ++c) {
        const Dfa::State to = dfa_.next_[s * dfa_.classes_ + c];
        out.next_.push_back(to == Dfa::kDead ? to : renumbered[to]);
      }
    }
    return out;
  }

  Dfa dfa_;
  std::array<bool, 256> cuts_{};
  std::vector<uint8_t> firsts_;
};

Nfa::State Nfa::add_state() {
  edges_.emplace_back();
  return static_cast<State>(edges_.size() - 1);
}

void Nfa::add(State from, State to, Kind kind) {
  edges_[from].push_back({to, kind, 0, 0});
}

void Nfa::add_bytes(State from, State to, uint8_t low, uint8_t high) {
  edges_[from].push_back({to, Kind::kBytes, low, high});
}

void Nfa::add_literal(State from, State to, std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    const State next = i + 1 == bytes.size() ? to : add_state();
    add_bytes(from, next, byte, byte);
    from = next;
  }
  if (bytes.empty()) add_empty(from, to);
}

Nfa::Set Nfa::closure(Set from, bool begin, bool end) const {
  std::vector<bool> seen(edges_.size());
  for (const State s : from) seen[s] = true;
  for (size_t at = 0; at < from.size(); ++at) {
    for (const Edge& edge : edges_[from[at]]) {
      const bool passes = edge.kind == Kind::kEmpty || (begin && edge.kind == Kind::kBegin) ||
                          (end && edge.kind == Kind::kEnd);
      if (!passes || seen[edge.to]) continue;
      seen[edge.to] = true;
      from.push_back(edge.to);
    }
  }
  std::sort(from.begin(), from.end());
  return from;
}

void Nfa::split_bytes(DfaBuilder& into) const {
  for (const auto& edges : edges_) {
    for (const Edge& edge : edges) {
      if (edge.kind != Kind::kBytes) continue;
      into.cut_at(edge.low);
      into.cut_at(size_t{edge.high} + 1);
    }
  }
  into.finish_classes();
}

Result<Dfa> Nfa::determinize(State start, State accept) const {
  DfaBuilder builder;
  split_bytes(builder);
  std::map<Set, Dfa::State> known;
  std::vector<Set> sets;
  const auto state_of = [&](Set set, bool begin) {
    const auto [at, fresh] = known.try_emplace(set, static_cast<Dfa::State>(sets.size()));
    if (fresh) {
      const Set last = closure(set, begin, true);
      builder.add_state(std::binary_search(last.begin(), last.end(), accept));
      sets.push_back(std::move(set));
    }
    return at->second;
  };
  state_of(closure({start}, true, false), true);
  // The start may be met again after bytes, where it must not pass kBegin: it is known by another
  // name.
  known.clear();
  for (size_t at = 0; at < sets.size(); ++at) {
    for (size_t c = 0; c < builder.firsts().size(); ++c) {
      const uint8_t byte = builder.firsts()[c];
      Set next;
      for (const State s : sets[at]) {
        for (const Edge& edge : edges_[s]) {
          if (edge.kind == Kind::kBytes && edge.low <= byte && byte <= edge.high) {
            next.push_back(edge.to);
          }
        }
      }
      if (next.empty()) continue;
      std::sort(next.begin(), next.end());
      next.erase(std::unique(next.begin(), next.end()), next.end());
      const Dfa::State to = state_of(closure(std::move(next), false, false), false);
      builder.set(static_cast<Dfa::State>(at), c, to);
      if (sets.size() > Dfa::kMaxStates) return too_large();
    }
  }
  return builder.take();
}

namespace {

// States that are pairs: `accepting` says of a pair whether it accepts; `step` gives the pair after
// a byte, or none.
template <class Key, class Accepting, class Step>
Result<Dfa> explore(const Key& start, const Accepting& accepting, const Step& step) {
  DfaBuilder builder;
  for (size_t b = 0; b < 256; ++b) builder.cut_at(b);
  builder.finish_classes();
  std::map<Key, Dfa::State> known = {{start, Dfa::kStart}};
  std::vector<Key> keys = {start};
  builder.add_state(accepting(start));
  for (size_t at = 0; at < keys.size(); ++at) {
    for (size_t byte = 0; byte < 256; ++byte) {
      Key next;
      if (!step(keys[at], static_cast<uint8_t>(byte), next)) continue;
      const auto [found, fresh] = known.try_emplace(next, static_cast<Dfa::State>(keys.size()));
      if (fresh) {
        if (keys.size() >= Dfa::kMaxStates) return too_large();
        keys.push_back(next);
        builder.add_state(accepting(next));
      }
      builder.set(static_cast<Dfa::State>(at), byte, found->second);
    }
  }
  return builder.take();
}

using Pair = std::pair<Dfa::State, Dfa::State>;

}  // namespace

Result<Dfa> intersect(const Dfa& a, const Dfa& b) {
  if (a.empty()) return Dfa(a);
  if (b.empty()) return Dfa(b);
  return explore(
      Pair{}, [&](Pair p) { return a.accepts(p.first) && b.accepts(p.second); },
      [&](Pair p, uint8_t byte, Pair& next) {
        next = {a.step(p.first, byte), b.step(p.second, byte)};
        return next.first != Dfa::kDead && next.second != Dfa::kDead;
      });
}

Result<Dfa> subtract(const Dfa& a, const Dfa& b) {
  if (a.empty() || b.empty()) return Dfa(a);
  return explore(
      Pair{},
      [&](Pair p) {
        return a.accepts(p.first) && (p.second == Dfa::kDead || !b.accepts(p.second));
      },
      [&](Pair p, uint8_t byte, Pair& next) {
        next = {a.step(p.first, byte),
                p.second == Dfa::kDead ? Dfa::kDead : b.step(p.second, byte)};
        return next.first != Dfa::kDead;
      });
}

bool disjoint(const Dfa& a, const Dfa& b) {
  const auto both = intersect(a, b);
  return both.ok() && both->empty();
}

Result<Dfa> limit_characters(const Dfa& body, size_t min, size_t max) {
  if (body.empty()) return Dfa(body);
  // What of a character is still to come: bytes of UTF-8, the letter after a backslash (kEscape),
  // or hexadecimal digits above it.
  constexpr uint8_t kEscape = 4;
  struct Key {
    Dfa::State state;
    uint32_t count;
    uint8_t pending;
    bool operator<(const Key& o) const {
      return std::tie(state, count, pending) < std::tie(o.state, o.count, o.pending);
    }
  };
  return explore(
      Key{},
      [&](const Key& k) { return k.pending == 0 && k.count >= min && body.accepts(k.state); },
      [&](const Key& k, uint8_t byte, Key& next) {
        next = k;
        next.state = body.step(k.state, byte);
        if (next.state == Dfa::kDead) return false;
        if (k.pending == kEscape) {
          next.pending = byte == 'u' ? kEscape + 4 : 0;
        } else if (k.pending > kEscape) {
          next.pending = k.pending == kEscape + 1 ? 0 : static_cast<uint8_t>(k.pending - 1);
        } else if (k.pending > 0) {
          --next.pending;
        } else if (byte == '\\') {
          next.pending = kEscape;
        } else if (byte >= 0xC0) {
          next.pending = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
        }
        // Without an upper bound the count need not go on once it is enough.
        if (next.pending == 0 && (max != SIZE_MAX || next.count < min)) ++next.count;
        return next.count <= max;
      });
}

Result<Dfa> quote(const Dfa& body) {
  if (body.empty()) return Dfa(body);
  // 0: before the quote; 1: within; 2: after the last one.
  using Key = std::pair<uint8_t, Dfa::State>;
  return explore(
      Key{}, [](Key k) { return k.first == 2; },
      [&](Key k, uint8_t byte, Key& next) {
        if (k.first == 2) return false;
        if (k.first == 0) {
          next = {1, Dfa::kStart};
          return byte == '"';
        }
        // A quote that the body takes is one behind a backslash.
        next = {1, body.step(k.second, byte)};
        if (next.second != Dfa::kDead) return true;
        next = {2, Dfa::kStart};
        return byte == '"' && body.accepts(k.second);
      });
}

}  // namespace vitalis::harmony::grammar
