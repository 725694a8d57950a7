// SPDX-License-Identifier: Apache-2.0
// Which kernels for pieces this CPU runs.
#pragma once

#include <vector>

#include "tokenizer/piece_kernels.h"

namespace vitalis::tokenizer {

// The fastest here.
const PieceKernels& piece_kernels();
// All that run here, the plain ones first.
std::vector<const PieceKernels*> all_piece_kernels();

}  // namespace vitalis::tokenizer
