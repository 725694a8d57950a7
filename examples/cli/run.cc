// SPDX-License-Identifier: Apache-2.0
// vitalis run: one prompt, one answer; and with --tool-results the answers after each call.
#include <fstream>
#include <iostream>
#include <string>

#include "answer.h"
#include "commands.h"
#include "library.h"

namespace vitalis::cli {

namespace {

// Lines that answer calls, one each.
class ToolResults {
 public:
  // False if there is no such file; it has been told.
  bool open(const std::string& path, Output& output) {
    if (path.empty() || path == "-") {
      from_ = path.empty() ? nullptr : &std::cin;
      return true;
    }
    file_.open(path);
    from_ = &file_;
    if (!file_) output.error("cannot open " + path);
    return static_cast<bool>(file_);
  }
  bool next(std::string& line) { return from_ && std::getline(*from_, line); }

 private:
  std::ifstream file_;
  std::istream* from_ = nullptr;
};

// Adds the call and its result to the conversation.
bool add_result(vitalis_session* session, vitalis_conversation* conversation,
                const std::string& tool, const std::string& result, Output& output) {
  return succeeded(vitalis_session_add_reply(session, conversation), output) &&
         succeeded(vitalis_conversation_add_tool_result(conversation, tool.c_str(), result.data(),
                                                        result.size()),
                   output, "--tool-results");
}

}  // namespace

int run(const Options& options, Interrupt& interrupt, Output& output) {
  ToolResults results;
  if (!results.open(options.tool_results, output)) return kExitError;
  const Conversation conversation = open_conversation(options, output);
  if (!conversation || !add_user_message(conversation.get(), options.text, output)) {
    return kExitError;
  }
  const Model model = open_model(options, output);
  if (!model) return kExitError;
  const Session session = open_session(model.get(), options, output);
  if (!session) return kExitError;
  int code = kExitOk;
  std::string called, result;
  do {
    if (!start_answer(session.get(), conversation.get(), options, output)) return kExitError;
    code = show_answer(session.get(), options, interrupt, output, &called);
    if (options.logprobs) show_logprobs(session.get(), model.get(), output);
    if (options.stats) show_stats(session.get(), model.get(), output);
    if (code != kExitOk || called.empty() || !results.next(result)) return code;
    if (!add_result(session.get(), conversation.get(), called, result, output)) return kExitError;
    // A choice was of the first answer: now the model may use what it was told.
  } while (options.tool_choice.empty() || options.tool_choice == "free" ||
           set_tool_choice(conversation.get(), "auto", output));
  return kExitError;
}

}  // namespace vitalis::cli
