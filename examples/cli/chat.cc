// SPDX-License-Identifier: Apache-2.0
// vitalis chat: a conversation, line by line. Lines that begin with a slash are commands.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <unistd.h>

#include "answer.h"
#include "commands.h"
#include "library.h"
#include "line_editor.h"
#include "text.h"

namespace vitalis::cli {

namespace {

constexpr std::string_view kHelp =
    "/effort low|medium|high  how much the model reasons before it answers\n"
    "/reasoning on|off        whether its reasoning is shown\n"
    "/system TEXT             instructions that it is to heed; without TEXT, none\n"
    "/reset                   begins a new conversation\n"
    "/stats                   speed and memory of the last answer\n"
    "/help                    this list\n"
    "/exit                    ends the program, as Ctrl-D does\n"
    "Ctrl-C stops an answer, or drops the line being typed. //TEXT sends /TEXT to the model.\n";

class Chat {
 public:
  Chat(const Options& options, Interrupt& interrupt, Output& output)
      : options_(options), interrupt_(interrupt), output_(output) {}

  bool open();
  // Until the end of input or /exit.
  int converse();

 private:
  // Both give an exit code. What is wrong has been told; whether that ends the program is
  // converse()'s.
  int answer(std::string_view text);
  int obey(std::string_view line);
  int reset();
  int set_effort(std::string_view level);
  int set_reasoning(std::string_view state);
  int set_instructions(std::string_view text);
  int stats();
  bool keep();
  int usage(std::string_view sentence);

  Options options_;  // as the commands have changed them
  Interrupt& interrupt_;
  Output& output_;
  LineEditor editor_;
  Model model_;
  Session session_;
  Conversation conversation_;
  bool answered_ = false;
  bool leaving_ = false;
};

bool Chat::open() {
  conversation_ = open_conversation(options_, output_);
  if (!conversation_) return false;
  model_ = open_model(options_, output_);
  if (!model_) return false;
  session_ = open_session(model_.get(), options_, output_);
  if (!session_) return false;
  const std::string& file = options_.session_file;
  if (!file.empty() && access(file.c_str(), F_OK) == 0 &&
      !restore_session(session_.get(), conversation_.get(), file, output_)) {
    return false;
  }
  if (editor_.interactive()) {
    interrupt_.ignore_when_idle();
    output_.note("/help lists the commands; Ctrl-D leaves.");
  }
  return true;
}

int Chat::converse() {
  std::string line;
  while (!leaving_) {
    const LineEditor::Result result = editor_.read(line);
    if (result == LineEditor::Result::kInterrupted) continue;
    if (result == LineEditor::Result::kFailed) {
      output_.error(std::string("cannot read standard input: ") + std::strerror(errno));
      return kExitError;
    }
    if (result == LineEditor::Result::kEnd) {
      if (editor_.interactive()) output_.print("\n");
      break;
    }
    if (line.empty()) continue;
    const bool command = line[0] == '/' && !line.starts_with("//");
    const int code =
        command ? obey(line) : answer(std::string_view(line).substr(line[0] == '/' ? 1 : 0));
    // A person sees what went wrong and goes on; a script must not take the rest for whole.
    if (code == kExitPipe || (code != kExitOk && !editor_.interactive())) return code;
  }
  return output_.exit_code(keep() ? kExitOk : kExitError);
}

// What is kept in the session's file is what was said so far.
bool Chat::keep() {
  const std::string& file = options_.session_file;
  return file.empty() || save_session(session_.get(), conversation_.get(), file, output_);
}

int Chat::answer(std::string_view text) {
  const size_t size_before = vitalis_conversation_size(conversation_.get());
  if (!add_user_message(conversation_.get(), text, output_)) return kExitError;
  int code = kExitError;
  if (start_answer(session_.get(), conversation_.get(), options_, output_)) {
    code = show_answer(session_.get(), options_, interrupt_, output_);
    answered_ = true;
    if (options_.stats) show_stats(session_.get(), model_.get(), output_);
    if (code != kExitError &&
        succeeded(vitalis_session_add_reply(session_.get(), conversation_.get()), output_)) {
      return keep() ? code : kExitError;
    }
    code = kExitError;
  }
  // An unanswered prompt is not left behind.
  succeeded(vitalis_conversation_truncate(conversation_.get(), size_before), output_);
  return code;
}

int Chat::obey(std::string_view line) {
  const size_t space = line.find(' ');
  const std::string_view command = line.substr(0, space);
  std::string_view argument = space == line.npos ? "" : line.substr(space + 1);
  argument.remove_prefix(std::min(argument.find_first_not_of(' '), argument.size()));
  if (command == "/effort") return set_effort(argument);
  if (command == "/reasoning") return set_reasoning(argument);
  if (command == "/system") return set_instructions(argument);
  if (command == "/reset") return reset();
  if (command == "/stats") return stats();
  if (command == "/exit") leaving_ = true;
  if (command == "/help") output_.print(kHelp);
  if (command == "/exit" || command == "/help") return kExitOk;
  return usage("unknown command " + std::string(command) + "; /help lists them");
}

int Chat::usage(std::string_view sentence) {
  output_.error(sentence);
  return kExitUsage;
}

int Chat::reset() {
  answered_ = false;
  return succeeded(vitalis_conversation_truncate(conversation_.get(), 0), output_) &&
                 succeeded(vitalis_session_reset(session_.get()), output_)
             ? kExitOk
             : kExitError;
}

int Chat::set_effort(std::string_view level) {
  const std::string value(level);
  if (vitalis_config_set(options_.config.get(), "reasoning.effort", value.c_str(), "/effort") <
      VITALIS_OK) {
    return usage("/effort: expected low, medium or high");
  }
  return set_system(conversation_.get(), options_, output_) ? kExitOk : kExitError;
}

int Chat::set_reasoning(std::string_view state) {
  if (state != "on" && state != "off") return usage("/reasoning: expected on or off");
  options_.show_reasoning = state == "on";
  return kExitOk;
}

int Chat::set_instructions(std::string_view text) {
  const int32_t status =
      vitalis_conversation_set_instructions(conversation_.get(), text.data(), text.size());
  return succeeded(status, output_, "/system") ? kExitOk : kExitError;
}

int Chat::stats() {
  if (!answered_) return usage("/stats: there is no answer yet");
  show_stats(session_.get(), model_.get(), output_);
  return kExitOk;
}

}  // namespace

int chat(const Options& options, Interrupt& interrupt, Output& output) {
  Chat chat(options, interrupt, output);
  return chat.open() ? chat.converse() : kExitError;
}

}  // namespace vitalis::cli
