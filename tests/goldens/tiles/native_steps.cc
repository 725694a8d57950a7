// SPDX-License-Identifier: Apache-2.0
#include "goldens/tiles/native_steps.h"

#include "kernels/tile_steps-inl.h"
#include "kernels/x86/tiles-inl.h"

namespace vitalis::goldens {

void native_steps(size_t rows, size_t blocks, const uint16_t* left, const uint16_t* right,
                  float* sums) {
  kernels::tile_steps<kernels::NativeTiles>(rows, blocks, left, right, sums);
}

}  // namespace vitalis::goldens
