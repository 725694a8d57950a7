// SPDX-License-Identifier: Apache-2.0
// The alternatives of the pattern, in its order (U = Lu Lt, L = Ll, C = Lm Lo, M = marks):
//   1  prefix? [UCM]* [LCM]+ contraction?      prefix: not CR, LF, letter or number
//   2  prefix? [UCM]+ [LCM]* contraction?
//   3  N{1,3}
//   4  U+0020? [^\s L N]+ [CR LF /]*
//   5  \s*[CR LF]+      6  \s+ not before \S      7  \s+
// Alternatives 1 and 2 backtrack in a regex engine. Here `letters` reads forward once: in a run of
// U, C and M followed by no L, alternative 1 can end only after the last C or M, because its second
// part needs at least one character that is not U.
#include "tokenizer/split.h"

#include "tokenizer/char_class.h"

namespace vitalis::tokenizer {

const std::string_view kPattern =
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    "|\\p{N}{1,3}"
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
    "|\\s*[\\r\\n]+"
    "|\\s+(?!\\S)"
    "|\\s+";

namespace {

struct Character {
  CharClass kind;
  uint8_t size;
};

constexpr unsigned set(CharClass c) {
  return 1u << c;
}
constexpr unsigned kLead = set(kUpper) | set(kCaseless) | set(kMark);
constexpr unsigned kTail = set(kLower) | set(kCaseless) | set(kMark);
constexpr unsigned kPunctuation = set(kOther) | set(kMark);
constexpr unsigned kWhite = set(kSpace) | set(kNewline);

class Reader {
 public:
  explicit Reader(std::string_view text)
      : text_(reinterpret_cast<const uint8_t*>(text.data())), size_(text.size()) {}

  size_t size() const { return size_; }
  uint8_t byte(size_t i) const { return text_[i]; }

  Character at(size_t i) const {
    const uint8_t a = text_[i];
    if (a < 0x80) return {static_cast<CharClass>(kClassOfBlock[kClassBlock[a >> 6]][a & 63]), 1};
    if (a < 0xE0) return {in_block(a & 0x1Fu, i + 1), 2};
    const unsigned b = text_[i + 1] & 0x3Fu;
    if (a < 0xF0) return {in_block((a & 0x0Fu) << 6 | b, i + 2), 3};
    const unsigned c = text_[i + 2] & 0x3Fu;
    return {in_block((a & 0x07u) << 12 | b << 6 | c, i + 3), 4};
  }

  // The end of the longest run of characters of `classes` from i.
  size_t run(size_t i, unsigned classes) const {
    while (i < size_) {
      const Character c = at(i);
      if (!(classes >> c.kind & 1)) break;
      i += c.size;
    }
    return i;
  }

 private:
  CharClass in_block(unsigned block, size_t last) const {
    return static_cast<CharClass>(kClassOfBlock[kClassBlock[block]][text_[last] & 0x3F]);
  }

  const uint8_t* text_;
  size_t size_;
};

// The letters of alternative 1 or 2 from i, without contraction; `end` == i if there are none.
struct Letters {
  size_t end;
  bool first;  // alternative 1 matched
};
Letters letters(const Reader& text, size_t i) {
  size_t after_uncased = 0;
  while (i < text.size()) {
    const Character c = text.at(i);
    if (c.kind == kLower) return {text.run(i + c.size, kTail), true};
    if (!(kLead >> c.kind & 1)) break;
    i += c.size;
    if (c.kind != kUpper) after_uncased = i;
  }
  return after_uncased ? Letters{after_uncased, true} : Letters{i, false};
}

// The end of 's 't 'm 'd 're 've 'll in any case, or of an apostrophe and U+017F, which folds to s.
size_t contraction(const Reader& text, size_t i) {
  if (i + 1 >= text.size() || text.byte(i) != '\'') return i;
  const unsigned a = text.byte(i + 1) | 0x20u;
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return i + 2;
  if (i + 2 >= text.size()) return i;
  if (text.byte(i + 1) == 0xC5 && text.byte(i + 2) == 0xBF) return i + 3;
  const unsigned b = text.byte(i + 2) | 0x20u;
  const bool two = (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l');
  return two ? i + 3 : i;
}

size_t numbers(const Reader& text, size_t i) {
  for (int n = 0; n < 3 && i < text.size(); ++n) {
    const Character c = text.at(i);
    if (c.kind != kNumber) break;
    i += c.size;
  }
  return i;
}

size_t punctuation(const Reader& text, size_t i) {
  i = text.run(i, kPunctuation);
  while (i < text.size() && (text.byte(i) == '\r' || text.byte(i) == '\n' || text.byte(i) == '/')) {
    ++i;
  }
  return i;
}

size_t white_space(const Reader& text, const size_t begin) {
  size_t i = begin, last = begin, after_newline = 0;
  while (i < text.size()) {
    const Character c = text.at(i);
    if (!(kWhite >> c.kind & 1)) break;
    last = i;
    i += c.size;
    if (c.kind == kNewline) after_newline = i;
  }
  if (after_newline) return after_newline;
  return i == text.size() || last == begin ? i : last;
}

}  // namespace

size_t piece_end(std::string_view bytes, size_t begin) {
  const Reader text(bytes);
  const Character first = text.at(begin);
  const size_t second = begin + first.size;
  switch (first.kind) {
    case kUpper:
    case kLower:
    case kCaseless:
      return contraction(text, letters(text, begin).end);
    case kNumber:
      return numbers(text, begin);
    case kNewline:
      return white_space(text, begin);
    case kMark: {
      Letters core = letters(text, second);
      if (!core.first) core = letters(text, begin);
      return contraction(text, core.end);
    }
    case kOther:
    case kSpace:
      break;
  }
  const Letters core = letters(text, second);
  if (core.end > second) return contraction(text, core.end);
  if (first.kind == kOther) return punctuation(text, begin);
  if (bytes[begin] == ' ' && second < text.size() && kPunctuation >> text.at(second).kind & 1) {
    return punctuation(text, second);
  }
  return white_space(text, begin);
}

size_t split(const PieceKernels& kernels, std::string_view text, size_t begin,
             size_t (&ends)[kMaxPieces]) {
  constexpr ClassTables kTables{kClassBlock, kClassOfBlock};
  size_t n = 0;
  while (begin < text.size() && n + kBlock < kMaxPieces) {
    const size_t cut =
        kernels.cut(text.data(), text.size(), begin, kTables, ends + n, kMaxPieces - n);
    n += cut;
    if (cut == 0) ends[n++] = piece_end(text, begin);
    begin = ends[n - 1];
  }
  return n;
}

}  // namespace vitalis::tokenizer
