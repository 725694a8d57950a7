// SPDX-License-Identifier: Apache-2.0
// Emulated tiles held to the order of sums as table.h states it; they and, where there are any,
// real ones held to the bits that AMX gave (tests/goldens/tiles).
#include <fstream>
#include <iterator>

#include "cpu/features.h"
#include "goldens/tiles/cases.h"
#include "goldens/tiles/native_steps.h"
#include "kernels/parity.h"
#include "kernels/x86/amx.h"

namespace vitalis::kernels {
namespace {

using goldens::Steps;

// One element after another.
void plain_steps(Steps& s) {
  const Denormals flushed(true);
  for (size_t b = 0; b < s.blocks; ++b) {
    for (size_t m = 0; m < s.rows; ++m) {
      for (size_t n = 0; n < 16; ++n) {
        float even = 0, odd = 0;
        for (size_t pair = 0; pair < 16; ++pair) {
          const uint16_t* left = &s.left[(b * s.rows + m) * 32 + 2 * pair];
          const uint16_t* right = &s.right[b * 512 + pair * 32 + 2 * n];
          even = std::fma(bf16_to_f32(left[0]), bf16_to_f32(right[0]), even);
          odd = std::fma(bf16_to_f32(left[1]), bf16_to_f32(right[1]), odd);
        }
        s.sums[m * 16 + n] += even + odd;
      }
    }
  }
}

void emulated_steps(Steps& s) {
  amx_emulated::steps(s.rows, s.blocks, s.left.data(), s.right.data(), s.sums.data());
}
void native_steps(Steps& s) {
  goldens::native_steps(s.rows, s.blocks, s.left.data(), s.right.data(), s.sums.data());
}

class Tiles : public testing::Test {
 protected:
  void SetUp() override {
    if (!cpu::detect().avx512) GTEST_SKIP() << "emulated tiles need AVX-512";
  }
};

TEST_F(Tiles, EmulatedAreTheOrderOfSums) {
  const std::vector<float> expected = goldens::all_steps(plain_steps);
  EXPECT_TRUE(same_bits(expected, goldens::all_steps(emulated_steps)));
}

// Tiles heed no setting of the thread, and change none.
TEST_F(Tiles, EmulatedFlushWhateverTheThreadDoes) {
  const std::vector<float> expected = goldens::all_steps(emulated_steps);
  const Denormals flushed(true);
  EXPECT_TRUE(same_bits(expected, goldens::all_steps(emulated_steps)));
}

// The goldens' products and attention, with the reference's bits.
TEST_F(Tiles, EmulatedTierIsPortable) {
  const Denormals flushed(true);
  EXPECT_TRUE(same_bits(goldens::all_products(portable::table),
                        goldens::all_products(amx_emulated::table)));
  EXPECT_TRUE(same_bits(goldens::all_attention(portable::table),
                        goldens::all_attention(amx_emulated::table)));
}

TEST_F(Tiles, NativeAreAsEmulated) {
  if (const Status granted = cpu::request_tiles(); !granted.ok()) GTEST_SKIP() << granted.message();
  EXPECT_TRUE(same_bits(goldens::all_steps(emulated_steps), goldens::all_steps(native_steps)));
}

// The cases reach what they are named for, or the goldens would say little.
TEST_F(Tiles, CasesReachTheirExtremes) {
  const auto count = [](goldens::Kind kind, auto&& holds) {
    ptrdiff_t all = 0;
    for (size_t blocks = 1; blocks <= goldens::kMostBlocks; ++blocks) {
      Steps s = goldens::make_steps(kind, blocks);
      emulated_steps(s);
      all += std::count_if(s.sums.begin(), s.sums.end(), holds);
    }
    return all;
  };
  using goldens::Kind;
  const auto finite = [](float x) { return std::isfinite(x); };
  const auto infinite = [](float x) { return std::isinf(x); };
  const auto small = [](float x) { return std::abs(x) < 0x1p-120f; };
  const auto nan = [](float x) { return std::isnan(x); };
  const auto some_zero = [](float x) { return x == 0; };
  const auto any = [](float) { return true; };
  EXPECT_EQ(count(Kind::kOrdinary, finite), count(Kind::kOrdinary, any));
  EXPECT_EQ(count(Kind::kCancelling, finite), count(Kind::kCancelling, any));
  for (const Kind kind : {Kind::kHuge, Kind::kInfinities, Kind::kAnyBits}) {
    EXPECT_GT(count(kind, infinite), 0) << static_cast<int>(kind);
    EXPECT_GT(count(kind, nan), 0) << static_cast<int>(kind);
  }
  EXPECT_GT(count(Kind::kNaN, nan), 0);
  EXPECT_GT(count(Kind::kNaN, finite), 0);
  for (const Kind kind : {Kind::kTiny, Kind::kDenormalInputs, Kind::kDenormalResults}) {
    EXPECT_GT(count(kind, small), 0) << static_cast<int>(kind);
  }
  EXPECT_GT(count(Kind::kTiny, some_zero), 0);
  EXPECT_GT(count(Kind::kSignedZeros, some_zero), 0);
}

// Tiles take codes with their scales, as bf16: also those that leave the range, where the tiers
// below may differ. Row r of x picks term r.
TEST_F(Tiles, EveryScaleOfMxfp4) {
  const Denormals flushed(true);
  constexpr size_t kScales = 256;
  std::vector<float> x(kBlock * kBlock);
  for (size_t r = 0; r < kBlock; ++r) x[r * kBlock + r] = 1;
  std::vector<uint8_t> scales(kScales), codes(kScales * kBlock / 2);
  for (size_t n = 0; n < kScales; ++n) {
    scales[n] = static_cast<uint8_t>(n);
    for (size_t i = 0; i < 16; ++i) codes[n * 16 + i] = static_cast<uint8_t>(17 * i + n);
  }
  const auto picked = [&](const Table& table) {
    std::vector<char> packed(table.packed_bytes(kBlock, kBlock));
    std::vector<float> out(kBlock * kScales);
    table.pack(x.data(), kBlock, nullptr, kBlock, kBlock, Round::kBf16, packed.data());
    table.matmul(packed.data(), kBlock, kBlock, {MatrixType::kMxfp4, codes.data(), scales.data()},
                 0, kScales, {}, out.data(), kScales);
    return out;
  };
  EXPECT_TRUE(same_bits(picked(portable::table), picked(amx_emulated::table)));
  if (cpu::request_tiles().ok()) {
    EXPECT_TRUE(same_bits(picked(portable::table), picked(amx::table)));
  }
}

#ifdef VITALIS_TILE_GOLDENS
std::vector<float> golden(const std::string& name) {
  std::ifstream file(VITALIS_TILE_GOLDENS "/" + name, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

testing::AssertionResult agrees(const std::string& name, const std::vector<float>& found) {
  const std::vector<float> expected = golden(name);
  if (expected.size() != found.size()) {
    return testing::AssertionFailure() << name << " has " << expected.size() << " values";
  }
  return same_bits(expected, found);
}

TEST_F(Tiles, EmulatedGiveTheBitsOfHardware) {
  const Denormals flushed(true);
  EXPECT_TRUE(agrees("steps.f32", goldens::all_steps(emulated_steps)));
  EXPECT_TRUE(agrees("products.f32", goldens::all_products(amx_emulated::table)));
  EXPECT_TRUE(agrees("products.f32", goldens::all_products(portable::table)));
  EXPECT_TRUE(agrees("attention.f32", goldens::all_attention(amx_emulated::table)));
  EXPECT_TRUE(agrees("attention.f32", goldens::all_attention(portable::table)));
}

TEST_F(Tiles, NativeGiveTheBitsOfHardware) {
  if (const Status granted = cpu::request_tiles(); !granted.ok()) GTEST_SKIP() << granted.message();
  const Denormals flushed(true);
  EXPECT_TRUE(agrees("steps.f32", goldens::all_steps(native_steps)));
  EXPECT_TRUE(agrees("products.f32", goldens::all_products(amx::table)));
  EXPECT_TRUE(agrees("attention.f32", goldens::all_attention(amx::table)));
}
#endif

}  // namespace
}  // namespace vitalis::kernels
