// SPDX-License-Identifier: Apache-2.0
// pack and matmul of every tier, for every type of matrix, against portable.
#include <new>
#include <sys/mman.h>
#include <unistd.h>

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

using enum MatrixType;
constexpr MatrixType kTypes[] = {kBf16,  kF32,        kF16,         kQ8_0,
                                 kMxfp4, kMxfp4Metal, kMxfp4Ollama, kMxfp4Ggml};
constexpr const char* kTypeNames[] = {"bf16",  "f32",         "f16",          "q8_0",
                                      "mxfp4", "mxfp4 metal", "mxfp4 ollama", "mxfp4 ggml"};

size_t block_bytes(MatrixType type) {
  constexpr size_t kBytes[] = {64, 128, 64, 34, 16, 16, 17, 17};
  return kBytes[static_cast<size_t>(type)];
}

// Near enough for small numbers.
uint16_t to_f16(float x) {
  int exponent;
  const float fraction = std::frexp(std::abs(x), &exponent);
  if (x == 0 || exponent < -13) return 0;
  const auto bits = static_cast<uint16_t>(std::lround(fraction * 2048)) - 1024;
  return static_cast<uint16_t>((x < 0 ? 0x8000 : 0) + ((exponent + 14) << 10) + bits);
}

struct Problem {
  Problem(const Shape& s, uint64_t seed, MatrixType t) : shape(s), type(t), random(seed) {
    for (float& x : source) x = random.unit() * 4;
    for (uint32_t& i : index) i = static_cast<uint32_t>(random.below(kSourceRows));
    for (uint16_t& b : bias) b = random.bf16();
    for (float& b : wide_bias) b = random.unit();
    for (uint8_t& b : w) b = static_cast<uint8_t>(random.bits());
    for (uint8_t& s8 : scales) s8 = scale();
    for (size_t at = 0; at < w.size(); at += block_bytes(type)) {
      uint8_t* block = w.data() + at;
      if (type == kMxfp4Ollama || type == kMxfp4Ggml) block[0] = scale();
      if (type == kQ8_0) {
        // -128 is a byte that quantizers do not write, and that tiers may take another way.
        for (size_t i = 2; i < 34; ++i) block[i] += seed % 2 == 0 && block[i] == 0x80 ? 1 : 0;
        put(block, to_f16(random.unit() / 64));
      }
      for (size_t i = 0; i < kBlock; ++i) {
        if (type == kBf16) put(block + 2 * i, random.bf16());
        if (type == kF16) put(block + 2 * i, to_f16(random.unit()));
        if (type == kF32) put(block + 4 * i, random.unit());
      }
    }
  }

  uint8_t scale() { return static_cast<uint8_t>(110 + random.below(30)); }
  template <class T>
  static void put(uint8_t* to, T value) {
    std::memcpy(to, &value, sizeof value);
  }

  // out [rows][stride], untouched elements keep the fill.
  std::vector<float> run(const Table& table) { return run(table, w.data(), scales.data()); }
  std::vector<float> run(const Table& table, const uint8_t* weights, const uint8_t* exponents) {
    const size_t stride = shape.end - shape.begin + 3;
    Guarded<float> packed((table.packed_bytes(shape.rows, shape.k) + 3) / 4, 7.f);
    Guarded<float> out((shape.rows - 1) * stride + shape.end - shape.begin, -77.f);
    table.pack(source.data(), shape.k + 1, shape.indexed ? index.data() : nullptr, shape.rows,
               shape.k, shape.round, packed.data());
    const Vector b = !shape.bias            ? Vector{}
                     : shape.begin % 3 == 1 ? Vector{wide_bias.data(), VectorType::kF32}
                                            : Vector{bias.data(), VectorType::kBf16};
    const Matrix matrix{type, weights, exponents};
    table.matmul(packed.data(), shape.rows, shape.k, matrix, shape.begin, shape.end, b, out.data(),
                 stride);
    EXPECT_TRUE(packed.guards_whole()) << table.name;
    EXPECT_TRUE(out.guards_whole()) << table.name;
    return {out.begin(), out.end()};
  }

  static constexpr size_t kSourceRows = 600;
  Shape shape;
  MatrixType type;
  Random random;
  Guarded<float> source{kSourceRows * (shape.k + 1)};
  Guarded<uint32_t> index{shape.rows};
  Guarded<uint16_t> bias{shape.end};
  Guarded<float> wide_bias{shape.end};
  Guarded<uint8_t> w{shape.end * shape.k / kBlock * block_bytes(type)};
  Guarded<uint8_t> scales{shape.end * shape.k / kBlock};
};

std::string describe(const Shape& s, MatrixType type) {
  return std::string(kTypeNames[static_cast<size_t>(type)]) + " rows " + std::to_string(s.rows) +
         " k " + std::to_string(s.k) + " [" + std::to_string(s.begin) + ", " +
         std::to_string(s.end) + ")";
}

