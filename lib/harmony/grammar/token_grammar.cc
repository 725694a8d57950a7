// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/token_grammar.h"

#include <algorithm>

namespace vitalis::harmony::grammar {
namespace {

using Entries = std::vector<std::pair<std::string_view, uint32_t>>;

Entries ordinary_tokens(const Tokenizer& tokenizer) {
  Entries out;
  out.reserve(tokenizer.size());
  for (Token t = 0; t < tokenizer.size(); ++t) {
    if (!tokenizer.is_special(t)) out.emplace_back(tokenizer.bytes(t), t);
  }
  return out;
}

}  // namespace

TokenIndex::TokenIndex(const Tokenizer& tokenizer)
    : tokenizer_(tokenizer),
      trie_(ordinary_tokens(tokenizer)),
      texts_((tokenizer.size() + 63) / 64) {
  for (const TokenTrie::Node& node : trie_.nodes()) {
    if (node.value != TokenTrie::kNoValue) allow(texts_, node.value);
  }
  for (Token t = 0; t < tokenizer.size(); ++t) {
    if (!tokenizer.is_special(t)) longest_first_.push_back(t);
  }
  std::stable_sort(longest_first_.begin(), longest_first_.end(), [&](Token a, Token b) {
    return tokenizer.bytes(a).size() > tokenizer.bytes(b).size();
  });
}

std::span<const Token> TokenIndex::longer_than(size_t bytes) const {
  const auto end =
      std::partition_point(longest_first_.begin(), longest_first_.end(),
                           [&](Token token) { return tokenizer_.bytes(token).size() > bytes; });
  return {longest_first_.begin(), end};
}

Result<std::shared_ptr<const TokenIndex>> TokenIndex::create(const Tokenizer& tokenizer) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (tokenizer.find({&c, 1})) continue;
    return error(Code::kUnsupported, "the vocabulary has no token for the byte ", byte,
                 ": answers cannot be held to a grammar");
  }
  std::shared_ptr<const TokenIndex> index(new TokenIndex(tokenizer));
  // Every grammar has strings: what may follow inside of one is known from the start.
  LeafMasks none;
  const Leaf string = {Leaf::Kind::kString, string_dfa().dfa};
  index->leaf_mask(string, string_dfa().counted, 0, ClosingCost::kNever, none);
  return index;
}

std::shared_ptr<const LeafMask> TokenIndex::leaf_mask(const Leaf& leaf, Dfa::State state,
                                                      uint32_t count, uint32_t close,
                                                      LeafMasks& own) const {
  LeafMasks::Key key = {leaf.dfa.get(), state, 0, Leaf::kNoLimit, close};
  if (leaf.kind == Leaf::Kind::kString) {
    key.fewest = leaf.min > count ? leaf.min - count : 0;
    if (leaf.max != Leaf::kNoLimit) key.most = leaf.max - count;
  }
  // What no token can reach makes no difference.
  const auto longest = static_cast<uint32_t>(trie_.longest());
  if (key.most > longest) key.most = Leaf::kNoLimit;
  if (close >= leaf.dfa->longest_close() + key.fewest) {
    key.close = ClosingCost::kNever;
    key.fewest = std::min(key.fewest, longest + 1);
  }
  LeafMasks& masks = leaf.kind == Leaf::Kind::kString ? strings_ : own;
  return masks.get(key, [&] { return make(leaf, key); });
}

LeafMask TokenIndex::make(const Leaf& leaf, const LeafMasks::Key& key) const {
  const Dfa& dfa = *leaf.dfa;
  const bool counts = leaf.kind == Leaf::Kind::kString;
  const Dfa::State counted = string_dfa().counted;
  struct Place {
    Dfa::State state;
    uint32_t count;
  };
  std::vector<Place> places(trie_.longest() + 1);
  places[0] = {key.state, 0};
  LeafMask out;
  out.inside.resize(texts_.size());
  Entries rests;
  const auto nodes = trie_.nodes();
  for (uint32_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    Place at = places[node.depth - 1];
    at.state = dfa.step(at.state, node.byte);
    const bool closes = at.state != Dfa::kDead && dfa.accepts(at.state);
    if (at.state == Dfa::kDead || (counts && !closes && at.count >= key.most)) {
      i = node.end;
      continue;
    }
    if (counts && at.state == counted) ++at.count;
    const uint32_t missing = at.count < key.fewest ? key.fewest - at.count : 0;
    if (closes) {  // the string
      if (missing == 0) {
        if (node.value != TokenTrie::kNoValue) allow(out.inside, node.value);
        for (uint32_t j = i + 1; j < node.end; ++j) {
          if (nodes[j].value == TokenTrie::kNoValue) continue;
          rests.emplace_back(tokenizer_.bytes(nodes[j].value).substr(node.depth), nodes[j].value);
        }
      }
      i = node.end;
      continue;
    }
    if (node.value != TokenTrie::kNoValue && dfa.close(at.state) + missing <= key.close) {
      allow(out.inside, node.value);
    }
    places[node.depth] = at;
    ++i;
  }
  std::stable_sort(rests.begin(), rests.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Entries distinct;
  for (const auto& [rest, token] : rests) {
    if (distinct.empty() || distinct.back().first != rest) {
      distinct.emplace_back(rest, static_cast<uint32_t>(out.begins.size()));
      out.begins.push_back(static_cast<uint32_t>(out.tokens.size()));
    }
    out.tokens.push_back(token);
  }
  out.begins.push_back(static_cast<uint32_t>(out.tokens.size()));
  out.rests = TokenTrie(std::move(distinct));
  return out;
}

}  // namespace vitalis::harmony::grammar
