// SPDX-License-Identifier: Apache-2.0
// Settings through the C interface: as a host with a page of settings, or none, uses them.
#include <cstring>
#include <gtest/gtest.h>
#include <string>

#include "capi/tiny_session.h"
#include <vitalis/vitalis.h>

namespace {

std::string str(vitalis_text text) {
  return {text.data, text.size};
}

class Config : public testing::Test {
 protected:
  Config() { EXPECT_EQ(vitalis_config_create(&config), VITALIS_OK); }
  ~Config() override { vitalis_config_release(config); }

  vitalis_setting find(const char* key) {
    vitalis_setting setting = {};
    setting.struct_size = sizeof setting;
    EXPECT_EQ(vitalis_config_find(config, key, &setting), VITALIS_OK) << vitalis_last_error();
    return setting;
  }
  int32_t load(const char* json, uint32_t flags = 0) {
    return vitalis_config_load_json(config, json, VITALIS_NUL, "settings.json", flags);
  }

  vitalis_config* config = nullptr;
};

TEST_F(Config, TheTableTellsAllAPageOfSettingsNeeds) {
  vitalis_setting setting = {};
  setting.struct_size = sizeof setting;
  size_t count = 0;
  while (vitalis_config_get(config, count, &setting) == VITALIS_OK) {
    EXPECT_FALSE(str(setting.key).empty());
    EXPECT_FALSE(str(setting.help).empty());
    EXPECT_TRUE(str(setting.environment).starts_with("VITALIS_"));
    EXPECT_GE(setting.type, VITALIS_SETTING_BOOLEAN);
    EXPECT_LE(setting.type, VITALIS_SETTING_SIZE);
    EXPECT_EQ(setting.is_set, 0);
    EXPECT_EQ(str(setting.value), str(setting.default_value));
    ++count;
  }
  EXPECT_GE(count, 11u);
  EXPECT_EQ(vitalis_config_get(config, SIZE_MAX, &setting), VITALIS_ERROR_NOT_FOUND);

  setting = find("reasoning.effort");
  EXPECT_EQ(setting.type, VITALIS_SETTING_CHOICE);
  EXPECT_EQ(str(setting.choices), "low|medium|high");
  EXPECT_EQ(str(setting.expected), "low, medium or high");
  EXPECT_EQ(str(setting.flag), "--effort");
  EXPECT_EQ(str(setting.environment), "VITALIS_REASONING_EFFORT");
  EXPECT_STREQ(setting.value.data, "medium");
}

TEST_F(Config, LayersAreLoadsInTheirOrder) {
  ASSERT_EQ(load(R"({"reasoning": {"effort": "low"}, "runtime": {"threads": 2}})"), VITALIS_OK);
  ASSERT_EQ(vitalis_config_set(config, "reasoning.effort", "high", "a slider"), VITALIS_OK);
  EXPECT_EQ(str(find("reasoning.effort").value), "high");
  EXPECT_EQ(str(find("reasoning.effort").origin), "a slider");
  EXPECT_EQ(str(find("runtime.threads").origin), "settings.json");
  ASSERT_EQ(vitalis_config_set(config, "reasoning.effort", nullptr, nullptr), VITALIS_OK);
  EXPECT_EQ(find("reasoning.effort").is_set, 0);
}

TEST_F(Config, FillsOptionsAndLeavesTheRest) {
  ASSERT_EQ(load(R"({"runtime": {"threads": 3, "tier": "portable", "context": 200},
                     "sampling": {"temperature": 0, "seed": 9, "max_tokens": 7},
                     "reasoning": {"effort": "high"}})"),
            VITALIS_OK)
      << vitalis_last_error();
  vitalis_engine_options engine = VITALIS_ENGINE_OPTIONS_INIT;
  engine.numerics = VITALIS_NUMERICS_FLOAT32;
  ASSERT_EQ(vitalis_config_engine_options(config, &engine), VITALIS_OK);
  EXPECT_EQ(engine.threads, 3);
  EXPECT_STREQ(engine.tier, "portable");
  EXPECT_EQ(engine.numerics, VITALIS_NUMERICS_FLOAT32);
  vitalis_session_options session = VITALIS_SESSION_OPTIONS_INIT;
  session.chunk = 32;
  ASSERT_EQ(vitalis_config_session_options(config, &session), VITALIS_OK);
  EXPECT_EQ(session.context, 200u);
  EXPECT_EQ(session.chunk, 32u);
  vitalis_generate_options generate = VITALIS_GENERATE_OPTIONS_INIT;
  ASSERT_EQ(vitalis_config_generate_options(config, &generate), VITALIS_OK);
  EXPECT_EQ(generate.sampling, VITALIS_SAMPLE_GREEDY);
  EXPECT_EQ(generate.seed, 9u);
  EXPECT_EQ(generate.max_tokens, 7u);
  vitalis_system system = VITALIS_SYSTEM_INIT;
  system.identity = "You are Ada.";
  ASSERT_EQ(vitalis_config_system(config, &system), VITALIS_OK);
  EXPECT_EQ(system.reasoning_effort, VITALIS_EFFORT_HIGH);
  EXPECT_STREQ(system.identity, "You are Ada.");
}

