// SPDX-License-Identifier: Apache-2.0
// Call arguments as they grow: which value each piece belongs to, however the text is cut.
#include "harmony/argument_path.h"

#include <gtest/gtest.h>
#include <random>

#include "harmony/json.h"

namespace vitalis::harmony {
namespace {

// "path:piece" for each value, neighbours with one path joined, the text given in chunks.
std::string pieces(std::string_view text, size_t chunk) {
  ArgumentPath path;
  std::string out;
  std::string last = "none";
  for (size_t at = 0; at < text.size(); at += chunk) {
    std::string_view rest = text.substr(at, chunk);
    while (!rest.empty()) {
      const size_t size = path.take(rest);
      EXPECT_GT(size, 0u);
      if (last != path.path()) {
        out.append(out.empty() ? "" : "\n").append(path.path()).append(":");
      }
      last = path.path();
      out += rest.substr(0, size);
      rest.remove_prefix(size);
    }
  }
  return out;
}

ArgumentState state_of(std::string_view text) {
  ArgumentPath path;
  while (!text.empty()) text.remove_prefix(path.take(text));
  return path.state();
}

TEST(ArgumentPath, NamesTheValueOfEachPiece) {
  const std::string_view text =
      R"({"city": "R\u00f6me", "n":-1.5e3,"a":[1,{"b/c~":null},[]],"k\u00e9":{} })";
  const std::string expected =
      ":{\"city\": \n"
      "/city:\"R\\u00f6me\"\n"
      ":, \"n\":\n"
      "/n:-1.5e3\n"
      ":,\"a\":\n"
      "/a:[\n"
      "/a/0:1\n"
      "/a:,\n"
      "/a/1:{\"b/c~\":\n"
      "/a/1/b~1c~0:null\n"
      "/a/1:}\n"
      "/a:,\n"
      "/a/2:[]\n"
      "/a:]\n"
      ":,\"k\\u00e9\":\n"
      "/k\u00e9:{}\n"
      ": }";
  for (size_t chunk = 1; chunk <= text.size(); ++chunk) EXPECT_EQ(pieces(text, chunk), expected);
}

TEST(ArgumentPath, KnowsWhatIsWholeAndWhatIsWrong) {
  using S = ArgumentState;
  const std::vector<std::pair<const char*, S>> cases = {
      {"", S::kNone},
      {" \n", S::kNone},
      {"{", S::kIncomplete},
      {"{}", S::kComplete},
      {" {} ", S::kComplete},
      {"{}x", S::kInvalid},
      {"{\"a\":1", S::kIncomplete},
      {"{\"a\":\"x\"", S::kIncomplete},
      {"12", S::kComplete},
      {"1.", S::kIncomplete},
      {"-", S::kIncomplete},
      {"01", S::kInvalid},
      {"[1,]", S::kInvalid},
      {"{,}", S::kInvalid},
      {"tru", S::kIncomplete},
      {"true", S::kComplete},
      {"trux", S::kInvalid},
      {"\"a\\", S::kIncomplete},
      {"\"\\x\"", S::kInvalid},
      {"print(1)", S::kInvalid},
      {"[[[]]]", S::kComplete},
      {"[1 2]", S::kInvalid},
      {"{\"a\" 1}", S::kInvalid},
      {"]", S::kInvalid},
      {"[}", S::kInvalid},
      {"\"a\nb\"", S::kInvalid},
      {"{\"a\":{}}", S::kComplete},
  };
  for (const auto& [text, state] : cases) EXPECT_EQ(state_of(text), state) << text;
  ArgumentPath path;
  path.take("{\"a\":");
  path.take("x}");
  EXPECT_EQ(path.error_offset(), 5u);
}

TEST(ArgumentPath, BoundsDepthAndPath) {
  EXPECT_EQ(state_of(std::string(100, '[')), ArgumentState::kIncomplete);
  EXPECT_EQ(state_of(std::string(100000, '[')), ArgumentState::kInvalid);
  EXPECT_EQ(state_of("{\"" + std::string(100000, 'k')), ArgumentState::kInvalid);
}

// The follower and the reader of whole texts agree on what is JSON.
TEST(ArgumentPath, AgreesWithTheParser) {
  std::mt19937 random(1);
  const std::string_view alphabet = "{}[]\",:\\ \n0123-+.eEtrufalsn/b";
  const std::vector<std::string> seeds = {R"({"a":[1,-2.5e+3,true,null],"b":{"c":"x\n"}})",
                                          R"([{"k":""},[],0,false,"\\"])", R"({"a":{"a":{}}})"};
  int complete = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text = seeds[random() % seeds.size()];
    for (size_t edits = random() % 4; edits > 0; --edits) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = alphabet[random() % alphabet.size()];
      } else if (text.size() > 1) {
        text.erase(at, 1);
      }
    }
    const bool json = Json::parse(text).ok();
    EXPECT_EQ(state_of(text) == ArgumentState::kComplete, json) << text;
    complete += json ? 1 : 0;
  }
  EXPECT_GT(complete, 50000);
}

}  // namespace
}  // namespace vitalis::harmony
