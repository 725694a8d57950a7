// SPDX-License-Identifier: Apache-2.0
// A long piece is cut into windows that are merged one by one. That is exact: tokens are the
// encoding of their text if and only if each two neighbours are the encoding of theirs (a merge
// across a boundary depends only on the two tokens that would hold it), so each seam between
// windows is checked by merging the two tokens that meet there. If one does not hold, the window
// before it is made larger; if that does not help, the whole piece is merged with a heap.
#include "tokenizer/merge.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>
#include <string>

namespace vitalis::tokenizer {
namespace {

constexpr size_t kSmall = kSmallPiece;
static_assert(kMaxRank < INT32_MAX / int32_t{kSmall});
constexpr int32_t kNever = INT32_MAX;

struct Join {
  int32_t rank;  // kNever: the two do not merge
  Token id;
};

// Two neighbours merge if their bytes join into an entry, and its id is the rank.
class ByIds {
 public:
  // `readable`: how far behind `piece` memory may be read.
  ByIds(const Vocabulary& vocabulary, std::string_view piece, size_t readable)
      : vocabulary_(vocabulary), end_(piece.data() + piece.size() + readable) {}

  Join bytes(const char* both) const {
    return join(
        vocabulary_.byte_pair(static_cast<uint8_t>(both[0]), static_cast<uint8_t>(both[1])));
  }
  struct Question {
    Key key;
    uint64_t hashed;
    bool open;  // not answered yet
    Join join;
  };
  // The answer's memory is asked for.
  Question ask(const char* both, size_t size, Token, Token) const {
    if (size > kMaxShort) return {{}, 0, false, join(vocabulary_.find({both, size}))};
    const Key key = end_ - both < 16 ? key_of(both, size) : key_of_padded(both, size);
    const uint64_t hashed = hash(key);
    const bool open = vocabulary_.may_have(hashed);
    if (open) __builtin_prefetch(&vocabulary_.home(hashed));
    return {key, hashed, open, {kNever, kNone}};
  }
  Join answer(const Question& question) const {
    return question.open ? join(vocabulary_.find(question.key, question.hashed)) : question.join;
  }

 private:
  static Join join(Token id) { return {id > kMaxRank ? kNever : static_cast<int32_t>(id), id}; }

  const Vocabulary& vocabulary_;
  const char* end_;
};

// Two neighbours merge if the file lists them, and their place in its list is the rank.
class ByPairs {
 public:
  ByPairs(const Vocabulary& vocabulary, std::string_view, size_t) : vocabulary_(vocabulary) {}

  Join bytes(const char* both) const {
    return ask(both, 2, vocabulary_.byte_id(static_cast<uint8_t>(both[0])),
               vocabulary_.byte_id(static_cast<uint8_t>(both[1])));
  }
  using Question = Join;
  Question ask(const char*, size_t, Token left, Token right) const {
    const PairSlot& slot = vocabulary_.pair(left, right);
    return {slot.rank > kMaxRank ? kNever : static_cast<int32_t>(slot.rank), slot.result};
  }
  Join answer(const Question& join) const { return join; }

 private:
  const Vocabulary& vocabulary_;
};

// At most kSmall bytes, each the place of a token that begins there. A place's candidate is its
// rank and itself in one number, so that the least of them is the lowest rank's leftmost.
template <class Joiner>
class Small {
 public:
  Small(const Vocabulary& vocabulary, std::string_view piece)
      : joiner_(vocabulary, {bytes_, piece.size()}, kPadding), size_(piece.size()) {
    std::memcpy(bytes_, piece.data(), size_);
    std::memset(bytes_ + size_, 0, kPadding);
    chunks_ = (size_ + kChunk - 1) / kChunk;
    std::fill_n(candidates_, chunks_ * kChunk, kNever);
    for (size_t i = 0; i < size_; ++i) {
      ids_[i] = vocabulary.byte_id(static_cast<uint8_t>(bytes_[i]));
      next_[i] = static_cast<uint8_t>(i + 1);
      previous_[i] = static_cast<uint8_t>(i - 1);
    }
    for (size_t i = 0; i + 1 < size_; ++i) set(i, joiner_.bytes(bytes_ + i));
  }
  Small(const Small&) = delete;
  Small& operator=(const Small&) = delete;

