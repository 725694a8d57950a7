// SPDX-License-Identifier: Apache-2.0
// A grammar over the tokens of one vocabulary. Inside of a string most tokens are allowed, whatever
// stands around the string: which ones is worked out once for each state of a leaf, and kept. What
// is kept grows behind a lock; all else is immutable, and any thread may read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <tuple>
#include <vector>

#include "base/status.h"
#include "harmony/format.h"
#include "harmony/grammar/closing_cost.h"
#include "harmony/grammar/grammar.h"
#include "harmony/grammar/token_trie.h"

namespace vitalis::harmony::grammar {

// A bit for each token of a vocabulary.
using Mask = std::vector<uint64_t>;
inline void allow(std::span<uint64_t> mask, Token token) {
  mask[token / 64] |= uint64_t{1} << token % 64;
}
inline void forbid(std::span<uint64_t> mask, Token token) {
  mask[token / 64] &= ~(uint64_t{1} << token % 64);
}
inline bool allows(std::span<const uint64_t> mask, Token token) {
  return (mask[token / 64] >> token % 64 & 1) != 0;
}

// Which tokens may follow within a leaf.
struct LeafMask {
  Mask inside;  // tokens that end within the leaf, or with it
  // Tokens that go on behind its end: what is left of them there, and which they are.
  TokenTrie rests{{}};
  std::vector<uint32_t> begins;  // tokens[begins[v] .. begins[v + 1]) have the rest of value v
  std::vector<Token> tokens;
};

class LeafMasks {
 public:
  struct Key {
    const Dfa* dfa;
    Dfa::State state;
    uint32_t fewest, most;  // characters still to come; for strings with limits
    uint32_t close;         // tokens may leave no more than this to the end of the leaf
    auto order() const { return std::tie(dfa, state, fewest, most, close); }
    bool operator<(const Key& o) const { return order() < o.order(); }
  };
  template <class Make>
  std::shared_ptr<const LeafMask> get(const Key& key, const Make& make) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto at = masks_.find(key); at != masks_.end()) return at->second;
    }
    auto made = std::make_shared<const LeafMask>(make());
    const std::lock_guard lock(mutex_);
    if (masks_.size() >= kMost) masks_.clear();
    masks_[key] = made;
    return made;
  }

 private:
  static constexpr size_t kMost = 256;  // 25 KB each, at 200,000 tokens
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const LeafMask>> masks_;
};

// What grammars need to know of a vocabulary. Borrows the tokenizer.
class TokenIndex {
 public:
  // kUnsupported if there are bytes without a token of their own: then a text may have no end.
  static Result<std::shared_ptr<const TokenIndex>> create(const Tokenizer& tokenizer);

  const Tokenizer& tokenizer() const { return tokenizer_; }
  const TokenTrie& trie() const { return trie_; }
  size_t mask_words() const { return texts_.size(); }
  const Mask& texts() const { return texts_; }  // all tokens but special ones
  // Tokens of more than `bytes` bytes, the longest first.
  std::span<const Token> longer_than(size_t bytes) const;

  // `state`, `count`: how far a leaf has come; `close` as in the key.
  std::shared_ptr<const LeafMask> leaf_mask(const Leaf& leaf, Dfa::State state, uint32_t count,
                                            uint32_t close, LeafMasks& own) const;

 private:
  explicit TokenIndex(const Tokenizer& tokenizer);
  LeafMask make(const Leaf& leaf, const LeafMasks::Key& key) const;

  const Tokenizer& tokenizer_;
  TokenTrie trie_;
  Mask texts_;
  std::vector<Token> longest_first_;
  mutable LeafMasks strings_;  // of string_dfa(), which all grammars share
};

class TokenGrammar {
 public:
  TokenGrammar(Grammar grammar, std::shared_ptr<const TokenIndex> index)
      : grammar_(std::move(grammar)), index_(std::move(index)), costs_(grammar_, &index_->trie()) {}

  const Grammar& grammar() const { return grammar_; }
  const TokenIndex& index() const { return *index_; }
  const ClosingCost& costs() const { return costs_; }
  std::shared_ptr<const LeafMask> leaf_mask(const Leaf& leaf, Dfa::State state, uint32_t count,
                                            uint32_t close) const {
    return index_->leaf_mask(leaf, state, count, close, masks_);
  }

 private:
  Grammar grammar_;
  std::shared_ptr<const TokenIndex> index_;
  ClosingCost costs_;
  mutable LeafMasks masks_;
};

}  // namespace vitalis::harmony::grammar
