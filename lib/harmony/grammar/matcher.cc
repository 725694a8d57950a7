// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/matcher.h"

#include <algorithm>
#include <iterator>

namespace vitalis::harmony::grammar {
namespace {

constexpr size_t kMostForcedBytes = 512;
constexpr size_t kMostTried = 1000;

}  // namespace

Matcher::Matcher(const TokenGrammar& grammar) : grammar_(&grammar) {
  follow(grammar.grammar().start(), 0, kNoFrame, places_);
}

uint32_t Matcher::push(NodeId node, uint32_t count, uint32_t parent) {
  const uint32_t cost = grammar_->costs().node(node);
  frames_.push_back({node, count, parent, depth(parent) + 1,
                     std::min(cost + below(parent), ClosingCost::kNever)});
  return static_cast<uint32_t>(frames_.size() - 1);
}

uint32_t Matcher::cost(const Place& place) const {
  const Node& node = grammar_->grammar().node(place.node);
  if (node.may_cut || node.op == Op::kReturn) return 0;
  const uint32_t own = node.op == Op::kLeaf ? ClosingCost::leaf(grammar_->grammar().leaf(node.arg),
                                                                place.state, place.count)
                                            : grammar_->costs().node(place.node);
  return std::min(own + below(place.parent), ClosingCost::kNever);
}

uint32_t Matcher::cost() const {
  uint32_t out = ClosingCost::kNever;
  for (const Place& place : places_) out = std::min(out, cost(place));
  return out;
}

bool Matcher::same_frames(uint32_t a, uint32_t b) const {
  while (a != b) {
    if (a == kNoFrame || b == kNoFrame) return false;
    const Frame &x = frames_[a], &y = frames_[b];
    if (x.node != y.node || x.count != y.count) return false;
    a = x.parent;
    b = y.parent;
  }
  return true;
}

// Ways that have no end, or none within the nesting that is allowed, are not taken. Of very many
// ways the first are enough: each of them leads to an end.
void Matcher::add(const Place& place, Places& out) {
  const Node& node = grammar_->grammar().node(place.node);
  if (cost(place) >= ClosingCost::kNever) return;
  const uint32_t nested = node.op == Op::kLeaf ? 0 : grammar_->costs().depth(place.node);
  if (!node.may_cut && depth(place.parent) + nested > kMostNested) return;
  if (out.size() >= kMostPlaces) return;
  for (const Place& other : out) {
    if (other.node == place.node && other.count == place.count && other.state == place.state &&
        same_frames(other.parent, place.parent)) {
      return;
    }
  }
  out.push_back(place);
}

void Matcher::follow(NodeId id, uint32_t count, uint32_t parent, Places& out) {
  const Grammar& grammar = grammar_->grammar();
  while (id != kNoNode) {
    const Node& node = grammar.node(id);
    switch (node.op) {
      case Op::kFail:
        return;
      case Op::kByte:
      case Op::kToken:
        add({id, count, parent, 0}, out);
        return;
      case Op::kChoice:
        follow(node.next, count, parent, out);
        id = node.other;
        continue;
      case Op::kCall: {
        if (grammar_->costs().node(id) >= ClosingCost::kNever) return;
        if (depth(parent) >= kMostNested) return;
        parent = push(node.next, count, parent);
        count = 0;
        id = grammar.rule(node.arg);
        continue;
      }
      case Op::kLeaf: {
        const uint32_t frame = push(node.next, count, parent);
        add({id, 0, frame, Dfa::kStart}, out);
        const Leaf& leaf = grammar.leaf(node.arg);
        if (leaf.kind == Leaf::Kind::kText || leaf.dfa->accepts(Dfa::kStart)) leave(frame, out);
        return;
      }
      case Op::kCount:
        if (count >= node.arg) return;
        ++count;
        id = node.next;
        continue;
      case Op::kReturn: {
        if (parent == kNoFrame) {
          add({id, 0, kNoFrame, 0}, out);
          return;
        }
        const Frame frame = frames_[parent];
        id = frame.node;
        count = frame.count;
        parent = frame.parent;
        continue;
      }
    }
  }
}

void Matcher::leave(uint32_t frame, Places& out) {
  const Frame at = frames_[frame];
  follow(at.node, at.count, at.parent, out);
}

void Matcher::step(const Place& place, uint8_t byte, Places& out) {
  const Node& node = grammar_->grammar().node(place.node);
  if (node.op == Op::kByte) {
    if (node.arg == byte) follow(node.next, place.count, place.parent, out);
    return;
  }
  if (node.op != Op::kLeaf) return;
  const Leaf& leaf = grammar_->grammar().leaf(node.arg);
  Place next = place;
  if (leaf.kind == Leaf::Kind::kText) {
    add(next, out);
    leave(next.parent, out);
    return;
  }
  next.state = leaf.dfa->step(place.state, byte);
  if (next.state == Dfa::kDead) return;
  const bool closes = leaf.dfa->accepts(next.state);
  if (leaf.kind == Leaf::Kind::kString && place.state != Dfa::kStart) {
    // A character that is begun must be allowed to end.
    if (closes ? place.count < leaf.min : place.count >= leaf.max) return;
    if (next.state == string_dfa().counted) ++next.count;
  }
  if (closes) leave(next.parent, out);
  if (!closes || leaf.dfa->goes_on(next.state)) add(next, out);
}

// Visits the entries of a trie that the places levels_[0] can take, with at most `afford` tokens to
// the end afterwards.
template <class Found>
void Matcher::walk(const TokenTrie& trie, size_t base, uint32_t afford, const Found& found) {
  levels_.resize(std::max(levels_.size(), trie.longest() + 1));
  levels_[0] = {base, walked_.size(), frames_.size()};
  Places next;
  const auto nodes = trie.nodes();
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    const Level& above = levels_[node.depth - 1];
    walked_.resize(above.end);
    frames_.resize(above.frames);
    next.clear();
    for (size_t p = above.begin; p < above.end; ++p) step(walked_[p], node.byte, next);
    if (next.empty()) {
      i = node.end;
      continue;
    }
    levels_[node.depth] = {above.end, above.end + next.size(), frames_.size()};
    walked_.insert(walked_.end(), next.begin(), next.end());
    if (node.value != TokenTrie::kNoValue) {
      uint32_t least = ClosingCost::kNever;
      for (const Place& place : next) least = std::min(least, cost(place));
      if (least <= afford) found(node.value);
    }
    ++i;
  }
  walked_.resize(levels_[0].end);
  frames_.resize(levels_[0].frames);
}

