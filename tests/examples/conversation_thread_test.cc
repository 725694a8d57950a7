// SPDX-License-Identifier: Apache-2.0
// The model side of examples/embed without its window: asking and stopping from another thread.
#include "conversation_thread.h"

#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace embed {
namespace {

constexpr const char* kModel = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";
const vitalis::GenerateOptions kGreedy = {.temperature = 0};

// Collects updates until one that ends something.
class Told {
 public:
  void take(const Update& update) {
    const std::lock_guard lock(mutex_);
    updates_.push_back(update);
    came_.notify_one();
  }

  // The updates up to the next end, failure or readiness, that one last.
  std::vector<Update> wait() {
    const auto is_end = [](const Update& update) {
      return update.kind == Update::Kind::kEnd || update.kind == Update::Kind::kFailure ||
             update.kind == Update::Kind::kReady;
    };
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return !updates_.empty() && is_end(updates_.back()); });
    return std::exchange(updates_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Update> updates_;
};

std::string text_of(const std::vector<Update>& updates, Update::Kind kind) {
  std::string text;
  for (const Update& update : updates) {
    if (update.kind == kind) text += update.text;
  }
  return text;
}

TEST(ConversationThread, RemembersWhatWasSaid) {
  Told told;
  ConversationThread conversation(kModel, kGreedy,
                                  [&](const Update& update) { told.take(update); });
  EXPECT_EQ(told.wait().back().kind, Update::Kind::kReady);
  conversation.ask("My name is Anna.");
  EXPECT_NE(text_of(told.wait(), Update::Kind::kAnswer).find("Anna"), std::string::npos);
  conversation.ask("What is my name?");
  EXPECT_NE(text_of(told.wait(), Update::Kind::kAnswer).find("Anna"), std::string::npos);
}

TEST(ConversationThread, StopsAnAnswerAndGoesOn) {
  Told told;
  ConversationThread* thread = nullptr;
  ConversationThread conversation(kModel, kGreedy, [&](const Update& update) {
    told.take(update);
    // At the first piece of the first answer, as a click would.
    if (update.kind != Update::Kind::kReady && thread != nullptr) {
      std::exchange(thread, nullptr)->stop();
    }
  });
  told.wait();
  thread = &conversation;
  conversation.ask("Tell me a story about a fox named Mia.");
  const std::vector<Update> cut = told.wait();
  EXPECT_EQ(cut.back().kind, Update::Kind::kEnd);
  EXPECT_EQ(cut.back().text.find("Stopped. "), 0u) << cut.back().text;
  conversation.ask("What is 2 + 2?");
  const std::vector<Update> whole = told.wait();
  EXPECT_FALSE(text_of(whole, Update::Kind::kAnswer).empty());
  EXPECT_EQ(whole.back().text.find("Stopped. "), std::string::npos) << whole.back().text;
}

TEST(ConversationThread, TellsWhyAModelDoesNotOpen) {
  Told told;
  const ConversationThread conversation("/nowhere", kGreedy,
                                        [&](const Update& u) { told.take(u); });
  const std::vector<Update> updates = told.wait();
  EXPECT_EQ(updates.back().kind, Update::Kind::kFailure);
  EXPECT_NE(updates.back().text.find("/nowhere"), std::string::npos);
}

TEST(ConversationThread, LeavesInTheMiddleOfAnAnswer) {
  Told told;
  {
    ConversationThread conversation(kModel, kGreedy,
                                    [&](const Update& update) { told.take(update); });
    told.wait();
    conversation.ask("Tell me a story about a fox named Mia.");
  }
  SUCCEED();
}

}  // namespace
}  // namespace embed
