// SPDX-License-Identifier: Apache-2.0
// Structs of callers with an older or newer header: nothing beyond struct_size is read or written.
// Each struct ends where a page begins that may not be touched, so a byte too far ends the program.
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "capi/tiny_session.h"
#include <vitalis/vitalis.h>

namespace {

// Memory that ends at a page without access.
class Edge {
 public:
  Edge() : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    base_ = static_cast<char*>(
        mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(base_, MAP_FAILED);
    EXPECT_EQ(mprotect(base_ + page_, page_, PROT_NONE), 0);
  }
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;
  ~Edge() { munmap(base_, 2 * page_); }

  // The last `size` bytes, all of them 0xA5 but the struct_size in front.
  template <class T>
  T* filled(uint32_t size) {
    std::memset(base_, 0xA5, page_);
    char* at = base_ + page_ - size;
    std::memcpy(at, &size, sizeof size);
    return reinterpret_cast<T*>(at);
  }
  // The same, with the first bytes of a struct.
  template <class T>
  const T* holding(T value, uint32_t size) {
    value.struct_size = size;
    T* at = filled<T>(size);
    std::memcpy(static_cast<void*>(at), &value, size);
    return at;
  }

 private:
  size_t page_;
  char* base_;
};

// The sizes that a struct may have had: whole multiples of its alignment, down to the smallest.
template <class T>
std::vector<uint32_t> older_sizes() {
  std::vector<uint32_t> sizes;
  for (uint32_t size = alignof(T); size <= sizeof(T); size += alignof(T)) sizes.push_back(size);
  return sizes;
}

class Structs : public testing::Test {
 protected:
  vitalis_test::TinySession tiny;
  Edge edge;
};

// Calls with every older size of an options struct.
template <class T>
void expect_older_callers(Edge& edge, const T& value,
                          const std::function<int32_t(const T*)>& call) {
  for (const uint32_t size : older_sizes<T>()) {
    EXPECT_EQ(call(edge.holding(value, size)), VITALIS_OK) << size << ": " << vitalis_last_error();
  }
}

TEST_F(Structs, OptionsOfAnOlderCallerAreReadNoFurther) {
  vitalis_engine_options engine_options = VITALIS_ENGINE_OPTIONS_INIT;
  engine_options.threads = 1;
  expect_older_callers<vitalis_engine_options>(edge, engine_options, [](const auto* options) {
    vitalis_engine* engine = nullptr;
    const int32_t status = vitalis_engine_create(options, &engine);
    vitalis_engine_release(engine);
    return status;
  });
  vitalis_session_options session_options = VITALIS_SESSION_OPTIONS_INIT;
  session_options.context = 64;
  expect_older_callers<vitalis_session_options>(edge, session_options, [&](const auto* options) {
    vitalis_session* session = nullptr;
    const int32_t status = vitalis_session_create(tiny.model, options, &session);
    vitalis_session_release(session);
    return status;
  });
  expect_older_callers<vitalis_session_options>(edge, session_options, [&](const auto* options) {
    vitalis_session_memory memory = {};
    memory.struct_size = sizeof memory;
    return vitalis_session_plan(tiny.model, options, &memory);
  });
  vitalis_plan_options plan_options = VITALIS_PLAN_OPTIONS_INIT;
  plan_options.context = 64;
  expect_older_callers<vitalis_plan_options>(edge, plan_options, [&](const auto* options) {
    vitalis_plan plan = {};
    plan.struct_size = sizeof plan;
    return vitalis_engine_plan(tiny.engine, vitalis_test::kTinyModel, options, &plan);
  });
  vitalis_generate_options generate_options = VITALIS_GENERATE_OPTIONS_INIT;
  generate_options.sampling = VITALIS_SAMPLE_GREEDY;
  const vitalis_logit_bias bias = {1, -1.0f};
  generate_options.bias = &bias;
  generate_options.bias_count = 1;
  expect_older_callers<vitalis_generate_options>(edge, generate_options, [&](const auto* options) {
    return vitalis_session_start(tiny.session, tiny.conversation, options);
  });
  vitalis_batch_options batch_options = VITALIS_BATCH_OPTIONS_INIT;
  batch_options.sessions = 2;
  expect_older_callers<vitalis_batch_options>(edge, batch_options, [&](const auto* options) {
    vitalis_batch* batch = nullptr;
    const int32_t status = vitalis_batch_create(tiny.model, options, &batch);
    vitalis_batch_release(batch);
    return status;
  });
  vitalis_system system = VITALIS_SYSTEM_INIT;
  system.current_date = "2026-01-31";
  expect_older_callers<vitalis_system>(edge, system, [&](const auto* options) {
    return vitalis_conversation_set_system(tiny.conversation, options);
  });
  vitalis_message message = VITALIS_MESSAGE_INIT;
  message.text = "Hello";
  message.text_size = VITALIS_NUL;
  expect_older_callers<vitalis_message>(edge, message, [&](const auto* given) {
    return vitalis_conversation_add_message(tiny.conversation, given);
  });
  vitalis_model_options model_options = VITALIS_MODEL_OPTIONS_INIT;
  expect_older_callers<vitalis_model_options>(edge, model_options, [&](const auto* options) {
    vitalis_model* model = nullptr;
    const int32_t status =
        vitalis_model_open(tiny.engine, vitalis_test::kTinyModel, options, &model);
    vitalis_model_release(model);
    return status;
  });
  const uint32_t token = 1;
  vitalis_encode_options encode_options = VITALIS_ENCODE_OPTIONS_INIT;
  encode_options.allowed = &token;
  encode_options.allowed_count = 1;
  expect_older_callers<vitalis_encode_options>(edge, encode_options, [&](const auto* options) {
    size_t count = 0;
    return vitalis_tokenizer_encode(tiny.tokenizer, "a", 1, options, nullptr, nullptr, 0, &count);
  });
  vitalis_render_options render_options = VITALIS_RENDER_OPTIONS_INIT;
  render_options.keep_analysis = 1;
  expect_older_callers<vitalis_render_options>(edge, render_options, [&](const auto* options) {
    size_t count = 0;
    return vitalis_conversation_render(tiny.conversation, tiny.tokenizer, options, nullptr, 0,
                                       &count);
  });
  vitalis_template_options template_options = VITALIS_TEMPLATE_OPTIONS_INIT;
  template_options.current_date = "2026-01-31";
  expect_older_callers<vitalis_template_options>(edge, template_options, [&](const auto* options) {
    size_t size = 0;
    const int32_t status =
        vitalis_template_render(R"({"messages": [{"role": "user", "content": "a"}]})", VITALIS_NUL,
                                options, nullptr, 0, &size);
    // The template always shows a date, and an older caller gives none.
    return status == VITALIS_ERROR_INVALID_ARGUMENT ? VITALIS_OK : status;
  });
  const char* const functions[] = {"get_weather"};
  vitalis_parser_options parser_options = VITALIS_PARSER_OPTIONS_INIT;
  parser_options.functions = functions;
  parser_options.function_count = 1;
  expect_older_callers<vitalis_parser_options>(edge, parser_options, [&](const auto* options) {
    vitalis_parser* parser = nullptr;
    const int32_t status = vitalis_parser_create(tiny.tokenizer, options, &parser);
    vitalis_parser_release(parser);
    return status;
  });
  vitalis_hub_options hub_options = VITALIS_HUB_OPTIONS_INIT;
  hub_options.offline = 1;
  vitalis_hub* hub = nullptr;
  ASSERT_EQ(vitalis_hub_create(&hub_options, &hub), VITALIS_OK);
  expect_older_callers<vitalis_hub_options>(edge, hub_options, [](const auto* options) {
    vitalis_hub* made = nullptr;
    const int32_t status = vitalis_hub_create(options, &made);
    vitalis_hub_release(made);
    return status;
  });
  vitalis_download_options download_options = VITALIS_DOWNLOAD_OPTIONS_INIT;
  download_options.local_folder = "/nowhere";
  expect_older_callers<vitalis_download_options>(edge, download_options, [&](const auto* options) {
    vitalis_transfer* transfer = nullptr;
    const int32_t status = vitalis_hub_download(hub, "gpt-oss-20b", options, &transfer);
    // Read, and then there is no network; or, without a local folder, no cache.
    return status == VITALIS_ERROR_NETWORK || status == VITALIS_ERROR_INVALID_ARGUMENT ? VITALIS_OK
                                                                                       : status;
  });
  vitalis_hub_release(hub);
}

template <class T>
void expect_init_writes_no_more(Edge& edge, void (*init)(T*, size_t)) {
  T defaults;
  init(&defaults, sizeof defaults);
  for (const uint32_t size : older_sizes<T>()) {
    T* part = edge.filled<T>(size);
    init(part, size);
    EXPECT_EQ(part->struct_size, size);
    EXPECT_EQ(std::memcmp(reinterpret_cast<const char*>(part) + 4,
                          reinterpret_cast<const char*>(&defaults) + 4, size - 4),
              0)
        << size;
  }
  T untouched = {};
  untouched.struct_size = 77;
  for (const size_t size : {size_t{0}, size_t{3}, size_t{4100}, SIZE_MAX}) init(&untouched, size);
  EXPECT_EQ(untouched.struct_size, 77u);
}

TEST_F(Structs, InitFunctionsWriteTheCallersStruct) {
  expect_init_writes_no_more(edge, vitalis_engine_options_init);
  expect_init_writes_no_more(edge, vitalis_model_options_init);
  expect_init_writes_no_more(edge, vitalis_encode_options_init);
  expect_init_writes_no_more(edge, vitalis_render_options_init);
  expect_init_writes_no_more(edge, vitalis_template_options_init);
  expect_init_writes_no_more(edge, vitalis_parser_options_init);
  expect_init_writes_no_more(edge, vitalis_system_init);
  expect_init_writes_no_more(edge, vitalis_message_init);
  expect_init_writes_no_more(edge, vitalis_plan_options_init);
  expect_init_writes_no_more(edge, vitalis_quantize_options_init);
  expect_init_writes_no_more(edge, vitalis_session_options_init);
  expect_init_writes_no_more(edge, vitalis_generate_options_init);
  expect_init_writes_no_more(edge, vitalis_batch_options_init);
}

// Calls with every older size of a struct that the library fills, and with a newer one.
template <class T>
void expect_no_more_is_written(Edge& edge, const std::function<int32_t(T*)>& call) {
  T whole = {};
  whole.struct_size = sizeof whole;
  ASSERT_EQ(call(&whole), VITALIS_OK) << vitalis_last_error();
  for (const uint32_t size : older_sizes<T>()) {
    T* part = edge.filled<T>(size);
    EXPECT_EQ(call(part), VITALIS_OK) << size << ": " << vitalis_last_error();
    EXPECT_EQ(part->struct_size, size);
    EXPECT_EQ(std::memcmp(reinterpret_cast<char*>(part) + 4, reinterpret_cast<char*>(&whole) + 4,
                          size - 4),
              0)
        << size;
  }
  const uint32_t newer = sizeof(T) + 8;
  T* part = edge.filled<T>(newer);
  EXPECT_EQ(call(part), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(part->struct_size, newer);
}

TEST_F(Structs, ResultsForAnOlderCallerAreWrittenNoFurther) {
  expect_no_more_is_written<vitalis_engine_info>(
      edge, [&](auto* info) { return vitalis_engine_get_info(tiny.engine, info); });
  expect_no_more_is_written<vitalis_model_info>(
      edge, [&](auto* info) { return vitalis_model_get_info(tiny.model, info); });
  expect_no_more_is_written<vitalis_tensor_info>(
      edge, [&](auto* info) { return vitalis_model_get_tensor(tiny.model, 3, info); });
  expect_no_more_is_written<vitalis_session_memory>(
      edge, [&](auto* memory) { return vitalis_session_plan(tiny.model, nullptr, memory); });
  vitalis_verification* verification = nullptr;
  ASSERT_EQ(vitalis_verification_create(vitalis_test::kTinyModel, nullptr, &verification),
            VITALIS_OK);
  for (const uint32_t size : older_sizes<vitalis_verify_progress>()) {
    auto* progress = edge.filled<vitalis_verify_progress>(size);
    EXPECT_EQ(vitalis_verification_next(verification, progress), VITALIS_DONE);
    EXPECT_EQ(progress->struct_size, size);
  }
  vitalis_verification_release(verification);
  const std::string out = testing::TempDir() + "structs-quantized";
  std::filesystem::remove_all(out);
  vitalis_quantization* quantization = nullptr;
  ASSERT_EQ(vitalis_quantization_create(tiny.engine, vitalis_test::kTinyModel, out.c_str(), nullptr,
                                        &quantization),
            VITALIS_OK)
      << vitalis_last_error();
  for (int32_t status = VITALIS_OK; status == VITALIS_OK;) {
    for (const uint32_t size : older_sizes<vitalis_quantize_progress>()) {
      auto* progress = edge.filled<vitalis_quantize_progress>(size);
      status = vitalis_quantization_next(quantization, progress);
      EXPECT_GE(status, VITALIS_OK) << vitalis_last_error();
      EXPECT_EQ(progress->struct_size, size);
    }
  }
  expect_no_more_is_written<vitalis_quantize_report>(
      edge, [&](auto* report) { return vitalis_quantization_get_report(quantization, report); });
  vitalis_quantization_release(quantization);
  std::filesystem::remove_all(out);
  // What memory is free changes from call to call, so only the edge is watched here.
  for (const uint32_t size : older_sizes<vitalis_plan>()) {
    auto* plan = edge.filled<vitalis_plan>(size);
    EXPECT_EQ(vitalis_engine_plan(tiny.engine, vitalis_test::kTinyModel, nullptr, plan),
              VITALIS_OK);
    EXPECT_EQ(plan->struct_size, size);
  }
  expect_no_more_is_written<vitalis_usage>(
      edge, [&](auto* usage) { return vitalis_session_get_usage(tiny.session, usage); });
  expect_no_more_is_written<vitalis_progress>(
      edge, [&](auto* progress) { return vitalis_session_get_progress(tiny.session, progress); });
  vitalis_batch* batch = nullptr;
  ASSERT_EQ(vitalis_batch_create(tiny.model, nullptr, &batch), VITALIS_OK);
  expect_no_more_is_written<vitalis_event>(edge, [&](auto* event) {
    EXPECT_EQ(vitalis_session_reset(tiny.session), VITALIS_OK);
    EXPECT_EQ(vitalis_session_start(tiny.session, tiny.conversation, nullptr), VITALIS_OK);
    int32_t status = VITALIS_DONE;
    EXPECT_EQ(vitalis_batch_next(batch, &tiny.session, 1, event, &status), VITALIS_OK);
    return status;
  });
  vitalis_batch_release(batch);
  expect_no_more_is_written<vitalis_event>(edge, [&](auto* event) {
    EXPECT_EQ(vitalis_session_reset(tiny.session), VITALIS_OK);
    EXPECT_EQ(vitalis_session_start(tiny.session, tiny.conversation, nullptr), VITALIS_OK);
    return vitalis_session_next(tiny.session, event);
  });
}

// Options that a config fills belong to the caller too.
TEST_F(Structs, OptionsAreFilledNoFurther) {
  vitalis_config* config = nullptr;
  ASSERT_EQ(vitalis_config_create(&config), VITALIS_OK);
  expect_no_more_is_written<vitalis_setting>(
      edge, [&](auto* setting) { return vitalis_config_find(config, "sampling.seed", setting); });
  const auto fill = [&]<class T>(int32_t (*function)(const vitalis_config*, T*)) {
    for (const uint32_t size : older_sizes<T>()) {
      EXPECT_EQ(function(config, edge.filled<T>(size)), VITALIS_OK) << vitalis_last_error();
    }
  };
  fill(vitalis_config_engine_options);
  fill(vitalis_config_session_options);
  fill(vitalis_config_generate_options);
  fill(vitalis_config_system);
  fill(vitalis_config_hub_options);
  vitalis_config_release(config);
}

// A size that cuts a field in two would make half a pointer of it.
TEST_F(Structs, SizesThatNoVersionHasAreRefused) {
  vitalis_engine_options options = VITALIS_ENGINE_OPTIONS_INIT;
  options.tier = "portable";
  vitalis_engine_info info = VITALIS_ENGINE_INFO_INIT;
  for (const uint32_t size : {0u, 1u, 3u, 4u, 9u, 10u, 12u, 15u, 20u, 23u, 0x7FFFFFF0u, ~0u}) {
    vitalis_engine* engine = nullptr;
    options.struct_size = size;
    EXPECT_EQ(vitalis_engine_create(&options, &engine), VITALIS_ERROR_INVALID_ARGUMENT) << size;
    EXPECT_STRNE(vitalis_last_error(), "");
    EXPECT_EQ(engine, nullptr);
  }
  for (const uint32_t size : {0u, 1u, 3u, 4u, 9u, 12u, 15u}) {
    info.struct_size = size;
    EXPECT_EQ(vitalis_engine_get_info(tiny.engine, &info), VITALIS_ERROR_INVALID_ARGUMENT) << size;
  }
}

TEST_F(Structs, ResultsAreZeroedOnFailure) {
  vitalis_tensor_info info = {};
  std::memset(static_cast<void*>(&info), 0xA5, sizeof info);
  info.struct_size = sizeof info;
  EXPECT_EQ(vitalis_model_get_tensor(tiny.model, SIZE_MAX, &info), VITALIS_ERROR_NOT_FOUND);
  vitalis_tensor_info zero = {};
  zero.struct_size = sizeof zero;
  EXPECT_EQ(std::memcmp(&info, &zero, sizeof info), 0);

  vitalis_session_memory memory = {sizeof memory, 1, 2, 3};
  vitalis_session_options options = VITALIS_SESSION_OPTIONS_INIT;
  options.struct_size = 1;
  EXPECT_EQ(vitalis_session_plan(tiny.model, &options, &memory), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(memory.kv_bytes, 0u);
  EXPECT_EQ(memory.struct_size, sizeof memory);

  vitalis_usage usage = {};
  usage.struct_size = sizeof usage;
  usage.seed = 7;
  EXPECT_EQ(vitalis_session_get_usage(nullptr, &usage), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(usage.seed, 0u);
}

}  // namespace
