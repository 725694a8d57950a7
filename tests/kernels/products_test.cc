// SPDX-License-Identifier: Apache-2.0
// pack, matmul_bf16 and matmul_mxfp4 of every tier against portable.
#include "kernels/parity.h"

namespace vitalis::kernels {
namespace {

using Products = Parity;
INSTANTIATE_TEST_SUITE_P(Tiers, Products, all_tiers(), parity_name);

struct Shape {
  size_t rows, k, begin, end;
  bool bias, indexed;
  Round round;
};

struct Problem {
  Problem(const Shape& s, uint64_t seed, bool mxfp4) : shape(s), fp4(mxfp4), random(seed) {
    for (float& x : source) x = random.unit() * 4;
    for (uint32_t& i : index) i = static_cast<uint32_t>(random.below(kSourceRows));
    for (uint16_t& b : bias) b = random.bf16();
    for (uint16_t& x : w) x = random.bf16();
    for (uint8_t& b : blocks) b = static_cast<uint8_t>(random.bits());
    for (uint8_t& s8 : scales) s8 = static_cast<uint8_t>(110 + random.below(30));
  }

  // out [rows][stride], untouched elements keep the fill.
  std::vector<float> run(const Table& table) {
    const size_t stride = shape.end - shape.begin + 3;
    Guarded<float> packed((table.packed_bytes(shape.rows, shape.k) + 3) / 4, 7.f);
    Guarded<float> out((shape.rows - 1) * stride + shape.end - shape.begin, -77.f);
    table.pack(source.data(), shape.k + 1, shape.indexed ? index.data() : nullptr, shape.rows,
               shape.k, shape.round, packed.data());
    const uint16_t* b = shape.bias ? bias.data() : nullptr;
    if (fp4) {
      table.matmul_mxfp4(packed.data(), shape.rows, shape.k, blocks.data(), scales.data(),
                         shape.begin, shape.end, b, out.data(), stride);
    } else {
      table.matmul_bf16(packed.data(), shape.rows, shape.k, w.data(), shape.begin, shape.end, b,
                        out.data(), stride);
    }
    EXPECT_TRUE(packed.guards_whole()) << table.name;
    EXPECT_TRUE(out.guards_whole()) << table.name;
    return {out.begin(), out.end()};
  }

