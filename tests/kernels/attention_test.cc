// SPDX-License-Identifier: Apache-2.0
// The KV cache and attention of every tier against portable.
#include "kernels/parity.h"

namespace vitalis::kernels {
namespace {

using Attention = Parity;
INSTANTIATE_TEST_SUITE_P(Tiers, Attention, all_tiers(), parity_name);

struct State {
  State(size_t heads, size_t head_dim) : max(heads), sum(heads), out(heads * head_dim) {}
  AttentionState view() { return {max.data(), sum.data(), out.data()}; }
  bool guards_whole() const {
    return max.guards_whole() && sum.guards_whole() && out.guards_whole();
  }
  Guarded<float> max, sum, out;
};

void fill(State& state, Random& random, bool empty) {
  for (float& x : state.max) x = empty ? -INFINITY : random.unit() * 4;
  for (float& x : state.sum) x = empty ? 0 : 1 + random.unit();
  for (float& x : state.out) x = empty ? 0 : random.unit();
}

::testing::AssertionResult same_state(const State& expected, const State& found) {
  // The sign of a zero maximum is not part of the contract, and changes nothing that follows.
  for (size_t h = 0; h < expected.max.size(); ++h) {
    const bool both_nan = std::isnan(expected.max[h]) && std::isnan(found.max[h]);
    if (!both_nan && expected.max[h] != found.max[h]) {
      return ::testing::AssertionFailure() << "max of head " << h << ": portable "
                                           << expected.max[h] << ", found " << found.max[h];
    }
  }
  if (auto same = same_bits(floats(expected.sum), floats(found.sum)); !same) return same << " sum";
  return same_bits(floats(expected.out), floats(found.out));
}

// A cache of positions [0, positions), the last `capacity` of which it keeps, filled by `table`.
struct Cache {
  Cache(size_t capacity, size_t head_dim, KvType type)
      : k(capacity * head_dim / (type == KvType::kBf16 ? 2 : 1)),
        v(k.size()),
        capacity_(capacity),
        type_(type) {}
  KvHead view() { return {k.data(), v.data(), capacity_, type_}; }
  void fill(const Table& table, size_t positions, size_t head_dim, uint64_t seed, float size) {
    Random random(seed);
    Guarded<float> key(head_dim), value(head_dim);
    for (size_t p = 0; p < positions; ++p) {
      for (float& x : key) x = random.unit() * size;
      for (float& x : value) x = random.unit();
      table.store_kv(key.data(), value.data(), head_dim, p % capacity_, view());
    }
  }
  Guarded<float> k, v;  // or pairs of bf16

