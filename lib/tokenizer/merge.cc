// SPDX-License-Identifier: Apache-2.0
// A long piece is cut into windows that are merged one by one. That is exact: tokens are the
// encoding of their text if and only if each two neighbours are the encoding of theirs (a merge
// across a boundary depends only on the two tokens that would hold it), so each seam between
// windows is checked by merging the two tokens that meet there. If one does not hold, the whole
// piece is merged with a heap instead.
#include "tokenizer/merge.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace vitalis::tokenizer {
namespace {

constexpr size_t kSmall = 64;
constexpr int32_t kNever = INT32_MAX;

struct Join {
  int32_t rank;  // kNever: the two do not merge
  Token id;
};

struct ByIds {
  const Vocabulary& vocabulary;
  Join operator()(std::string_view both, Token, Token) const {
    const Token id = vocabulary.find(both);
    return {id == kNone ? kNever : static_cast<int32_t>(id), id};
  }
};

struct ByPairs {
  const Vocabulary& vocabulary;
  Join operator()(std::string_view, Token left, Token right) const {
    const PairSlot& slot = vocabulary.pair(left, right);
    return {slot.rank == kNone ? kNever : static_cast<int32_t>(slot.rank), slot.result};
  }
};

// Pieces of at most kSmall bytes: arrays that stay dense, searched from the left.
template <class Joiner>
class Small {
 public:
  Small(const Vocabulary& vocabulary, std::string_view piece)
      : joiner_{vocabulary}, piece_(piece), size_(piece.size()) {
    for (size_t i = 0; i < size_; ++i) {
      ids_[i] = vocabulary.byte_id(static_cast<uint8_t>(piece[i]));
      begins_[i] = static_cast<uint8_t>(i);
    }
    begins_[size_] = static_cast<uint8_t>(size_);
    for (size_t i = 0; i + 1 < size_; ++i) look(i);
    while (size_ > 1) {
      const int32_t* lowest = std::min_element(ranks_, ranks_ + size_ - 1);
      if (*lowest == kNever) break;
      join(static_cast<size_t>(lowest - ranks_));
    }
  }

  size_t size() const { return size_; }
  Token id(size_t i) const { return ids_[i]; }
  size_t end(size_t i) const { return begins_[i + 1]; }

 private:
  void look(size_t i) {
    const Join join =
        joiner_(piece_.substr(begins_[i], begins_[i + 2] - begins_[i]), ids_[i], ids_[i + 1]);
    ranks_[i] = join.rank;
    joined_[i] = join.id;
  }

  void join(size_t i) {
    ids_[i] = joined_[i];
    for (size_t k = i + 1; k < size_; ++k) begins_[k] = begins_[k + 1];
    for (size_t k = i + 1; k + 1 < size_; ++k) {
      ids_[k] = ids_[k + 1];
      ranks_[k] = ranks_[k + 1];
      joined_[k] = joined_[k + 1];
    }
    --size_;
    if (i > 0) look(i - 1);
    if (i + 1 < size_) look(i);
  }

  Joiner joiner_;
  std::string_view piece_;
  size_t size_;
  uint8_t begins_[kSmall + 2];
  Token ids_[kSmall];
  int32_t ranks_[kSmall];
  Token joined_[kSmall];
};

// Any length: nodes in a linked list, candidate pairs in a heap by (rank, position). A candidate is
// stale when its node is gone or has another rank by now.
template <class Joiner>
class Large {
 public:
  Large(const Vocabulary& vocabulary, std::string_view piece) : joiner_{vocabulary}, piece_(piece) {
    nodes_.resize(piece.size());
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i] = {
          vocabulary.byte_id(static_cast<uint8_t>(piece[i])), i + 1, i - 1, {kNever, kNone}};
    }
    for (uint32_t i = 0; i < nodes_.size(); ++i) look(i);
    while (!heap_.empty()) {
      const uint64_t top = heap_.top();
      heap_.pop();
      const auto i = static_cast<uint32_t>(top);
      if (nodes_[i].join.rank == static_cast<int32_t>(top >> 32)) join(i);
    }
  }

  template <class Visit>
  void each(Visit visit) const {
    for (uint32_t i = 0; i < nodes_.size(); i = nodes_[i].next) visit(nodes_[i].id, nodes_[i].next);
  }

 private:
  struct Node {
    Token id;
    uint32_t next, previous;
    Join join;  // with the next; kNever also where this node has gone
  };

  void look(uint32_t i) {
    Node& node = nodes_[i];
    node.join.rank = kNever;
    if (node.next == nodes_.size()) return;
    const Node& next = nodes_[node.next];
    node.join = joiner_(piece_.substr(i, next.next - i), node.id, next.id);
    if (node.join.rank != kNever) {
      heap_.push(static_cast<uint64_t>(node.join.rank) << 32 | i);
    }
  }

  void join(uint32_t i) {
    Node& node = nodes_[i];
    Node& gone = nodes_[node.next];
    node.id = node.join.id;
    node.next = gone.next;
    gone.join.rank = kNever;
    if (node.next < nodes_.size()) nodes_[node.next].previous = i;
    look(i);
    if (i > 0) look(node.previous);
  }

  Joiner joiner_;
  std::string_view piece_;
  std::vector<Node> nodes_;
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> heap_;
};

template <class Joiner>
void merge_by(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out) {
  if (piece.size() <= kSmall) {
    const Small<Joiner> small(vocabulary, piece);
    for (size_t i = 0; i < small.size(); ++i) out.push_back(small.id(i));
  } else {
    Large<Joiner>(vocabulary, piece).each([&](Token id, uint32_t) { out.push_back(id); });
  }
}

}  // namespace

void merge(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out) {
  if (vocabulary.ranks_are_ids()) {
    merge_by<ByIds>(vocabulary, piece, out);
  } else {
    merge_by<ByPairs>(vocabulary, piece, out);
  }
}

}  // namespace vitalis::tokenizer
