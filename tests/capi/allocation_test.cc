// SPDX-License-Identifier: Apache-2.0
// Memory that is refused: the n-th allocation of what a host does, from opening to reply, fails,
// for one n after the other. Each time the call says so, and the same call succeeds when it is made
// again. The operators below replace those that the library calls, since it is linked dynamically.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <new>
#include <string>
#include <vector>

#include <vitalis/vitalis.h>

namespace {

// Allocations that still succeed while armed; below zero: all do.
std::atomic<long> left = -1;
std::atomic<bool> armed = false;

void* take(size_t size, size_t alignment) {
  if (armed && left >= 0 && left.fetch_sub(1) == 0) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment + alignment);
}

void* take_or_throw(size_t size, size_t alignment) {
  void* memory = take(size, alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

constexpr size_t kPlain = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
void* operator new(size_t size) {
  return take_or_throw(size, kPlain);
}
void* operator new[](size_t size) {
  return take_or_throw(size, kPlain);
}
void* operator new(size_t size, std::align_val_t at) {
  return take_or_throw(size, size_t(at));
}
void* operator new[](size_t size, std::align_val_t at) {
  return take_or_throw(size, size_t(at));
}
void* operator new(size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return std::malloc(size + 1);
}
void* operator new[](size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return std::malloc(size + 1);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t /*size*/, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t /*size*/, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}

namespace {

// Calls while allocations count. If memory was refused, says so and calls again, unrefused.
template <class Call>
void expect_survives(const char* what, long n, const Call& call) {
  armed = true;
  const int32_t status = call();
  armed = false;
  if (status >= 0) return;
  EXPECT_EQ(status, VITALIS_ERROR_OUT_OF_MEMORY)
      << what << ", allocation " << n << ": " << vitalis_last_error();
  EXPECT_STRNE(vitalis_last_error(), "") << what;
  EXPECT_LT(left, 0) << what << ": no memory was refused";
  EXPECT_GE(call(), 0) << what << ", again after allocation " << n << ": " << vitalis_last_error();
}

// Everything before the session; the model is opened by it or, to be quick, given.
struct Setting {
  vitalis_engine* engine = nullptr;
  vitalis_model* model = nullptr;

  void open(long n) {
    expect_survives("engine_create", n, [&] { return vitalis_engine_create(nullptr, &engine); });
    expect_survives("model_open", n, [&] {
      return vitalis_model_open(engine, VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny", nullptr,
                                &model);
    });
  }
  ~Setting() {
    vitalis_model_release(model);
    vitalis_engine_release(engine);
  }
};

void converse(vitalis_model* model, long n) {
  vitalis_conversation* conversation = nullptr;
  vitalis_session* session = nullptr;
  vitalis_tokenizer* tokenizer = nullptr;
  expect_survives("get_tokenizer", n,
                  [&] { return vitalis_model_get_tokenizer(model, &tokenizer); });
  expect_survives("conversation_create", n,
                  [&] { return vitalis_conversation_create(&conversation); });
  expect_survives("set_instructions", n, [&] {
    return vitalis_conversation_set_instructions(conversation, "Answer in capital letters.",
                                                 VITALIS_NUL);
  });
  vitalis_system system = VITALIS_SYSTEM_INIT;
  system.current_date = "2026-01-31";
  expect_survives("set_system", n,
                  [&] { return vitalis_conversation_set_system(conversation, &system); });
  expect_survives("load_json", n, [&] {
    return vitalis_conversation_load_json(
        conversation, VITALIS_JSON_CHAT,
        R"({"messages": [{"role": "user", "content": "What is the capital of Italy?"}],
            "tools": [{"type": "function", "function": {"name": "get_time", "description": "Time",
              "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]})",
        VITALIS_NUL);
  });
  std::vector<uint32_t> tokens(512);
  size_t count = 0;
  expect_survives("tokenize", n, [&] {
    return vitalis_tokenizer_encode(tokenizer, "Spelling, and 1234 words", VITALIS_NUL, nullptr,
                                    tokens.data(), nullptr, tokens.size(), &count);
  });
  expect_survives("render", n, [&] {
    return vitalis_conversation_render(conversation, tokenizer, nullptr, tokens.data(),
                                       tokens.size(), &count);
  });
  vitalis_session_options options = VITALIS_SESSION_OPTIONS_INIT;
  options.context = 512;
  expect_survives("session_create", n,
                  [&] { return vitalis_session_create(model, &options, &session); });
  vitalis_generate_options generate = VITALIS_GENERATE_OPTIONS_INIT;
  generate.sampling = VITALIS_SAMPLE_GREEDY;
  generate.max_tokens = 6;
  const auto start = [&] { return vitalis_session_start(session, conversation, &generate); };
  expect_survives("session_start", n, start);
  vitalis_event event = VITALIS_EVENT_INIT;
  int32_t status = VITALIS_OK;
  while (status == VITALIS_OK) {
    expect_survives("session_next", n, [&] {
      // An error ends the answer; the second time, a new one is begun.
      if (status < 0) status = start();
      if (status >= 0) status = vitalis_session_next(session, &event);
      return status;
    });
  }
  EXPECT_EQ(status, VITALIS_DONE);
  expect_survives("add_reply", n, [&] { return vitalis_session_add_reply(session, conversation); });
  EXPECT_GE(vitalis_conversation_size(conversation), 2u);
  const std::string file = testing::TempDir() + "vitalis-allocation-session";
  vitalis_session* forked = nullptr;
  expect_survives("save", n,
                  [&] { return vitalis_session_save(session, file.c_str(), "note", VITALIS_NUL); });
  expect_survives("restore", n, [&] { return vitalis_session_restore(session, file.c_str()); });
  expect_survives("fork", n, [&] { return vitalis_session_fork(session, &forked); });
  std::remove(file.c_str());
  vitalis_session_release(forked);
  vitalis_session_release(session);
  vitalis_conversation_release(conversation);
  vitalis_tokenizer_release(tokenizer);
}

// Text, tokens and settings: all that needs no weights.
void read_and_write(vitalis_tokenizer* tokenizer, long n) {
  vitalis_parser* parser = nullptr;
  vitalis_parser* clone = nullptr;
  vitalis_decoder* decoder = nullptr;
  vitalis_config* config = nullptr;
  vitalis_hub* hub = nullptr;
  vitalis_event event = VITALIS_EVENT_INIT;
  vitalis_text text = {};
  size_t count = 0;
  std::vector<uint32_t> tokens(256);
  vitalis_encode_options encode = VITALIS_ENCODE_OPTIONS_INIT;
  encode.flags = VITALIS_ENCODE_SPECIAL;
  expect_survives("encode", n, [&] {
    return vitalis_tokenizer_encode(
        tokenizer,
        "<|channel|>commentary to=functions.get_time<|message|>{\"city\": \"Oslo\"}<|call|>",
        VITALIS_NUL, &encode, tokens.data(), nullptr, tokens.size(), &count);
  });
  const char* const functions[] = {"get_time"};
  vitalis_parser_options parser_options = VITALIS_PARSER_OPTIONS_INIT;
  parser_options.functions = functions;
  parser_options.function_count = 1;
  expect_survives("parser_create", n,
                  [&] { return vitalis_parser_create(tokenizer, &parser_options, &parser); });
  for (size_t i = 0; i < count; ++i) {
    // A token that was refused memory may be half taken: only that is said of it, not what follows.
    armed = true;
    const int32_t status = vitalis_parser_push(parser, tokens[i]);
    armed = false;
    EXPECT_TRUE(status == VITALIS_OK || (status == VITALIS_ERROR_OUT_OF_MEMORY && left < 0))
        << vitalis_last_error();
    while (vitalis_parser_next(parser, &event) == VITALIS_OK) continue;
  }
  expect_survives("parser_clone", n, [&] { return vitalis_parser_clone(parser, &clone); });
  expect_survives("parser_finish", n, [&] { return vitalis_parser_finish(clone); });
  expect_survives("decoder_create", n, [&] { return vitalis_decoder_create(tokenizer, &decoder); });
  for (size_t i = 0; i < count; ++i) {
    expect_survives("decoder_push", n,
                    [&] { return vitalis_decoder_push(decoder, tokens[i], &text); });
  }
  char bytes[4096];
  size_t size = 0;
  expect_survives("decode", n, [&] {
    return vitalis_tokenizer_decode(tokenizer, tokens.data(), count, bytes, sizeof bytes, &size);
  });
  const vitalis_text texts[] = {{"one two", 7}, {"three", VITALIS_NUL}};
  size_t counts[2];
  expect_survives("encode_batch", n, [&] {
    return vitalis_tokenizer_encode_batch(tokenizer, nullptr, texts, 2, tokens.data(),
                                          tokens.size(), counts, &count);
  });
  expect_survives("encode_up_to", n, [&] {
    return vitalis_tokenizer_encode_up_to(tokenizer, "one two three", VITALIS_NUL, tokens.data(), 2,
                                          &count, &size);
  });
  expect_survives("count", n, [&] {
    return vitalis_tokenizer_count(tokenizer, "one two three", VITALIS_NUL, &count);
  });
  vitalis_template_options shown = VITALIS_TEMPLATE_OPTIONS_INIT;
  shown.current_date = "2026-01-31";
  expect_survives("template_render", n, [&] {
    return vitalis_template_render(R"({"messages": [{"role": "user", "content": "Hello"}]})",
                                   VITALIS_NUL, &shown, bytes, sizeof bytes, &size);
  });
  expect_survives("config_create", n, [&] { return vitalis_config_create(&config); });
  expect_survives("config_load_json", n, [&] {
    return vitalis_config_load_json(config, R"({"runtime": {"threads": 2, "tier": "portable"}})",
                                    VITALIS_NUL, "a file", 0);
  });
  expect_survives("config_set", n,
                  [&] { return vitalis_config_set(config, "sampling.top_p", "0.5", "here"); });
  expect_survives("config_to_json", n,
                  [&] { return vitalis_config_to_json(config, bytes, sizeof bytes, &size); });
  const std::string folder = testing::TempDir() + "vitalis-allocation-hub";
  vitalis_hub_options hub_options = VITALIS_HUB_OPTIONS_INIT;
  hub_options.offline = 1;
  hub_options.cache_folder = folder.c_str();
  expect_survives("hub_create", n, [&] { return vitalis_hub_create(&hub_options, &hub); });
  expect_survives("hub_models", n, [&] { return vitalis_hub_models(hub, &text); });
  expect_survives("hub_locate", n, [&] {
    return vitalis_hub_locate(hub, VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny", nullptr,
                              &text);
  });
  vitalis_hub_release(hub);
  vitalis_config_release(config);
  vitalis_decoder_release(decoder);
  vitalis_parser_release(clone);
  vitalis_parser_release(parser);
}

// Two answers together, one of which is held to a schema, and the other's log-probabilities.
void answer_together(vitalis_model* model, long n) {
  vitalis_batch* batch = nullptr;
  vitalis_conversation* conversations[2] = {};
  vitalis_session* sessions[2] = {};
  vitalis_session_options small = VITALIS_SESSION_OPTIONS_INIT;
  small.context = 128;
  small.chunk = 64;
  vitalis_batch_options batch_options = VITALIS_BATCH_OPTIONS_INIT;
  batch_options.sessions = 2;
  batch_options.chunk = 64;
  expect_survives("batch_create", n,
                  [&] { return vitalis_batch_create(model, &batch_options, &batch); });
  vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
  options.seed = 1;
  options.flags = VITALIS_GENERATE_LOGPROBS;
  options.alternatives = 2;
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(vitalis_conversation_create(&conversations[i]), VITALIS_OK);
    expect_survives("session_create", n,
                    [&] { return vitalis_session_create(model, &small, &sessions[i]); });
  }
  expect_survives("set_response_schema", n, [&] {
    return vitalis_conversation_set_response_schema(conversations[0], nullptr,
                                                    R"({"enum": ["yes", "no"]})", VITALIS_NUL);
  });
  const auto start = [&] {
    for (size_t i = 0; i < 2; ++i) {
      options.max_tokens = i == 0 ? 10 : 3;
      const int32_t status = vitalis_session_start(sessions[i], conversations[i], &options);
      if (status < 0) return status;
    }
    return VITALIS_OK;
  };
  expect_survives("session_start", n, start);
  vitalis_event events[2] = {VITALIS_EVENT_INIT, VITALIS_EVENT_INIT};
  int32_t statuses[2];
  int32_t status = VITALIS_OK;
  while (status == VITALIS_OK) {
    expect_survives("batch_next", n, [&] {
      if (status < 0) status = start();
      if (status >= 0) status = vitalis_batch_next(batch, sessions, 2, events, statuses);
      return status;
    });
  }
  EXPECT_EQ(status, VITALIS_DONE);
  vitalis_logprob entries[3];
  size_t count = 0;
  expect_survives("get_logprobs", n,
                  [&] { return vitalis_session_get_logprobs(sessions[1], 0, entries, 3, &count); });
  for (size_t i = 0; i < 2; ++i) {
    vitalis_session_release(sessions[i]);
    vitalis_conversation_release(conversations[i]);
  }
  vitalis_batch_release(batch);
}

// Runs body(n) with the n-th allocation refused, for n = 0, 1, 2 … until a run has none left to
// refuse, and prints that n; with a step, for every so many.
template <class Body>
void refuse_each(const char* what, long at_least, const Body& body, long step = 1) {
  for (long n = 0;; n += step) {
    left = n;
    body(n);
    const bool refused = left < 0;
    left = -1;
    if (testing::Test::HasFailure()) return;
    if (refused) continue;
    EXPECT_GT(n, at_least);
    testing::Test::RecordProperty("allocations", static_cast<int>(n));
    printf("%s: %ld of %ld allocations were refused in turn\n", what, n / step, n);
    return;
  }
}

TEST(Allocation, EachOneOfAConversationMayFail) {
  Setting setting;
  setting.open(-1);
  refuse_each("a conversation", 400, [&](long n) { converse(setting.model, n); });
}

TEST(Allocation, EachOneOfTextMayFail) {
  vitalis_tokenizer* tokenizer = nullptr;
  Setting setting;
  setting.open(-1);
  ASSERT_EQ(vitalis_model_get_tokenizer(setting.model, &tokenizer), VITALIS_OK);
  refuse_each("text", 100, [&](long n) { read_and_write(tokenizer, n); });
  vitalis_tokenizer_release(tokenizer);
}

TEST(Allocation, EachOneOfABatchMayFail) {
  Setting setting;
  setting.open(-1);
  refuse_each("a batch", 200, [&](long n) { answer_together(setting.model, n); });
}

TEST(Allocation, EachOneOfOpeningMayFail) {
  refuse_each("opening", 2000, [](long n) { Setting().open(n); });
}

TEST(Allocation, EachOneOfAPlanMayFail) {
  Setting setting;
  setting.open(-1);
  refuse_each("a plan", 100, [&](long n) {
    vitalis_plan plan = {};
    plan.struct_size = sizeof plan;
    expect_survives("engine_plan", n, [&] {
      return vitalis_engine_plan(setting.engine, VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny",
                                 nullptr, &plan);
    });
  });
}

// After a refusal its next call is refused too, and another run goes on.
void quantize(vitalis_engine* engine, const std::string& out, long n) {
  vitalis_quantize_progress progress = {};
  progress.struct_size = sizeof progress;
  vitalis_quantization* quantization = nullptr;
  const auto create = [&] {
    return vitalis_quantization_create(engine, VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny",
                                       out.c_str(), nullptr, &quantization);
  };
  const auto run = [&] {
    int32_t status = VITALIS_OK;
    while (status == VITALIS_OK) {
      // The last step gives the folder its name, after which no run goes on.
      if (progress.stage == VITALIS_QUANTIZE_MEASURING) armed = false;
      status = vitalis_quantization_next(quantization, &progress);
    }
    return status;
  };
  expect_survives("quantization_create", n, create);
  expect_survives("quantization_next", n, [&] {
    if (armed) return run();
    EXPECT_EQ(run(), VITALIS_ERROR_INVALID_ARGUMENT) << vitalis_last_error();
    vitalis_quantization_release(quantization);
    const int32_t status = create();
    return status < 0 ? status : run();
  });
  EXPECT_EQ(progress.stage, VITALIS_QUANTIZE_DONE);
  vitalis_quantization_release(quantization);
}

TEST(Allocation, SomeOfAQuantizationMayFail) {
  Setting setting;
  setting.open(-1);
  const std::string out = testing::TempDir() + "allocation-quantized";
  refuse_each(
      "a quantization", 2000,
      [&](long n) {
        std::filesystem::remove_all(out);
        quantize(setting.engine, out, n);
      },
      503);
  std::filesystem::remove_all(out);
}

// It opens what the test before opened, and then hashes nothing.
TEST(Allocation, ManyOfAVerificationMayFail) {
  refuse_each(
      "a verification", 2000,
      [&](long n) {
        vitalis_verification* verification = nullptr;
        vitalis_verify_progress progress = {};
        progress.struct_size = sizeof progress;
        expect_survives("verification_create", n, [&] {
          return vitalis_verification_create(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny",
                                             nullptr, &verification);
        });
        expect_survives("verification_next", n,
                        [&] { return vitalis_verification_next(verification, &progress); });
        vitalis_verification_release(verification);
      },
      41);
}

}  // namespace
