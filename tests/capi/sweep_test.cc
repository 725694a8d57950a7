// SPDX-License-Identifier: Apache-2.0
// Every function with null and zero in place of each argument and of all of them, and with other
// values that no sensible caller gives: a status and a sentence each time, never a crash.
#include <cstdio>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "capi/tiny_session.h"
#include <vitalis/vitalis.h>

namespace {

// What a call may return.
bool is_known(int32_t status) {
  return status >= VITALIS_ERROR_INTEGRITY && status <= VITALIS_CANCELLED;
}

class Sweep : public testing::Test {
 protected:
  // Calls function(arguments…) with each argument zeroed, with all of them, then as they are.
  template <class R, class... Args>
  void sweep(const char* name, R (*function)(Args...), std::type_identity_t<Args>... args) {
    swept_.insert(name);
    std::tuple<Args...> good(args...);
    zero_each(name, function, good, std::index_sequence_for<Args...>());
    call(name, function, std::tuple<Args...>());
    call(name, function, good);
  }

  // Calls once, and holds the result to the rules.
  template <class R, class... Args>
  int32_t call(const char* name, R (*function)(Args...), const std::tuple<Args...>& args) {
    ++calls_;
    if constexpr (std::is_same_v<R, int32_t>) {
      const int32_t status = std::apply(function, args);
      EXPECT_TRUE(is_known(status)) << name << " returned " << status;
      const std::string sentence = vitalis_last_error();
      EXPECT_EQ(sentence.empty(), status >= 0) << name << ": " << status << ", " << sentence;
      EXPECT_NE(status, VITALIS_ERROR_INTERNAL) << name << ": " << sentence;
      return status;
    } else {
      std::apply(function, args);
      return VITALIS_OK;
    }
  }

  size_t calls() const { return calls_; }
  const std::set<std::string>& swept() const { return swept_; }

  vitalis_test::TinySession tiny;

 private:
  template <class R, class... Args, size_t... I>
  void zero_each([[maybe_unused]] const char* name, [[maybe_unused]] R (*function)(Args...),
                 const std::tuple<Args...>& good, std::index_sequence<I...> /*positions*/) {
    (zero_one<I>(name, function, good), ...);
  }
  template <size_t I, class R, class... Args>
  void zero_one(const char* name, R (*function)(Args...), std::tuple<Args...> args) {
    std::get<I>(args) = {};
    const int32_t status = call(name, function, args);
    // A missing object or place for the result is always the caller's mistake.
    if constexpr (std::is_same_v<R, int32_t> && (I == 0 || I + 1 == sizeof...(Args))) {
      using Argument = std::tuple_element_t<I, std::tuple<Args...>>;
      if constexpr (std::is_pointer_v<Argument> && !std::is_same_v<Argument, const char*>) {
        const bool optional = std::is_same_v<Argument, const vitalis_engine_options*> ||
                              std::is_same_v<Argument, const vitalis_generate_options*> ||
                              std::is_same_v<Argument, const vitalis_batch_options*> ||
                              std::is_same_v<Argument, const vitalis_system*> ||
                              std::is_same_v<Argument, const vitalis_parser_options*> ||
                              std::is_same_v<Argument, const vitalis_hub_options*>;
        if (!optional) {
          EXPECT_EQ(status, VITALIS_ERROR_INVALID_ARGUMENT) << name << ", " << I;
        }
      }
    }
  }

