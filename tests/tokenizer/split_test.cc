// SPDX-License-Identifier: Apache-2.0
// The split against the goldens and against a judge: the seven alternatives of the pattern, matched
// by plain backtracking over code points with classes straight from char_classes_u16.tsv.
#include "tokenizer/split.h"

#include <cstdint>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/char_class.h"
#include "tokenizer/golden.h"
#include "tokenizer/pieces.h"

namespace vitalis::tokenizer {
namespace {

// General categories by code point; empty: none of those that the pattern asks for.
const std::vector<std::string>& categories() {
  static const auto table = [] {
    std::vector<std::string> out(0x110000);
    std::ifstream in(VITALIS_SOURCE_DIR "/tests/goldens/tokenizer/char_classes_u16.tsv");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with('#')) continue;
      std::istringstream fields(line);
      uint32_t first = 0, last = 0;
      std::string name;
      fields >> std::hex >> first >> last >> name;
      for (uint32_t c = first; c <= last; ++c) out[c] = name;
    }
    return out;
  }();
  return table;
}

class Judge {
 public:
  explicit Judge(std::u32string_view text) : text_(text) {}

  // The length of the match at `at`, as a regex engine finds it: alternatives in order, each
  // quantifier greedy, giving back one at a time.
  size_t match(size_t at) const {
    for (const bool prefix : {true, false}) {
      if (const size_t end = word(at, prefix, &Judge::lead, &Judge::tail, 0, 1)) return end;
    }
    for (const bool prefix : {true, false}) {
      if (const size_t end = word(at, prefix, &Judge::lead, &Judge::tail, 1, 0)) return end;
    }
    size_t i = at;
    while (i < at + 3 && number(i)) ++i;
    if (i > at) return i;
    for (const bool blank : {true, false}) {
      i = at + blank;
      if (blank && !(at < text_.size() && text_[at] == ' ')) continue;
      const size_t begin = i;
      while (i < text_.size() && !white(i) && !letter(i) && !number(i)) ++i;
      if (i == begin) continue;
      while (i < text_.size() && (newline(i) || text_[i] == '/')) ++i;
      return i;
    }
    size_t run = at;
    while (white(run)) ++run;
    for (size_t spaces = run + 1; spaces-- > at;) {
      i = spaces;
      while (newline(i)) ++i;
      if (i > spaces) return i;
    }
    for (i = run; i > at; --i) {
      if (i == text_.size() || white(i)) return i;
    }
    return run;
  }

 private:
  using Is = bool (Judge::*)(size_t) const;

  bool is(size_t i, std::initializer_list<std::string_view> names) const {
    if (i >= text_.size()) return false;
    for (const auto name : names) {
      if (categories()[text_[i]] == name) return true;
    }
    return false;
  }
  bool lead(size_t i) const { return is(i, {"Lu", "Lt", "Lm", "Lo", "M"}); }
  bool tail(size_t i) const { return is(i, {"Ll", "Lm", "Lo", "M"}); }
  bool letter(size_t i) const { return is(i, {"Lu", "Ll", "Lt", "Lm", "Lo"}); }
  bool number(size_t i) const { return is(i, {"N"}); }
  bool white(size_t i) const { return is(i, {"S"}); }
  bool newline(size_t i) const {
    return i < text_.size() && (text_[i] == '\r' || text_[i] == '\n');
  }

  // [^\r\n\p{L}\p{N}]? a{min_a,} b{min_b,} contraction?; 0 if it does not match.
  size_t word(size_t at, bool prefix, Is a, Is b, size_t min_a, size_t min_b) const {
    if (prefix) {
      if (at >= text_.size() || newline(at) || letter(at) || number(at)) return 0;
      ++at;
    }
    size_t most = at;
    while ((this->*a)(most)) ++most;
    for (size_t i = most + 1; i-- > at + min_a;) {
      size_t end = i;
      while ((this->*b)(end)) ++end;
      if (end >= i + min_b) return end + contraction(end);
    }
    return 0;
  }

  size_t contraction(size_t at) const {
    static const std::vector<std::u32string> kAll = {U"'s", U"'t",  U"'re", U"'ve",
                                                     U"'m", U"'ll", U"'d"};
    for (const auto& c : kAll) {
      size_t n = 0;
      while (n < c.size() && at + n < text_.size() && fold(text_[at + n]) == c[n]) ++n;
      if (n == c.size()) return n;
    }
    return 0;
  }
  static char32_t fold(char32_t c) {
    if (c == 0x17F) return 's';
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
  }

  std::u32string_view text_;
};

std::string utf8_of(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) utf8::append(out, c);
  return out;
}

std::vector<size_t> judged(std::u32string_view text) {
  std::vector<size_t> ends;
  const Judge judge(text);
  size_t bytes = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = judge.match(at);
    if (end <= at) break;
    bytes += utf8_of(text.substr(at, end - at)).size();
    ends.push_back(bytes);
    at = end;
  }
  return ends;
}