// Inside of a string: what is known of the leaf, and what the tokens that leave it do behind it.
void Matcher::allow_in_leaf(const Place& place, uint32_t afford, std::span<uint64_t> mask) {
  const Leaf& leaf = grammar_->grammar().leaf(grammar_->grammar().node(place.node).arg);
  const uint32_t rest = below(place.parent);
  if (rest > afford) return;
  // Far from a string's limit only the longest tokens can break it: they are tried one by one.
  Leaf limitless = leaf;
  std::vector<Token> tried;
  if (leaf.kind == Leaf::Kind::kString && leaf.max != Leaf::kNoLimit) {
    const auto longer = grammar_->index().longer_than(leaf.max - place.count);
    if (longer.size() <= kMostTried) {
      limitless.max = Leaf::kNoLimit;
      std::copy_if(longer.begin(), longer.end(), std::back_inserter(tried),
                   [&](Token token) { return !allows(mask, token); });
    }
  }
  const auto known = grammar_->leaf_mask(limitless, place.state, place.count, afford - rest);
  for (size_t i = 0; i < mask.size() && i < known->inside.size(); ++i) mask[i] |= known->inside[i];
  const size_t frames = frames_.size();
  walked_.clear();
  Places behind;
  leave(place.parent, behind);
  walked_ = std::move(behind);
  walk(known->rests, 0, afford, [&](uint32_t value) {
    for (uint32_t i = known->begins[value]; i < known->begins[value + 1]; ++i) {
      allow(mask, known->tokens[i]);
    }
  });
  for (const Token token : tried) {
    if (allows(mask, token) && !can_take(place, token, afford)) forbid(mask, token);
  }
  frames_.resize(frames);
}

