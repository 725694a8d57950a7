// SPDX-License-Identifier: Apache-2.0
// tile_steps on AMX itself. Only for a process that was granted tiles.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace vitalis::goldens {

void native_steps(size_t rows, size_t blocks, const uint16_t* left, const uint16_t* right,
                  float* sums);

}  // namespace vitalis::goldens
