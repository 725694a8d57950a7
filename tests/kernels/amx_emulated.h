// SPDX-License-Identifier: Apache-2.0
// The amx tier's own code on tiles that are plain memory, for tests on any CPU with AVX-512.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::amx_emulated {

extern const Table table;

// tile_steps (tile_steps-inl.h) on emulated tiles.
void steps(size_t rows, size_t blocks, const uint16_t* left, const uint16_t* right, float* sums);

}  // namespace vitalis::kernels::amx_emulated