  size_t calls_ = 0;
  std::set<std::string> swept_;
};

#define SWEEP(function, ...) sweep(#function, function __VA_OPT__(, ) __VA_ARGS__)

TEST_F(Sweep, NullAndZeroInEveryPlace) {
  vitalis_engine* engine = nullptr;
  vitalis_model* model = nullptr;
  vitalis_tokenizer* tokenizer = nullptr;
  vitalis_conversation* conversation = nullptr;
  vitalis_session* session = nullptr;
  vitalis_engine_options engine_options = VITALIS_ENGINE_OPTIONS_INIT;
  vitalis_engine_info engine_info = VITALIS_ENGINE_INFO_INIT;
  vitalis_session_options session_options = VITALIS_SESSION_OPTIONS_INIT;
  session_options.context = 128;
  vitalis_generate_options generate_options = VITALIS_GENERATE_OPTIONS_INIT;
  vitalis_system system = VITALIS_SYSTEM_INIT;
  vitalis_message message = VITALIS_MESSAGE_INIT;
  vitalis_event event = VITALIS_EVENT_INIT;
  vitalis_model_info model_info = {};
  model_info.struct_size = sizeof model_info;
  vitalis_tensor_info tensor_info = {};
  tensor_info.struct_size = sizeof tensor_info;
  vitalis_session_memory memory = {};
  memory.struct_size = sizeof memory;
  vitalis_verification* verification = nullptr;
  vitalis_verify_progress verify_progress = {};
  verify_progress.struct_size = sizeof verify_progress;
  vitalis_verified_file verified = {};
  verified.struct_size = sizeof verified;
  vitalis_quantization* quantization = nullptr;
  vitalis_quantize_options quantize_options = VITALIS_QUANTIZE_OPTIONS_INIT;
  vitalis_quantize_progress quantize_progress = {};
  quantize_progress.struct_size = sizeof quantize_progress;
  vitalis_quantize_report quantize_report = {};
  quantize_report.struct_size = sizeof quantize_report;
  const std::string quantized = testing::TempDir() + "swept";
  vitalis_plan_options plan_options = VITALIS_PLAN_OPTIONS_INIT;
  plan_options.context = 128;
  vitalis_plan plan = {};
  plan.struct_size = sizeof plan;
  vitalis_usage usage = {};
  usage.struct_size = sizeof usage;
  vitalis_text text = {};
  size_t count = 0;
  std::vector<uint32_t> tokens(64);
  ASSERT_EQ(vitalis_model_get_info(tiny.model, &model_info), VITALIS_OK);
  std::vector<float> logits(model_info.vocab);

  SWEEP(vitalis_abi_version);
  SWEEP(vitalis_version_string);
  SWEEP(vitalis_status_name, 1);
  SWEEP(vitalis_last_error);

  SWEEP(vitalis_engine_options_init, &engine_options, sizeof engine_options);
  SWEEP(vitalis_engine_create, &engine_options, &engine);
  SWEEP(vitalis_engine_get_info, engine, &engine_info);
  SWEEP(vitalis_plan_options_init, &plan_options, sizeof plan_options);
  plan_options.context = 128;
  SWEEP(vitalis_engine_plan, engine, vitalis_test::kTinyModel, &plan_options, &plan);
  SWEEP(vitalis_verification_create, vitalis_test::kTinyModel, nullptr, &verification);
  SWEEP(vitalis_verification_next, verification, &verify_progress);
  SWEEP(vitalis_verification_get_file, verification, 0, &verified);
  SWEEP(vitalis_verification_cancel, verification);
  SWEEP(vitalis_verification_retain, nullptr);
  SWEEP(vitalis_verification_release, nullptr);
  SWEEP(vitalis_quantize_options_init, &quantize_options, sizeof quantize_options);
  SWEEP(vitalis_quantization_create, engine, vitalis_test::kTinyModel, "/nowhere/quantized",
        &quantize_options, &quantization);
  ASSERT_EQ(vitalis_quantization_create(engine, vitalis_test::kTinyModel, quantized.c_str(),
                                        &quantize_options, &quantization),
            VITALIS_OK)
      << vitalis_last_error();
  SWEEP(vitalis_quantization_next, quantization, &quantize_progress);
  SWEEP(vitalis_quantization_get_report, quantization, &quantize_report);
  SWEEP(vitalis_quantization_cancel, quantization);
  SWEEP(vitalis_quantization_retain, nullptr);
  SWEEP(vitalis_quantization_release, nullptr);
  vitalis_quantization_release(quantization);
  std::filesystem::remove_all(quantized + ".partial");
  SWEEP(vitalis_engine_retain, nullptr);
  SWEEP(vitalis_engine_release, nullptr);

  vitalis_model_options model_options = VITALIS_MODEL_OPTIONS_INIT;
  const char* const path = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";
  SWEEP(vitalis_model_options_init, &model_options, sizeof model_options);
  SWEEP(vitalis_model_open, engine, path, &model_options, &model);
  SWEEP(vitalis_model_get_info, tiny.model, &model_info);
  SWEEP(vitalis_model_get_tensor, tiny.model, 1, &tensor_info);
  SWEEP(vitalis_model_get_tokenizer, tiny.model, &tokenizer);
  SWEEP(vitalis_model_retain, nullptr);
  SWEEP(vitalis_model_release, nullptr);

  vitalis_encode_options encode_options = VITALIS_ENCODE_OPTIONS_INIT;
  vitalis_tokenizer* opened = nullptr;
  vitalis_decoder* decoder = nullptr;
  const vitalis_text texts[2] = {{"a", 1}, {"text", 4}};
  std::vector<size_t> ends(64);
  std::vector<char> bytes(64);
  size_t used = 0;
  SWEEP(vitalis_tokenizer_open, path, nullptr, &opened);
  SWEEP(vitalis_tokenizer_retain, nullptr);
  SWEEP(vitalis_tokenizer_release, nullptr);
  SWEEP(vitalis_tokenizer_size, tokenizer);
  SWEEP(vitalis_encode_options_init, &encode_options, sizeof encode_options);
  SWEEP(vitalis_tokenizer_encode, tokenizer, "text", 4, nullptr, tokens.data(), ends.data(),
        tokens.size(), &count);
  SWEEP(vitalis_tokenizer_encode, tokenizer, "text", 4, &encode_options, tokens.data(), nullptr,
        tokens.size(), &count);
  SWEEP(vitalis_tokenizer_count, tokenizer, "text", 4, &count);
  SWEEP(vitalis_tokenizer_encode_up_to, tokenizer, "text", 4, tokens.data(), tokens.size(), &count,
        &used);
  SWEEP(vitalis_tokenizer_encode_batch, tokenizer, engine, texts, 2, tokens.data(), tokens.size(),
        ends.data(), &count);
  SWEEP(vitalis_tokenizer_decode, tokenizer, tokens.data(), 2, bytes.data(), bytes.size(), &used);
  SWEEP(vitalis_tokenizer_token_bytes, tokenizer, 1, &text);
  SWEEP(vitalis_tokenizer_find, tokenizer, "a", 1, tokens.data());
  SWEEP(vitalis_tokenizer_special, tokenizer, "<|start|>", 9, tokens.data());
  SWEEP(vitalis_decoder_create, tokenizer, &decoder);
  SWEEP(vitalis_decoder_push, decoder, 1, &text);
  SWEEP(vitalis_decoder_finish, decoder, &text);
  SWEEP(vitalis_decoder_retain, nullptr);
  SWEEP(vitalis_decoder_release, nullptr);

  vitalis_parser_options parser_options = VITALIS_PARSER_OPTIONS_INIT;
  vitalis_parser* parser = nullptr;
  vitalis_parser* clone = nullptr;
  SWEEP(vitalis_parser_options_init, &parser_options, sizeof parser_options);
  SWEEP(vitalis_parser_create, tokenizer, &parser_options, &parser);
  SWEEP(vitalis_parser_push, parser, 1);
  SWEEP(vitalis_parser_next, parser, &event);
  SWEEP(vitalis_parser_clone, parser, &clone);
  SWEEP(vitalis_parser_finish, parser);
  SWEEP(vitalis_parser_retain, nullptr);
  SWEEP(vitalis_parser_release, nullptr);

  SWEEP(vitalis_conversation_create, &conversation);
  SWEEP(vitalis_system_init, &system, sizeof system);
  SWEEP(vitalis_conversation_set_system, conversation, &system);
  SWEEP(vitalis_conversation_set_instructions, conversation, "text", 4);
  SWEEP(vitalis_conversation_add_tool, conversation, "f", "what", "{\"type\": \"object\"}");
  SWEEP(vitalis_conversation_set_tool_choice, conversation, VITALIS_TOOL_CHOICE_FUNCTION, "f");
  SWEEP(vitalis_conversation_set_response_schema, conversation, "answer", "{}", 2);
  SWEEP(vitalis_message_init, &message, sizeof message);
  SWEEP(vitalis_conversation_add_message, conversation, &message);
  SWEEP(vitalis_conversation_add_tool_result, conversation, "functions.f", "text", 4);
  SWEEP(vitalis_conversation_load_json, conversation, VITALIS_JSON_CHAT, "{\"messages\": []}", 16);
  SWEEP(vitalis_conversation_to_json, conversation, bytes.data(), bytes.size(), &used);
  vitalis_template_options template_options = VITALIS_TEMPLATE_OPTIONS_INIT;
  SWEEP(vitalis_template_options_init, &template_options, sizeof template_options);
  SWEEP(vitalis_template_render, "{\"messages\": []}", 16, &template_options, bytes.data(),
        bytes.size(), &used);
  vitalis_render_options render_options = VITALIS_RENDER_OPTIONS_INIT;
  SWEEP(vitalis_render_options_init, &render_options, sizeof render_options);
  SWEEP(vitalis_conversation_size, conversation);
  SWEEP(vitalis_conversation_truncate, conversation, 0);
  SWEEP(vitalis_conversation_render, conversation, tokenizer, &render_options, tokens.data(),
        tokens.size(), &count);
  SWEEP(vitalis_conversation_retain, nullptr);
  SWEEP(vitalis_conversation_release, nullptr);

  SWEEP(vitalis_session_options_init, &session_options, sizeof session_options);
  SWEEP(vitalis_generate_options_init, &generate_options, sizeof generate_options);
  session_options.context = 128;
  SWEEP(vitalis_session_plan, tiny.model, &session_options, &memory);
  SWEEP(vitalis_session_create, tiny.model, &session_options, &session);
  SWEEP(vitalis_session_next, session, &event);
  SWEEP(vitalis_session_start, tiny.session, tiny.conversation, &generate_options);
  SWEEP(vitalis_session_next, tiny.session, &event);
  SWEEP(vitalis_session_get_usage, tiny.session, &usage);
  SWEEP(vitalis_session_add_reply, tiny.session, conversation);
  SWEEP(vitalis_session_cancel, tiny.session);
  SWEEP(vitalis_session_next, tiny.session, &event);
  SWEEP(vitalis_session_reset, tiny.session);
  SWEEP(vitalis_session_forward, tiny.session, tokens.data(), 1, 0, logits.data(), logits.size());
  vitalis_progress progress = {};
  progress.struct_size = sizeof progress;
  vitalis_logprob logprob = {};
  vitalis_session* forked = nullptr;
  const std::string file = testing::TempDir() + "vitalis-sweep-session";
  SWEEP(vitalis_session_get_logprobs, tiny.session, 0, &logprob, 1, &count);
  SWEEP(vitalis_session_save, tiny.session, file.c_str(), "note", 4);
  SWEEP(vitalis_session_restore, tiny.session, file.c_str());
  SWEEP(vitalis_session_get_note, tiny.session, &text);
  SWEEP(vitalis_session_get_progress, tiny.session, &progress);
  SWEEP(vitalis_session_fork, tiny.session, &forked);
  std::remove(file.c_str());

  vitalis_batch_options batch_options = VITALIS_BATCH_OPTIONS_INIT;
  vitalis_batch* batch = nullptr;
  int32_t told = 0;
  vitalis_event told_event = VITALIS_EVENT_INIT;
  SWEEP(vitalis_batch_options_init, &batch_options, sizeof batch_options);
  SWEEP(vitalis_batch_create, tiny.model, &batch_options, &batch);
  SWEEP(vitalis_batch_next, batch, &tiny.session, 1, &told_event, &told);
  SWEEP(vitalis_batch_retain, nullptr);
  SWEEP(vitalis_batch_release, nullptr);
  vitalis_batch_release(batch);
  vitalis_session_release(forked);

  SWEEP(vitalis_session_retain, nullptr);
  SWEEP(vitalis_session_release, nullptr);

  vitalis_config* config = nullptr;
  vitalis_setting setting = {};
  setting.struct_size = sizeof setting;
  SWEEP(vitalis_config_create, &config);
  SWEEP(vitalis_config_load_json, config, "{\"runtime\": {\"threads\": 1}}", VITALIS_NUL, "here",
        VITALIS_CONFIG_HARMLESS);
  SWEEP(vitalis_config_set, config, "runtime.context", "128", "here");
  SWEEP(vitalis_config_to_json, config, bytes.data(), bytes.size(), &used);
  SWEEP(vitalis_config_get, config, 1, &setting);
  SWEEP(vitalis_config_find, config, "runtime.threads", &setting);
  SWEEP(vitalis_config_engine_options, config, &engine_options);
  SWEEP(vitalis_config_session_options, config, &session_options);
  SWEEP(vitalis_config_generate_options, config, &generate_options);
  SWEEP(vitalis_config_system, config, &system);
  SWEEP(vitalis_config_retain, nullptr);
  SWEEP(vitalis_config_release, nullptr);

  const std::string home = testing::TempDir() + "vitalis-sweep";
  const std::string token_path = home + "/token";
  const std::string cache = home + "/hub";
  vitalis_hub* hub = nullptr;
  vitalis_hub_options hub_options = VITALIS_HUB_OPTIONS_INIT;
  SWEEP(vitalis_hub_options_init, &hub_options, sizeof hub_options);
  hub_options.offline = 1;
  hub_options.token_path = token_path.c_str();
  hub_options.cache_folder = cache.c_str();
  vitalis_download_options download_options = VITALIS_DOWNLOAD_OPTIONS_INIT;
  vitalis_transfer* transfer = nullptr;
  vitalis_transfer_progress transferred = {};
  transferred.struct_size = sizeof transferred;
  vitalis_transfer_file transferred_file = {};
  transferred_file.struct_size = sizeof transferred_file;
  const char* const repo = "openai/gpt-oss-20b";
  const std::string commit(40, '0');
  SWEEP(vitalis_config_hub_options, config, &hub_options);
  hub_options.offline = 1;
  hub_options.token_path = token_path.c_str();
  hub_options.cache_folder = cache.c_str();
  SWEEP(vitalis_hub_create, &hub_options, &hub);
  SWEEP(vitalis_hub_notices, hub, &text);
  SWEEP(vitalis_hub_login, hub, "token", 5, "name", &text);
  SWEEP(vitalis_hub_whoami, hub, &text);
  SWEEP(vitalis_hub_tokens, hub, &text);
  SWEEP(vitalis_hub_switch, hub, "name");
  SWEEP(vitalis_hub_logout, hub, "name");
  SWEEP(vitalis_hub_begin_login, hub, "client", "scope", &text);
  SWEEP(vitalis_hub_poll_login, hub, &text);
  SWEEP(vitalis_hub_locate, hub, repo, "main", &text);
  SWEEP(vitalis_hub_models, hub, &text);
  SWEEP(vitalis_hub_remove, hub, repo, commit.c_str(), 1, &text);
  SWEEP(vitalis_hub_prune, hub, repo, 1, 1, &text);
  SWEEP(vitalis_hub_activate, hub, repo, "main", commit.c_str());
  SWEEP(vitalis_hub_rollback, hub, repo, "main", &text);
  SWEEP(vitalis_hub_pin, hub, repo, commit.c_str());
  SWEEP(vitalis_hub_audit, hub, repo, &text);
  SWEEP(vitalis_hub_list, hub, repo, "main", &text);
  SWEEP(vitalis_hub_check, hub, repo, "main", VITALIS_POLICY_AUTO, &text);
  SWEEP(vitalis_download_options_init, &download_options, sizeof download_options);
  SWEEP(vitalis_hub_download, hub, repo, &download_options, &transfer);
  SWEEP(vitalis_hub_update, hub, &transfer);
  SWEEP(vitalis_transfer_plan, transfer, &text);
  SWEEP(vitalis_transfer_next, transfer, &transferred);
  SWEEP(vitalis_transfer_get_file, transfer, 0, &transferred_file);
  SWEEP(vitalis_transfer_notices, transfer, &text);
  SWEEP(vitalis_transfer_pause, transfer);
  SWEEP(vitalis_transfer_resume, transfer);
  SWEEP(vitalis_transfer_cancel, transfer);
  SWEEP(vitalis_transfer_set_rate_limit, transfer, 1);
  SWEEP(vitalis_transfer_retain, nullptr);
  SWEEP(vitalis_transfer_release, nullptr);
  SWEEP(vitalis_hub_cancel, hub);
  SWEEP(vitalis_hub_retain, nullptr);
  SWEEP(vitalis_hub_release, nullptr);

  EXPECT_EQ(swept().size(), VITALIS_FUNCTION_COUNT) << "a function is missing here";
  RecordProperty("calls", static_cast<int>(calls()));
  vitalis_transfer_release(transfer);
  vitalis_hub_release(hub);
  vitalis_config_release(config);
  vitalis_parser_release(clone);
  vitalis_parser_release(parser);
  vitalis_decoder_release(decoder);
  vitalis_tokenizer_release(opened);
  vitalis_tokenizer_release(tokenizer);
  vitalis_session_release(session);
  vitalis_conversation_release(conversation);
  vitalis_model_release(model);
  vitalis_engine_release(engine);
}

TEST_F(Sweep, SenselessNumbers) {
  const auto expect_refused = [](int32_t status) {
    EXPECT_LT(status, 0);
    EXPECT_STRNE(vitalis_last_error(), "");
  };
  vitalis_engine* engine = nullptr;
  for (const int32_t threads :
       {-1, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}) {
    vitalis_engine_options options = VITALIS_ENGINE_OPTIONS_INIT;
    options.threads = threads;
    expect_refused(vitalis_engine_create(&options, &engine));
  }
  vitalis_session* session = nullptr;
  for (const uint32_t context : {1u << 31, ~0u}) {
    vitalis_session_options options = VITALIS_SESSION_OPTIONS_INIT;
    options.context = context;
    expect_refused(vitalis_session_create(tiny.model, &options, &session));
    EXPECT_EQ(session, nullptr);
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {-1.0f, nan, -infinity, infinity}) {
    vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
    options.temperature = bad;
    expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
    options = VITALIS_GENERATE_OPTIONS_INIT;
    options.top_p = bad;
    expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
    options = VITALIS_GENERATE_OPTIONS_INIT;
    options.min_p = bad;
    expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
    options = VITALIS_GENERATE_OPTIONS_INIT;
    options.repetition_penalty = bad;
    expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
    for (float vitalis_generate_options::*penalty :
         {&vitalis_generate_options::presence_penalty,
          &vitalis_generate_options::frequency_penalty}) {
      options = VITALIS_GENERATE_OPTIONS_INIT;
      options.*penalty = 3 * bad;
      expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
    }
  }
  vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
  for (const vitalis_logit_bias bad :
       {vitalis_logit_bias{~0u, 1}, vitalis_logit_bias{1, nan}, vitalis_logit_bias{1, infinity}}) {
    options.bias = &bad;
    options.bias_count = 1;
    expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
  }
  options.bias_count = SIZE_MAX;
  expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
  options = VITALIS_GENERATE_OPTIONS_INIT;
  options.flags = 1u << 31;
  expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
  options = VITALIS_GENERATE_OPTIONS_INIT;
  options.alternatives = 21;
  expect_refused(vitalis_session_start(tiny.session, tiny.conversation, &options));
  vitalis_batch* batch = nullptr;
  for (const uint32_t bad : {257u, ~0u}) {
    vitalis_batch_options batch_options = VITALIS_BATCH_OPTIONS_INIT;
    batch_options.sessions = bad;
    expect_refused(vitalis_batch_create(tiny.model, &batch_options, &batch));
    batch_options.sessions = 0;
    batch_options.chunk = 100 * bad;
    expect_refused(vitalis_batch_create(tiny.model, &batch_options, &batch));
  }

  vitalis_message message = VITALIS_MESSAGE_INIT;
  for (const int32_t role : {-1, 5, std::numeric_limits<int32_t>::max()}) {
    message.role = role;
    expect_refused(vitalis_conversation_add_message(tiny.conversation, &message));
  }
  vitalis_system system = VITALIS_SYSTEM_INIT;
  system.reasoning_effort = 4;
  expect_refused(vitalis_conversation_set_system(tiny.conversation, &system));
  expect_refused(vitalis_conversation_load_json(tiny.conversation, 9, "{}", 2));
  expect_refused(vitalis_conversation_truncate(tiny.conversation, SIZE_MAX));

  float logit = 0;
  const uint32_t outside = ~0u;
  expect_refused(vitalis_session_forward(tiny.session, &outside, 1, 0, &logit, 1));
  expect_refused(vitalis_session_forward(tiny.session, &outside, 0, 0, &logit, 1));
}

// No object is that long: refused by its size, before a byte is read.
TEST_F(Sweep, EnormousLengths) {
  size_t count = 0;
  uint32_t token = 0;
  for (const size_t size : {SIZE_MAX - 1, SIZE_MAX / 2 + 1}) {
    EXPECT_EQ(
        vitalis_tokenizer_encode(tiny.tokenizer, "a", size, nullptr, nullptr, nullptr, 0, &count),
        VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vitalis_tokenizer_special(tiny.tokenizer, "a", size, &token),
              VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vitalis_conversation_set_instructions(tiny.conversation, "a", size),
              VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vitalis_conversation_load_json(tiny.conversation, VITALIS_JSON_CHAT, "a", size),
              VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vitalis_conversation_add_tool_result(tiny.conversation, "functions.f", "a", size),
              VITALIS_ERROR_INVALID_ARGUMENT);
    // Arrays too, of whatever.
    char byte = 0;
    vitalis_text text = {"a", 1};
    vitalis_encode_options allowed = VITALIS_ENCODE_OPTIONS_INIT;
    allowed.allowed = &token;
    allowed.allowed_count = size;
    vitalis_encode_options refused = VITALIS_ENCODE_OPTIONS_INIT;
    refused.refused = &token;
    refused.refused_count = size;
    for (const vitalis_encode_options* options : {&allowed, &refused}) {
      EXPECT_EQ(
          vitalis_tokenizer_encode(tiny.tokenizer, "a", 1, options, &token, nullptr, 1, &count),
          VITALIS_ERROR_INVALID_ARGUMENT);
    }
    EXPECT_EQ(vitalis_tokenizer_decode(tiny.tokenizer, &token, size, &byte, 1, &count),
              VITALIS_ERROR_INVALID_ARGUMENT);
    size_t own = 7;
    EXPECT_EQ(vitalis_tokenizer_encode_batch(tiny.tokenizer, nullptr, &text, size, &token, 1, &own,
                                             &count),
              VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(own, 7u);
    const char* name = "f";
    vitalis_parser_options parser_options = VITALIS_PARSER_OPTIONS_INIT;
    parser_options.functions = &name;
    parser_options.function_count = size;
    vitalis_parser* parser = nullptr;
    EXPECT_EQ(vitalis_parser_create(tiny.tokenizer, &parser_options, &parser),
              VITALIS_ERROR_INVALID_ARGUMENT);
    const vitalis_logit_bias bias = {0, 0};
    vitalis_generate_options generate = VITALIS_GENERATE_OPTIONS_INIT;
    generate.bias = &bias;
    generate.bias_count = size;
    EXPECT_EQ(vitalis_session_start(tiny.session, tiny.conversation, &generate),
              VITALIS_ERROR_INVALID_ARGUMENT);
    vitalis_hub_options offline = VITALIS_HUB_OPTIONS_INIT;
    offline.offline = 1;
    vitalis_hub* hub = nullptr;
    ASSERT_EQ(vitalis_hub_create(&offline, &hub), VITALIS_OK);
    vitalis_download_options download = VITALIS_DOWNLOAD_OPTIONS_INIT;
    download.includes = &name;
    download.include_count = size;
    vitalis_transfer* transfer = nullptr;
    EXPECT_EQ(vitalis_hub_download(hub, "gpt-oss-20b", &download, &transfer),
              VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vitalis_hub_login(hub, "a", size, nullptr, &text), VITALIS_ERROR_INVALID_ARGUMENT);
    vitalis_hub_release(hub);
    EXPECT_EQ(vitalis_session_save(tiny.session, "/nowhere", "a", size),
              VITALIS_ERROR_INVALID_ARGUMENT);
    float logit = 0;
    EXPECT_EQ(vitalis_session_forward(tiny.session, &token, size, 0, &logit, 1),
              VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vitalis_session_forward(tiny.session, &token, size, VITALIS_FORWARD_ALL, &logit, 1),
              VITALIS_ERROR_INVALID_ARGUMENT);
  }
}

TEST_F(Sweep, TextThatIsNotUtf8) {
  const char bad[] = "caf\xE9";
  vitalis_message message = VITALIS_MESSAGE_INIT;
  message.text = bad;
  message.text_size = 4;
  EXPECT_EQ(vitalis_conversation_add_message(tiny.conversation, &message),
            VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(vitalis_conversation_set_instructions(tiny.conversation, bad, VITALIS_NUL),
            VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(vitalis_conversation_add_tool(tiny.conversation, bad, nullptr, nullptr),
            VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_LT(vitalis_conversation_load_json(tiny.conversation, VITALIS_JSON_CHAT, bad, VITALIS_NUL),
            0);
  size_t count = 0;
  EXPECT_EQ(vitalis_tokenizer_encode(tiny.tokenizer, bad, 4, nullptr, nullptr, nullptr, 0, &count),
            VITALIS_OK);
  EXPECT_GT(count, 0u);
}

}  // namespace
