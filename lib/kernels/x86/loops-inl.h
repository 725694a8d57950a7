// SPDX-License-Identifier: Apache-2.0
// What loops over vectors need of the compiler and of the caches. Closed (see kernels/table.h).
#pragma once

#include <immintrin.h>
#include <stddef.h>

// A loop of constant length becomes straight code, so that an array of vectors lives in registers.
#if defined(__clang__)
#define VITALIS_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VITALIS_UNROLL _Pragma("GCC unroll 32")
#endif
#define VITALIS_INLINE inline __attribute__((always_inline))

namespace vitalis::kernels {
namespace {

// Fetches some bytes into the second cache: into the first they would displace activations, which
// costs a third of the speed on Zen 4.
template <size_t kBytes>
VITALIS_INLINE void fetch(const void* from) {
  VITALIS_UNROLL
  for (size_t i = 0; i < kBytes; i += 64) {
    _mm_prefetch(static_cast<const char*>(from) + i, _MM_HINT_T1);
  }
}

}  // namespace
}  // namespace vitalis::kernels