void expect_parity(const Table& tier, const Table& portable, const Shape& s, uint64_t seed) {
  for (const MatrixType type : kTypes) {
    Problem problem(s, seed, type);
    const std::vector<float> expected = problem.run(portable);
    ASSERT_TRUE(same_bits(expected, problem.run(tier))) << describe(s, type);
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

// A copy of some bytes behind which memory ends, as behind a mapped file.
class AtTheEnd {
 public:
  explicit AtTheEnd(const Guarded<uint8_t>& bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t pages = (bytes.size() + page - 1) / page * page;
    size_ = pages + page;
    void* const mapped =
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<uint8_t*>(mapped);
    EXPECT_EQ(mprotect(base_ + pages, page, PROT_NONE), 0);
    data_ = base_ + pages - bytes.size();
    std::copy(bytes.begin(), bytes.end(), data_);
  }
  ~AtTheEnd() { munmap(base_, size_); }
  AtTheEnd(const AtTheEnd&) = delete;
  AtTheEnd& operator=(const AtTheEnd&) = delete;

  const uint8_t* data() const { return data_; }

 private:
  uint8_t* base_ = nullptr;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

TEST_P(Products, NothingIsReadBehindTheWeights) {
  for (const MatrixType type : kTypes) {
    for (const size_t blocks : {1, 2, 3, 5, 15, 16, 17, 31, 33}) {
      for (const size_t rows : {1, 3, 8, 9, 16, 33}) {
        for (const size_t end : {1, 16, 17, 47, 49}) {
          const Shape s{rows, blocks * kBlock, 0, end, false, false, Round::kBf16};
          Problem problem(s, blocks * 2, type);
          const AtTheEnd w(problem.w), scales(problem.scales);
          const std::vector<float> expected = problem.run(tier());
          ASSERT_TRUE(same_bits(expected, problem.run(tier(), w.data(), scales.data())))
              << describe(s, type);
        }
      }
    }
  }
}

TEST_P(Products, AnEmptyRangeWritesNothing) {
  for (const size_t rows : {1, 2, 20}) {
    const Shape s{rows, 64, 4, 4, true, false, Round::kBf16};
    Problem problem(s, 1, kMxfp4);
    for (const float x : problem.run(tier())) EXPECT_EQ(x, -77.f);
  }
}

// Each of the 16 codes with each scale that leaves products in range: scales below 24 would let
// sums that cancel fall among the denormals, those above 244 could overflow.
TEST_P(Products, EveryCodeWithEveryScale) {
  for (const MatrixType type : {kMxfp4, kMxfp4Metal, kMxfp4Ollama, kMxfp4Ggml}) {
    const bool apart = type == kMxfp4 || type == kMxfp4Metal;
    const uint8_t bias = type == kMxfp4Metal ? kMetalScaleBias : 0;
    for (const size_t rows : {1, 2, 7, 16, 48}) {
      for (size_t code = 0; code < 16; ++code) {
        const Shape s{rows, 96, 0, 256, true, false, Round::kBf16};
        Problem problem(s, code, type);
        for (float& x : problem.source) x = x < 0 ? x - 1 : x + 1;
        for (uint8_t& b : problem.w) b = static_cast<uint8_t>(code * 17);
        for (size_t i = 0; i < problem.scales.size(); ++i) {
          const size_t real = i / 3 < 24u + bias || i / 3 > 244 ? i % 2 * bias : i / 3;
          (apart ? problem.scales[i] : problem.w[i * 17]) = static_cast<uint8_t>(real);
        }
        const std::vector<float> expected = problem.run(portable());
        ASSERT_TRUE(same_bits(expected, problem.run(tier()))) << "code " << code;
      }
    }
  }
}

// The same numbers in every way of storing MXFP4, and 7-bit ones in every dense way, give the same
// bits.
TEST_P(Products, LayoutsChangeNoBit) {
  for (const size_t rows : {1, 3, 9, 20, 64}) {
    const Shape s{rows, 1056, 0, 37, true, false, Round::kBf16};
    Problem plain(s, rows, kMxfp4);
    const std::vector<float> expected = plain.run(tier());
    for (const MatrixType type : {kMxfp4Metal, kMxfp4Ollama, kMxfp4Ggml}) {
      Problem other(s, rows, type);
      for (size_t block = 0; block < plain.scales.size(); ++block) {
        const uint8_t* codes = plain.w.data() + block * 16;
        uint8_t* to = other.w.data() + block * block_bytes(type);
        if (type == kMxfp4Metal) {
          other.scales[block] = static_cast<uint8_t>(plain.scales[block] + kMetalScaleBias);
        } else {
          *to++ = plain.scales[block];
        }
        const auto code = [&](size_t i) { return codes[i / 2] >> i % 2 * 4 & 15; };
        for (size_t j = 0; j < 16; ++j) {
          to[j] = type == kMxfp4Ggml ? static_cast<uint8_t>(code(j) | code(j + 16) << 4) : codes[j];
        }
      }
      std::copy(plain.source.begin(), plain.source.end(), other.source.begin());
      std::copy(plain.bias.begin(), plain.bias.end(), other.bias.begin());
      ASSERT_TRUE(same_bits(expected, other.run(tier()))) << describe(s, type);
    }
    Problem narrow(s, rows, kBf16);
    for (size_t i = 0; i < narrow.w.size() / 2; ++i) {
      narrow.put(narrow.w.data() + 2 * i, f32_to_bf16(narrow.random.unit() / 8 + 1));
    }
    const std::vector<float> dense = narrow.run(tier());
    for (const MatrixType type : {kF32, kF16}) {
      Problem other(s, rows, type);
      for (size_t i = 0; i < narrow.w.size() / 2; ++i) {
        uint16_t bits;
        std::memcpy(&bits, narrow.w.data() + 2 * i, 2);
        const float value = bf16_to_f32(bits);
        if (type == kF32) other.put(other.w.data() + 4 * i, value);
        if (type == kF16) other.put(other.w.data() + 2 * i, to_f16(value));
      }
      std::copy(narrow.source.begin(), narrow.source.end(), other.source.begin());
      std::copy(narrow.bias.begin(), narrow.bias.end(), other.bias.begin());
      ASSERT_TRUE(same_bits(dense, other.run(tier()))) << describe(s, type);
    }
  }
}

TEST_P(Products, ZerosInfinitiesAndNaN) {
  const float extremes[] = {0.f, -0.f, INFINITY, -INFINITY, NAN, 3e38f, -3e38f, 1e-30f};
  for (const size_t rows : {1, 4, 9, 16, 50}) {
    for (const MatrixType type : kTypes) {
      const Shape s{rows, 128, 0, 40, true, false, Round::kBf16};
      Problem problem(s, rows, type);
      for (float& x : problem.source) {
        if (problem.random.below(50) == 0) x = extremes[problem.random.below(8)];
      }
      for (uint8_t& x : problem.scales) x = type == kMxfp4Metal ? 127 + kMetalScaleBias : 127;
      if (block_bytes(type) == 17) {
        for (size_t i = 0; i < problem.w.size(); i += 17) problem.w[i] = 127;
      }
      for (size_t i = 0; i < problem.w.size() / 4; ++i) {
        if (problem.random.below(100) != 0) continue;
        const float x = extremes[problem.random.below(8)];
        uint8_t* to = problem.w.data() + 4 * i;
        if (type == kBf16) problem.put(to, f32_to_bf16(x));
        if (type == kF32) problem.put(to, x);
        // Infinities, NaN and denormals, of elements or of scales.
        constexpr uint16_t kHalves[] = {0x7C00, 0xFC00, 0x7E01, 0x7C01, 0x0001, 0x83FF, 0x8000, 1};
        const uint16_t half = kHalves[problem.random.below(8)];
        if (type == kF16) problem.put(to, half);
        if (type == kQ8_0) problem.put(problem.w.data() + i / 9 * 34, half);
      }
      const std::vector<float> expected = problem.run(portable());
      ASSERT_TRUE(same_bits(expected, problem.run(tier()))) << describe(s, type);
    }
  }
}

// Denormal inputs and products: kept or flushed alike; but vdpbf16ps and tiles flush always, as the
// engine's callers do.
TEST_P(Products, Denormals) {
  for (const char* flushing : {"avx512bf16", "amx", "amx_emulated"}) {
    if (!flushed() && std::string_view(tier().name) == flushing) {
      GTEST_SKIP() << "this tier knows no denormals";
    }
  }
  for (const size_t rows : {1, 5, 24}) {
    const Shape s{rows, 96, 0, 20, true, false, Round::kBf16};
    for (const MatrixType type : {kBf16, kF32, kF16, kQ8_0}) {
      Problem problem(s, rows, type);
      for (float& x : problem.source) x *= problem.random.below(2) ? 0x1p-110f : 0x1p-127f;
      if (type == kBf16) {
        for (size_t i = 0; i < problem.w.size(); i += 2) {
          problem.put(problem.w.data() + i, f32_to_bf16(problem.random.unit() * 0x1p-16f));
        }
      }
      const std::vector<float> expected = problem.run(portable());
      ASSERT_TRUE(same_bits(expected, problem.run(tier()))) << describe(s, type);
    }
  }
}

TEST_P(Products, RoundingToBf16) {
  for (const size_t rows : {1, 16}) {
    const Shape s{rows, 512, 0, 512, false, false, Round::kBf16};
    Problem problem(s, rows, kBf16);
    // Ties, values beside them, overflow to infinity; row n of w picks element n.
    for (size_t i = 0; i < problem.source.size(); ++i) {
      const uint32_t high = static_cast<uint32_t>(problem.random.bits()) << 16;
      const uint32_t low[] = {0x8000, 0x7FFF, 0x8001, 0, 0xFFFF};
      problem.source[i] = from_bits((i % 7 ? high : 0x7F7F0000) | low[i % 5]);
      if (!std::isfinite(problem.source[i])) problem.source[i] = 1;
    }
    for (size_t i = 0; i < problem.w.size() / 2; ++i) {
      problem.put<uint16_t>(problem.w.data() + 2 * i, i / 512 == i % 512 ? 0x3F80 : 0);
    }
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