TEST_F(Config, DefaultsAreTheLibrarysOwn) {
  vitalis_test::TinySession tiny;
  vitalis_engine_options engine_options = VITALIS_ENGINE_OPTIONS_INIT;
  vitalis_session_options session_options = VITALIS_SESSION_OPTIONS_INIT;
  vitalis_generate_options generate = VITALIS_GENERATE_OPTIONS_INIT;
  ASSERT_EQ(vitalis_config_engine_options(config, &engine_options), VITALIS_OK);
  EXPECT_EQ(engine_options.threads, 0);
  EXPECT_EQ(engine_options.tier, nullptr);
  ASSERT_EQ(vitalis_config_session_options(config, &session_options), VITALIS_OK);
  EXPECT_EQ(session_options.context, 0u);
  ASSERT_EQ(vitalis_config_generate_options(config, &generate), VITALIS_OK);
  EXPECT_EQ(generate.sampling, VITALIS_SAMPLE_DEFAULT);
  EXPECT_EQ(generate.temperature, 1.0f);
  EXPECT_EQ(generate.top_p, 1.0f);
  EXPECT_EQ(vitalis_session_start(tiny.session, tiny.conversation, &generate), VITALIS_OK);
}

TEST_F(Config, MistakesAreToldAndChangeNothing) {
  EXPECT_EQ(load(R"({"runtime": {"threads": 2, "context": "x"}})"), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(vitalis_last_error(), "runtime.context"), nullptr);
  EXPECT_EQ(find("runtime.threads").is_set, 0);
  EXPECT_EQ(vitalis_config_set(config, "runtime.thread", "1", ""), VITALIS_ERROR_NOT_FOUND);
  EXPECT_NE(std::strstr(vitalis_last_error(), "runtime.threads"), nullptr);
  EXPECT_EQ(load("[]"), VITALIS_ERROR_MALFORMED);
  EXPECT_EQ(load("{", 0), VITALIS_ERROR_MALFORMED);
  EXPECT_EQ(load("{}", 2), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(load("\"\xff\""), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(load(R"({"schema": 7})"), VITALIS_ERROR_UNSUPPORTED);
}

TEST_F(Config, JsonRoundTrip) {
  ASSERT_EQ(load(R"({"sampling": {"top_p": 0.5, "seed": 18446744073709551615}})"), VITALIS_OK)
      << vitalis_last_error();
  size_t size = 0;
  ASSERT_EQ(vitalis_config_to_json(config, nullptr, 0, &size), VITALIS_OK);
  std::string json(size, '\0');
  ASSERT_EQ(vitalis_config_to_json(config, json.data(), json.size(), &size), VITALIS_OK);
  vitalis_config* other = nullptr;
  ASSERT_EQ(vitalis_config_create(&other), VITALIS_OK);
  ASSERT_EQ(vitalis_config_load_json(other, json.data(), json.size(), nullptr, 0), VITALIS_OK);
  std::string again(size, '\0');
  ASSERT_EQ(vitalis_config_to_json(other, again.data(), again.size(), &size), VITALIS_OK);
  EXPECT_EQ(again, json);
  vitalis_config_release(other);
}

}  // namespace
