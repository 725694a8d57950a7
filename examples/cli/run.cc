// SPDX-License-Identifier: Apache-2.0
#include "answer.h"
#include "commands.h"
#include "library.h"

namespace vitalis::cli {

int run(const Options& options, Interrupt& interrupt, Output& output) {
  const Conversation conversation = open_conversation(options, output);
  if (!conversation || !add_user_message(conversation.get(), options.text, output)) {
    return kExitError;
  }
  const Model model = open_model(options, output);
  if (!model) return kExitError;
  const Session session = open_session(model.get(), options, output);
  if (!session || !start_answer(session.get(), conversation.get(), options, output)) {
    return kExitError;
  }
  const int code = show_answer(session.get(), options, interrupt, output);
  if (options.logprobs) show_logprobs(session.get(), model.get(), output);
  if (options.stats) show_stats(session.get(), model.get(), output);
  return code;
}

}  // namespace vitalis::cli
