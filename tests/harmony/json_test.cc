// SPDX-License-Identifier: Apache-2.0
// The JSON tree: what it keeps, what it refuses and where it says so, how it prints.
#include "harmony/json.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace vitalis::harmony {
namespace {

std::string round_trip(std::string_view text, Json::Style style = Json::Style::kCompact) {
  const auto json = Json::parse(text);
  return json.ok() ? json->dump(style) : json.status().message();
}

std::string failure(std::string_view text) {
  const auto json = Json::parse(text);
  return json.ok() ? "no failure" : json.status().message();
}

TEST(Json, KeepsOrderAndTakesTheLastOfEqualNames) {
  EXPECT_EQ(round_trip(R"({"b":1,"a":{"z":[],"y":{}},"b":2})"), R"({"b":2,"a":{"z":[],"y":{}}})");
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += text("\"", i % 50, "\":", i, ",");
  many.back() = '}';
  const auto json = Json::parse(many);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->members().size(), 50u);
  EXPECT_EQ(json->find("49")->text(), "99");
}

TEST(Json, PrintsNumbersAsTheReferencesDo) {
  EXPECT_EQ(round_trip("[1.0,1e10,1e15,1e16,1e21,1e-5,1e-6,1e-7,0.1,-2.50,123456.789,0.0,-0.0]"),
            "[1.0,10000000000.0,1000000000000000.0,1e16,1e21,0.00001,1e-6,1e-7,0.1,-2.5,123456.789,"
            "0.0,-0.0]");
  EXPECT_EQ(round_trip("[1.0,1e15,1e16,1e21,1e-4,1e-5,1e-7,1.5e300]", Json::Style::kPython),
            "[1.0, 1000000000000000.0, 1e+16, 1e+21, 0.0001, 1e-05, 1e-07, 1.5e+300]");
  EXPECT_EQ(round_trip("[18446744073709551615,-9223372036854775808,18446744073709551616,-0]"),
            "[18446744073709551615,-9223372036854775808,1.8446744073709552e19,-0.0]");
  EXPECT_EQ(round_trip("[18446744073709551616]", Json::Style::kPython), "[18446744073709551616]");
}

TEST(Json, TakesNumbersTooSmallAndRefusesThoseTooLarge) {
  const std::string zeros(400, '0');
  EXPECT_EQ(round_trip("[1e-400,-1.5e-400,5e-324]"), "[0.0,-0.0,5e-324]");
  EXPECT_EQ(round_trip("0." + zeros + "1"), "0.0");
  EXPECT_EQ(round_trip("0." + zeros + "1e401"), "1.0");
  EXPECT_EQ(round_trip("1" + zeros + ".0e-400"), "1.0");
  EXPECT_EQ(round_trip("1e-99999999999999999999"), "0.0");
  for (const std::string& text :
       {std::string("1e400"), std::string("-1e400"), "1" + zeros, "1" + zeros + ".5",
        "1" + zeros + "e-10", std::string("1e99999999999999999999")}) {
    EXPECT_FALSE(Json::parse(text).ok()) << text;
  }
}

TEST(Json, PrintsStringsWithoutEscapingMoreThanNeeded) {
  EXPECT_EQ(round_trip(R"("\u00e9\/<>\u0000\u001f\"\\\b\f\n\r\t\ud83d\ude00")"),
            "\"é/<>\\u0000\\u001f\\\"\\\\\\b\\f\\n\\r\\t😀\"");
}

TEST(Json, TakesAnyValueAsDocument) {
  for (const char* text : {"1", "-1.5", "true", "null", "\"x\"", "[]", "{}", " [ 1 , 2 ] "}) {
    EXPECT_TRUE(Json::parse(text).ok()) << text;
  }
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text :
       {"",         " ",        "1 2",   "1,2", "1]",       "1],[2",      "[1",      "[1]]",
        "{\"a\"}",  "{\"a\":}", "{a:1}", "01",  "1.",       "-",          "+1",      "1e",
        "tru",      "nulll",    "NaN",   "'x'", "[1,]",     "{\"a\":1,}", "\"\\x\"", "\"\\ud800\"",
        "\"a\nb\"", "\"\xff\"", "1e999", "[1}", "{\"a\":1]"}) {
    EXPECT_NE(failure(text), "no failure") << text;
  }
}

TEST(Json, SaysWhere) {
  EXPECT_NE(failure(R"({"a":{"b":[1,{"c":tru}]}})").find("a.b[1].c"), std::string::npos);
}

// Of 121 bytes the 120 that are shown end inside a character.
TEST(Json, ShowsWholeCharacters) {
  std::string word = "t";
  for (int i = 0; i < 60; ++i) word += "\u00E9";
  const std::string message = failure(word);
  EXPECT_NE(message.find(word.substr(0, 119)), std::string::npos) << message;
  EXPECT_TRUE(utf8::is_valid(message)) << message;
}

TEST(Json, BoundsDepth) {
  const std::string fits = std::string(100, '[') + std::string(100, ']');
  EXPECT_TRUE(Json::parse(fits).ok());
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_NE(failure(deep).find("deeper"), std::string::npos);
  EXPECT_NE(failure(std::string(100000, '[')), "no failure");
}

}  // namespace
}  // namespace vitalis::harmony
