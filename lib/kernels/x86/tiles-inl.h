// SPDX-License-Identifier: Apache-2.0
// The tile vocabulary over AMX. Eight tiles of 64 bytes a row: 0 to 3 hold sums [rows][16] of
// floats, 4 and 5 the left factor [rows][32] of bf16, 6 and 7 the right one [16][16][2] of bf16,
// pairs of terms side by side. An object owns the tiles of its thread while it lives: they are
// configured when it is made and released, all zero, when it goes.
// tests/kernels/tiles_emulated-inl.h has the same words over plain memory.
//
// Each word is one instruction, as text: GCC 12's intrinsics do not say which memory an instruction
// reads, so that stores before it are dropped or come too late, and they want literal numbers of
// tiles. Closed (see kernels/table.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace vitalis::kernels {
namespace {

class NativeTiles {
 public:
  explicit NativeTiles(size_t rows = 16) {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } shape;
    static_assert(sizeof shape == 64);
    for (size_t tile = 0; tile < 8; ++tile) {
      shape.row_bytes[tile] = 64;
      shape.rows[tile] = static_cast<uint8_t>(tile < 6 ? rows : 16);
    }
    asm volatile("ldtilecfg %0" : : "m"(shape));
  }
  ~NativeTiles() { asm volatile("tilerelease"); }
  NativeTiles(const NativeTiles&) = delete;
  NativeTiles& operator=(const NativeTiles&) = delete;

  template <int kTile>
  void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // Row after row of 64 bytes, `stride` bytes apart.
  template <int kTile>
  void load(const void* from, size_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  void store(void* to, size_t stride) const {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  // sums[m][n] += the sum over a block of 32 terms of left[m] and right[n], in the tile order of
  // table.h, with denormals flushed.
  template <int kSums, int kLeft, int kRight>
  void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kLeft), "i"(kRight));
  }
};

}  // namespace
}  // namespace vitalis::kernels
