// SPDX-License-Identifier: Apache-2.0
#include "conversation_thread.h"

#include <cstdio>
#include <exception>
#include <utility>

namespace embed {

namespace {

std::string speed(const vitalis_usage& usage) {
  const double seconds = usage.decode_seconds;
  char text[96];
  std::snprintf(text, sizeof text, "%llu tokens, %.1f a second",
                static_cast<unsigned long long>(usage.generated_tokens),
                seconds > 0 ? static_cast<double>(usage.generated_tokens) / seconds : 0);
  return text;
}

const char* said_of(vitalis::FinishReason reason) {
  switch (reason) {
    case vitalis::FinishReason::kCancelled:
      return "Stopped. ";
    case vitalis::FinishReason::kLength:
      return "Cut off: the context is full. ";
    default:
      return "";
  }
}

}  // namespace

ConversationThread::ConversationThread(std::string model, const vitalis::GenerateOptions& options,
                                       std::function<void(Update)> tell)
    : model_(std::move(model)),
      options_(options),
      tell_(std::move(tell)),
      thread_([this](std::stop_token leave) { run(leave); }) {}

ConversationThread::~ConversationThread() {
  thread_.request_stop();
  stop();
}

void ConversationThread::ask(std::string question) {
  const std::lock_guard lock(mutex_);
  question_ = std::move(question);
  stop_ = std::stop_source();
  asked_.notify_one();
}

void ConversationThread::stop() {
  const std::lock_guard lock(mutex_);
  stop_.request_stop();
}

void ConversationThread::run(const std::stop_token& leave) {
  try {
    converse(leave);
  } catch (const std::exception& error) {
    tell_({Update::Kind::kFailure, error.what()});
  }
}

void ConversationThread::converse(const std::stop_token& leave) {
  const vitalis::Model model(vitalis::Engine(), model_);
  vitalis::Session session(model);
  vitalis::Conversation conversation;
  tell_({Update::Kind::kReady, model_});
  while (const std::optional<std::string> question = next_question(leave)) {
    conversation.user(*question);
    answer(session, conversation);
  }
}

std::optional<std::string> ConversationThread::next_question(const std::stop_token& leave) {
  std::unique_lock lock(mutex_);
  if (!asked_.wait(lock, leave, [this] { return question_.has_value(); })) return std::nullopt;
  return std::exchange(question_, std::nullopt);
}

void ConversationThread::answer(vitalis::Session& session, vitalis::Conversation& conversation) {
  std::stop_token stop;
  {
    const std::lock_guard lock(mutex_);
    stop = stop_.get_token();
  }
  vitalis::FinishReason reason = vitalis::FinishReason::kNone;
  for (const vitalis::Event& event : session.generate(conversation, options_, stop)) {
    if (event.kind == vitalis::EventKind::kFinished) reason = event.finish_reason;
    if (event.kind != vitalis::EventKind::kText || event.text.empty()) continue;
    tell_({event.is_answer() ? Update::Kind::kAnswer : Update::Kind::kReasoning,
           std::string(event.text)});
  }
  session.add_reply(conversation);  // what a stop left of it, too
  tell_({Update::Kind::kEnd, said_of(reason) + speed(session.usage())});
}

}  // namespace embed
