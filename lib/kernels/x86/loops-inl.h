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

// Fetches the step-th of `steps` parts of some bytes, or `count` parts from there, into the second
// cache: into the first it would displace activations, and costs a third of the speed on Zen 4.
VITALIS_INLINE void fetch_part(const void* from, size_t bytes, size_t step, size_t steps,
                               size_t count) {
  const size_t part = bytes / steps + 1;
  const char* at = static_cast<const char*>(from) + step * part;
  for (size_t i = 0; i < part * count; i += 64) _mm_prefetch(at + i, _MM_HINT_T1);
}

}  // namespace
}  // namespace vitalis::kernels
