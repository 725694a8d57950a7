// SPDX-License-Identifier: Apache-2.0
#include "line_editor.h"

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <histedit.h>
#include <langinfo.h>
#include <string_view>
#include <unistd.h>

namespace vitalis::cli {

namespace {

constexpr int kHistoryLines = 1000;

// $XDG_STATE_HOME/vitalis/history; empty if there is no place to keep it.
std::filesystem::path history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state != nullptr && *state == '/') {
    folder = state;
  } else if (home != nullptr && *home == '/') {
    folder = std::filesystem::path(home) / ".local" / "state";
  } else {
    return {};
  }
  folder /= "vitalis";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? std::filesystem::path() : folder / "history";
}

// libedit takes bytes for characters by the locale; everything here is UTF-8.
void use_utf8_locale() {
  std::setlocale(LC_CTYPE, "");
  if (std::string_view(nl_langinfo(CODESET)) != "UTF-8") std::setlocale(LC_CTYPE, "C.UTF-8");
}

char* prompt(EditLine*) {
  static char text[] = "> ";
  return text;
}

}  // namespace

struct LineEditor::Terminal {
  Terminal();
  ~Terminal();
  static unsigned char interrupt(EditLine* edit, int character);
  static unsigned char suspend(EditLine* edit, int character);

  EditLine* edit = nullptr;
  History* history = nullptr;
  std::filesystem::path history_file = history_path();
  bool interrupted = false;
};

LineEditor::Terminal::Terminal() {
  use_utf8_locale();
  HistEvent event;
  history = history_init();
  if (history != nullptr) {
    ::history(history, &event, H_SETSIZE, kHistoryLines);
    ::history(history, &event, H_SETUNIQUE, 1);
    if (!history_file.empty()) ::history(history, &event, H_LOAD, history_file.c_str());
  }
  edit = el_init("vitalis", stdin, stdout, stderr);
  if (edit == nullptr) return;
  el_set(edit, EL_CLIENTDATA, this);
  el_set(edit, EL_PROMPT, &prompt);
  el_set(edit, EL_EDITOR, "emacs");
  el_set(edit, EL_SIGNAL, 1);  // on SIGTERM and the like, leaves the terminal as it was
  if (history != nullptr) el_set(edit, EL_HIST, &::history, history);
  el_source(edit, nullptr);
  // Ctrl-C drops the line: as a key, since libedit goes on reading after a signal. Then Ctrl-Z is
  // one too.
  el_set(edit, EL_SETTY, "-d", "-isig", nullptr);
  el_set(edit, EL_ADDFN, "vitalis-interrupt", "Drop the line", &Terminal::interrupt);
  el_set(edit, EL_BIND, "^C", "vitalis-interrupt", nullptr);
  el_set(edit, EL_ADDFN, "vitalis-suspend", "Suspend the program", &Terminal::suspend);
  el_set(edit, EL_BIND, "^Z", "vitalis-suspend", nullptr);
}

LineEditor::Terminal::~Terminal() {
  HistEvent event;
  if (edit != nullptr) el_end(edit);
  if (history == nullptr) return;
  if (!history_file.empty()) ::history(history, &event, H_SAVE, history_file.c_str());
  history_end(history);
}

unsigned char LineEditor::Terminal::interrupt(EditLine* edit, int) {
  Terminal* terminal = nullptr;
  el_get(edit, EL_CLIENTDATA, &terminal);
  terminal->interrupted = true;
  std::fputs("^C\n", stdout);
  std::fflush(stdout);
  return CC_NEWLINE;
}

unsigned char LineEditor::Terminal::suspend(EditLine*, int) {
  std::raise(SIGTSTP);  // libedit's handler leaves the terminal as it was, and takes it again later
  return CC_REFRESH;
}

LineEditor::LineEditor() {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) return;
  terminal_ = std::make_unique<Terminal>();
  if (terminal_->edit == nullptr) terminal_.reset();
}

LineEditor::~LineEditor() = default;

LineEditor::Result LineEditor::read(std::string& line) {
  line.clear();
  errno = 0;
  if (terminal_ == nullptr) {
    char* buffer = nullptr;
    size_t capacity = 0;
    const ssize_t size = getline(&buffer, &capacity, stdin);
    if (size >= 0) line.assign(buffer, static_cast<size_t>(size));
    std::free(buffer);
    if (size < 0) return std::ferror(stdin) != 0 ? Result::kFailed : Result::kEnd;
  } else {
    int size = 0;
    terminal_->interrupted = false;
    // Before the prompt, which libedit would print first: a key typed right after it is then
    // already a key, and Ctrl-D no end of file that the terminal swallows.
    el_set(terminal_->edit, EL_PREP_TERM, 1);
    const char* text = el_gets(terminal_->edit, &size);
    if (terminal_->interrupted) return Result::kInterrupted;
    if (text == nullptr || size <= 0)
      return errno != 0 && size < 0 ? Result::kFailed : Result::kEnd;
    line = text;
  }
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  HistEvent event;
  if (terminal_ != nullptr && terminal_->history != nullptr && !line.empty()) {
    ::history(terminal_->history, &event, H_ENTER, line.c_str());
  }
  return Result::kLine;
}

}  // namespace vitalis::cli
