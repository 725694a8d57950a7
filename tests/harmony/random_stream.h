// SPDX-License-Identifier: Apache-2.0
// Random token streams that look like harmony and go wrong in every way: for property tests.
#pragma once

#include <random>
#include <set>
#include <string>
#include <vector>

#include "o200k.h"

namespace vitalis::harmony {

class RandomStream {
 public:
  explicit RandomStream(uint32_t seed) : random_(seed) {}

  // Header words, control tokens, stray ids and broken bytes; each plain word, of at least four
  // letters, occurs once and is listed in words().
  std::vector<Token> next() {
    words_.clear();
    const Format& format = o200k();
    const std::vector<Token> control = {
        format.start,        format.end,  format.message, format.channel, format.constrain,
        format.return_token, format.call, 199999,         200013,         201000};
    const std::vector<std::string> fragments = {
        "assistant",    "user",  "tool",  "analysis",   "commentary",
        "final",        " to=",  "to=",   "functions.", "functions.shell",
        "json",         " json", " code", "\n",         " ",
        "{\"a\": [1, ", "}",     "é",     "：",         "?"};
    std::vector<Token> out;
    const size_t size = pick(40);
    while (out.size() < size) {
      switch (pick(10)) {
        case 0:
        case 1:
        case 2:
        case 3:
          out.push_back(control[pick(control.size())]);
          break;
        case 4:
        case 5:
        case 6:
          format.tokenizer().encode(fragments[pick(fragments.size())], out);
          break;
        case 7:
          out.push_back(pick(4) == 0 ? static_cast<Token>(250000 + pick(10))
                                     : static_cast<Token>(pick(256)));
          break;
        default:
          add_word(out);
      }
    }
    return out;
  }

  // Each a single token.
  const std::set<std::string>& words() const { return words_; }

  size_t pick(size_t n) { return random_() % n; }

 private:
  void add_word(std::vector<Token>& out) {
    for (;;) {
      const Token t = static_cast<Token>(1000 + pick(190000));
      const std::string word(o200k().tokenizer().bytes(t));
      bool letters = word.size() >= 4;
      for (const char c : word) letters = letters && c >= 'a' && c <= 'z';
      if (!letters || !words_.insert(word).second) continue;
      out.push_back(t);
      return;
    }
  }

  std::mt19937 random_;
  std::set<std::string> words_;
};

}  // namespace vitalis::harmony
