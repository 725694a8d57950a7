// SPDX-License-Identifier: Apache-2.0
// The inputs behind the goldens of this folder, and what is computed of them: steps of tiles by
// themselves, and the amx tier's products and attention. Everything follows from an integer
// generator, so that any machine makes the same inputs: splitmix64, that is
//   state += 0x9E3779B97F4A7C15; z = state; z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
//   z = (z ^ z >> 27) * 0x94D049BB133111EB; z ^ z >> 31
// seeded with the number of the case, in the order in which the cases stand below.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/table.h"

namespace vitalis::goldens {

class Integers {
 public:
  explicit Integers(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(next() % n); }
  // Any sign and fraction, an exponent in [low, high].
  uint16_t bf16(uint32_t low, uint32_t high) {
    const uint32_t exponent = low + below(high - low + 1);
    return static_cast<uint16_t>((next() & 0x807F) | exponent << 7);
  }
  float f32(uint32_t low, uint32_t high) {
    const uint32_t exponent = low + below(high - low + 1);
    return from_bits(static_cast<uint32_t>(next() & 0x807FFFFF) | exponent << 23);
  }
  static float from_bits(uint32_t bits) {
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
  }

 private:
  uint64_t state_;
};

// ---- steps ----

enum class Kind : uint32_t {
  kOrdinary,
  kCancelling,
  kHuge,
  kTiny,
  kDenormalInputs,
  kDenormalResults,
  kInfinities,
  kNaN,
  kSignedZeros,
  kAnyBits,
};
inline constexpr uint32_t kKinds = 10;
inline constexpr uint32_t kMostBlocks = 20;

struct Steps {
  size_t rows, blocks;
  std::vector<uint16_t> left;   // [blocks][rows][32]
  std::vector<uint16_t> right;  // [blocks][16][16][2]
  std::vector<float> sums;      // [rows][16], before
};

// `first`: of one factor, else of the other.
inline uint16_t element(Integers& random, Kind kind, bool first) {
  const bool rare = random.below(256) == 0;
  switch (kind) {
    case Kind::kOrdinary:
    case Kind::kCancelling:
      return random.bf16(120, 134);
    case Kind::kHuge:
      return random.bf16(170, 254);
    case Kind::kTiny:
      return random.bf16(1, 66);
    case Kind::kDenormalInputs:
      return first ? random.bf16(0, 0) : random.bf16(190, 250);
    case Kind::kDenormalResults:  // products about the smallest normal number, 2^-126
      return random.bf16(60, 67);
    case Kind::kInfinities:
      return rare ? static_cast<uint16_t>(0x7F80 | random.below(2) << 15) : random.bf16(120, 134);
    case Kind::kNaN:
      return rare ? random.bf16(255, 255) : random.bf16(120, 134);
    case Kind::kSignedZeros:
      return rare ? random.bf16(120, 134) : static_cast<uint16_t>(random.below(2) << 15);
    case Kind::kAnyBits:
      break;
  }
  return static_cast<uint16_t>(random.next());
}

inline float first_sum(Integers& random, Kind kind) {
  switch (kind) {
    case Kind::kHuge:
      return random.f32(240, 254);
    case Kind::kTiny:
    case Kind::kDenormalInputs:
    case Kind::kDenormalResults:
      return random.below(2) ? random.f32(0, 0) : random.f32(0, 6);
    case Kind::kSignedZeros:
      return Integers::from_bits(random.below(2) << 31);
    case Kind::kAnyBits:
      return Integers::from_bits(static_cast<uint32_t>(random.next()));
    default:
      return random.below(4) ? random.f32(110, 140) : 0.f;
  }
}

inline Steps make_steps(Kind kind, size_t blocks) {
  Integers random(static_cast<uint64_t>(kind) * 100 + blocks);
  Steps s{blocks % 5 == 4 ? 1 + random.below(15) : 16, blocks, {}, {}, {}};
  const bool left = blocks % 2 == 0;
  for (size_t i = 0; i < blocks * s.rows * 32; ++i) s.left.push_back(element(random, kind, left));
  for (size_t i = 0; i < blocks * 512; ++i) s.right.push_back(element(random, kind, !left));
  for (size_t i = 0; i < s.rows * 16; ++i) s.sums.push_back(first_sum(random, kind));
  if (kind != Kind::kCancelling) return s;
  // The second half of each chain takes back the first, but for a last bit now and then.
  for (size_t i = 0; i < s.left.size(); ++i) {
    if (i % 32 >= 16) s.left[i] = static_cast<uint16_t>(s.left[i - 16] ^ (random.below(8) == 0));
  }
  for (size_t i = 0; i < s.right.size(); ++i) {
    if (i % 512 >= 256) s.right[i] = static_cast<uint16_t>(s.right[i - 256] ^ 0x8000);
  }
  return s;
}

// The sums of all cases after `run`, one after another.
template <class Run>
std::vector<float> all_steps(const Run& run) {
  std::vector<float> all;
  for (uint32_t kind = 0; kind < kKinds; ++kind) {
    for (size_t blocks = 1; blocks <= kMostBlocks; ++blocks) {
      Steps s = make_steps(static_cast<Kind>(kind), blocks);
      run(s);
      all.insert(all.end(), s.sums.begin(), s.sums.end());
    }
  }
  return all;
}

// ---- products ----

struct Product {
  kernels::MatrixType type;
  size_t rows, k, begin, end;
};

// Rows and columns of every remainder, panels of every depth, the widths of the model.
inline std::vector<Product> all_shapes() {
  using enum kernels::MatrixType;
  std::vector<Product> shapes;
  for (const auto type : {kBf16, kMxfp4}) {
    for (const size_t rows : {5, 16, 17, 31, 33, 48, 70}) {
      for (const size_t k : {32, 288, 352, 576}) {
        shapes.push_back({type, rows, k, rows % 3, rows % 3 + 1 + (rows * 7 + k) % 45});
      }
    }
    shapes.push_back({type, 64, 2880, 0, 32});
    shapes.push_back({type, 16, 4096, 3, 40});
    shapes.push_back({type, 260, 64, 0, 20});
  }
  for (const auto type : {kMxfp4Metal, kMxfp4Ollama, kMxfp4Ggml}) {
    shapes.push_back({type, 20, 320, 1, 50});
    shapes.push_back({type, 37, 2880, 0, 16});
  }
  for (const size_t rows : {5, 16, 17, 33, 70}) shapes.push_back({kQ8_0, rows, 352, 1, 50});
  shapes.push_back({kQ8_0, 37, 2880, 0, 16});
  return shapes;
}

inline std::vector<float> product(const kernels::Table& table, const Product& p, uint64_t seed) {
  Integers random(seed);
  std::vector<float> x(p.rows * p.k);
  for (float& value : x) value = random.f32(118, 130);
  // Room for the widest; an MXFP4 block takes 17 bytes at most.
  const size_t blocks = p.end * p.k / kernels::kBlock;
  std::vector<uint16_t> w(blocks * kernels::kBlock);
  std::vector<uint8_t> scales(blocks);
  const bool dense = p.type == kernels::MatrixType::kBf16;
  for (uint16_t& value : w) {
    value = dense ? random.bf16(118, 130) : static_cast<uint16_t>(random.next());
  }
  for (uint8_t& scale : scales) scale = static_cast<uint8_t>(118 + random.below(20));
  const bool together =
      p.type == kernels::MatrixType::kMxfp4Ollama || p.type == kernels::MatrixType::kMxfp4Ggml;
  auto* bytes = reinterpret_cast<uint8_t*>(w.data());
  for (size_t block = 0; together && block < blocks; ++block) bytes[block * 17] = scales[block];
  for (size_t block = 0; p.type == kernels::MatrixType::kQ8_0 && block < blocks; ++block) {
    const auto scale = static_cast<uint16_t>(0x2000 + random.below(0x1000));  // 2^-7 to 2^-3
    std::memcpy(bytes + block * 34, &scale, sizeof scale);
  }
  std::vector<float> bias(p.end);
  for (float& value : bias) value = random.f32(118, 130);
  std::vector<char> packed(table.packed_bytes(p.rows, p.k));
  std::vector<float> out(p.rows * (p.end - p.begin));
  table.pack(x.data(), p.k, nullptr, p.rows, p.k, kernels::Round::kBf16, packed.data());
  table.matmul(packed.data(), p.rows, p.k, {p.type, w.data(), scales.data()}, p.begin, p.end,
               {bias.data(), kernels::VectorType::kF32}, out.data(), p.end - p.begin);
  return out;
}

inline std::vector<float> all_products(const kernels::Table& table) {
  std::vector<float> all;
  uint64_t seed = 10000;
  for (const Product& p : all_shapes()) {
    const std::vector<float> out = product(table, p, seed++);
    all.insert(all.end(), out.begin(), out.end());
  }
  return all;
}

// ---- attention ----

// The states after one call of attend, for all numbers of heads.
inline std::vector<float> all_attention(const kernels::Table& table) {
  constexpr size_t kCapacity = 512;
  std::vector<float> all;
  for (const size_t head_dim : {32, 64, 96}) {
    for (size_t heads = 1; heads <= kernels::kHeadsPerAttend; ++heads) {
      Integers random(20000 + head_dim * 10 + heads);
      std::vector<uint16_t> k(kCapacity * head_dim), v(k.size());
      const kernels::KvHead kv{k.data(), v.data(), kCapacity, kernels::KvType::kBf16};
      std::vector<float> key(head_dim), value(head_dim), q(heads * head_dim);
      for (size_t slot = 0; slot < kCapacity; ++slot) {
        for (float& x : key) x = random.f32(120, 127);
        for (float& x : value) x = random.f32(120, 127);
        table.store_kv(key.data(), value.data(), head_dim, slot, kv);
      }
      for (float& x : q) x = Integers::from_bits(random.bf16(120, 127) << 16);
      std::vector<float> max(heads, 0.5f), sum(heads, 1.f), out(heads * head_dim);
      const size_t begin = heads * 5, end = begin + 3 + random.below(400);
      table.attend(q.data(), heads, head_dim, kv, begin, end, 0.125f,
                   {max.data(), sum.data(), out.data()});
      for (const auto* part : {&max, &sum, &out}) all.insert(all.end(), part->begin(), part->end());
    }
  }
  return all;
}

}  // namespace vitalis::goldens
