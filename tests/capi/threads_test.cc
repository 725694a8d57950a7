// SPDX-License-Identifier: Apache-2.0
// Several threads at one object: a second one in a session gets BUSY, cancel is heard from
// anywhere, and a model serves all.
#include <atomic>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "capi/tiny_session.h"
#include <vitalis/vitalis.h>

namespace {

class Threads : public testing::Test {
 protected:
  vitalis_test::TinySession tiny;
};

TEST_F(Threads, ASecondOneInASessionIsBusy) {
  std::atomic<bool> over = false;
  std::atomic<int> busy = 0;
  std::thread second([&] {
    vitalis_usage usage = {};
    usage.struct_size = sizeof usage;
    while (!over) {
      const int32_t status = vitalis_session_get_usage(tiny.session, &usage);
      EXPECT_TRUE(status == VITALIS_OK || status == VITALIS_ERROR_BUSY) << status;
      if (status != VITALIS_ERROR_BUSY) continue;
      EXPECT_STRNE(vitalis_last_error(), "");
      ++busy;
    }
  });
  vitalis_event event = VITALIS_EVENT_INIT;
  for (int round = 0; round < 50 && busy == 0; ++round) {
    int32_t status = VITALIS_ERROR_BUSY;
    while (status == VITALIS_ERROR_BUSY) {
      status = vitalis_session_start(tiny.session, tiny.conversation, nullptr);
    }
    ASSERT_EQ(status, VITALIS_OK) << vitalis_last_error();
    while (status == VITALIS_OK || status == VITALIS_ERROR_BUSY) {
      status = vitalis_session_next(tiny.session, &event);
    }
    EXPECT_EQ(status, VITALIS_DONE) << vitalis_last_error();
  }
  over = true;
  second.join();
  EXPECT_GT(busy, 0);
}

TEST_F(Threads, CancelIsHeardFromAnywhere) {
  vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
  vitalis_event event = VITALIS_EVENT_INIT;
  for (int round = 0; round < 20; ++round) {
    options.seed = static_cast<uint64_t>(round) + 1;
    ASSERT_EQ(vitalis_session_start(tiny.session, tiny.conversation, &options), VITALIS_OK);
    ASSERT_EQ(vitalis_session_next(tiny.session, &event), VITALIS_OK);
    std::thread([&] { vitalis_session_cancel(tiny.session); }).join();
    EXPECT_EQ(vitalis_session_next(tiny.session, &event), VITALIS_CANCELLED);
    EXPECT_EQ(event.kind, 0);
  }
}

TEST_F(Threads, AModelServesAll) {
  std::vector<std::string> answers(4);
  std::vector<std::thread> threads;
  for (std::string& answer : answers) {
    threads.emplace_back([&] {
      vitalis_session* session = nullptr;
      vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
      options.sampling = VITALIS_SAMPLE_GREEDY;
      ASSERT_EQ(vitalis_session_create(tiny.model, nullptr, &session), VITALIS_OK);
      // The conversation is shared too, and belongs to one thread at a time.
      int32_t status = VITALIS_ERROR_BUSY;
      while (status == VITALIS_ERROR_BUSY) {
        status = vitalis_session_start(session, tiny.conversation, &options);
      }
      ASSERT_EQ(status, VITALIS_OK) << vitalis_last_error();
      vitalis_event event = VITALIS_EVENT_INIT;
      while (vitalis_session_next(session, &event) == VITALIS_OK) {
        if (event.kind == VITALIS_EVENT_TEXT && event.channel == VITALIS_CHANNEL_FINAL) {
          answer.append(event.text.data, event.text.size);
        }
      }
      vitalis_session_release(session);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& answer : answers) EXPECT_EQ(answer, "The capital of France is Paris.");
}

}  // namespace
