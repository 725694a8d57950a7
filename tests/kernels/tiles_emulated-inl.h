// SPDX-License-Identifier: Apache-2.0
// The words of kernels/x86/tiles-inl.h over plain memory, with the bits of AMX: products by fused
// multiply-adds, rounded to nearest even, denormals flushed whatever the thread's settings are, no
// exceptions. Needs AVX-512. Closed (see kernels/table.h).
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

namespace vitalis::kernels {
namespace {

class EmulatedTiles {
 public:
  explicit EmulatedTiles(size_t rows = 16) : left_rows_(rows) {}
  EmulatedTiles(const EmulatedTiles&) = delete;
  EmulatedTiles& operator=(const EmulatedTiles&) = delete;

  template <int kTile>
  void zero() {
    __builtin_memset(tile_[kTile], 0, sizeof tile_[kTile]);
  }
  template <int kTile>
  void load(const void* from, size_t stride) {
    for (size_t row = 0; row < rows_of(kTile); ++row) {
      __builtin_memcpy(tile_[kTile][row], static_cast<const char*>(from) + row * stride, 64);
    }
  }
  template <int kTile>
  void store(void* to, size_t stride) const {
    for (size_t row = 0; row < rows_of(kTile); ++row) {
      __builtin_memcpy(static_cast<char*>(to) + row * stride, tile_[kTile][row], 64);
    }
  }
  template <int kSums, int kLeft, int kRight>
  void multiply() {
    constexpr unsigned kNearestFlushedMasked = 0x9FC0;
    const unsigned before = _mm_getcsr();
    _mm_setcsr(kNearestFlushedMasked);
    add_products(tile_[kSums], tile_[kLeft], tile_[kRight], left_rows_);
    _mm_setcsr(before);
  }

 private:
  using Tile = uint32_t[16][16];

  size_t rows_of(int tile) const { return tile < 6 ? left_rows_ : 16; }

  // Not inlined, and opaque: the settings hold for all of it.
  __attribute__((noinline)) static void add_products(Tile& sums, const Tile& left,
                                                     const Tile& right, size_t rows) {
    asm volatile("" : : : "memory");
    const __m512i upper = _mm512_set1_epi32(-0x10000);
    for (size_t m = 0; m < rows; ++m) {
      __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
      for (size_t pair = 0; pair < 16; ++pair) {
        const __m512i a = _mm512_set1_epi32(static_cast<int>(left[m][pair]));
        const __m512i b = _mm512_load_si512(right[pair]);
        even = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(a, 16)),
                               _mm512_castsi512_ps(_mm512_slli_epi32(b, 16)), even);
        odd = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(a, upper)),
                              _mm512_castsi512_ps(_mm512_and_si512(b, upper)), odd);
      }
      const __m512 sum = _mm512_load_ps(sums[m]);
      _mm512_store_ps(sums[m], _mm512_add_ps(sum, _mm512_add_ps(even, odd)));
    }
    asm volatile("" : : : "memory");
  }

  size_t left_rows_;
  alignas(64) Tile tile_[8] = {};
};

}  // namespace
}  // namespace vitalis::kernels
