// SPDX-License-Identifier: Apache-2.0
// Vocabularies from files: the published one, the demonstration model's, and damaged ones.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <simdjson.h>
#include <string>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/golden.h"
#include "tokenizer/split.h"

namespace vitalis {
namespace {

using simdjson::dom::element;

TEST(Load, PublishedVocabularyIsWhole) {
  ASSERT_TRUE(published());
  EXPECT_EQ(published()->size(), 200019u);
  EXPECT_EQ(published()->specials().size(), 21u);
  EXPECT_EQ(published()->special("<|start|>"), 200006u);
  EXPECT_EQ(published()->special("<|endofprompt|>"), 200018u);
  EXPECT_FALSE(published()->special("<|reserved_200018|>"));
  EXPECT_FALSE(published()->special("start"));
  EXPECT_TRUE(published()->is_special(200018));
  EXPECT_FALSE(published()->is_special(199997));
  EXPECT_EQ(published()->bytes(13225), "Hello");
  EXPECT_EQ(published()->bytes(200019), "");
  EXPECT_EQ(published()->bytes(0xFFFFFFFF), "");
}

TEST(Load, DemonstrationVocabularyNumbersItsSpecialTokensItself) {
  ASSERT_TRUE(tiny());
  EXPECT_EQ(tiny()->size(), 2560u);
  EXPECT_EQ(tiny()->special("<|start|>"), 2555u);
  EXPECT_EQ(tiny()->special("<|reserved_200004|>"), 2553u);
  EXPECT_EQ(tiny()->specials().size(), 13u);
}

// The conversations were encoded by the tool that trained the vocabulary. Its merges do not follow
// from its ids, so this is also the test of merging by pairs.
TEST(Load, DemonstrationVocabularyEncodesItsConversations) {
  ASSERT_TRUE(tiny());
  const auto all = tiny()->specials();
  Tokenizer::EncodeOptions specials;
  specials.allowed.assign(all.begin(), all.end());
  simdjson::dom::parser parser;
  size_t n = 0;
  for (const element c : parser.load_many(
           VITALIS_SOURCE_DIR "/tests/goldens/numerics/vitalis-tiny-logprobs.jsonl", 1 << 24)) {
    std::vector<Token> expected, ids;
    std::string text;
    for (const element id : c["prompt"]) {
      expected.push_back(static_cast<Token>(uint64_t(id)));
      text += tiny()->bytes(expected.back());
    }
    EXPECT_TRUE(tiny()->encode(text, specials, ids).ok());
    EXPECT_EQ(ids, expected);
    ++n;
  }
  EXPECT_EQ(n, 60u);
}

// What lets the loader pass over the published merges: they are every split of every entry into two
// entries, in the order of the result's id.
TEST(Load, PublishedMergesFollowFromTheIds) {
  simdjson::dom::parser parser;
  const element model = parser.load(VITALIS_TEST_DATA "/tokenizer.json")["model"];
  std::unordered_map<std::string_view, uint64_t> ids;
  for (const auto entry : model["vocab"].get_object()) ids[entry.key] = entry.value;
  std::unordered_set<uint64_t> merges;  // the result's id and the length of the left part
  const auto key = [](uint64_t id, size_t left) { return id << 32 | left; };
  uint64_t last = 0;
  for (const element merge : model["merges"]) {
    const std::string_view left = merge.at(0), right = merge.at(1);
    const auto result = ids.find(std::string(left).append(right));
    ASSERT_NE(result, ids.end());
    ASSERT_LE(last, result->second);
    last = result->second;
    merges.insert(key(last, left.size()));
  }
  size_t splits = 0;
  for (const auto& [text, id] : ids) {
    for (size_t i = 1; i < text.size(); ++i) {
      if (!ids.contains(text.substr(0, i)) || !ids.contains(text.substr(i))) continue;
      ASSERT_TRUE(merges.contains(key(id, i))) << text;
      ++splits;
    }
  }
  EXPECT_EQ(splits, merges.size());
  EXPECT_EQ(splits, 446189u);
}

// Rank files hold what the reference publishes as o200k_base.tiktoken, so the digest of one made
// here says that the vocabulary is that one.
std::string rank_file() {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (Token id = 0; id < 199998; ++id) {
    const std::string_view bytes = published()->bytes(id);
    for (size_t i = 0; i < bytes.size(); i += 3) {
      uint32_t group = 0;
      for (size_t k = 0; k < 3; ++k) {
        group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
      }
      for (size_t k = 0; k < 4; ++k) {
        out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
      }
    }
    out += text(' ', id, '\n');
  }
  return out;
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              text("vitalis-tokenizer-", ::getpid(), "-",
                   testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view content) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
};

void expect_same(const Tokenizer& a, const Tokenizer& b) {
  ASSERT_EQ(a.size(), b.size());
  for (Token id = 0; id < a.size(); ++id) {
    ASSERT_EQ(a.bytes(id), b.bytes(id));
    ASSERT_EQ(a.is_special(id), b.is_special(id));
  }
  for (const EncodeCase& c : encode_cases()) {
    if (c.text.size() > 100'000) continue;
    std::vector<Token> x, y;
    a.encode(c.text, x);
    b.encode(c.text, y);
    ASSERT_EQ(x, y) << c.name;
  }
}

using LoadRanks = Files;

TEST_F(LoadRanks, GivesTheSameTokenizer) {
  ASSERT_TRUE(published());
  const std::string ranks = rank_file();
  EXPECT_EQ(sha256(ranks), "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d");
  std::vector<VocabularySource::Entry> specials;
  for (const Token id : published()->specials()) specials.push_back({id, published()->bytes(id)});
  const auto loaded = Tokenizer::open_ranks(write("o200k.tiktoken", ranks), specials);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  expect_same(*loaded, *published());
}

TEST_F(LoadRanks, SaysWhichLineIsDamaged) {
  for (const char* line : {"IQ==", "IQ== ", "IQ== x", "IQ 1", "I=Q= 1", "IQ== 1 ", "IQ== -1",
                           "IR== 1", " 1", "\xFF\xFF\xFF\xFF 1", "IQ== 99999999999"}) {
    const auto loaded = Tokenizer::open_ranks(write("x", text("IA== 0\n", line, "\n")), {});
    EXPECT_EQ(loaded.status().code(), Code::kMalformed) << line;
    EXPECT_NE(loaded.status().message().find("line 2"), std::string::npos) << line;
  }
  EXPECT_EQ(Tokenizer::open_ranks(write("x", "IA== 0\n"), {}).status().code(), Code::kUnsupported);
  EXPECT_EQ(Tokenizer::open_ranks(folder_ / "none", {}).status().code(), Code::kNotFound);
}

using Compiled = Files;

TEST_F(Compiled, IsMadeOnceAndReadAfterwards) {
  ASSERT_TRUE(published());
  const std::string source = VITALIS_TEST_DATA "/tokenizer.json";
  const std::string cache = folder_ / "made" / "here";
  const auto first = Tokenizer::open(source, cache);
  ASSERT_TRUE(first.ok()) << first.status().message();
  ASSERT_EQ(std::distance(std::filesystem::directory_iterator(cache), {}), 1);
  const auto file = *std::filesystem::directory_iterator(cache);
  const auto written = file.last_write_time();
  const auto second = Tokenizer::open(source, cache);
  ASSERT_TRUE(second.ok()) << second.status().message();
  EXPECT_EQ(file.last_write_time(), written);
  expect_same(*first, *published());
  expect_same(*second, *published());
}

TEST_F(Compiled, KeepsMergesThatDoNotFollowFromIds) {
  ASSERT_TRUE(tiny());
  const std::string source = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json";
  for (int i = 0; i < 2; ++i) {
    const auto loaded = Tokenizer::open(source, folder_);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    expect_same(*loaded, *tiny());
  }
}

TEST_F(Compiled, IsReplacedWhenItsSourceChanges) {
  const std::string source = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json";
  std::string json = content(source);
  const std::string copy = write("tokenizer.json", json);
  ASSERT_TRUE(Tokenizer::open(copy, folder_ / "cache").ok());
  const size_t at = json.find("<|return|>");
  ASSERT_NE(at, std::string::npos);
  json.replace(at, 10, "<|RETURN|>");
  write("tokenizer.json", json);
  const auto loaded = Tokenizer::open(copy, folder_ / "cache");
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(loaded->special("<|RETURN|>"));
  EXPECT_FALSE(loaded->special("<|return|>"));
}

TEST_F(Compiled, IsIgnoredWhenDamaged) {
  ASSERT_TRUE(tiny());
  const std::string source = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json";
  ASSERT_TRUE(Tokenizer::open(source, folder_).ok());
  const std::string path = std::filesystem::directory_iterator(folder_)->path();
  const std::string good = content(path);
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::string bad = good;
    if (round % 4 == 0) {
      bad.resize(random() % good.size());
    } else {
      bad[round % 2 ? random() % 64 : random() % good.size()] ^=
          static_cast<char>(1 + random() % 255);
    }
    std::ofstream(path, std::ios::binary) << bad;
    const auto loaded = Tokenizer::open(source, folder_);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    std::vector<Token> ids, expected;
    loaded->encode("The quick brown fox's 123 \u00E9\u4E2D", ids);
    tiny()->encode("The quick brown fox's 123 \u00E9\u4E2D", expected);
    ASSERT_EQ(ids, expected);
    const std::string again = content(path);
    ASSERT_TRUE(again == good) << "not replaced";
  }
}

TEST_F(Compiled, IsNotNeeded) {
  const std::string source = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json";
  EXPECT_TRUE(Tokenizer::open(source, "/proc/nowhere").ok());
  EXPECT_EQ(Tokenizer::open(folder_ / "none", folder_).status().code(), Code::kNotFound);
}

// A small tokenizer.json of its own, whose parts can be replaced.
std::string json_with(std::string_view vocab = "", std::string_view merges = "",
                      std::string_view added = "", std::string_view model = "",
                      std::string_view root = "") {
  std::string entries;
  Token id = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool itself =
        (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    static unsigned next;
    if (byte == 0) next = 0x100;
    std::string spelled;
    utf8::append(spelled, itself ? byte : next++);
    const bool escaped = spelled == "\"" || spelled == "\\";
    entries += text(entries.empty() ? "" : ",", '"', escaped ? "\\" : "", spelled, "\":", id++);
  }
  std::string pattern;
  for (const char c : tokenizer::kPattern) {
    if (c == '\\') pattern += '\\';
    pattern += c;
  }
  return text(R"({"added_tokens":[)", added, R"(],"normalizer":null,"pre_tokenizer":{"type":)",
              R"("Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":")", pattern,
              R"("},"behavior":"Isolated","invert":false},{"type":"ByteLevel",)",
              R"("add_prefix_space":false,"trim_offsets":true,"use_regex":false}]},)", root,
              R"("model":{"type":"BPE",)", model, R"("vocab":{)", entries, vocab, R"(},"merges":[)",
              merges, "]}}");
}

