// SPDX-License-Identifier: Apache-2.0
// Streams one answer of a model: chat MODEL "question"
// Ctrl-C is left to the reader; a std::stop_token given to generate() is the way to stop.
#include <exception>
#include <iostream>

#include <vitalis/vitalis.hpp>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: chat MODEL QUESTION\n";
    return 2;
  }
  try {
    const vitalis::Model model(vitalis::Engine(), argv[1]);
    vitalis::Session session(model);
    vitalis::Conversation conversation;
    conversation.user(argv[2]);
    for (const vitalis::Event& event : session.generate(conversation, {.temperature = 0})) {
      if (event.is_answer()) std::cout << event.text << std::flush;
      if (event.finish_reason == vitalis::FinishReason::kLength) std::cerr << "\nchat: cut off";
    }
    std::cout << '\n';
  } catch (const std::exception& error) {
    std::cerr << "chat: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
