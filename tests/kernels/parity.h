// SPDX-License-Identifier: Apache-2.0
// What the parity tests share: every tier this machine runs is held to the portable table, bit for
// bit, with denormals kept and flushed, on memory that is not aligned and is guarded on both sides.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <span>
#include <string>
#include <vector>

#include "kernels/math-inl.h"
#include "kernels/portable/portable.h"
#include "kernels/tables.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vitalis::kernels {

// Sets flush-to-zero and denormals-are-zero while it lives.
class Denormals {
 public:
  explicit Denormals(bool flush) {
#if defined(__x86_64__)
    _mm_setcsr(flush ? before_ | 0x8040 : before_ & ~0x8040u);
#else
    (void)flush;
#endif
  }
  ~Denormals() {
#if defined(__x86_64__)
    _mm_setcsr(before_);
#endif
  }
  Denormals(const Denormals&) = delete;
  Denormals& operator=(const Denormals&) = delete;

 private:
#if defined(__x86_64__)
  unsigned before_ = _mm_getcsr();
#endif
};

// n elements at an address that is aligned for T and nothing more, between guards of a known byte.
template <class T>
class Guarded {
 public:
  explicit Guarded(size_t n, T fill = {}) : all_(n + 2 * kGuard), size_(n) {
    std::memset(all_.data(), kByte, all_.size() * sizeof(T));
    std::fill(begin(), end(), fill);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return all_.data() + kGuard; }
  const T* data() const { return all_.data() + kGuard; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  size_t size() const { return size_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

  bool guards_whole() const {
    const auto whole = [](const T* from) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(from);
      return std::all_of(bytes, bytes + kGuard * sizeof(T), [](uint8_t b) { return b == kByte; });
    };
    return whole(all_.data()) && whole(end());
  }

 private:
  static constexpr size_t kGuard = 65;  // odd, so that the first element is no vector's
  static constexpr uint8_t kByte = 0xA5;
  std::vector<T> all_;
  size_t size_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  size_t below(size_t n) { return bits() % n; }
  // In [-1, 1), now and then a zero of either sign.
  float unit() {
    const uint64_t b = bits();
    if (b % 64 == 0) return b & 64 ? 0.f : -0.f;
    return static_cast<float>(static_cast<int64_t>(b) >> 40) * 0x1p-23f;
  }
  uint16_t bf16() { return f32_to_bf16(unit()); }

 private:
  uint64_t state_;
};

// The same bits; any NaN is any other.
inline ::testing::AssertionResult same_bits(std::span<const float> expected,
                                            std::span<const float> found) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(found[i])) continue;
    if (to_bits(expected[i]) == to_bits(found[i])) continue;
    return ::testing::AssertionFailure()
           << "element " << i << " of " << expected.size() << ": portable " << expected[i] << " ("
           << std::hex << to_bits(expected[i]) << "), found " << found[i] << " ("
           << to_bits(found[i]) << ")";
  }
  return ::testing::AssertionSuccess();
}

template <class T>
std::span<const float> floats(const Guarded<T>& x) {
  return {x.data(), x.size()};
}

// A test on (tier, denormals flushed).
class Parity : public ::testing::TestWithParam<std::tuple<const Table*, bool>> {
 protected:
  const Table& tier() const { return *std::get<0>(GetParam()); }
  const Table& portable() const { return portable::table; }
  bool flushed() const { return std::get<1>(GetParam()); }

 private:
  Denormals denormals_{flushed()};
};

inline std::string parity_name(const ::testing::TestParamInfo<Parity::ParamType>& info) {
  return std::string(std::get<0>(info.param)->name) +
         (std::get<1>(info.param) ? "_flushed" : "_denormals");
}

inline auto all_tiers() {
  return ::testing::Combine(::testing::ValuesIn(tested_tables()), ::testing::Bool());
}

}  // namespace vitalis::kernels