  // Joins the best pair and asks for its new neighbours' ranks; false: there is none.
  bool begin() {
    const int32_t best = least();
    if (best == kNever) return false;
    place_ = static_cast<size_t>(best) % kSmall;
    const size_t gone = next_[place_];
    const size_t next = next_[gone];
    ids_[place_] = joined_[place_];
    next_[place_] = static_cast<uint8_t>(next);
    candidates_[gone] = kNever;
    candidates_[place_] = kNever;
    if (place_ > 0) left_ = ask(previous_[place_]);
    if (next < size_) {
      previous_[next] = static_cast<uint8_t>(place_);
      right_ = ask(place_);
    }
    return true;
  }
  void end() {
    if (place_ > 0) set(previous_[place_], joiner_.answer(left_));
    if (next_[place_] < size_) set(place_, joiner_.answer(right_));
  }

  template <class Visit>
  void each(Visit visit) const {
    for (size_t i = 0; i < size_; i = next_[i]) visit(ids_[i], next_[i]);
  }

 private:
  static constexpr size_t kPadding = 16;
  static constexpr size_t kChunk = 8;

  int32_t least() const {
    int32_t lanes[kChunk];
    std::copy_n(candidates_, kChunk, lanes);
    for (size_t c = 1; c < chunks_; ++c) {
      for (size_t k = 0; k < kChunk; ++k) {
        lanes[k] = std::min(lanes[k], candidates_[c * kChunk + k]);
      }
    }
    for (size_t half = kChunk / 2; half > 0; half /= 2) {
      for (size_t k = 0; k < half; ++k) lanes[k] = std::min(lanes[k], lanes[k + half]);
    }
    return lanes[0];
  }

  void set(size_t i, Join join) {
    const auto place = static_cast<int32_t>(i);
    candidates_[i] = join.rank == kNever ? kNever : join.rank * int32_t{kSmall} + place;
    joined_[i] = join.id;
  }
  typename Joiner::Question ask(size_t i) const {
    const size_t second = next_[i];
    return joiner_.ask(bytes_ + i, next_[second] - i, ids_[i], ids_[second]);
  }

  char bytes_[kSmall + kPadding];
  Joiner joiner_;
  size_t size_, chunks_;
  size_t place_ = 0;
  typename Joiner::Question left_{}, right_{};
  uint8_t next_[kSmall], previous_[kSmall];
  Token ids_[kSmall], joined_[kSmall];
  int32_t candidates_[kSmall];
};

// In turns, so that each waits for memory while the others work.
template <class Joiner>
class Together {
 public:
  static constexpr size_t kMost = 4;

  // At most kMost pieces of at most kSmall bytes.
  void add(const Vocabulary& vocabulary, std::string_view piece) {
    pieces_[n_++].emplace(vocabulary, piece);
  }
  void run() {
    Small<Joiner>* open[kMost];
    size_t n_open = 0;
    for (size_t i = 0; i < n_; ++i) open[n_open++] = &*pieces_[i];
    while (true) {
      size_t kept = 0;
      for (size_t i = 0; i < n_open; ++i) {
        open[kept] = open[i];
        kept += open[i]->begin();
      }
      if (kept == 0) return;
      for (size_t i = 0; i < kept; ++i) open[i]->end();
      n_open = kept;
    }
  }
  const Small<Joiner>& operator[](size_t i) const { return *pieces_[i]; }
  size_t size() const { return n_; }

