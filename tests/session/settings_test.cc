// SPDX-License-Identifier: Apache-2.0
// The table of settings is well formed, and values keep its rules.
#include "session/settings.h"

#include <cmath>
#include <gtest/gtest.h>
#include <set>

namespace vitalis::session {
namespace {

TEST(SettingsTable, IsWellFormed) {
  std::set<std::string> seen;
  for (const Setting& setting : settings_table()) {
    const std::string key(setting.key);
    EXPECT_EQ(std::count(key.begin(), key.end(), '.'), 1) << key;
    EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."), key.npos) << key;
    EXPECT_TRUE(seen.insert(key).second) << key;
    EXPECT_TRUE(seen.insert(environment_name(setting)).second) << key;
    if (!setting.flag.empty()) {
      EXPECT_TRUE(setting.flag.starts_with("--")) << key;
      EXPECT_TRUE(seen.insert(std::string(setting.flag)).second) << key;
    }
    EXPECT_FALSE(setting.help.empty()) << key;
    EXPECT_EQ(setting.choices.empty(), setting.type != Setting::Type::kChoice) << key;
    EXPECT_TRUE(!setting.fallback.empty() || !setting.otherwise.empty()) << key;
    EXPECT_FALSE(expected_value(setting).empty()) << key;
    Settings settings;  // a default is a value that may be set
    if (!setting.fallback.empty()) {
      EXPECT_TRUE(settings.set(key, setting.fallback, "").ok()) << key;
      EXPECT_EQ(settings.text(key), setting.fallback) << key;
    }
  }
}

TEST(Settings, LaterValuesStandAndKeepTheirOrigin) {
  Settings settings;
  EXPECT_EQ(settings.text("reasoning.effort"), "medium");
  ASSERT_TRUE(settings.load_json(R"({"reasoning": {"effort": "low"}})", "system").ok());
  ASSERT_TRUE(settings.load_json(R"({"runtime": {"threads": 3}})", "user").ok());
  ASSERT_TRUE(settings.set("reasoning.effort", "high", "--effort").ok());
  EXPECT_EQ(settings.text("reasoning.effort"), "high");
  EXPECT_EQ(settings.origin(*Settings::find("reasoning.effort")), "--effort");
  EXPECT_EQ(settings.origin(*Settings::find("runtime.threads")), "user");
  EXPECT_EQ(settings.integer("runtime.threads"), 3u);
  ASSERT_TRUE(settings.unset("reasoning.effort").ok());
  EXPECT_EQ(settings.text("reasoning.effort"), "medium");
  EXPECT_FALSE(settings.is_set(*Settings::find("reasoning.effort")));
}

TEST(Settings, AProblemChangesNothingAndAllAreTold) {
  Settings settings;
  const Status status = settings.load_json(
      R"({"runtime": {"threads": 4, "thread": 1}, "samplin": {"seed": 1}, "sampling": 3})", "f");
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("\"runtime.threads\""), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("\"sampling.seed\""), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("expected a section"), std::string::npos) << status.message();
  EXPECT_FALSE(settings.integer("runtime.threads").has_value());
}

TEST(Settings, NamesTheNearest) {
  const auto nearest = [](std::string_view key) { return Settings::find(key).status().message(); };
  EXPECT_NE(nearest("runtime.thread").find("\"runtime.threads\""), std::string::npos);
  EXPECT_NE(nearest("runtime.seed").find("\"sampling.seed\""), std::string::npos);
  EXPECT_NE(nearest("smpling.top_p").find("\"sampling.top_p\""), std::string::npos);
  EXPECT_NE(nearest(std::string(1 << 20, 'x')).find("the nearest"), std::string::npos);
  EXPECT_NE(nearest("").find("the nearest"), std::string::npos);
  EXPECT_EQ(Settings::find("a").status().code(), Code::kNotFound);
}

TEST(Settings, TypesAndRanges) {
  Settings settings;
  const auto refused = [&](std::string_view key, std::string_view value) {
    const Status status = settings.set(key, value, "");
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << key << ' ' << value;
    EXPECT_NE(status.message().find("expected"), std::string::npos) << status.message();
  };
  for (const char* bad :
       {"", "0", "-1", "x", "1.5", "4097", " 4", "4 ", "0x4", "99999999999999999999"}) {
    refused("runtime.threads", bad);
  }
  for (const char* bad : {"", "nan", "inf", "-0.1", "100.5", "1e99", "hot"}) {
    refused("sampling.temperature", bad);
  }
  refused("sampling.top_p", "0");
  refused("reasoning.effort", "Low");
  refused("reasoning.effort", "low|medium");
  refused("reasoning.show", "maybe");
  refused("runtime.tier", std::string_view("a\0b", 3));
  for (const char* good : {"1", "ON", "Yes", "true"}) {
    EXPECT_TRUE(settings.set("reasoning.show", good, "").ok());
    EXPECT_TRUE(settings.truth("reasoning.show"));
  }
  EXPECT_TRUE(settings.set("sampling.seed", "18446744073709551615", "").ok());
  EXPECT_EQ(settings.integer("sampling.seed"), 18446744073709551615u);
  refused("sampling.seed", "18446744073709551616");
}

TEST(Settings, JsonKeepsTypesApart) {
  Settings settings;
  for (const char* bad : {R"({"runtime": {"threads": "4"}})", R"({"runtime": {"threads": 4.0}})",
                          R"({"runtime": {"threads": true}})", R"({"runtime": {"threads": null}})",
                          R"({"runtime": {"threads": [4]}})", R"({"runtime": {"tier": 4}})",
                          R"({"reasoning": {"show": 1}})", R"({"reasoning": {"show": "true"}})",
                          R"([])", R"({)", "", R"({"schema": 2})", R"({"schema": {}})",
                          R"({"runtime": 1})", R"({"x": {}})", R"({"runtime": {"": 1}})"}) {
    EXPECT_FALSE(settings.load_json(bad, "").ok()) << bad;
  }
  EXPECT_TRUE(settings.load_json(R"({"schema": 1, "sampling": {"temperature": 1}})", "").ok());
  EXPECT_TRUE(settings.load_json(R"({})", "").ok());
}

TEST(Settings, RoundTrip) {
  Settings settings;
  ASSERT_TRUE(settings.set("runtime.tier", "a\"b\\\n", "").ok());
  ASSERT_TRUE(settings.set("sampling.temperature", "0.25", "").ok());
  ASSERT_TRUE(settings.set("sampling.seed", "18446744073709551615", "").ok());
  const std::string json = settings.to_json();
  Settings again;
  const Status status = again.load_json(json, "");
  ASSERT_TRUE(status.ok()) << status.message() << json;
  for (size_t i = 0; i < settings_table().size(); ++i) {
    EXPECT_EQ(again.value(i), settings.value(i)) << settings_table()[i].key;
  }
  EXPECT_EQ(again.to_json(), json);
}

TEST(Settings, Sizes) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("2MB/s"), 2000000u);
  EXPECT_EQ(parse_size("1.5 MiB"), 1572864u);
  EXPECT_EQ(parse_size("500kb"), 500000u);
  EXPECT_EQ(parse_size("2G"), uint64_t{2} << 30);
  for (const char* bad : {"", "MB", "-1", "1X", "1e3", "2MB/h", "1 2", "9999999999999999999"}) {
    EXPECT_FALSE(parse_size(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace vitalis::session
