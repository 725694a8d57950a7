// SPDX-License-Identifier: Apache-2.0
// Lines that a user types. On a terminal they are edited by libedit, with a history that is kept in
// the user's state directory; from a pipe or a file they are read as they are, without a prompt.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace vitalis::cli {

class LineEditor {
 public:
  LineEditor();
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Whether a person sits at it.
  bool interactive() const { return terminal_ != nullptr; }

  enum class Result : uint8_t { kLine, kInterrupted, kEnd, kFailed };
  // The next line without its end. kInterrupted: Ctrl-C, the line is dropped. kFailed: errno says
  // why.
  Result read(std::string& line);

 private:
  struct Terminal;
  std::unique_ptr<Terminal> terminal_;
};

}  // namespace vitalis::cli
