// SPDX-License-Identifier: Apache-2.0
// Everything that is wrong with an input, told at once: whoever mends a file wants the whole list.
// The list is bounded, since a hostile file could otherwise make a message as long as itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/utf8.h"

namespace vitalis {

// Text out of a file as it may stand in a message: valid UTF-8, control characters as '?', and cut
// when it is long.
inline std::string excerpt(std::string_view content) {
  constexpr size_t kLongest = 120;
  std::string out = utf8::replace_ill_formed(content.substr(0, kLongest));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return content.size() > kLongest ? out + "..." : out;
}

inline std::string in_quotes(std::string_view name) {
  return '"' + excerpt(name) + '"';
}

class Problems {
 public:
  template <class... Pieces>
  void add(Code code, const Pieces&... pieces) {
    add(error(code, pieces...));
  }
  void add(const Status& problem) {
    code_ = count_ == 0 || code_ == problem.code() ? problem.code() : Code::kMalformed;
    if (count_++ < kMostTold) sentences_.push_back(problem.message());
  }

  bool empty() const { return count_ == 0; }

  // Ok if there is none. One problem speaks for itself; several stand one per line under `where`,
  // with the code they share, or kMalformed.
  Status status(std::string_view where) const {
    if (count_ == 0) return {};
    if (count_ == 1) return Status(code_, sentences_.front());
    std::string message = text(where, ": ", count_, " problems");
    for (const std::string& sentence : sentences_) {
      message += "\n  ";
      for (const char c : sentence) message += c == '\n' ? "\n  " : std::string(1, c);
    }
    if (count_ > kMostTold) message += text("\n  and ", count_ - kMostTold, " more");
    return Status(code_, std::move(message));
  }

 private:
  static constexpr size_t kMostTold = 1000;  // more than the tensors of any published gpt-oss

  Code code_ = Code::kOk;
  size_t count_ = 0;
  std::vector<std::string> sentences_;
};

}  // namespace vitalis
