// SPDX-License-Identifier: Apache-2.0
// The entries that work on one row, of every tier against portable, and their exp against libm.
#include "kernels/portable/rows.h"

#include "kernels/parity.h"

namespace vitalis::kernels {
namespace {

using Rows = Parity;
INSTANTIATE_TEST_SUITE_P(Tiers, Rows, all_tiers(), parity_name);

constexpr float kExtremes[] = {0.f,    -0.f, INFINITY, -INFINITY,  NAN,     3e38f, -3e38f, 1e-40f,
                               1e-38f, 7.f,  -7.f,     7.0000005f, 87.f,    -87.f, 51.2f,  -51.2f,
                               88.f,   89.f, -88.f,    1e-20f,     -1e-40f, 1.f,   -1.f,   0.5f};

void fill(Guarded<float>& x, Random& random, float size, bool extremes) {
  for (float& v : x) {
    v = random.unit() * size;
    if (extremes && random.below(8) == 0) v = kExtremes[random.below(std::size(kExtremes))];
  }
}

TEST_P(Rows, RmsNorm) {
  Random random(1);
  for (size_t hidden = 32; hidden <= 2880; hidden += hidden < 256 ? 32 : 416) {
    for (const float size : {1e-19f, 1e-3f, 1.f, 300.f, 3e19f}) {
      Guarded<float> x(hidden), expected(hidden), found(hidden);
      Guarded<uint16_t> weight(hidden);
      fill(x, random, size, false);
      Guarded<float> wide(hidden);
      for (uint16_t& w : weight) w = random.bf16();
      for (float& w : wide) w = random.unit();
      for (const Vector& w :
           {Vector{weight.data(), VectorType::kBf16}, Vector{wide.data(), VectorType::kF32}}) {
        portable().rms_norm(x.data(), w, hidden, 1e-5f, expected.data());
        tier().rms_norm(x.data(), w, hidden, 1e-5f, found.data());
        ASSERT_TRUE(same_bits(floats(expected), floats(found))) << hidden;
        EXPECT_TRUE(found.guards_whole());
      }
    }
  }
}

TEST_P(Rows, Rope) {
  Random random(2);
  for (const size_t head_dim : {32, 64, 96, 128, 256}) {
    for (const size_t heads : {1, 3, 8}) {
      Guarded<float> cos(head_dim / 2), sin(head_dim / 2), expected(heads * head_dim);
      Guarded<float> found(heads * head_dim);
      fill(cos, random, 1, false);
      fill(sin, random, 1, false);
      fill(expected, random, 10, true);
      std::copy(expected.begin(), expected.end(), found.begin());
      // Side by side, to end where the others do.
      Guarded<float> pairs(heads * head_dim);
      for (size_t i = 0; i < pairs.size(); ++i) {
        const size_t in_head = i % head_dim;
        pairs[i] = expected[i - in_head + in_head / 2 + in_head % 2 * (head_dim / 2)];
      }
      portable().rope(expected.data(), heads, head_dim, cos.data(), sin.data());
      tier().rope(found.data(), heads, head_dim, cos.data(), sin.data());
      ASSERT_TRUE(same_bits(floats(expected), floats(found)));
      EXPECT_TRUE(found.guards_whole());
      tier().rope_pairs(pairs.data(), heads, head_dim, cos.data(), sin.data());
      ASSERT_TRUE(same_bits(floats(expected), floats(pairs)));
      EXPECT_TRUE(pairs.guards_whole());
    }
  }
}

TEST_P(Rows, Swiglu) {
  Random random(3);
  for (size_t n = 1; n <= 200; ++n) {
    Guarded<float> x(2 * n), expected(n), found(n);
    fill(x, random, n % 2 ? 3 : 60, true);
    const float limit = n % 5 ? 7.f : INFINITY;
    portable().swiglu(x.data(), n, limit, expected.data());
    tier().swiglu(x.data(), n, limit, found.data());
    ASSERT_TRUE(same_bits(floats(expected), floats(found))) << n;
    EXPECT_TRUE(found.guards_whole());
    Guarded<float> gate(n), up(n), apart(n);
    for (size_t i = 0; i < n; ++i) {
      gate[i] = x[2 * i];
      up[i] = x[2 * i + 1];
    }
    tier().swiglu_apart(gate.data(), up.data(), n, limit, apart.data());
    ASSERT_TRUE(same_bits(floats(expected), floats(apart))) << n;
    EXPECT_TRUE(apart.guards_whole());
  }
}

// Every bf16 and f16, and bytes under every scale.
TEST_P(Rows, Widen) {
  using enum MatrixType;
  constexpr size_t kBytes[] = {2, 4, 2};
  for (const MatrixType type : {kBf16, kF32, kF16, kQ8_0}) {
    for (const size_t n : {32, 96, 65536, 32 * 65536}) {
      if (n > 65536 && type != kQ8_0) continue;
      const size_t bytes = type == kQ8_0 ? n / 32 * 34 : n * kBytes[static_cast<size_t>(type)];
      Guarded<uint8_t> x(bytes);
      Guarded<float> expected(n), found(n);
      if (type == kQ8_0) {
        for (size_t i = 0; i < bytes; ++i) {
          const size_t block = i / 34, at = i % 34;
          x[i] = static_cast<uint8_t>(at < 2 ? block >> 8 * at : at * 8 + block);
        }
      } else {
        const size_t width = kBytes[static_cast<size_t>(type)];
        for (size_t i = 0; i < bytes; ++i) x[i] = static_cast<uint8_t>(i / width >> i % width * 8);
      }
      portable().widen(type, x.data(), n, expected.data());
      tier().widen(type, x.data(), n, found.data());
      ASSERT_TRUE(same_bits(floats(expected), floats(found))) << n;
      EXPECT_TRUE(found.guards_whole());
    }
  }
}

TEST(F16, IsWhatItsBitsSay) {
  for (uint32_t bits = 0; bits < 0x8000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10);
    const float fraction = static_cast<float>(bits & 1023);
    const float value = f16_to_f32(static_cast<uint16_t>(bits));
    EXPECT_EQ(to_bits(f16_to_f32(static_cast<uint16_t>(bits | 0x8000))),
              to_bits(value) | 0x80000000);
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), fraction != 0);
      EXPECT_EQ(std::isinf(value), fraction == 0);
    } else if (exponent == 0) {
      EXPECT_EQ(value, std::ldexp(fraction, -24));
    } else {
      EXPECT_EQ(value, std::ldexp(fraction + 1024, exponent - 25));
    }
  }
}

