// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tokenizer/piece_kernels.h"

namespace vitalis::tokenizer::avx512 {

extern const PieceKernels table;

}  // namespace vitalis::tokenizer::avx512
