// SPDX-License-Identifier: Apache-2.0
// See amx_emulated.h. Closed, as kernels/x86/amx.cc is (see kernels/table.h).
#include "kernels/amx_emulated.h"

#include "kernels/tile_steps-inl.h"
#include "kernels/tiles_emulated-inl.h"
#include "kernels/x86/amx_table-inl.h"

namespace vitalis::kernels::amx_emulated {

constinit const Table table = amx_table<EmulatedTiles>("amx_emulated");

void steps(size_t rows, size_t blocks, const uint16_t* left, const uint16_t* right, float* sums) {
  tile_steps<EmulatedTiles>(rows, blocks, left, right, sums);
}

}  // namespace vitalis::kernels::amx_emulated