std::vector<size_t> one_by_one(std::string_view text) {
  std::vector<size_t> ends;
  for (size_t at = 0; at < text.size(); at = ends.back()) ends.push_back(piece_end(text, at));
  return ends;
}

const std::vector<const PieceKernels*>& all_kernels() {
  static const auto all = all_piece_kernels();
  return all;
}

std::vector<size_t> by_blocks(const PieceKernels& kernels, std::string_view text) {
  std::vector<size_t> all;
  for (size_t at = 0; at < text.size(); at = all.back()) {
    size_t ends[kMaxPieces];
    const size_t n = split(kernels, text, at, ends);
    if (n == 0) break;
    all.insert(all.end(), ends, ends + n);
  }
  return all;
}

void expect_all_agree(std::u32string_view text) {
  const std::string bytes = utf8_of(text);
  const auto expected = judged(text);
  ASSERT_EQ(one_by_one(bytes), expected) << testing::PrintToString(bytes);
  // A copy that ends where its memory does, so that reading on is seen.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  for (const PieceKernels* kernels : all_kernels()) {
    ASSERT_EQ(by_blocks(*kernels, {exact.data(), exact.size()}), expected)
        << kernels->name << ": " << testing::PrintToString(bytes);
  }
}

TEST(Split, EqualsThePiecesOfTheGoldens) {
  size_t n = 0;
  for (const EncodeCase& c : encode_cases()) {
    if (c.pieces.empty()) continue;
    std::vector<size_t> ends;
    for (const size_t size : c.pieces) ends.push_back((ends.empty() ? 0 : ends.back()) + size);
    EXPECT_EQ(one_by_one(c.text), ends) << c.name;
    for (const PieceKernels* kernels : all_kernels()) {
      EXPECT_EQ(by_blocks(*kernels, c.text), ends) << kernels->name << ": " << c.name;
    }
    ++n;
  }
  EXPECT_GT(n, 700u);
}

TEST(Split, KnowsTheClassOfEveryCodePoint) {
  const std::map<std::string, CharClass> class_of_name = {
      {"", kOther},      {"Lu", kUpper}, {"Lt", kUpper}, {"Ll", kLower}, {"Lm", kCaseless},
      {"Lo", kCaseless}, {"M", kMark},   {"N", kNumber}, {"S", kSpace}};
  for (char32_t c = 0; c < 0x110000; ++c) {
    const CharClass expected =
        c == '\r' || c == '\n' ? kNewline : class_of_name.at(categories()[c]);
    ASSERT_EQ(class_of(c), expected) << static_cast<uint32_t>(c);
  }
}

// Every text of up to 6 characters from one of each kind that the pattern tells apart.
TEST(Split, EqualsTheJudgeOnAllShortTexts) {
  const std::u32string alphabet = U"Aaあ\u03011 \n/!'s";
  std::u32string text;
  const std::function<void(size_t)> grow = [&](size_t left) {
    if (!text.empty()) expect_all_agree(text);
    if (left == 0 || testing::Test::HasFatalFailure()) return;
    for (const char32_t c : alphabet) {
      text.push_back(c);
      grow(left - 1);
      text.pop_back();
    }
  };
  grow(5);
}

TEST(Split, EqualsTheJudgeOnRandomTexts) {
  const std::vector<std::u32string> alphabets = {
      U"abAB 1\n\t.'/",
      U"aA  \n\n\n;/",
      U"stmdrevlSTMDREVL'' a.",
      U"0123456789 a",
      U"aAあい\u0301\u0903 .'\n\u3000é\u00C9",
      U"ÀàßẞſKǅʰ\u0345٠१½ \u00A0\u2028'sS🙂\uFE0F\u200D",
      U"{}();\n\n\t  if/*",
      U"a ",
  };
  std::mt19937 random(7);
  for (int round = 0; round < 60000; ++round) {
    const auto& alphabet = alphabets[round % alphabets.size()];
    std::u32string text;
    const size_t size = 1 + random() % (round % 50 == 0 ? 900 : 150);
    while (text.size() < size) {
      // Runs, so that long pieces and block ends meet.
      const char32_t c = alphabet[random() % alphabet.size()];
      const size_t times = random() % 8 == 0 ? 1 + random() % 70 : 1;
      text.append(times, c);
    }
    ASSERT_NO_FATAL_FAILURE(expect_all_agree(text)) << "round " << round;
  }
}

TEST(Split, EqualsTheJudgeOnRandomCodePoints) {
  std::vector<char32_t> assigned;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (!categories()[c].empty()) assigned.push_back(c);
  }
  std::mt19937 random(8);
  for (int round = 0; round < 20000; ++round) {
    std::u32string text;
    while (text.size() < 80) {
      char32_t c = random() % 3 == 0 ? random() % 0x110000
                   : random() % 2    ? assigned[random() % assigned.size()]
                                     : random() % 0x80;
      if (c >= 0xD800 && c < 0xE000) c = U'x';
      text.push_back(c);
    }
    ASSERT_NO_FATAL_FAILURE(expect_all_agree(text)) << "round " << round;
  }
}

}  // namespace
}  // namespace vitalis::tokenizer
