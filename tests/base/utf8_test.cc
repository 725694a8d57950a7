// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>
#include <random>
#include <string>

namespace vitalis::utf8 {
namespace {

TEST(Utf8, ReplacesEachMaximalSubpartOnce) {
  // Table 3-11 of the Unicode Standard: truncated sequences, each one part.
  EXPECT_EQ(replace_ill_formed("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFDA");
  // Table 3-8: overlong forms fall apart byte by byte.
  EXPECT_EQ(replace_ill_formed("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  // Table 3-9: surrogates.
  EXPECT_EQ(replace_ill_formed("\xED\xA0\x80\x41"), "\uFFFD\uFFFD\uFFFDA");
}

TEST(Utf8, ValidPrefixStopsAtTheFirstBadByte) {
  EXPECT_EQ(valid_prefix(""), 0u);
  EXPECT_EQ(valid_prefix("plain text that is longer than a word"), 37u);
  EXPECT_EQ(valid_prefix("12345678\xFFz"), 8u);
  EXPECT_EQ(valid_prefix("a\xE2\x82"), 1u);
  EXPECT_TRUE(is_valid("\U0010FFFF\u0080\u0800"));
  EXPECT_FALSE(is_valid("\xF4\x90\x80\x80"));
}

TEST(Utf8, RoundTripsEveryScalarValue) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append(text, c);
    const Piece piece = next(text);
    ASSERT_EQ(piece.kind, Piece::kCharacter);
    ASSERT_EQ(piece.size, text.size());
    ASSERT_EQ(piece.code_point, c);
  }
}

TEST(Utf8, StreamGivesTheSameHoweverItIsCut) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes;
    const size_t size = random() % 12;
    for (size_t i = 0; i < size; ++i) {
      constexpr std::string_view kAlphabet = "aZ\x80\xBF\xC2\xE0\xA0\xED\x9F\xF0\x90\xF4\x8F\xFF";
      bytes += kAlphabet[random() % kAlphabet.size()];
    }
    const std::string whole = replace_ill_formed(bytes);
    EXPECT_TRUE(is_valid(whole));
    std::string pieces;
    Stream stream;
    for (size_t i = 0; i < bytes.size();) {
      const size_t n = 1 + random() % 3;
      stream.push(std::string_view(bytes).substr(i, n), pieces);
      EXPECT_LE(stream.held(), 3u);
      EXPECT_TRUE(is_valid(pieces));
      i += n;
    }
    stream.finish(pieces);
    EXPECT_EQ(pieces, whole);
  }
}

}  // namespace
}  // namespace vitalis::utf8
