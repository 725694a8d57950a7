// SPDX-License-Identifier: Apache-2.0
// Asks for a loop of constant length to become straight code, so that an array of vectors lives in
// registers. Closed (see kernels/table.h).
#pragma once

#if defined(__clang__)
#define VITALIS_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VITALIS_UNROLL _Pragma("GCC unroll 32")
#endif
#define VITALIS_INLINE inline __attribute__((always_inline))
