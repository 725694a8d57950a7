// SPDX-License-Identifier: Apache-2.0
// Blocks of Q8_0 held to the rule in doubles: the scale is the f16 next to greatest / 127, a byte
// the whole number next to number / (greatest / 127).
#include "quantize/q8_0.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "model/plain_weights.h"

namespace vitalis::quantize {
namespace {

using Numbers = std::array<float, kBlockNumbers>;

struct Block {
  bool held;  // the numbers could be
  double scale;
  std::array<int8_t, kBlockNumbers> bytes;
};

Block rounded(const Numbers& numbers) {
  std::byte from[kBf16BlockBytes], to[kQ8BlockBytes];
  for (size_t i = 0; i < kBlockNumbers; ++i) {
    const auto bits = static_cast<uint16_t>(std::bit_cast<uint32_t>(numbers[i]) >> 16);
    std::memcpy(from + 2 * i, &bits, 2);
  }
  Block out{bf16_to_q8_0(from, 1, to) == 1, 0, {}};
  uint16_t scale = 0;
  std::memcpy(&scale, to, 2);
  out.scale = model::f16(scale);
  std::memcpy(out.bytes.data(), to + 2, kBlockNumbers);
  return out;
}

// The f16 next to x, by trying all of them.
double nearest_f16(double x) {
  static const std::vector<double> all = [] {
    std::vector<double> values;
    for (uint16_t bits = 0; bits < 0x7C00; ++bits) values.push_back(model::f16(bits));
    return values;
  }();
  const auto above = std::lower_bound(all.begin(), all.end(), x);
  if (above == all.begin()) return all.front();
  if (above == all.end()) return all.back();
  const double up = *above, down = *(above - 1);
  if (x - down == up - x) return (above - all.begin()) % 2 == 0 ? up : down;  // the even one
  return x - down < up - x ? down : up;
}

void expect_rule(const Numbers& numbers) {
  const Block block = rounded(numbers);
  ASSERT_TRUE(block.held);
  double greatest = 0;
  for (const float x : numbers) greatest = std::max(greatest, std::abs(double{x}));
  // The quotient as a float: the rule is one of floats.
  const double step = static_cast<float>(greatest) / 127.0F;
  EXPECT_EQ(block.scale, nearest_f16(step));
  for (size_t i = 0; i < kBlockNumbers; ++i) {
    if (step < 0x1p-126) {
      EXPECT_EQ(block.bytes[i], 0);
      continue;
    }
    // Two roundings to float may take a tie to either side.
    const double steps = numbers[i] / step;
    EXPECT_LE(std::abs(block.bytes[i] - steps), 0.5 + 127 * 0x1p-22) << numbers[i];
  }
}

float bf16(float x) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(x) & 0xFFFF'0000U);
}

TEST(Q8_0, HoldsToTheRuleAtAllMagnitudes) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (int exponent = -130; exponent <= 22; ++exponent) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      Numbers numbers;
      for (float& x : numbers) x = bf16(std::ldexp(normal(random), exponent));
      const bool held = std::all_of(numbers.begin(), numbers.end(),
                                    [](float x) { return std::abs(x) < 8.3e6F; });
      if (held) expect_rule(numbers);
    }
  }
}

TEST(Q8_0, TakesHalvesAwayFromZero) {
  Numbers numbers = {127, 0.5F, -0.5F, 1.5F, -1.5F, 2.5F, -126.5F, -127, 0.498046875F, -0.0F};
  const Block block = rounded(numbers);
  EXPECT_EQ(block.scale, 1);
  const std::array<int8_t, 10> expected = {127, 1, -1, 2, -2, 3, -127, -127, 0, 0};
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), block.bytes.begin()));
}

TEST(Q8_0, OfNothingIsNothing) {
  EXPECT_EQ(rounded({}).scale, 0);
  Numbers tiny;
  tiny.fill(std::bit_cast<float>(0x0001'0000U));  // the least bf16
  expect_rule(tiny);
}

TEST(Q8_0, RefusesWhatItCannotHold) {
  EXPECT_TRUE(rounded({0, bf16(8.3e6F)}).held);
  EXPECT_FALSE(rounded({0, 8.4e6F}).held);
  EXPECT_FALSE(rounded({0, -INFINITY}).held);
  EXPECT_FALSE(rounded({1, NAN}).held);
}

TEST(Q8_0, SaysHowManyBlocksAreGood) {
  std::array<std::byte, 3 * kBf16BlockBytes> from{};
  std::array<std::byte, 3 * kQ8BlockBytes> to{};
  EXPECT_EQ(bf16_to_q8_0(from.data(), 3, to.data()), 3U);
  from[2 * kBf16BlockBytes - 2] = std::byte{0x80};  // infinity, at the end of the second
  from[2 * kBf16BlockBytes - 1] = std::byte{0x7F};
  EXPECT_EQ(bf16_to_q8_0(from.data(), 3, to.data()), 1U);
}

}  // namespace
}  // namespace vitalis::quantize
