// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace vitalis::cli {

namespace {

bool understands_control_codes(int descriptor) {
  if (isatty(descriptor) == 0) return false;
  const char* terminal = std::getenv("TERM");
  return terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

// 0, or errno.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// The first `width` characters.
std::string shortened(std::string text, size_t width) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (characters++ == width) {
      text.resize(i);
      break;
    }
  }
  return text;
}

}  // namespace

std::string spell_control_characters(std::string_view text) {
  std::string spelled;
  spelled.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c0 = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c0) {
      spelled += '^';
      spelled += static_cast<char>(byte ^ 0x40);
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080 … U+009F
      spelled += "^[";
      spelled += static_cast<char>(next - 0x40);
      ++i;
    } else {
      spelled += text[i];
    }
  }
  return spelled;
}

Output::Output()
    : out_is_terminal_(isatty(STDOUT_FILENO) != 0),
      err_is_terminal_(understands_control_codes(STDERR_FILENO)),
      dims_(understands_control_codes(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr) {}

bool Output::write_out(std::string_view bytes) {
  if (write_error_ == 0) write_error_ = write_all(STDOUT_FILENO, bytes);
  return write_error_ == 0;
}

bool Output::print(std::string_view text) {
  clear_progress();
  return out_is_terminal_ ? write_out(spell_control_characters(text)) : write_out(text);
}

bool Output::print_dimmed(std::string_view text) {
  if (!dims_) return print(text);
  clear_progress();
  return write_out("\x1b[2m" + spell_control_characters(text) + "\x1b[0m");
}

void Output::error(std::string_view sentence) {
  note("vitalis: " + std::string(sentence));
}

// Whether standard error can be written to is not ours to complain about: there is nowhere to do
// so.
void Output::note(std::string_view line) {
  clear_progress();
  std::string bytes = isatty(STDERR_FILENO) ? spell_control_characters(line) : std::string(line);
  bytes += '\n';
  write_all(STDERR_FILENO, bytes);
}

void Output::ask(std::string_view question) {
  clear_progress();
  write_all(STDERR_FILENO, spell_control_characters(question));
}

void Output::show_progress(std::string_view text) {
  show_progress(std::vector<std::string>{std::string(text)});
}

// A line that the terminal breaks in two could not be replaced: each is cut to the width.
void Output::show_progress(const std::vector<std::string>& lines) {
  if (!err_is_terminal_ || lines.empty()) return;
  struct winsize size {};
  const size_t width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1
                           ? size.ws_col - size_t{1}
                           : size_t{79};
  clear_progress();
  std::string bytes;
  for (const std::string& line : lines) {
    if (&line != lines.data()) bytes += '\n';
    bytes += shortened(spell_control_characters(line), width);
  }
  write_all(STDERR_FILENO, bytes);
  progress_lines_ = lines.size();
}

void Output::clear_progress() {
  if (progress_lines_ == 0) return;
  std::string bytes = "\r\x1b[K";
  for (size_t i = 1; i < progress_lines_; ++i) bytes += "\x1b[A\x1b[K";
  write_all(STDERR_FILENO, bytes);
  progress_lines_ = 0;
}

int Output::exit_code(int code) {
  if (write_error_ == 0) return code;
  if (write_error_ == EPIPE) return kExitPipe;
  error(std::string("cannot write to standard output: ") + std::strerror(write_error_));
  return kExitError;
}

}  // namespace vitalis::cli