 private:
  size_t capacity_;
  KvType type_;
};

TEST_P(Attention, StoreKv) {
  for (const KvType type : {KvType::kBf16, KvType::kF32}) {
    for (const size_t head_dim : {32, 64, 96, 128}) {
      Cache expected(96, head_dim, type), found(96, head_dim, type);
      expected.fill(portable(), 130, head_dim, 1, 3);
      found.fill(tier(), 130, head_dim, 1, 3);
      EXPECT_TRUE(same_bits(floats(expected.k), floats(found.k)));
      EXPECT_TRUE(same_bits(floats(expected.v), floats(found.v)));
      EXPECT_TRUE(found.k.guards_whole() && found.v.guards_whole());
    }
  }
}

struct Case {
  size_t heads, head_dim, capacity, begin, end;
  KvType type;
  float size = 1;
  bool empty = false;
};

void expect_parity(const Table& tier, const Table& portable, const Case& c, uint64_t seed) {
  Random random(seed);
  Cache cache(c.capacity, c.head_dim, c.type);
  cache.fill(portable, c.end, c.head_dim, seed, c.size);
  Guarded<float> q(c.heads * c.head_dim);
  for (float& x : q) x = c.type == KvType::kBf16 ? round_to_bf16(random.unit()) : random.unit();
  State expected(c.heads, c.head_dim), found(c.heads, c.head_dim);
  fill(expected, random, c.empty);
  std::copy(expected.max.begin(), expected.max.end(), found.max.begin());
  std::copy(expected.sum.begin(), expected.sum.end(), found.sum.begin());
  std::copy(expected.out.begin(), expected.out.end(), found.out.begin());
  portable.attend(q.data(), c.heads, c.head_dim, cache.view(), c.begin, c.end, 0.125f,
                  expected.view());
  tier.attend(q.data(), c.heads, c.head_dim, cache.view(), c.begin, c.end, 0.125f, found.view());
  ASSERT_TRUE(same_state(expected, found)) << "heads " << c.heads << " head_dim " << c.head_dim
                                           << " [" << c.begin << ", " << c.end << ")";
  EXPECT_TRUE(found.guards_whole());
}

TEST_P(Attention, EveryRange) {
  uint64_t seed = 0;
  for (const KvType type : {KvType::kBf16, KvType::kF32}) {
    for (size_t end = 1; end <= 100; end += end < 40 ? 1 : 7) {
      for (size_t begin = 0; begin < end; begin += begin < 20 ? 3 : 11) {
        expect_parity(tier(), portable(), {8, 64, 128, begin, end, type}, ++seed);
      }
    }
    expect_parity(tier(), portable(), {8, 64, 1024, 0, 512, type}, ++seed);
    expect_parity(tier(), portable(), {8, 64, 1024, 513, 1000, type}, ++seed);
    expect_parity(tier(), portable(), {8, 64, 1024, 1023, 1024, type}, ++seed);
  }
}

TEST_P(Attention, EveryNumberOfHeads) {
  for (size_t heads = 1; heads <= kHeadsPerAttend; ++heads) {
    for (const size_t head_dim : {32, 64, 96, 128}) {
      expect_parity(tier(), portable(), {heads, head_dim, 64, 5, 61, KvType::kBf16}, heads);
      expect_parity(tier(), portable(), {heads, head_dim, 64, 5, 61, KvType::kF32}, heads);
    }
  }
}

// The window of a sliding layer crosses the ring's end.
TEST_P(Attention, RingWraps) {
  for (const size_t end : {97, 128, 129, 160, 161, 200, 255}) {
    expect_parity(tier(), portable(), {8, 64, 96, end - 90, end, KvType::kBf16}, end);
    expect_parity(tier(), portable(), {8, 64, 96, end - 33, end, KvType::kF32}, end);
  }
}

TEST_P(Attention, LargeScoresAndEmptyStates) {
  for (const float size : {0.f, 10.f, 1000.f, 1e30f}) {
    for (const bool empty : {false, true}) {
      expect_parity(tier(), portable(), {8, 64, 512, 3, 400, KvType::kBf16, size, empty}, 7);
      expect_parity(tier(), portable(), {3, 64, 512, 3, 400, KvType::kF32, size, empty}, 8);
    }
  }
}

// A key with a NaN: ignored by the maximum, seen by the sum.
TEST_P(Attention, NaN) {
  for (const KvType type : {KvType::kBf16, KvType::kF32}) {
    Cache cache(64, 64, type);
    cache.fill(portable(), 50, 64, 1, 1);
    std::vector<float> key(64, NAN), value(64, 1.f), q(2 * 64, 0.5f);
    portable().store_kv(key.data(), value.data(), 64, 20, cache.view());
    State expected(2, 64), found(2, 64);
    Random random(1);
    fill(expected, random, true);
    fill(found, random, true);
    portable().attend(q.data(), 2, 64, cache.view(), 0, 50, 0.125f, expected.view());
    tier().attend(q.data(), 2, 64, cache.view(), 0, 50, 0.125f, found.view());
    EXPECT_TRUE(same_state(expected, found));
    EXPECT_TRUE(std::isnan(found.sum[0]));
  }
}

TEST_P(Attention, MergeAndFinish) {
  Random random(3);
  for (const size_t heads : {1, 3, 8}) {
    for (const size_t head_dim : {32, 64, 96}) {
      for (const bool empty : {false, true}) {
        State expected(heads, head_dim), found(heads, head_dim), from(heads, head_dim);
        Random twin = random;
        fill(expected, random, empty);
        fill(found, twin, empty);
        fill(from, random, false);
        portable().merge(expected.view(), from.view(), heads, head_dim);
        tier().merge(found.view(), from.view(), heads, head_dim);
        ASSERT_TRUE(same_state(expected, found));
        EXPECT_TRUE(found.guards_whole());
        Guarded<float> whole(heads * head_dim), whole_found(heads * head_dim);
        portable().finish(expected.view(), heads, head_dim, whole.data());
        tier().finish(found.view(), heads, head_dim, whole_found.data());
        ASSERT_TRUE(same_bits(floats(whole), floats(whole_found)));
        EXPECT_TRUE(whole_found.guards_whole());
      }
    }
  }
}

}  // namespace
}  // namespace vitalis::kernels
