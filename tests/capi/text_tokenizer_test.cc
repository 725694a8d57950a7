// SPDX-License-Identifier: Apache-2.0
// The tokenizer and the decoder through the C interface alone, on the demonstration model's
// vocabulary, opened without weights.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <vitalis/vitalis.h>

namespace {

namespace fs = std::filesystem;
using Ids = std::vector<uint32_t>;

const char* const kFolder = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

std::string_view view(const vitalis_text& text) {
  return {text.data, text.size};
}

class TextTokenizer : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(vitalis_tokenizer_open(kFolder, nullptr, &tokenizer), VITALIS_OK)
        << vitalis_last_error();
  }
  void TearDown() override { vitalis_tokenizer_release(tokenizer); }

  uint32_t special(const char* name) const {
    uint32_t token = 0;
    EXPECT_EQ(vitalis_tokenizer_special(tokenizer, name, VITALIS_NUL, &token), VITALIS_OK) << name;
    return token;
  }
  Ids encode(std::string_view text, const vitalis_encode_options* options = nullptr) const {
    Ids out(3 * text.size());  // an ill-formed byte counts as a character of three
    size_t count = 0;
    EXPECT_EQ(vitalis_tokenizer_encode(tokenizer, text.data(), text.size(), options, out.data(),
                                       nullptr, out.size(), &count),
              VITALIS_OK)
        << vitalis_last_error();
    out.resize(count);
    return out;
  }
  int32_t encode_status(std::string_view text, const vitalis_encode_options& options) const {
    size_t count = 99;
    uint32_t tokens[64];
    const int32_t status = vitalis_tokenizer_encode(tokenizer, text.data(), text.size(), &options,
                                                    tokens, nullptr, 64, &count);
    EXPECT_TRUE(status >= 0 || count == 0);
    return status;
  }
  std::string decode(const Ids& tokens) const {
    size_t size = 0;
    EXPECT_EQ(vitalis_tokenizer_decode(tokenizer, tokens.data(), tokens.size(), nullptr, 0, &size),
              VITALIS_OK);
    std::string out(size, '\0');
    EXPECT_EQ(
        vitalis_tokenizer_decode(tokenizer, tokens.data(), tokens.size(), out.data(), size, &size),
        VITALIS_OK);
    return out;
  }

  vitalis_tokenizer* tokenizer = nullptr;
};

const std::string_view kTexts[] = {
    "",
    "Hello, world!",
    "  spaces\tand\n\n\nlines \r\n",
    "naïve café 你好 привет नमस्ते 🦊🚀",
    "<|start|>user<|message|>text<|end|>",
    std::string_view("a NUL \0 inside", 14),
};

TEST_F(TextTokenizer, TextIsOnlyTextUnlessTheOptionsSayOtherwise) {
  const std::string_view text = "<|start|>user<|message|>Hi<|end|>";
  const uint32_t start = special("<|start|>"), end = special("<|end|>");
  for (const uint32_t token : encode(text)) {
    EXPECT_NE(token, start);
    EXPECT_NE(token, end);
  }
  vitalis_encode_options options = VITALIS_ENCODE_OPTIONS_INIT;
  EXPECT_EQ(encode(text, &options), encode(text));

  options.flags = VITALIS_ENCODE_SPECIAL;
  Ids all = encode("user");
  all.insert(all.begin(), start);
  all.push_back(special("<|message|>"));
  for (const uint32_t token : encode("Hi")) all.push_back(token);
  all.push_back(end);
  EXPECT_EQ(encode(text, &options), all);
  EXPECT_EQ(decode(all), text);

  options = VITALIS_ENCODE_OPTIONS_INIT;
  options.allowed = &end;
  options.allowed_count = 1;
  Ids chosen = encode("<|start|>user<|message|>Hi");
  chosen.push_back(end);
  EXPECT_EQ(encode(text, &options), chosen);
}

