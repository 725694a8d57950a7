// SPDX-License-Identifier: Apache-2.0
// A chain of steps on one tile of sums, for tests, on whichever tiles. Closed (see
// kernels/table.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace vitalis::kernels {
namespace {

// sums [rows][16] += left [blocks][rows][32] times right [blocks][16][16][2].
template <class Tiles>
void tile_steps(size_t rows, size_t blocks, const uint16_t* left, const uint16_t* right,
                float* sums) {
  Tiles tiles(rows);
  tiles.template load<3>(sums, 64);
  for (size_t b = 0; b < blocks; ++b) {
    tiles.template load<5>(left + b * rows * 32, 64);
    tiles.template load<7>(right + b * 512, 64);
    tiles.template multiply<3, 5, 7>();
  }
  tiles.template store<3>(sums, 64);
}

}  // namespace
}  // namespace vitalis::kernels