using LoadJson = Files;

TEST_F(LoadJson, MergesByTheFilesOwnList) {
  // "abc" may come from ab+c only, and ab ranks after bc.
  const auto loaded =
      Tokenizer::open(write("x", json_with(R"(,"ab":256,"bc":257,"abc":258,"\u0120a":259)",
                                           R"(["b","c"],["a","b"],["ab","c"],"\u0120 a")")));
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const auto ids = [&](std::string_view s) {
    std::vector<Token> out;
    loaded->encode(s, out);
    return out;
  };
  EXPECT_EQ(ids("abc"), (std::vector<Token>{'a', 257}));
  EXPECT_EQ(ids("ab"), (std::vector<Token>{256}));
  EXPECT_EQ(ids(" a"), (std::vector<Token>{259}));
  EXPECT_EQ(loaded->find(" a"), 259u);
  EXPECT_EQ(loaded->find(""), std::nullopt);
  // With ignore_merges the whole piece comes first.
  const auto whole =
      Tokenizer::open(write("y", json_with(R"(,"abc":258)", "", "", R"("ignore_merges":true,)")));
  ASSERT_TRUE(whole.ok()) << whole.status().message();
  std::vector<Token> out;
  whole->encode("abc", out);
  EXPECT_EQ(out, (std::vector<Token>{258}));
}

