// SPDX-License-Identifier: Apache-2.0
// One of each object of the C interface, over the demonstration model, opened once for a program.
#pragma once

#include <gtest/gtest.h>

#include <vitalis/vitalis.h>

namespace vitalis_test {

inline const char* const kTinyModel = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

struct TinySession {
  vitalis_engine* engine = nullptr;
  vitalis_model* model = nullptr;
  vitalis_tokenizer* tokenizer = nullptr;
  vitalis_conversation* conversation = nullptr;
  vitalis_session* session = nullptr;

  TinySession() {
    vitalis_session_options options = VITALIS_SESSION_OPTIONS_INIT;
    options.context = 512;
    EXPECT_EQ(vitalis_engine_create(nullptr, &engine), VITALIS_OK) << vitalis_last_error();
    EXPECT_EQ(vitalis_model_open(engine, VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny",
                                 nullptr, &model),
              VITALIS_OK)
        << vitalis_last_error();
    EXPECT_EQ(vitalis_model_get_tokenizer(model, &tokenizer), VITALIS_OK) << vitalis_last_error();
    EXPECT_EQ(vitalis_conversation_create(&conversation), VITALIS_OK) << vitalis_last_error();
    EXPECT_EQ(vitalis_session_create(model, &options, &session), VITALIS_OK)
        << vitalis_last_error();
    vitalis_message message = VITALIS_MESSAGE_INIT;
    message.text = "What is the capital of France?";
    message.text_size = VITALIS_NUL;
    EXPECT_EQ(vitalis_conversation_add_message(conversation, &message), VITALIS_OK)
        << vitalis_last_error();
  }
  TinySession(const TinySession&) = delete;
  TinySession& operator=(const TinySession&) = delete;
  ~TinySession() {  // on purpose in the order that hurts most
    vitalis_engine_release(engine);
    vitalis_model_release(model);
    vitalis_tokenizer_release(tokenizer);
    vitalis_conversation_release(conversation);
    vitalis_session_release(session);
  }
};

}  // namespace vitalis_test
