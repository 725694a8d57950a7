// SPDX-License-Identifier: Apache-2.0
#include "limits.h"

#include <immintrin.h>

#include "kernels/x86/tiles-inl.h"

namespace vitalis::bench {
namespace {

__attribute__((target("avx512f"))) uint64_t read_avx512(const uint8_t* p, size_t n) {
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
  for (size_t i = 0; i + 256 <= n; i += 256) {
    a = _mm512_xor_si512(a, _mm512_loadu_si512(p + i));
    b = _mm512_xor_si512(b, _mm512_loadu_si512(p + i + 64));
    c = _mm512_xor_si512(c, _mm512_loadu_si512(p + i + 128));
    d = _mm512_xor_si512(d, _mm512_loadu_si512(p + i + 192));
  }
  const __m512i all = _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
  uint64_t words[8];
  _mm512_storeu_si512(words, all);
  return words[0] ^ words[3] ^ words[7];
}

__attribute__((target("avx2"))) uint64_t read_avx2(const uint8_t* p, size_t n) {
  __m256i a = _mm256_setzero_si256(), b = a;
  for (size_t i = 0; i + 64 <= n; i += 64) {
    a = _mm256_xor_si256(a, _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p + i)));
    b = _mm256_xor_si256(b, _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p + i + 32)));
  }
  uint64_t words[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(words), _mm256_xor_si256(a, b));
  return words[0] ^ words[1] ^ words[2] ^ words[3];
}

__attribute__((target("avx512f"))) float fma_avx512(size_t rounds) {
  __m512 sum[12];
  for (auto& s : sum) s = _mm512_set1_ps(1.f);
  __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(0.25f);
  for (size_t i = 0; i < rounds; ++i) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm512_fmadd_ps(s, a, b);
  }
  __m512 all = sum[0];
  for (auto& s : sum) all = _mm512_add_ps(all, s);
  return _mm512_cvtss_f32(all);
}

// Products of pairs of bf16, twice the operations of the same number of multiply-adds.
__attribute__((target("avx512f,avx512bf16"))) float dot_pairs(size_t rounds) {
  __m512 sum[12];
  for (auto& s : sum) s = _mm512_set1_ps(1.f);
  __m512i a = _mm512_set1_epi32(0x3F003E80), b = a;
  for (size_t i = 0; i < rounds; ++i) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm512_dpbf16_ps(s, (__m512bh)a, (__m512bh)b);
  }
  __m512 all = sum[0];
  for (auto& s : sum) all = _mm512_add_ps(all, s);
  return _mm512_cvtss_f32(all);
}

__attribute__((target("avx2,fma"))) float fma_avx2(size_t rounds) {
  __m256 sum[12];
  for (auto& s : sum) s = _mm256_set1_ps(1.f);
  __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(0.25f);
  for (size_t i = 0; i < rounds; ++i) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
    for (auto& s : sum) s = _mm256_fmadd_ps(s, a, b);
  }
  __m256 all = sum[0];
  for (auto& s : sum) all = _mm256_add_ps(all, s);
  return _mm256_cvtss_f32(all);
}

// Products of tiles that stay where they are, zeros, onto four tiles of sums.
void multiply_tiles(size_t rounds) {
  kernels::NativeTiles tiles;
  for (size_t i = 0; i < rounds; ++i) {
    tiles.multiply<0, 4, 6>();
    tiles.multiply<1, 5, 6>();
    tiles.multiply<2, 4, 7>();
    tiles.multiply<3, 5, 7>();
  }
}

bool wide(std::string_view tier) {
  return tier.starts_with("avx512") || tier == "amx";
}

}  // namespace

uint64_t read_all(std::span<const uint8_t> bytes, std::string_view tier) {
  return wide(tier) ? read_avx512(bytes.data(), bytes.size())
                    : read_avx2(bytes.data(), bytes.size());
}

double multiply_add(std::string_view tier, size_t rounds) {
  if (tier == "amx") {
    multiply_tiles(rounds);
    return static_cast<double>(rounds) * 4 * 2 * (16 * 16 * 32);
  }
  if (tier == "avx512bf16") {
    volatile float sink = dot_pairs(rounds);
    (void)sink;
    return static_cast<double>(rounds) * 12 * 4 * 16;
  }
  volatile float sink = wide(tier) ? fma_avx512(rounds) : fma_avx2(rounds);
  (void)sink;
  return static_cast<double>(rounds) * 12 * 2 * (wide(tier) ? 16 : 8);
}

}  // namespace vitalis::bench