bool Matcher::can_take(const Place& place, Token token, uint32_t afford) {
  Places now = {place}, next;
  for (const char c : grammar_->index().tokenizer().bytes(token)) {
    next.clear();
    for (const Place& p : now) step(p, static_cast<uint8_t>(c), next);
    now.swap(next);
  }
  return std::any_of(now.begin(), now.end(), [&](const Place& p) { return cost(p) <= afford; });
}

void Matcher::allowed(size_t left, std::span<uint64_t> mask) {
  std::fill(mask.begin(), mask.end(), 0);
  const uint32_t needed = cost();
  const size_t enough = std::max<size_t>(left, needed);
  const auto afford =
      static_cast<uint32_t>(std::min<size_t>(enough > 0 ? enough - 1 : 0, ClosingCost::kNever - 1));
  const Grammar& grammar = grammar_->grammar();
  Places rest;
  for (const Place& place : Places(places_)) {
    const Node& node = grammar.node(place.node);
    if (node.op == Op::kToken) {
      const uint32_t after = grammar_->costs().node(node.next) + below(place.parent);
      if (after <= afford) allow(mask, node.arg);
    } else if (node.op == Op::kByte) {
      rest.push_back(place);
    } else if (node.op == Op::kLeaf) {
      const Leaf& leaf = grammar.leaf(node.arg);
      if (leaf.kind == Leaf::Kind::kText) {
        if (cost(place) > afford) continue;
        const Mask& texts = grammar_->index().texts();
        for (size_t i = 0; i < mask.size() && i < texts.size(); ++i) mask[i] |= texts[i];
      } else if (leaf.kind == Leaf::Kind::kPlain || place.state == Dfa::kStart) {
        rest.push_back(place);
      } else {
        allow_in_leaf(place, afford, mask);
      }
    }
  }
  if (rest.empty()) return;
  walked_ = std::move(rest);
  walk(grammar_->index().trie(), 0, afford, [&](uint32_t token) { allow(mask, token); });
}

bool Matcher::accept_bytes(std::string_view bytes) {
  Places now = places_, next;
  for (const char c : bytes) {
    next.clear();
    for (const Place& place : now) step(place, static_cast<uint8_t>(c), next);
    if (next.empty()) {
      compact();
      return false;
    }
    now.swap(next);
  }
  places_ = std::move(now);
  compact();
  return true;
}

bool Matcher::accept(Token token) {
  const Tokenizer& tokenizer = grammar_->index().tokenizer();
  if (token < tokenizer.size() && !tokenizer.is_special(token)) {
    const std::string_view bytes = tokenizer.bytes(token);
    return !bytes.empty() && accept_bytes(bytes);
  }
  Places next;
  for (const Place& place : places_) {
    const Node& node = grammar_->grammar().node(place.node);
    if (node.op == Op::kToken && node.arg == token) {
      follow(node.next, place.count, place.parent, next);
    }
  }
  if (next.empty()) return false;
  places_ = std::move(next);
  compact();
  return true;
}

// Keeps the frames that places still need.
void Matcher::compact() {
  std::vector<Frame> kept;
  std::vector<uint32_t> moved(frames_.size(), kNoFrame);
  std::vector<uint32_t> chain;
  for (Place& place : places_) {
    chain.clear();
    uint32_t at = place.parent;
    for (; at != kNoFrame && moved[at] == kNoFrame; at = frames_[at].parent) chain.push_back(at);
    for (; !chain.empty(); chain.pop_back()) {
      Frame frame = frames_[chain.back()];
      if (frame.parent != kNoFrame) frame.parent = moved[frame.parent];
      moved[chain.back()] = static_cast<uint32_t>(kept.size());
      kept.push_back(frame);
    }
    if (place.parent != kNoFrame) place.parent = moved[place.parent];
  }
  frames_ = std::move(kept);
}

bool Matcher::done() const {
  return std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
    return grammar_->grammar().node(place.node).op == Op::kReturn;
  });
}

