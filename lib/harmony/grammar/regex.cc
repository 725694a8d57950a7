// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/regex.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/utf8.h"
#include "harmony/json.h"

namespace vitalis::harmony::grammar {
namespace {

constexpr char32_t kLastCharacter = 0x10FFFF;
constexpr uint32_t kNoLimit = 0xFFFFFFFF;
constexpr uint32_t kMostRepeats = 4096;
constexpr int kMaxDepth = 64;

struct Range {
  char32_t low, high;
};
using Ranges = std::vector<Range>;

Ranges sorted(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end(), [](Range a, Range b) { return a.low < b.low; });
  Ranges out;
  for (const Range& r : ranges) {
    if (!out.empty() && r.low <= out.back().high + 1) {
      out.back().high = std::max(out.back().high, r.high);
    } else {
      out.push_back(r);
    }
  }
  return out;
}

Ranges complement(const Ranges& ranges) {
  Ranges out;
  char32_t next = 0;
  for (const Range& r : sorted(ranges)) {
    if (r.low > next) out.push_back({next, r.low - 1});
    next = r.high + 1;
  }
  if (next <= kLastCharacter) out.push_back({next, kLastCharacter});
  return out;
}

struct Piece {
  enum class Kind : uint8_t { kSet, kSequence, kChoice, kRepeat, kBegin, kEnd };
  Kind kind = Kind::kSequence;
  Ranges set;
  std::vector<Piece> parts;
  uint32_t min = 0, max = kNoLimit;
};

class Reader {
 public:
  explicit Reader(std::string_view pattern) : pattern_(pattern) {}

  Result<Piece> read() {
    VITALIS_ASSIGN(Piece all, choice(0));
    if (at_ < pattern_.size()) return wrong("a ) without its (");
    return all;
  }

 private:
  Status wrong(std::string_view what, Code code = Code::kMalformed) const {
    return error(code, "the pattern has ", what, " at byte ", at_);
  }
  bool take(std::string_view text) {
    if (!pattern_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  bool more() const { return at_ < pattern_.size(); }
  char peek() const { return more() ? pattern_[at_] : '\0'; }
  char32_t character() {
    const utf8::Piece piece = utf8::next(pattern_.substr(at_));
    at_ += piece.size;
    return piece.code_point;
  }

  Result<Piece> choice(int depth) {
    if (depth > kMaxDepth) return wrong("groups nested too deeply", Code::kUnsupported);
    Piece out{.kind = Piece::Kind::kChoice};
    do {
      VITALIS_ASSIGN(Piece part, sequence(depth));
      out.parts.push_back(std::move(part));
    } while (take("|"));
    return out;
  }

  Result<Piece> sequence(int depth) {
    Piece out{.kind = Piece::Kind::kSequence};
    while (more() && peek() != '|' && peek() != ')') {
      VITALIS_ASSIGN(Piece part, atom(depth));
      VITALIS_TRY(repeats(part));
      out.parts.push_back(std::move(part));
    }
    return out;
  }

  Result<Piece> atom(int depth) {
    if (take("^")) return Piece{.kind = Piece::Kind::kBegin};
    if (take("$")) return Piece{.kind = Piece::Kind::kEnd};
    if (take("(")) return group(depth);
    if (take("[")) return bracket();
    Piece out{.kind = Piece::Kind::kSet};
    if (take(".")) {
      out.set = complement({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}});
    } else if (peek() == '\\') {
      VITALIS_TRY(escape(out.set, false));
    } else if (std::string_view("*+?").find(peek()) != std::string_view::npos) {
      return wrong("nothing to repeat");
    } else {
      const char32_t c = character();
      out.set = {{c, c}};
    }
    return out;
  }

  Result<Piece> group(int depth) {
    if (take("?")) {
      if (take("<")) {
        if (peek() == '=' || peek() == '!') return wrong("a look-behind", Code::kUnsupported);
        const size_t end = pattern_.find('>', at_);
        if (end == std::string_view::npos) return wrong("a group name without its >");
        at_ = end + 1;
      } else if (peek() == '=' || peek() == '!') {
        return wrong("a look-ahead", Code::kUnsupported);
      } else if (!take(":")) {
        return wrong("an unknown kind of group");
      }
    }
    VITALIS_ASSIGN(Piece inner, choice(depth + 1));
    if (!take(")")) return wrong("a ( without its )");
    return inner;
  }

  std::optional<uint32_t> number() {
    std::optional<uint32_t> out;
    while (peek() >= '0' && peek() <= '9') {
      out = std::min<uint32_t>(out.value_or(0) * 10 + static_cast<uint32_t>(peek() - '0'), 100000);
      ++at_;
    }
    return out;
  }

  Status repeats(Piece& part) {
    while (more()) {
      uint32_t min = 0, max = kNoLimit;
      const size_t begin = at_;
      if (take("*")) {
      } else if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (take("{")) {
        const auto low = number();
        if (!low) {  // a brace that repeats nothing stands for itself
          at_ = begin;
          return {};
        }
        min = max = *low;
        if (take(",")) max = number().value_or(kNoLimit);
        if (!take("}")) return wrong("a { without its }");
        if (max < min) return wrong("a repetition that ends before it begins");
        if (min > kMostRepeats || (max != kNoLimit && max > kMostRepeats)) {
          return wrong("a repetition that is too long", Code::kUnsupported);
        }
      } else {
        return {};
      }
      take("?");  // lazy: which of the matches counts is of no matter
      Piece whole{.kind = Piece::Kind::kRepeat, .min = min, .max = max};
      whole.parts.push_back(std::move(part));
      part = std::move(whole);
    }
    return {};
  }

  Result<Piece> bracket() {
    const bool negated = take("^");
    Ranges set;
    while (!take("]")) {
      if (!more()) return wrong("a [ without its ]");
      Ranges low;
      VITALIS_TRY(class_atom(low));
      const bool single = low.size() == 1 && low[0].low == low[0].high;
      if (single && peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        Ranges high;
        VITALIS_TRY(class_atom(high));
        const bool ends = high.size() == 1 && high[0].low == high[0].high;
        if (!ends || high[0].low < low[0].low) return wrong("a range out of order");
        low[0].high = high[0].low;
      }
      set.insert(set.end(), low.begin(), low.end());
    }
    return Piece{.kind = Piece::Kind::kSet, .set = negated ? complement(set) : sorted(set)};
  }

  Status class_atom(Ranges& out) {
    if (peek() == '\\') return escape(out, true);
    const char32_t c = character();
    out = {{c, c}};
    return {};
  }

  Status hex(int digits, char32_t& out) {
    out = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = peek();
      const int value = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (value < 0) return wrong("an escape without its digits");
      out = out * 16 + static_cast<char32_t>(value);
      ++at_;
    }
    return {};
  }

