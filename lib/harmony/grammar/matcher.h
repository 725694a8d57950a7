// SPDX-License-Identifier: Apache-2.0
// Where a text stands in a grammar, and which tokens may come next. A place is a set of stacks of
// unfinished rules, since the bytes so far may be the beginning of several things. Borrows the
// grammar. A value: copies are snapshots. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harmony/grammar/token_grammar.h"

namespace vitalis::harmony::grammar {

class Matcher {
 public:
  explicit Matcher(const TokenGrammar& grammar);

  // The tokens that may come next, if `left` more can: those after which the text can still be
  // brought to its end with the tokens that are left then. Where that is out of reach already, the
  // shortest way is taken all the same. Never empty unless done().
  void allowed(size_t left, std::span<uint64_t> mask);
  // Takes a token; false, and nothing changes, if the grammar has no place for it.
  bool accept(Token token);
  bool accept_bytes(std::string_view bytes);
  // The text is whole.
  bool done() const;
  // Nothing can follow.
  bool ended() const;
  // Tokens that are needed to bring the text to its end, at most; ClosingCost::kNever if none will.
  uint32_t cost() const;

  // Appends the tokens that must come next in any case, and takes them: control tokens, and text
  // whose tokens will be the same whatever follows it.
  void take_forced(size_t left, std::vector<Token>& out);

  // Where the text may go on after these bytes, for tests: false if nowhere.
  bool can_follow(std::string_view bytes) const {
    Matcher copy = *this;
    return copy.accept_bytes(bytes);
  }

 private:
  static constexpr uint32_t kNoFrame = 0xFFFFFFFF;
  static constexpr uint32_t kMostNested = 72;  // rules within rules
  static constexpr size_t kMostPlaces = 256;
  struct Frame {  // a rule or leaf that was called: where it goes on
    NodeId node;
    uint32_t count;
    uint32_t parent;
    uint32_t depth;
    uint32_t below;  // what it costs to end from here, with all frames beneath
  };
  struct Place {
    NodeId node;  // kByte, kToken, kLeaf; kReturn without a frame: the end
    uint32_t count;
    uint32_t parent;
    Dfa::State state;
  };
  using Places = std::vector<Place>;

  void follow(NodeId id, uint32_t count, uint32_t parent, Places& out);
  void leave(uint32_t frame, Places& out);
  void step(const Place& place, uint8_t byte, Places& out);
  void add(const Place& place, Places& out);
  uint32_t push(NodeId node, uint32_t count, uint32_t parent);
  bool same_frames(uint32_t a, uint32_t b) const;
  uint32_t below(uint32_t frame) const { return frame == kNoFrame ? 0 : frames_[frame].below; }
  uint32_t depth(uint32_t frame) const { return frame == kNoFrame ? 0 : frames_[frame].depth; }
  uint32_t cost(const Place& place) const;
  void compact();
  template <class Found>
  void walk(const TokenTrie& trie, size_t base, uint32_t afford, const Found& found);
  void allow_in_leaf(const Place& place, uint32_t afford, std::span<uint64_t> mask);
  bool can_take(const Place& place, Token token, uint32_t afford);
  bool next_byte(uint8_t& byte);
  bool next_control(Token& token) const;
  std::string forced_bytes(bool& ends_in_control);

  const TokenGrammar* grammar_;
  std::vector<Frame> frames_;
  Places places_;
  // Of walk(): the places at each depth, one after another.
  Places walked_;
  struct Level {
    size_t begin, end, frames;
  };
  std::vector<Level> levels_;
};

// The tokens of `text` that are the same whatever text follows.
std::vector<Token> settled_tokens(std::string_view text, const TokenIndex& index);

}  // namespace vitalis::harmony::grammar