TEST_P(Rows, AddShares) {
  Random random(4);
  for (size_t n = 1; n <= 100; n += n < 40 ? 1 : 13) {
    for (const size_t count : {1, 2, 4, 7}) {
      Guarded<float> rows(n * count), shares(count), expected(n), found(n);
      fill(rows, random, 5, true);
      fill(shares, random, 1, false);
      fill(expected, random, 3, false);
      std::copy(expected.begin(), expected.end(), found.begin());
      std::vector<const float*> row(count);
      for (size_t r = 0; r < count; ++r) row[r] = rows.data() + r * n;
      portable().add_shares(row.data(), shares.data(), count, n, expected.data());
      tier().add_shares(row.data(), shares.data(), count, n, found.data());
      ASSERT_TRUE(same_bits(floats(expected), floats(found))) << n;
      EXPECT_TRUE(found.guards_whole());
    }
  }
}

TEST_P(Rows, TopK) {
  Random random(5);
  for (const size_t n : {1, 2, 5, 16, 31, 32, 33, 128, 201}) {
    for (size_t k = 1; k <= n; k = k < 4 ? k + 1 : k * 3) {
      for (const bool extremes : {false, true}) {
        Guarded<float> logits(n), expected(k), found(k);
        Guarded<uint32_t> expected_ids(k), found_ids(k);
        fill(logits, random, 20, extremes);
        for (float& x : logits) {
          if (random.below(4) == 0) x = std::round(x / 8);  // ties
        }
        portable().top_k(logits.data(), n, k, expected_ids.data(), expected.data());
        tier().top_k(logits.data(), n, k, found_ids.data(), found.data());
        ASSERT_TRUE(same_bits(floats(expected), floats(found))) << n << " " << k;
        for (size_t i = 0; i < k; ++i) ASSERT_EQ(expected_ids[i], found_ids[i]) << n << " " << k;
        EXPECT_TRUE(found.guards_whole() && found_ids.guards_whole());
      }
    }
  }
}

// The tiers' exp shows through swiglu: gate / (1 + exp(-1.702 gate)) with up = 0, over all signs
// and magnitudes of gate.
TEST_P(Rows, ExpOverItsWholeRange) {
  constexpr size_t kCount = 1 << 16;
  Guarded<float> x(2 * kCount), expected(kCount), found(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    x[2 * i] = from_bits(static_cast<uint32_t>(i) << 16 | 0x4321);
    x[2 * i + 1] = 0;
  }
  portable().swiglu(x.data(), kCount, INFINITY, expected.data());
  tier().swiglu(x.data(), kCount, INFINITY, found.data());
  EXPECT_TRUE(same_bits(floats(expected), floats(found)));
}

TEST(PortableExp, IsWithinTwoUnitsOfLibm) {
  double worst = 0;
  for (int i = -870000; i <= 880000; ++i) {
    const float x = static_cast<float>(i) * 1e-4f;
    const double exact = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::abs(portable::exp(x) - exact) / exact);
  }
  EXPECT_LT(worst, 2 * 0x1p-24);
  EXPECT_EQ(portable::exp(0), 1);
  EXPECT_EQ(portable::exp(-87.1f), 0);
  EXPECT_EQ(portable::exp(-INFINITY), 0);
  EXPECT_EQ(portable::exp(INFINITY), portable::exp(88));
  EXPECT_TRUE(std::isnan(portable::exp(NAN)));
}

}  // namespace
}  // namespace vitalis::kernels