bool Matcher::ended() const {
  return std::all_of(places_.begin(), places_.end(), [&](const Place& place) {
    return grammar_->grammar().node(place.node).op == Op::kReturn;
  });
}

// The one byte that can come next, if there is just one and nothing else.
bool Matcher::next_byte(uint8_t& byte) {
  int found = -1;
  const size_t frames = frames_.size();
  Places next;
  for (size_t p = 0; p < places_.size(); ++p) {
    const Place place = places_[p];
    const Node& node = grammar_->grammar().node(place.node);
    if (node.op == Op::kToken || node.op == Op::kReturn) return false;
    if (node.op == Op::kByte) {
      if (found >= 0 && found != static_cast<int>(node.arg)) return false;
      found = static_cast<int>(node.arg);
      continue;
    }
    if (grammar_->grammar().leaf(node.arg).kind == Leaf::Kind::kText) return false;
    for (int b = 0; b < 256; ++b) {
      next.clear();
      step(place, static_cast<uint8_t>(b), next);
      frames_.resize(frames);
      if (next.empty()) continue;
      if (found >= 0 && found != b) return false;
      found = b;
    }
  }
  byte = static_cast<uint8_t>(found);
  return found >= 0;
}

bool Matcher::next_control(Token& token) const {
  for (const Place& place : places_) {
    const Node& node = grammar_->grammar().node(place.node);
    if (node.op != Op::kToken || (&place != places_.data() && node.arg != token)) return false;
    token = node.arg;
  }
  return !places_.empty();
}

std::string Matcher::forced_bytes(bool& ends_in_control) {
  Matcher ahead = *this;
  std::string out;
  uint8_t byte = 0;
  while (out.size() < kMostForcedBytes && ahead.next_byte(byte)) {
    out += static_cast<char>(byte);
    ahead.accept_bytes({out.data() + out.size() - 1, 1});
  }
  Token control = 0;
  ends_in_control = ahead.next_control(control);
  return out;
}

void Matcher::take_forced(size_t left, std::vector<Token>& out) {
  const auto take = [&](Token token) {
    if (left == 0) return false;
    Matcher next = *this;
    if (!next.accept(token) || next.cost() > std::max<size_t>(left, std::max(1u, cost())) - 1)
      return false;
    *this = std::move(next);
    out.push_back(token);
    --left;
    return true;
  };
  while (!ended()) {
    Token control = 0;
    if (next_control(control)) {
      if (!take(control)) return;
      continue;
    }
    bool ends_in_control = false;
    const std::string bytes = forced_bytes(ends_in_control);
    std::vector<Token> tokens;
    if (ends_in_control) {
      grammar_->index().tokenizer().encode(bytes, tokens);
    } else {
      tokens = settled_tokens(bytes, grammar_->index());
    }
    for (const Token token : tokens) {
      if (!take(token)) return;
    }
    if (tokens.empty() || !ends_in_control) return;
  }
}

// Whatever follows, some token boundary of the whole lies at the end of `text`, or where a token
// begins that reaches beyond it. What the tokens have in common for all those places is settled.
std::vector<Token> settled_tokens(std::string_view text, const TokenIndex& index) {
  std::vector<Token> common;
  index.tokenizer().encode(text, common);
  const size_t furthest = index.trie().longest();
  for (size_t begin = text.size(); begin-- > 0 && text.size() - begin < furthest;) {
    TokenTrie::Cursor at = index.trie().root();
    for (size_t i = begin; i < text.size() && at != TokenTrie::kNowhere; ++i) {
      at = index.trie().child(at, static_cast<uint8_t>(text[i]));
    }
    if (at == TokenTrie::kNowhere || !index.trie().has_children(at)) continue;
    std::vector<Token> tokens;
    index.tokenizer().encode(text.substr(0, begin), tokens);
    const auto parted = std::mismatch(common.begin(), common.end(), tokens.begin(), tokens.end());
    common.erase(parted.first, common.end());
  }
  return common;
}

}  // namespace vitalis::harmony::grammar