TEST_F(TextTokenizer, ARefusedTokenIsAnErrorWithItsPlace) {
  const uint32_t start = special("<|start|>"), end = special("<|end|>");
  const uint32_t both[] = {start, end};
  vitalis_encode_options options = VITALIS_ENCODE_OPTIONS_INIT;
  options.refused = both;
  options.refused_count = 2;
  EXPECT_EQ(encode_status("Hello <|message|>", options), VITALIS_OK);
  EXPECT_EQ(encode_status("Hello <|end|> <|start|>", options), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(vitalis_last_error(),
               "the text spells the special token <|end|> at byte 6, where it is not allowed");
  options.allowed = &end;  // what is allowed is not refused
  options.allowed_count = 1;
  EXPECT_EQ(encode_status("Hello <|end|> <|start|>", options), VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_NE(std::string(vitalis_last_error()).find("<|start|> at byte 14"), std::string::npos);
}

TEST_F(TextTokenizer, StrictRefusesWhatIsNotUtf8) {
  vitalis_encode_options options = VITALIS_ENCODE_OPTIONS_INIT;
  options.flags = VITALIS_ENCODE_STRICT;
  for (const auto& [bad, place] : {std::pair("caf\xe9 ole", "byte 3"),
                                   {"\xff", "byte 0"},
                                   {"ab\xe4\xbd", "byte 2"},
                                   {"x\xed\xa0\x80", "byte 1"}}) {
    EXPECT_EQ(encode_status(bad, options), VITALIS_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(vitalis_last_error()).find(place), std::string::npos)
        << vitalis_last_error();
  }
  EXPECT_EQ(encode_status("naïve 🚀", options), VITALIS_OK);
  // Without it an ill-formed part counts as one replacement character.
  EXPECT_EQ(encode("a\xff z"), encode("a\uFFFD z"));
}

TEST_F(TextTokenizer, OffsetsFollowTheBytes) {
  for (const std::string_view text : kTexts) {
    Ids tokens(text.size());
    std::vector<size_t> ends(text.size());
    size_t count = 0;
    ASSERT_EQ(vitalis_tokenizer_encode(tokenizer, text.data(), text.size(), nullptr, tokens.data(),
                                       ends.data(), tokens.size(), &count),
              VITALIS_OK);
    tokens.resize(count);
    EXPECT_EQ(tokens, encode(text));
    for (size_t i = 0, begin = 0; i < count; begin = ends[i++]) {
      vitalis_text bytes;
      ASSERT_EQ(vitalis_tokenizer_token_bytes(tokenizer, tokens[i], &bytes), VITALIS_OK);
      EXPECT_EQ(view(bytes), text.substr(begin, ends[i] - begin));
    }
    EXPECT_TRUE(count == 0 ? text.empty() : ends[count - 1] == text.size());
  }
  const vitalis_encode_options options = VITALIS_ENCODE_OPTIONS_INIT;
  size_t end = 0, count = 7;
  uint32_t token = 0;
  EXPECT_EQ(vitalis_tokenizer_encode(tokenizer, "a", 1, &options, &token, &end, 1, &count),
            VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(count, 0u);
}

TEST_F(TextTokenizer, CountsWithoutStoring) {
  for (const std::string_view text : kTexts) {
    size_t count = 99;
    ASSERT_EQ(vitalis_tokenizer_count(tokenizer, text.data(), text.size(), &count), VITALIS_OK);
    EXPECT_EQ(count, encode(text).size());
  }
}

TEST_F(TextTokenizer, ABufferThatIsTooSmallIsFilledAndTheCountIsTold) {
  const Ids whole = encode("one two three four five");
  ASSERT_GT(whole.size(), 3u);
  Ids part(whole.size(), 12345);
  size_t count = 0;
  ASSERT_EQ(vitalis_tokenizer_encode(tokenizer, "one two three four five", VITALIS_NUL, nullptr,
                                     part.data(), nullptr, 2, &count),
            VITALIS_OK);
  EXPECT_EQ(count, whole.size());
  EXPECT_TRUE(std::equal(part.begin(), part.begin() + 2, whole.begin()));
  EXPECT_EQ(part[2], 12345u);
}

TEST_F(TextTokenizer, EncodesWholeWordsUpToALimit) {
  const std::string_view text = "The quick brown fox jumps over the lazy dog";
  const Ids whole = encode(text);
  for (size_t capacity = 0; capacity <= whole.size() + 1; ++capacity) {
    Ids tokens(capacity);
    size_t count = 99, bytes = 99;
    ASSERT_EQ(vitalis_tokenizer_encode_up_to(tokenizer, text.data(), text.size(), tokens.data(),
                                             capacity, &count, &bytes),
              VITALIS_OK);
    ASSERT_LE(count, capacity);
    tokens.resize(count);
    EXPECT_EQ(tokens, encode(text.substr(0, bytes)));
    EXPECT_TRUE(bytes == 0 || bytes == text.size() || text[bytes] == ' ') << bytes;
    EXPECT_EQ(bytes == text.size(), capacity >= whole.size());
  }
}

TEST_F(TextTokenizer, ABatchIsItsTextsOneByOne) {
  std::vector<std::string> texts(kTexts, std::end(kTexts));
  for (int i = 0; i < 300; ++i) texts.push_back("text number " + std::to_string(i * 7919));
  std::vector<vitalis_text> views;
  Ids expected;
  std::vector<size_t> expected_counts;
  for (const std::string& text : texts) {
    views.push_back({text.data(), text.size()});
    const Ids one = encode(text);
    expected.insert(expected.end(), one.begin(), one.end());
    expected_counts.push_back(one.size());
  }
  vitalis_engine_options options = VITALIS_ENGINE_OPTIONS_INIT;
  options.threads = 3;
  vitalis_engine* threads = nullptr;
  ASSERT_EQ(vitalis_engine_create(&options, &threads), VITALIS_OK) << vitalis_last_error();
  for (const vitalis_engine* engine : {static_cast<vitalis_engine*>(nullptr), threads}) {
    Ids tokens(expected.size());
    std::vector<size_t> counts(views.size());
    size_t count = 0;
    ASSERT_EQ(vitalis_tokenizer_encode_batch(tokenizer, engine, views.data(), views.size(),
                                             tokens.data(), tokens.size(), counts.data(), &count),
              VITALIS_OK);
    EXPECT_EQ(count, expected.size());
    EXPECT_EQ(counts, expected_counts);
    EXPECT_EQ(tokens, expected);

    Ids few(expected.size(), 12345);  // room for a part only
    ASSERT_EQ(vitalis_tokenizer_encode_batch(tokenizer, engine, views.data(), views.size(),
                                             few.data(), 20, counts.data(), &count),
              VITALIS_OK);
    EXPECT_EQ(count, expected.size());
    EXPECT_EQ(counts, expected_counts);
    EXPECT_TRUE(std::equal(few.begin(), few.begin() + 20, expected.begin()));
    EXPECT_EQ(few[20], 12345u);
  }
  vitalis_engine_release(threads);

  std::vector<size_t> counts(views.size(), 99);
  size_t count = 99;
  views[2] = {nullptr, 5};
  EXPECT_EQ(vitalis_tokenizer_encode_batch(tokenizer, nullptr, views.data(), views.size(), nullptr,
                                           0, counts.data(), &count),
            VITALIS_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(vitalis_last_error(), "texts[2].data must not be null");
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(counts, std::vector<size_t>(views.size(), 0));
}

TEST_F(TextTokenizer, DecodeGivesTheTextBack) {
  for (const std::string_view text : kTexts) EXPECT_EQ(decode(encode(text)), text);
  const uint32_t size = vitalis_tokenizer_size(tokenizer);
  EXPECT_EQ(decode({size, size + 1000, UINT32_MAX}), "");
  EXPECT_EQ(decode({special("<|return|>")}), "<|return|>");
  EXPECT_EQ(vitalis_tokenizer_size(nullptr), 0u);
}

TEST_F(TextTokenizer, TokensAreFoundByTheirBytes) {
  for (uint32_t token = 0; token < vitalis_tokenizer_size(tokenizer); ++token) {
    vitalis_text bytes;
    ASSERT_EQ(vitalis_tokenizer_token_bytes(tokenizer, token, &bytes), VITALIS_OK);
    if (bytes.size == 0) continue;
    uint32_t found = 0;
    const bool named =
        vitalis_tokenizer_special(tokenizer, bytes.data, bytes.size, &found) == VITALIS_OK &&
        found == token;
    if (named) continue;
    ASSERT_EQ(vitalis_tokenizer_find(tokenizer, bytes.data, bytes.size, &found), VITALIS_OK);
    EXPECT_EQ(found, token);
  }
  uint32_t token = 99;
  EXPECT_EQ(vitalis_tokenizer_find(tokenizer, "<|start|>", VITALIS_NUL, &token),
            VITALIS_ERROR_NOT_FOUND);
  EXPECT_EQ(token, 0u);
  EXPECT_EQ(vitalis_tokenizer_special(tokenizer, "<|nobody|>", VITALIS_NUL, &token),
            VITALIS_ERROR_NOT_FOUND);
  EXPECT_NE(std::string(vitalis_last_error()).find("<|nobody|>"), std::string::npos);
  vitalis_text none;
  EXPECT_EQ(vitalis_tokenizer_token_bytes(tokenizer, UINT32_MAX, &none), VITALIS_OK);
  EXPECT_EQ(none.size, 0u);
}

TEST_F(TextTokenizer, TheDecoderNeverSplitsACharacter) {
  vitalis_decoder* decoder = nullptr;
  ASSERT_EQ(vitalis_decoder_create(tokenizer, &decoder), VITALIS_OK);
  vitalis_text text;
  const Ids fox = encode("🦊");
  ASSERT_GT(fox.size(), 1u);  // else this test shows nothing
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < fox.size(); ++i) {
      ASSERT_EQ(vitalis_decoder_push(decoder, fox[i], &text), VITALIS_OK);
      EXPECT_EQ(view(text), i + 1 < fox.size() ? "" : "🦊");
    }
    // What is never completed becomes one replacement character, at the end or before a token that
    // cannot go on.
    ASSERT_EQ(vitalis_decoder_push(decoder, fox[0], &text), VITALIS_OK);
    EXPECT_EQ(view(text), "");
    ASSERT_EQ(vitalis_decoder_finish(decoder, &text), VITALIS_OK);
    EXPECT_EQ(view(text), "\uFFFD");
    ASSERT_EQ(vitalis_decoder_push(decoder, fox[0], &text), VITALIS_OK);
    ASSERT_EQ(vitalis_decoder_push(decoder, special("<|end|>"), &text), VITALIS_OK);
    EXPECT_EQ(view(text), "\uFFFD<|end|>");
    ASSERT_EQ(vitalis_decoder_finish(decoder, &text), VITALIS_OK);
    EXPECT_EQ(view(text), "");
  }
  // The decoder keeps what it needs of the tokenizer.
  vitalis_tokenizer_release(tokenizer);
  tokenizer = nullptr;
  ASSERT_EQ(vitalis_decoder_push(decoder, fox[0], &text), VITALIS_OK);
  vitalis_decoder_release(decoder);
}

TEST_F(TextTokenizer, TheCompiledFormIsMadeUsedAndReplaced) {
  const fs::path folder = fs::path(testing::TempDir()) / "vitalis-compiled-tokenizer";
  fs::remove_all(folder);
  const auto open = [&] {
    vitalis_tokenizer* opened = nullptr;
    EXPECT_EQ(vitalis_tokenizer_open(kFolder, folder.c_str(), &opened), VITALIS_OK)
        << vitalis_last_error();
    std::swap(opened, tokenizer);
    vitalis_tokenizer_release(opened);
  };
  const auto files = [&] {
    return std::vector<fs::path>(fs::directory_iterator(folder), fs::directory_iterator());
  };
  const std::string_view text = "Hello, 你好 <|end|> 🦊";
  const Ids expected = encode(text);
  open();
  ASSERT_EQ(files().size(), 1u);
  const fs::path file = files()[0];
  EXPECT_EQ(encode(text), expected);

  // Used: it is not written again.
  const auto old = fs::last_write_time(file) - std::chrono::hours(1);
  fs::last_write_time(file, old);
  open();
  EXPECT_EQ(fs::last_write_time(file), old);
  EXPECT_EQ(encode(text), expected);

  const auto size = fs::file_size(file);
  const auto damage = [&](const std::function<void()>& by) {
    by();
    fs::last_write_time(file, old);
    open();
    EXPECT_EQ(encode(text), expected);
    EXPECT_EQ(fs::file_size(file), size);
    EXPECT_NE(fs::last_write_time(file), old);  // replaced
    EXPECT_EQ(files().size(), 1u);
  };
  damage([&] { fs::resize_file(file, size / 2); });
  damage([&] { fs::resize_file(file, 0); });
  for (const size_t place : {size_t{0}, size_t{20}, size_t{4096}, size / 2, size - 1}) {
    damage([&] {
      std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekg(static_cast<std::streamoff>(place));
      const int byte = bytes.get();
      bytes.seekp(static_cast<std::streamoff>(place));
      bytes.put(static_cast<char>(byte ^ 0x40));
    });
  }
  fs::remove_all(folder);

  // That it cannot be written is no error.
  vitalis_tokenizer* opened = nullptr;
  EXPECT_EQ(vitalis_tokenizer_open(kFolder, "/dev/null/nowhere", &opened), VITALIS_OK);
  vitalis_tokenizer_release(opened);
}

TEST_F(TextTokenizer, BadPathsAreTold) {
  vitalis_tokenizer* opened = tokenizer;
  EXPECT_EQ(vitalis_tokenizer_open("/nowhere/tokenizer.json", nullptr, &opened),
            VITALIS_ERROR_NOT_FOUND);
  EXPECT_EQ(opened, nullptr);
  EXPECT_NE(std::string(vitalis_last_error()).find("/nowhere/tokenizer.json"), std::string::npos);
}

}  // namespace
