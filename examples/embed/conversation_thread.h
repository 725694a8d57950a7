// SPDX-License-Identifier: Apache-2.0
// The model side of a program with a window: one thread that owns the session and the conversation,
// and does all that takes time, loading included. The window's thread asks and stops; both calls
// return at once. What happens is told through a callback on the model's thread, with copies of the
// text: it is for the receiver to carry them over.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include <vitalis/vitalis.hpp>

namespace embed {

struct Update {
  enum class Kind { kReady, kReasoning, kAnswer, kEnd, kFailure };
  Kind kind;
  std::string text;  // a piece of the answer or the reasoning; the sentence of an end or a failure
};

class ConversationThread {
 public:
  ConversationThread(std::string model, const vitalis::GenerateOptions& options,
                     std::function<void(Update)> tell);
  ~ConversationThread();  // stops the answer in progress and waits, for a layer's time at most

  void ask(std::string question);
  void stop();

 private:
  void run(const std::stop_token& leave);
  void converse(const std::stop_token& leave);
  std::optional<std::string> next_question(const std::stop_token& leave);
  void answer(vitalis::Session& session, vitalis::Conversation& conversation);

  const std::string model_;
  const vitalis::GenerateOptions options_;
  const std::function<void(Update)> tell_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::optional<std::string> question_;  // guarded by mutex_, as stop_ is
  std::stop_source stop_;                // of the answer in progress or to come
  std::jthread thread_;                  // last: it uses all the others
};

}  // namespace embed
