// SPDX-License-Identifier: Apache-2.0
// The vocabulary and the weights of the tier whose flags this file is compiled with. Closed (see
// kernels/table.h).
#pragma once

#if defined(__AVX512BW__)
#include "kernels/x86/vec_avx512-inl.h"
#include "kernels/x86/weights_avx512-inl.h"
#else
#include "kernels/x86/vec_avx2-inl.h"
#include "kernels/x86/weights_avx2-inl.h"
#endif
