// SPDX-License-Identifier: Apache-2.0
// Decoding takes nothing from the heap once an answer is under way.
#include <gtest/gtest.h>

#include "harmony/count_allocations.h"
#include "session/session.h"

namespace vitalis::session {
namespace {

TEST(Allocation, DecodingTakesNone) {
  auto engine = engine::make_engine({});
  ASSERT_TRUE(engine.ok());
  auto model = Model::open(std::make_shared<const engine::Engine>(engine.take()),
                           VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny");
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto session = Session::create(model.take(), {.context = 1024});
  ASSERT_TRUE(session.ok());
  harmony::Conversation chat;
  chat.messages.push_back(
      {.role = harmony::Role::kSystem, .parts = {harmony::default_system_content()}});
  chat.messages.push_back(
      harmony::text_message(harmony::Role::kUser, "Tell me a story about a fox named Mia."));
  ASSERT_TRUE((*session)->start(chat, {.sampling = {.top_p = 0.9f, .seed = 3}}).ok());
  Event event;
  size_t texts = 0, allocations = 0;
  while (true) {
    const size_t before = allocation_count();
    const auto step = (*session)->next(event);
    ASSERT_TRUE(step.ok());
    if (*step == Session::Step::kDone) break;
    // The final message is well under way: headers and buffers have had their greatest length.
    if (event.kind != Event::Kind::kText || event.channel != harmony::Channel::kFinal) continue;
    if (++texts > 20) allocations += allocation_count() - before;
  }
  EXPECT_GT(texts, 40u);
  EXPECT_EQ(allocations, 0u);
}

}  // namespace
}  // namespace vitalis::session
