// SPDX-License-Identifier: Apache-2.0
// Entries of the portable table, by subject; meanings are in kernels/table.h.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::portable {

size_t packed_bytes(size_t rows, size_t k);
void pack(const float* source, size_t stride, const uint32_t* index, size_t rows, size_t k,
          Round round, void* packed);
void matmul(const void* x, size_t rows, size_t k, const Matrix& w, size_t begin, size_t end,
            const Vector& bias, float* out, size_t out_stride);

}  // namespace vitalis::kernels::portable
