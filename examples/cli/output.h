// SPDX-License-Identifier: Apache-2.0
// The two streams of the program. Standard output carries what was asked for and nothing else, and
// is written at once, so that an answer is seen as it is made; standard error carries the rest.
// Control codes are written to terminals only, and never come from a model, a file or a user: on a
// terminal such text is shown with its control characters spelled out. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitalis::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,          // the sentence on standard error says what
  kExitUsage = 2,          // the command line is wrong
  kExitIncomplete = 3,     // the answer is not whole
  kExitInterrupted = 130,  // by Ctrl-C
  kExitPipe = 141,         // the reader of standard output went away
};

class Output {
 public:
  Output();

  bool out_is_terminal() const { return out_is_terminal_; }
  // Whether print_dimmed() has an effect.
  bool dims() const { return dims_; }

  // To standard output. False once a write has failed: there is no use in going on.
  bool print(std::string_view text);
  bool print_dimmed(std::string_view text);

  // A line on standard error: `sentence` after the program's name, or as it is.
  void error(std::string_view sentence);
  void note(std::string_view line);

  // A question on standard error; the answer is typed after it.
  void ask(std::string_view question);

  // Lines on standard error that the next ones replace; nothing if that is no terminal.
  void show_progress(std::string_view text);
  void show_progress(const std::vector<std::string>& lines);
  void clear_progress();
  bool shows_progress() const { return err_is_terminal_; }

  // `code`, or the code of the failed write, after telling about that.
  int exit_code(int code);

 private:
  bool write_out(std::string_view bytes);

  bool out_is_terminal_;
  bool err_is_terminal_;
  bool dims_;
  size_t progress_lines_ = 0;  // that are shown
  int write_error_ = 0;        // errno
};

// Text that may hold control characters, for a terminal: ESC becomes ^[, and so on. Keeps \n and
// \t.
std::string spell_control_characters(std::string_view text);

}  // namespace vitalis::cli