TEST_F(LoadJson, RefusesWhatItDoesNotDo) {
  const std::string added = R"({"id":300,"content":"<|x|>"})";
  ASSERT_TRUE(Tokenizer::open(write("x", json_with("", "", added))).ok());
  const std::pair<Code, std::string> cases[] = {
      {Code::kMalformed, ""},
      {Code::kMalformed, "{"},
      {Code::kMalformed, "[]"},
      {Code::kMalformed, "not JSON"},
      {Code::kMalformed, json_with() + "}"},
      {Code::kMalformed, json_with().substr(0, 2000)},
      {Code::kMalformed, json_with(R"(,"ab":256,"ab":257)")},
      {Code::kMalformed, json_with(R"(,"ab":255)")},
      {Code::kMalformed, json_with(R"(,"":256)")},
      {Code::kMalformed, json_with(R"(,"ab":-1)")},
      {Code::kMalformed, json_with(R"(,"ab":1.5)")},
      {Code::kMalformed, json_with(R"(,"ab":4294967295)")},
      {Code::kMalformed, json_with(R"(,"ab":4000000)")},
      {Code::kMalformed, json_with(R"(,"\u4E2D":256)")},
      {Code::kMalformed, json_with(R"(,"a b":256)")},
      {Code::kMalformed, json_with(R"(,"ab":256)", R"(["a"])")},
      {Code::kMalformed, json_with(R"(,"ab":256)", R"(["a","b","c"])")},
      {Code::kMalformed, json_with(R"(,"ab":256)", R"("ab")")},
      {Code::kMalformed, json_with(R"(,"ab":256)", R"(["a","c"])")},
      {Code::kMalformed, json_with(R"(,"ab":256)", R"(["a","b"],["a","b"])")},
      {Code::kMalformed, json_with(R"(,"ab":256)", "7")},
      {Code::kMalformed, json_with("", "", R"({"id":300})")},
      {Code::kMalformed, json_with("", "", R"({"id":65,"content":"<|x|>"})")},
      {Code::kMalformed, json_with("", "", added + "," + added)},
      {Code::kMalformed, json_with("", "", added + R"(,{"id":301,"content":"<|x|>"})")},
      {Code::kUnsupported, json_with("", "", R"({"id":300,"content":"<|x|>","lstrip":true})")},
      {Code::kUnsupported, json_with("", "", "", R"("dropout":0.1,)")},
      {Code::kUnsupported, json_with("", "", "", R"("byte_fallback":true,)")},
      {Code::kUnsupported, json_with("", "", "", R"("type":"WordPiece",)")},
      {Code::kUnsupported, json_with("", "", "", "", R"("normalizer":{"type":"NFC"},)")},
      {Code::kUnsupported, json_with("", "", "", "", R"("pre_tokenizer":null,)")},
      {Code::kUnsupported, R"({"model":{"type":"BPE","vocab":{},"merges":[]}})"},
  };
  for (const auto& [code, json] : cases) {
    const auto loaded = Tokenizer::open(write("x", json));
    EXPECT_EQ(loaded.status().code(), code)
        << loaded.status().message() << "\n"
        << json.substr(0, 80) << "..."
        << json.substr(json.size() - std::min<size_t>(json.size(), 200));
    EXPECT_FALSE(loaded.status().message().empty());
  }
  EXPECT_EQ(Tokenizer::open(folder_ / "none").status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace vitalis
