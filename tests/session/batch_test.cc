// SPDX-License-Identifier: Apache-2.0
// Sessions that go on together, and sessions that part: each gives what it gives alone.
#include "session/batch.h"

#include <gtest/gtest.h>

#include "session/tiny.h"

namespace vitalis::session {
namespace {

using Step = Session::Step;

const char* const kQuestions[] = {
    "Tell me a story about a fox named Mia.",  "What is 17 + 25?",
    "What is the capital of France?",          "Hello!",
    "Tell me a story about an owl named Sam.", "What is 58 + 37?",
    "My name is Clara. What is my name?",      "Tell me a story about a bear named Leo."};

GenerateOptions options_of(size_t i) {
  return {.sampling = {.greedy = i % 3 == 0, .temperature = 0.9f, .seed = i + 1}};
}

class Together : public testing::Test {
 protected:
  void make(size_t count, const BatchOptions& options = {}) {
    sessions.clear();
    for (size_t i = 0; i < count; ++i) {
      sessions.push_back(open_session({.context = 1024, .chunk = 16 + 8 * i}));
      auto alone = open_session({.context = 1024, .chunk = 64});
      EXPECT_TRUE(alone->start(asking(kQuestions[i]), options_of(i)).ok());
      expected.push_back(lines(*alone));
      replies.push_back(alone->reply());
    }
    auto made = Batch::create(tiny(), options);
    ASSERT_TRUE(made.ok()) << made.status().message();
    batch = made.take();
    told.resize(count);
  }
  void start(size_t i) {
    ASSERT_TRUE(sessions[i]->start(asking(kQuestions[i]), options_of(i)).ok());
  }
  // One call for sessions [0, count); what they tell is written down.
  bool next(size_t count, std::vector<Step>& steps) {
    std::vector<Session*> given;
    for (size_t i = 0; i < count; ++i) given.push_back(sessions[i].get());
    std::vector<Event> events(count);
    steps.assign(count, Step::kAgain);
    const auto more = batch->next(given, events, steps);
    EXPECT_TRUE(more.ok()) << more.status().message();
    for (size_t i = 0; i < count; ++i) {
      if (steps[i] == Step::kEvent) told[i].push_back(line(events[i]));
    }
    return more.ok() && *more;
  }
  // Prefill goes on in other chunks, and is left out.
  void expect_same(size_t i) {
    const auto is_prefill = [](const std::string& line) { return line.starts_with("0 "); };
    std::erase_if(told[i], is_prefill);
    std::erase_if(expected[i], is_prefill);
    EXPECT_EQ(told[i], expected[i]) << i;
    EXPECT_EQ(sessions[i]->reply(), replies[i]) << i;
  }

  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<std::vector<std::string>> expected, told;
  std::vector<std::vector<harmony::Message>> replies;
  std::unique_ptr<Batch> batch;
};

TEST_F(Together, EachGetsWhatItGetsAlone) {
  for (const size_t count : {1, 3, 8}) {
    for (const size_t chunk : {0, 8, 40}) {
      expected.clear();
      replies.clear();
      told.clear();
      make(count, {.sessions = 8, .chunk = chunk});
      for (size_t i = 0; i < count; ++i) start(i);
      std::vector<Step> steps;
      while (next(count, steps)) {
      }
      for (size_t i = 0; i < count; ++i) expect_same(i);
    }
  }
}

TEST_F(Together, SessionsComeAndGo) {
  make(8);
  std::vector<Step> steps;
  size_t present = 0;
  for (size_t call = 0;; ++call) {
    if (call % 10 == 0 && present < 8) start(present++);
    if (!next(present, steps) && present == 8) break;
    // One of them goes on by itself for a while.
    if (call == 30) {
      for (std::string& each : lines(*sessions[0], 5)) told[0].push_back(each);
    }
  }
  for (size_t i = 0; i < 8; ++i) expect_same(i);
}

TEST_F(Together, OneThatIsCancelledLeavesTheOthers) {
  make(3);
  for (size_t at = 0; at < 40; at += 3) {
    for (size_t i = 0; i < 3; ++i) {
      sessions[i]->reset();
      told[i].clear();
      start(i);
    }
    std::vector<Step> steps;
    size_t cancelled = 0;
    for (size_t call = 0; next(3, steps); ++call) {
      if (call == at) sessions[0]->cancel();
      EXPECT_NE(steps[1], Step::kCancelled);
      EXPECT_NE(steps[2], Step::kCancelled);
      if (steps[0] == Step::kCancelled) ++cancelled;
    }
    EXPECT_EQ(cancelled, 1u);
    EXPECT_LT(told[0].size(), expected[0].size());
    expect_same(1);
    expect_same(2);
    // It is usable, and gives the same tokens as ever.
    start(0);
    told[0] = lines(*sessions[0]);
    expect_same(0);
  }
}

TEST_F(Together, RefusesWhatDoesNotBelong) {
  make(3, {.sessions = 2});
  std::vector<Event> events(3);
  std::vector<Step> steps(3);
  Session* const all[] = {sessions[0].get(), sessions[1].get(), sessions[2].get()};
  Session* const twice[] = {sessions[0].get(), sessions[0].get()};
  EXPECT_EQ(batch->next(all, events, steps).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(batch->next(twice, events, steps).status().code(), Code::kInvalidArgument);
  auto foreign = open_session({.context = 256}, open_tiny());
  Session* const mixed[] = {sessions[0].get(), foreign.get()};
  EXPECT_EQ(batch->next(mixed, events, steps).status().code(), Code::kInvalidArgument);
  const auto none = batch->next({}, {}, {});
  EXPECT_TRUE(none.ok() && !*none);
  EXPECT_EQ(Batch::create(tiny(), {.sessions = 1000}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Batch::create(tiny(), {.chunk = 100000}).status().code(), Code::kInvalidArgument);
}

TEST(Fork, BothGoOnFromAnywhere) {
  const auto about = asking(kQuestions[0]);
  const GenerateOptions options = {.sampling = {.temperature = 0.9f, .seed = 4}};
  auto whole = open_session();
  ASSERT_TRUE(whole->start(about, options).ok());
  const auto expected = lines(*whole);
  for (size_t pause = 0; pause <= expected.size(); pause += 9) {
    auto first = open_session();
    ASSERT_TRUE(first->start(about, options).ok());
    lines(*first, pause);
    auto forked = first->fork();
    ASSERT_TRUE(forked.ok());
    Session& second = **forked;
    const std::vector rest(expected.begin() + pause, expected.end());
    EXPECT_EQ(lines(second), rest);
    EXPECT_EQ(lines(*first), rest);
    EXPECT_EQ(second.reply(), whole->reply());
    // They have nothing in common any more.
    first->reset();
    ASSERT_TRUE(second.start(asking(kQuestions[1]), options).ok());
    lines(second);
    auto fresh = open_session();
    ASSERT_TRUE(fresh->start(asking(kQuestions[1]), options).ok());
    lines(*fresh);
    EXPECT_EQ(second.reply(), fresh->reply());
  }
}

}  // namespace
}  // namespace vitalis::session
