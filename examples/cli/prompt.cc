// SPDX-License-Identifier: Apache-2.0
#include "prompt.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <termios.h>
#include <unistd.h>

namespace vitalis::cli {

namespace {

constexpr std::array<int, 4> kEndingSignals = {SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
constexpr size_t kLongestSecret = 16384;

termios original;  // for the handler, which can be given nothing

void restore_and_end(int signal) {
  tcsetattr(STDIN_FILENO, TCSANOW, &original);
  std::signal(signal, SIG_DFL);
  raise(signal);
}

// Keys come as they are typed and are not shown; Ctrl-C is a key.
class SilentTerminal {
 public:
  SilentTerminal() {
    if (tcgetattr(STDIN_FILENO, &original) != 0) return;
    for (size_t i = 0; i < kEndingSignals.size(); ++i) {
      struct sigaction action {};
      action.sa_handler = restore_and_end;
      sigaction(kEndingSignals[i], &action, &handlers_[i]);
    }
    termios silent = original;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    ready_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (ready_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &original);
    for (size_t i = 0; i < kEndingSignals.size(); ++i) {
      sigaction(kEndingSignals[i], &handlers_[i], nullptr);
    }
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  bool ready() const { return ready_; }

 private:
  std::array<struct sigaction, kEndingSignals.size()> handlers_{};
  bool ready_ = false;
};

// False at the end of input.
bool read_byte(char& byte) {
  for (;;) {
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count == 1) return true;
    if (count == 0 || errno != EINTR) return false;
  }
}

std::optional<std::string> read_secret() {
  constexpr char kInterrupt = 3;
  constexpr char kEndOfInput = 4;
  constexpr char kEraseLine = 21;
  std::string secret;
  char byte = 0;
  while (read_byte(byte)) {
    if (byte == '\n' || byte == '\r') return secret;
    if (byte == kInterrupt || (byte == kEndOfInput && secret.empty())) return std::nullopt;
    if (byte == '\b' || byte == 0x7f) {
      if (!secret.empty()) secret.pop_back();
    } else if (byte == kEraseLine) {
      secret.clear();
    } else if (secret.size() < kLongestSecret) {
      secret += byte;
    }
  }
  return std::nullopt;
}

}  // namespace

bool can_ask() {
  return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

std::optional<std::string> ask_secret(const std::string& question, Interrupt& interrupt,
                                      Output& output) {
  std::optional<std::string> secret;
  {
    const SilentTerminal terminal;
    if (!terminal.ready()) return std::nullopt;
    interrupt.watch([] {
      tcsetattr(STDIN_FILENO, TCSANOW, &original);
      _exit(kExitInterrupted);
    });
    output.ask(
        question);  // after the terminal is silent: what is typed at once is not shown either
    secret = read_secret();
    interrupt.watch(nullptr);
  }
  output.note("");
  return secret;
}

bool ask_yes(const std::string& question, Output& output) {
  output.ask(question + " [Y/n] ");
  std::string line;
  char byte = 0;
  while (read_byte(byte)) {
    if (byte == '\n') return line.empty() || line == "y" || line == "Y" || line == "yes";
    line += byte;
  }
  output.note("");
  return false;
}

}  // namespace vitalis::cli