 private:
  std::optional<Small<Joiner>> pieces_[kMost];
  size_t n_ = 0;
};

// Any length: nodes in a linked list, candidate pairs in a heap by (rank, position). A candidate is
// stale when its node is gone or has another rank by now.
template <class Joiner>
class Large {
 public:
  Large(const Vocabulary& vocabulary, std::string_view piece)
      : joiner_(vocabulary, piece, 0), piece_(piece) {
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
    node.join = joiner_.answer(joiner_.ask(piece_.data() + i, next.next - i, node.id, next.id));
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

template <class Joiner, class Visit>
void merge_at_once(const Vocabulary& vocabulary, std::string_view text, Visit visit) {
  if (text.empty()) return;
  if (text.size() <= kSmall) {
    Small<Joiner> small(vocabulary, text);
    while (small.begin()) small.end();
    small.each(visit);
  } else {
    Large<Joiner>(vocabulary, text).each(visit);
  }
}

template <class Joiner>
class Windows {
 public:
  Windows(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out)
      : vocabulary_(vocabulary), piece_(piece), out_(out) {}

  // False: a seam does not hold, nor does the one before it with a larger window.
  bool run() {
    size_t window = kWindow;
    Seam seam{0, out_.size(), kNone}, before = seam;
    while (seam.at < piece_.size()) {
      const std::string_view text = piece_.substr(seam.at, window);
      merge_window(text);
      if (!stand_side_by_side(seam.left, tokens_.front().id)) {
        // The window before was too small to see that. Once more from its beginning.
        if (seam.at == before.at) return false;
        seam = before;
        out_.resize(seam.n_out);
        window *= 4;
        continue;
      }
      if (seam.at + text.size() == piece_.size()) {
        put(tokens_, 0, tokens_.size());
        return true;
      }
      const size_t kept = surely_whole(tokens_, text.size() / 4 * 3);
      if (kept == 0) {
        window *= 2;
        continue;
      }
      // The same text again, as in a run of one character, gives the same tokens again.
      const size_t step = tokens_[kept - 1].end;
      const bool again = stand_side_by_side(tokens_[kept - 1].id, tokens_.front().id);
      size_t times = 0;
      do {
        before = seam;
        put(tokens_, 0, kept);
        seam = {seam.at + step, out_.size(), tokens_[kept - 1].id};
        ++times;
      } while (again && piece_.substr(seam.at, text.size()) == text);
      window = std::max(kWindow, window / 2);
      if (times > 1) continue;
      for (Seam next = seam; several(next); seam = next) before = seam;
    }
    return true;
  }

 private:
  static constexpr size_t kWindow = 64;
  // Of windows that are merged together, each begins so far behind the one before it.
  static constexpr size_t kStep = 48;

  struct Placed {
    Token id;
    size_t end;  // from the window's begin
  };
  using Tokens = std::vector<Placed>;
  // Where a window begins, how many tokens stand before it, and the last of them.
  struct Seam {
    size_t at, n_out;
    Token left;
  };

  void merge_window(std::string_view text) {
    tokens_.clear();
    merge_at_once<Joiner>(vocabulary_, text, [&](Token id, size_t end) {
      tokens_.push_back({id, end});
    });
  }

  // Merges windows that overlap, all at once, and goes from one to the next where both have a token
  // end. False: it came no further than the seam that it was given.
  bool several(Seam& seam) {
    constexpr size_t kMost = Together<Joiner>::kMost;
    if (piece_.size() - seam.at < (kMost - 1) * kStep + kWindow) return false;
    Together<Joiner> together;
    for (size_t k = 0; k < kMost; ++k) {
      together.add(vocabulary_, piece_.substr(seam.at + k * kStep, kWindow));
    }
    together.run();
    Tokens* now = &tokens_;
    Tokens* next = &next_tokens_;
    take(together[0], *now);
    if (!stand_side_by_side(seam.left, now->front().id)) return false;
    const size_t begin = seam.at;
    size_t first = 0;
    for (size_t k = 0; k < kMost; ++k) {
      Crossing crossing{first, 0};
      if (k + 1 < kMost) {
        take(together[k + 1], *next);
        crossing = cross(*now, first, *next);
      }
      const bool crossed = crossing.left > first;
      const size_t last = crossed ? crossing.left : surely_whole(*now, kStep);
      if (last <= first) break;
      put(*now, first, last);
      seam = {begin + k * kStep + (*now)[last - 1].end, out_.size(), (*now)[last - 1].id};
      if (!crossed) break;
      first = crossing.right;
      std::swap(now, next);
    }
    return seam.at != begin;
  }

  // The tokens before now[left] and those from next[right] may follow each other.
  struct Crossing {
    size_t left, right;
  };
  Crossing cross(const Tokens& now, size_t first, const Tokens& next) const {
    size_t right = 0;
    for (size_t left = first + 1; left <= now.size(); ++left) {
      const size_t end = now[left - 1].end;
      if (end < kStep) continue;
      while (right < next.size() && begin_of(next, right) < end - kStep) ++right;
      if (right == next.size()) break;
      if (begin_of(next, right) == end - kStep &&
          stand_side_by_side(now[left - 1].id, next[right].id)) {
        return {left, right};
      }
    }
    return {first, 0};
  }
  static size_t begin_of(const Tokens& tokens, size_t i) { return i == 0 ? 0 : tokens[i - 1].end; }

  static void take(const Small<Joiner>& small, Tokens& tokens) {
    tokens.clear();
    small.each([&](Token id, size_t end) { tokens.push_back({id, end}); });
  }

  // How many tokens end early enough that what follows the window hardly changes them.
  static size_t surely_whole(const Tokens& tokens, size_t limit) {
    size_t n = 0;
    while (n < tokens.size() && tokens[n].end <= limit) ++n;
    return n;
  }

  bool stand_side_by_side(Token left, Token right) const {
    if (left == kNone) return true;
    const std::string_view a = vocabulary_.bytes(left), b = vocabulary_.bytes(right);
    const auto divided = [&](std::string_view both) {
      size_t n = 0;
      Token first = kNone;
      merge_at_once<Joiner>(vocabulary_, both, [&](Token id, size_t) {
        if (n++ == 0) first = id;
      });
      return n == 2 && first == left;
    };
    char both[kSmall];
    if (a.size() + b.size() > kSmall) return divided(std::string(a).append(b));
    // A damaged vocabulary may have tokens without bytes.
    a.copy(both, a.size());
    b.copy(both + a.size(), b.size());
    return divided({both, a.size() + b.size()});
  }

  void put(const Tokens& tokens, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) out_.push_back(tokens[i].id);
  }

  const Vocabulary& vocabulary_;
  std::string_view piece_;
  std::vector<Token>& out_;
  Tokens tokens_, next_tokens_;
};

template <class Joiner>
void merge_by(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out) {
  const auto put = [&](Token id, size_t) { out.push_back(id); };
  if (piece.size() <= kSmall) return merge_at_once<Joiner>(vocabulary, piece, put);
  const size_t before = out.size();
  if (Windows<Joiner>(vocabulary, piece, out).run()) return;
  out.resize(before);
  merge_at_once<Joiner>(vocabulary, piece, put);
}

template <class Joiner>
void merge_small_by(const Vocabulary& vocabulary, std::span<SmallMerge> merges) {
  for (size_t begin = 0; begin < merges.size(); begin += Together<Joiner>::kMost) {
    Together<Joiner> together;
    const auto some =
        merges.subspan(begin, std::min(Together<Joiner>::kMost, merges.size() - begin));
    for (const SmallMerge& merge : some) together.add(vocabulary, {merge.bytes, merge.size});
    together.run();
    for (size_t i = 0; i < some.size(); ++i) {
      some[i].n = 0;
      together[i].each([&](Token id, size_t) { some[i].tokens[some[i].n++] = id; });
    }
  }
}

}  // namespace

void merge_small(const Vocabulary& vocabulary, std::span<SmallMerge> merges) {
  if (vocabulary.ranks_are_ids()) {
    merge_small_by<ByIds>(vocabulary, merges);
  } else {
    merge_small_by<ByPairs>(vocabulary, merges);
  }
}

void merge(const Vocabulary& vocabulary, std::string_view piece, std::vector<Token>& out) {
  if (vocabulary.ranks_are_ids()) {
    merge_by<ByIds>(vocabulary, piece, out);
  } else {
    merge_by<ByPairs>(vocabulary, piece, out);
  }
}

}  // namespace vitalis::tokenizer