  Status escape(Ranges& out, bool in_class) {
    ++at_;
    if (!more()) return wrong("a backslash at its end");
    const Ranges digit = {{'0', '9'}};
    const Ranges word = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    const Ranges space = {{9, 13},          {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                          {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                          {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
    const size_t begin = at_;
    char32_t c = character();
    switch (c) {
      case 'd':
        out = digit;
        return {};
      case 'D':
        out = complement(digit);
        return {};
      case 'w':
        out = word;
        return {};
      case 'W':
        out = complement(word);
        return {};
      case 's':
        out = space;
        return {};
      case 'S':
        out = complement(space);
        return {};
      case 'n':
        c = '\n';
        break;
      case 'r':
        c = '\r';
        break;
      case 't':
        c = '\t';
        break;
      case 'f':
        c = '\f';
        break;
      case 'v':
        c = '\v';
        break;
      case '0':
        c = 0;
        break;
      case 'x':
        VITALIS_TRY(hex(2, c));
        break;
      case 'u':
        if (take("{")) {
          c = 0;
          while (peek() != '}' && c <= kLastCharacter) {
            char32_t next = 0;
            VITALIS_TRY(hex(1, next));
            c = c * 16 + next;
          }
          if (!take("}")) return wrong("an escape without its }");
        } else {
          VITALIS_TRY(hex(4, c));
          char32_t low = 0;
          if (c >= 0xD800 && c < 0xDC00 && take("\\u")) {
            VITALIS_TRY(hex(4, low));
            c = 0x10000 + ((c - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
          }
        }
        if (c > kLastCharacter) return wrong("a character that does not exist");
        break;
      case 'b':
        if (in_class) {
          c = '\b';
          break;
        }
        [[fallthrough]];
      case 'B':
        at_ = begin;
        return wrong("a word boundary", Code::kUnsupported);
      case 'p':
      case 'P':
        at_ = begin;
        return wrong("a property of characters", Code::kUnsupported);
      case 'k':
        at_ = begin;
        return wrong("a back reference", Code::kUnsupported);
      default:
        if (c >= '1' && c <= '9') {
          at_ = begin;
          return wrong("a back reference", Code::kUnsupported);
        }
    }
    out = {{c, c}};
    return {};
  }

  std::string_view pattern_;
  size_t at_ = 0;
};

// UTF-8 of low..high, which have the same number of bytes: cut so that all bytes but one are fixed
// or free.
void add_utf8(Nfa& nfa, Nfa::State from, Nfa::State to, char32_t low, char32_t high) {
  for (char32_t tail = 0x3F; tail <= 0x3FFFF; tail = tail << 6 | 0x3F) {
    if ((low & ~tail) == (high & ~tail)) break;
    if ((low & tail) != 0) {
      add_utf8(nfa, from, to, low, low | tail);
      add_utf8(nfa, from, to, (low | tail) + 1, high);
      return;
    }
    if ((high & tail) != tail) {
      add_utf8(nfa, from, to, low, (high & ~tail) - 1);
      add_utf8(nfa, from, to, high & ~tail, high);
      return;
    }
  }
  std::string first, last;
  utf8::append(first, low);
  utf8::append(last, high);
  for (size_t i = 0; i < first.size(); ++i) {
    const Nfa::State next = i + 1 == first.size() ? to : nfa.add_state();
    nfa.add_bytes(from, next, static_cast<uint8_t>(first[i]), static_cast<uint8_t>(last[i]));
    from = next;
  }
}

// Characters as JSON strings hold them.
void add_encoded(Nfa& nfa, Nfa::State from, Nfa::State to, const Range& range) {
  const auto overlap = [&](char32_t low, char32_t high, auto&& add) {
    low = std::max(low, range.low);
    high = std::min(high, range.high);
    if (low <= high) add(low, high);
  };
  const auto escaped = [&](char32_t low, char32_t high) {
    for (char32_t c = low; c <= high; ++c) {
      std::string text;
      write_json_string(text, std::string(1, static_cast<char>(c)));
      nfa.add_literal(from, to, std::string_view(text).substr(1, text.size() - 2));
    }
  };
  const auto plain = [&](char32_t low, char32_t high) { add_utf8(nfa, from, to, low, high); };
  overlap(0, 0x1F, escaped);
  overlap(0x20, 0x21, plain);
  overlap('"', '"', escaped);
  overlap(0x23, 0x5B, plain);
  overlap('\\', '\\', escaped);
  overlap(0x5D, 0x7F, plain);
  overlap(0x80, 0x7FF, plain);
  overlap(0x800, 0xD7FF, plain);
  overlap(0xE000, 0xFFFF, plain);
  overlap(0x10000, kLastCharacter, plain);
}

class Builder {
 public:
  static constexpr size_t kMostStates = 200000;

  Status add(const Piece& piece, Nfa::State from, Nfa::State to) {
    if (nfa.states() > kMostStates) {
      return error(Code::kUnsupported, "the pattern is too large");
    }
    switch (piece.kind) {
      case Piece::Kind::kSet:
        for (const Range& range : piece.set) add_encoded(nfa, from, to, range);
        return {};
      case Piece::Kind::kSequence:
        for (const Piece& part : piece.parts) {
          const Nfa::State next = nfa.add_state();
          VITALIS_TRY(add(part, from, next));
          from = next;
        }
        nfa.add_empty(from, to);
        return {};
      case Piece::Kind::kChoice:
        for (const Piece& part : piece.parts) VITALIS_TRY(add(part, from, to));
        return {};
      case Piece::Kind::kRepeat:
        return repeat(piece, from, to);
      case Piece::Kind::kBegin:
        nfa.add_begin(from, to);
        return {};
      case Piece::Kind::kEnd:
        nfa.add_end(from, to);
        return {};
    }
    return {};
  }

  Nfa nfa;

 private:
  Status repeat(const Piece& piece, Nfa::State from, Nfa::State to) {
    const auto once = [&]() -> Status {
      const Nfa::State next = nfa.add_state();
      VITALIS_TRY(add(piece.parts[0], from, next));
      from = next;
      return {};
    };
    for (uint32_t i = 0; i < piece.min; ++i) VITALIS_TRY(once());
    if (piece.max == kNoLimit) {
      const Nfa::State loop = nfa.add_state();
      nfa.add_empty(from, loop);
      VITALIS_TRY(add(piece.parts[0], loop, loop));
      nfa.add_empty(loop, to);
      return {};
    }
    for (uint32_t i = piece.min; i < piece.max; ++i) {
      nfa.add_empty(from, to);
      VITALIS_TRY(once());
    }
    nfa.add_empty(from, to);
    return {};
  }
};

const Range kAll = {0, kLastCharacter};

}  // namespace

Result<Dfa> regex_body(std::string_view pattern) {
  VITALIS_ASSIGN(const Piece piece, Reader(pattern).read());
  Builder builder;
  Nfa& nfa = builder.nfa;
  const Nfa::State before = nfa.add_state(), begin = nfa.add_state(), after = nfa.add_state();
  add_encoded(nfa, before, before, kAll);
  nfa.add_empty(before, begin);
  VITALIS_TRY(builder.add(piece, begin, after));
  add_encoded(nfa, after, after, kAll);
  return nfa.determinize(before, after);
}

const Dfa& any_body() {
  static const Dfa dfa = [] {
    Nfa nfa;
    const Nfa::State state = nfa.add_state();
    add_encoded(nfa, state, state, kAll);
    return nfa.determinize(state, state).take();
  }();
  return dfa;
}

Dfa literal_body(std::string_view text) {
  std::string encoded;
  write_json_string(encoded, text);
  Nfa nfa;
  const Nfa::State from = nfa.add_state(), to = nfa.add_state();
  nfa.add_literal(from, to, std::string_view(encoded).substr(1, encoded.size() - 2));
  auto made = nfa.determinize(from, to);
  return made.ok() ? made.take() : Dfa();
}

}  // namespace vitalis::harmony::grammar
