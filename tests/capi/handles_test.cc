// SPDX-License-Identifier: Apache-2.0
// Objects in the hands of a careless host: released in any order, used after a cancel, and by two
// threads at once.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "capi/tiny_session.h"
#include <vitalis/vitalis.h>

namespace {

using vitalis_test::TinySession;

#define EXPECT_OK(call) EXPECT_EQ(call, VITALIS_OK) << vitalis_last_error()

// Runs an answer to its end; its final text.
std::string finish(vitalis_session* session) {
  std::string text;
  vitalis_event event = VITALIS_EVENT_INIT;
  int32_t status = VITALIS_OK;
  while ((status = vitalis_session_next(session, &event)) == VITALIS_OK) {
    if (event.kind == VITALIS_EVENT_TEXT && event.channel == VITALIS_CHANNEL_FINAL) {
      text.append(event.text.data, event.text.size);
    }
  }
  EXPECT_EQ(status, VITALIS_DONE) << vitalis_last_error();
  return text;
}

vitalis_generate_options greedy() {
  vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
  options.sampling = VITALIS_SAMPLE_GREEDY;
  options.flags = VITALIS_GENERATE_LOGPROBS;
  return options;
}

// Whatever was released before, what is left works.
TEST(Handles, GoInAnyOrder) {
  struct Object {
    std::function<void()> use;
    std::function<void()> release;
  };
  std::mt19937 random(5);
  for (int round = 0; round < 25; ++round) {
    vitalis_engine* engine = nullptr;
    vitalis_model* model = nullptr;
    vitalis_tokenizer* tokenizer = nullptr;
    vitalis_conversation* conversation = nullptr;
    vitalis_session* session = nullptr;
    vitalis_session* forked = nullptr;
    vitalis_batch* batch = nullptr;
    vitalis_parser* parser = nullptr;
    vitalis_parser* clone = nullptr;
    vitalis_decoder* decoder = nullptr;
    vitalis_session_options small = VITALIS_SESSION_OPTIONS_INIT;
    small.context = 256;
    small.chunk = 32;
    vitalis_batch_options small_batch = VITALIS_BATCH_OPTIONS_INIT;
    small_batch.chunk = 32;
    const vitalis_generate_options options = greedy();
    EXPECT_OK(vitalis_engine_create(nullptr, &engine));
    EXPECT_OK(vitalis_model_open(engine, vitalis_test::kTinyModel, nullptr, &model));
    EXPECT_OK(vitalis_model_get_tokenizer(model, &tokenizer));
    EXPECT_OK(vitalis_conversation_create(&conversation));
    EXPECT_OK(vitalis_conversation_set_instructions(conversation, "Be brief.", VITALIS_NUL));
    EXPECT_OK(vitalis_session_create(model, &small, &session));
    EXPECT_OK(vitalis_session_start(session, conversation, &options));
    EXPECT_OK(vitalis_session_fork(session, &forked));
    EXPECT_OK(vitalis_batch_create(model, &small_batch, &batch));
    EXPECT_OK(vitalis_parser_create(tokenizer, nullptr, &parser));
    EXPECT_OK(vitalis_parser_clone(parser, &clone));
    EXPECT_OK(vitalis_decoder_create(tokenizer, &decoder));

    const auto step = [](vitalis_session* of) {
      vitalis_event event = VITALIS_EVENT_INIT;
      EXPECT_GE(vitalis_session_next(of, &event), VITALIS_OK) << vitalis_last_error();
    };
    const auto parse = [](vitalis_parser* of) {
      vitalis_event event = VITALIS_EVENT_INIT;
      EXPECT_OK(vitalis_parser_push(of, 100));
      EXPECT_OK(vitalis_parser_finish(of));
      EXPECT_OK(vitalis_parser_next(of, &event));
    };
    std::vector<Object> objects = {
        {[&] {
           vitalis_engine_info info = VITALIS_ENGINE_INFO_INIT;
           EXPECT_OK(vitalis_engine_get_info(engine, &info));
         },
         [&] { vitalis_engine_release(engine); }},
        {[&] {
           vitalis_model_info info = {};
           info.struct_size = sizeof info;
           EXPECT_OK(vitalis_model_get_info(model, &info));
         },
         [&] { vitalis_model_release(model); }},
        {[&] {
           size_t count = 0;
           EXPECT_OK(vitalis_tokenizer_count(tokenizer, "some words", VITALIS_NUL, &count));
         },
         [&] { vitalis_tokenizer_release(tokenizer); }},
        {[&] {
           size_t size = 0;
           EXPECT_OK(vitalis_conversation_to_json(conversation, nullptr, 0, &size));
         },
         [&] { vitalis_conversation_release(conversation); }},
        {[&] { step(session); }, [&] { vitalis_session_release(session); }},
        {[&] { step(forked); }, [&] { vitalis_session_release(forked); }},
        {[&] {
           vitalis_event event = VITALIS_EVENT_INIT;
           int32_t status = VITALIS_OK;
           vitalis_session* none = nullptr;
           EXPECT_EQ(vitalis_batch_next(batch, &none, 1, &event, &status),
                     VITALIS_ERROR_INVALID_ARGUMENT);
         },
         [&] { vitalis_batch_release(batch); }},
        {[&] { parse(parser); }, [&] { vitalis_parser_release(parser); }},
        {[&] { parse(clone); }, [&] { vitalis_parser_release(clone); }},
        {[&] {
           vitalis_text text = {};
           EXPECT_OK(vitalis_decoder_push(decoder, 100, &text));
         },
         [&] { vitalis_decoder_release(decoder); }},
    };
    std::shuffle(objects.begin(), objects.end(), random);
    while (!objects.empty()) {
      objects.back().release();
      objects.pop_back();
      for (const Object& object : objects) object.use();
    }
  }
}

TEST(Handles, LiveAsLongAsTheyAreRetained) {
  TinySession tiny;
  EXPECT_EQ(vitalis_conversation_retain(tiny.conversation), tiny.conversation);
  EXPECT_EQ(vitalis_conversation_retain(tiny.conversation), tiny.conversation);
  vitalis_conversation_release(tiny.conversation);
  vitalis_conversation_release(tiny.conversation);
  EXPECT_EQ(vitalis_conversation_size(tiny.conversation), 1u);
  EXPECT_EQ(vitalis_session_retain(nullptr), nullptr);
  vitalis_session_release(nullptr);
}

TEST(Handles, AreOfUseAfterACancel) {
  TinySession tiny;
  const vitalis_generate_options options = greedy();
  EXPECT_OK(vitalis_session_start(tiny.session, tiny.conversation, &options));
  const std::string whole = finish(tiny.session);
  EXPECT_EQ(whole, "The capital of France is Paris.");

  const std::string file = testing::TempDir() + "vitalis-handles-session";
  const auto cancelled = [&] {
    EXPECT_OK(vitalis_session_start(tiny.session, tiny.conversation, &options));
    vitalis_event event = VITALIS_EVENT_INIT;
    for (int i = 0; i < 6; ++i) EXPECT_OK(vitalis_session_next(tiny.session, &event));
    vitalis_session_cancel(tiny.session);
    vitalis_session_cancel(tiny.session);
    int32_t status = VITALIS_OK;
    while (status == VITALIS_OK) status = vitalis_session_next(tiny.session, &event);
    EXPECT_EQ(status, VITALIS_CANCELLED);
    EXPECT_EQ(event.kind, 0);
    EXPECT_STREQ(vitalis_last_error(), "");
  };
  const std::vector<std::function<void()>> uses = {
      [] {},
      [&] {
        vitalis_event event = VITALIS_EVENT_INIT;
        EXPECT_EQ(vitalis_session_next(tiny.session, &event), VITALIS_DONE);
      },
      [&] {
        vitalis_usage usage = {};
        usage.struct_size = sizeof usage;
        EXPECT_OK(vitalis_session_get_usage(tiny.session, &usage));
        EXPECT_GT(usage.generated_tokens, 0u);
      },
      [&] {
        vitalis_logprob entry;
        size_t count = 0;
        EXPECT_OK(vitalis_session_get_logprobs(tiny.session, 0, &entry, 1, &count));
      },
      [&] {
        EXPECT_OK(vitalis_session_add_reply(tiny.session, tiny.conversation));
        EXPECT_GE(vitalis_conversation_size(tiny.conversation), 1u);
        EXPECT_OK(vitalis_conversation_truncate(tiny.conversation, 1));
      },
      [&] {
        vitalis_session* forked = nullptr;
        EXPECT_OK(vitalis_session_fork(tiny.session, &forked));
        EXPECT_OK(vitalis_session_start(forked, tiny.conversation, &options));
        EXPECT_EQ(finish(forked), whole);
        vitalis_session_release(forked);
      },
      [&] {
        EXPECT_OK(vitalis_session_save(tiny.session, file.c_str(), nullptr, 0));
        EXPECT_OK(vitalis_session_restore(tiny.session, file.c_str()));
        std::remove(file.c_str());
      },
      [&] {
        vitalis_model_info info = {};
        info.struct_size = sizeof info;
        EXPECT_OK(vitalis_model_get_info(tiny.model, &info));
        std::vector<float> logits(info.vocab);
        const uint32_t token = 100;
        EXPECT_OK(
            vitalis_session_forward(tiny.session, &token, 1, 0, logits.data(), logits.size()));
      },
      [&] { EXPECT_OK(vitalis_session_reset(tiny.session)); },
      [&] { vitalis_session_cancel(tiny.session); },  // there is nothing to cancel
  };
  for (size_t i = 0; i < uses.size(); ++i) {
    SCOPED_TRACE(i);
    cancelled();
    uses[i]();
    EXPECT_OK(vitalis_session_start(tiny.session, tiny.conversation, &options));
    EXPECT_EQ(finish(tiny.session), whole);
  }
}

// Two threads at one object: each call succeeds or is BUSY, and nothing breaks.
TEST(Handles, InTwoThreadsAreBusyAtWorst) {
  TinySession tiny;
  vitalis_parser* parser = nullptr;
  vitalis_decoder* decoder = nullptr;
  vitalis_config* config = nullptr;
  vitalis_verification* verification = nullptr;
  vitalis_hub* hub = nullptr;
  const std::string folder = testing::TempDir();
  vitalis_hub_options hub_options = VITALIS_HUB_OPTIONS_INIT;
  hub_options.cache_folder = folder.c_str();
  hub_options.offline = 1;
  EXPECT_OK(vitalis_parser_create(tiny.tokenizer, nullptr, &parser));
  EXPECT_OK(vitalis_decoder_create(tiny.tokenizer, &decoder));
  EXPECT_OK(vitalis_config_create(&config));
  EXPECT_OK(vitalis_verification_create(vitalis_test::kTinyModel, nullptr, &verification));
  EXPECT_OK(vitalis_hub_create(&hub_options, &hub));
  vitalis_message message = VITALIS_MESSAGE_INIT;
  message.text = "And of Spain?";
  message.text_size = VITALIS_NUL;

  const char* const empty = R"({"messages": []})";

  size_t busy = 0, done = 0;
  const auto hammer = [&](const std::vector<std::function<int32_t()>>& calls) {
    std::atomic<size_t> busy_here = 0, done_here = 0;
    const auto run = [&] {
      for (int round = 0; round < 400; ++round) {
        for (const auto& call : calls) {
          const int32_t status = call();
          EXPECT_TRUE(status >= VITALIS_OK || status == VITALIS_ERROR_BUSY)
              << status << ": " << vitalis_last_error();
          if (status < VITALIS_OK) {
            EXPECT_STRNE(vitalis_last_error(), "");
            ++busy_here;
          } else {
            ++done_here;
          }
        }
      }
    };
    std::thread second(run);
    run();
    second.join();
    busy += busy_here;
    done += done_here;
  };
  hammer({
      [&] { return vitalis_conversation_add_message(tiny.conversation, &message); },
      [&] {
        vitalis_conversation_size(tiny.conversation);
        size_t size = 0;
        return vitalis_conversation_to_json(tiny.conversation, nullptr, 0, &size);
      },
      [&] {
        size_t count = 0;
        return vitalis_conversation_render(tiny.conversation, tiny.tokenizer, nullptr, nullptr, 0,
                                           &count);
      },
      [&] {
        return vitalis_conversation_load_json(tiny.conversation, VITALIS_JSON_HARMONY, empty,
                                              VITALIS_NUL);
      },
  });
  hammer({
      [&] { return vitalis_parser_push(parser, 100); },
      [&] {
        vitalis_event event = VITALIS_EVENT_INIT;
        return vitalis_parser_next(parser, &event);
      },
      [&] {
        vitalis_parser* clone = nullptr;
        const int32_t status = vitalis_parser_clone(parser, &clone);
        vitalis_parser_release(clone);
        return status;
      },
      [&] { return vitalis_parser_finish(parser); },
  });
  hammer({
      [&] {
        vitalis_text text = {};
        return vitalis_decoder_push(decoder, 100, &text);
      },
      [&] {
        vitalis_text text = {};
        return vitalis_decoder_finish(decoder, &text);
      },
  });
  hammer({
      [&] { return vitalis_config_set(config, "runtime.threads", "3", "here"); },
      [&] { return vitalis_config_set(config, "runtime.threads", nullptr, nullptr); },
      [&] {
        size_t size = 0;
        return vitalis_config_to_json(config, nullptr, 0, &size);
      },
      [&] {
        vitalis_setting setting = {};
        setting.struct_size = sizeof setting;
        return vitalis_config_find(config, "runtime.threads", &setting);
      },
  });
  hammer({
      [&] {
        vitalis_verify_progress progress = {};
        progress.struct_size = sizeof progress;
        return vitalis_verification_next(verification, &progress);
      },
      [&] {
        vitalis_verification_cancel(verification);
        return VITALIS_OK;
      },
  });
  hammer({
      [&] {
        vitalis_text json = {};
        return vitalis_hub_models(hub, &json);
      },
      [&] {
        vitalis_text json = {};
        return vitalis_hub_notices(hub, &json);
      },
      [&] {
        vitalis_hub_cancel(hub);
        return VITALIS_OK;
      },
  });
  EXPECT_GT(done, 0u);
  printf("%zu calls were made, %zu found the object busy\n", done, busy);
  vitalis_parser_release(parser);
  vitalis_decoder_release(decoder);
  vitalis_config_release(config);
  vitalis_verification_release(verification);
  vitalis_hub_release(hub);
}

}  // namespace
