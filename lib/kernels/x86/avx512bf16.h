// SPDX-License-Identifier: Apache-2.0
// The table for CPUs with AVX-512 F, BW, VL and DQ. Only kernels/dispatch.cc names it.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::avx512bf16 {

extern const Table table;

}  // namespace vitalis::kernels::avx512bf16