  static constexpr size_t kSourceRows = 600;
  Shape shape;
  bool fp4;
  Random random;
  Guarded<float> source{kSourceRows * (shape.k + 1)};
  Guarded<uint32_t> index{shape.rows};
  Guarded<uint16_t> bias{shape.end};
  Guarded<uint16_t> w{fp4 ? 0 : shape.end * shape.k};
  Guarded<uint8_t> blocks{fp4 ? shape.end * shape.k / 2 : 0};
  Guarded<uint8_t> scales{fp4 ? shape.end * shape.k / 32 : 0};
};

std::string describe(const Shape& s, bool fp4) {
  return std::string(fp4 ? "mxfp4" : "bf16") + " rows " + std::to_string(s.rows) + " k " +
         std::to_string(s.k) + " [" + std::to_string(s.begin) + ", " + std::to_string(s.end) + ")";
}

void expect_parity(const Table& tier, const Table& portable, const Shape& s, uint64_t seed) {
  for (const bool fp4 : {false, true}) {
    Problem problem(s, seed, fp4);
    const std::vector<float> expected = problem.run(portable);
    ASSERT_TRUE(same_bits(expected, problem.run(tier))) << describe(s, fp4);
  }
}

TEST_P(Products, EveryNumberOfRows) {
  uint64_t seed = 0;
  for (size_t rows = 1; rows <= 50; ++rows) {
    const Shape s{
        rows, 96, 0, 5, rows % 2 == 0, rows % 3 == 0, rows % 4 < 2 ? Round::kBf16 : Round::kNone};
    expect_parity(tier(), portable(), s, ++seed);
  }
  for (const size_t rows : {63, 64, 65, 96, 112, 255, 256, 257, 300, 513}) {
    expect_parity(tier(), portable(), {rows, 64, 1, 4, true, true, Round::kBf16}, ++seed);
  }
}

TEST_P(Products, EveryNumberOfBlocks) {
  for (size_t blocks = 1; blocks <= 40; ++blocks) {
    for (const size_t rows : {1, 2, 5, 17}) {
      expect_parity(tier(), portable(), {rows, blocks * kBlock, 0, 3, true, false, Round::kBf16},
                    blocks * 100 + rows);
    }
  }
  expect_parity(tier(), portable(), {1, 300 * kBlock, 0, 20, true, false, Round::kBf16}, 1);
}

TEST_P(Products, EveryRangeOfWeightRows) {
  for (const size_t rows : {1, 3, 8, 16, 40}) {
    for (const size_t begin : {0, 1, 7, 16, 30}) {
      for (const size_t count : {1, 2, 15, 16, 17, 31, 47, 48, 49, 100}) {
        expect_parity(tier(), portable(),
                      {rows, 64, begin, begin + count, count % 2 == 0, false, Round::kNone},
                      begin * 1000 + count);
      }
    }
  }
}

TEST_P(Products, ShapesOfTheModel) {
  for (const size_t rows : {1, 2, 4, 8, 12, 16, 33, 64}) {
    expect_parity(tier(), portable(), {rows, 2880, 5, 60, true, true, Round::kBf16}, rows);
    expect_parity(tier(), portable(), {rows, 4096, 5, 30, true, false, Round::kNone}, rows);
  }
}

TEST_P(Products, AnEmptyRangeWritesNothing) {
  for (const size_t rows : {1, 2, 20}) {
    const Shape s{rows, 64, 4, 4, true, false, Round::kBf16};
    Problem problem(s, 1, true);
    for (const float x : problem.run(tier())) EXPECT_EQ(x, -77.f);
  }
}

// Each of the 16 codes with each scale that leaves products in range: scales below 24 would let
// sums that cancel fall among the denormals, those above 244 could overflow.
TEST_P(Products, EveryCodeWithEveryScale) {
  for (const size_t rows : {1, 2, 7, 16, 48}) {
    for (size_t code = 0; code < 16; ++code) {
      const Shape s{rows, 96, 0, 256, true, false, Round::kBf16};
      Problem problem(s, code, true);
      for (float& x : problem.source) x = x < 0 ? x - 1 : x + 1;
      for (uint8_t& b : problem.blocks) b = static_cast<uint8_t>(code * 17);
      for (size_t i = 0; i < problem.scales.size(); ++i) {
        problem.scales[i] = static_cast<uint8_t>(i / 3 < 24 || i / 3 > 244 ? 0 : i / 3);
      }
      const std::vector<float> expected = problem.run(portable());
      ASSERT_TRUE(same_bits(expected, problem.run(tier()))) << "code " << code;
    }
  }
}

TEST_P(Products, ZerosInfinitiesAndNaN) {
  const float extremes[] = {0.f, -0.f, INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 1e-30f};
  for (const size_t rows : {1, 4, 9, 16, 50}) {
    for (const bool fp4 : {false, true}) {
      const Shape s{rows, 128, 0, 40, true, false, Round::kBf16};
      Problem problem(s, rows, fp4);
      for (float& x : problem.source) {
        if (problem.random.below(50) == 0) x = extremes[problem.random.below(8)];
      }
      for (uint16_t& x : problem.w) {
        if (problem.random.below(200) == 0) x = f32_to_bf16(extremes[problem.random.below(8)]);
      }
      for (uint8_t& x : problem.scales) x = 127;
      const std::vector<float> expected = problem.run(portable());
      ASSERT_TRUE(same_bits(expected, problem.run(tier()))) << describe(s, fp4);
    }
  }
}

// Denormal inputs and products: kept or flushed alike.
TEST_P(Products, Denormals) {
  for (const size_t rows : {1, 5, 24}) {
    const Shape s{rows, 96, 0, 20, true, false, Round::kBf16};
    Problem problem(s, rows, false);
    for (float& x : problem.source) x *= problem.random.below(2) ? 0x1p-110f : 0x1p-127f;
    for (uint16_t& x : problem.w) x = f32_to_bf16(bf16_to_f32(x) * 0x1p-16f);
    const std::vector<float> expected = problem.run(portable());
    ASSERT_TRUE(same_bits(expected, problem.run(tier())));
  }
}

TEST_P(Products, RoundingToBf16) {
  for (const size_t rows : {1, 16}) {
    const Shape s{rows, 512, 0, 512, false, false, Round::kBf16};
    Problem problem(s, rows, false);
    // Ties, values beside them, overflow to infinity; row n of w picks element n.
    for (size_t i = 0; i < problem.source.size(); ++i) {
      const uint32_t high = static_cast<uint32_t>(problem.random.bits()) << 16;
      const uint32_t low[] = {0x8000, 0x7FFF, 0x8001, 0, 0xFFFF};
      problem.source[i] = from_bits((i % 7 ? high : 0x7F7F0000) | low[i % 5]);
      if (!std::isfinite(problem.source[i])) problem.source[i] = 1;
    }
    for (size_t i = 0; i < problem.w.size(); ++i) problem.w[i] = i / 512 == i % 512 ? 0x3F80 : 0;
    const std::vector<float> expected = problem.run(portable());
    ASSERT_TRUE(same_bits(expected, problem.run(tier())));
  }
}

TEST_P(Products, RoomNeverShrinksAsRowsGrow) {
  for (const size_t k : {32, 96, 512, 544, 2880, 4096}) {
    size_t before = 0;
    for (size_t rows = 1; rows < 600; ++rows) {
      const size_t bytes = tier().packed_bytes(rows, k);
      ASSERT_GE(bytes, before) << "rows " << rows << " k " << k;
      before = bytes;
    }
  }
}

}  // namespace
}  // namespace vitalis::kernels
