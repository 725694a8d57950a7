// SPDX-License-Identifier: Apache-2.0
// The table for CPUs with AVX2, FMA and F16C. Only kernels/dispatch.cc names it.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::avx2 {

extern const Table table;

}  // namespace vitalis::kernels::avx2
