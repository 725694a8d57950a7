// SPDX-License-Identifier: Apache-2.0
// Entries of the portable table, by subject; meanings are in kernels/table.h.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::portable {

float exp(float x);

void rms_norm(const float* x, const Vector& weight, size_t hidden, float eps, float* out);
void rope(float* x, size_t heads, size_t head_dim, const float* cos, const float* sin);
void rope_pairs(float* x, size_t heads, size_t head_dim, const float* cos, const float* sin);
void swiglu(const float* x, size_t n, float limit, float* out);
void swiglu_apart(const float* gate, const float* up, size_t n, float limit, float* out);
void widen(MatrixType type, const void* row, size_t n, float* out);
void add_shares(const float* const* rows, const float* shares, size_t count, size_t n, float* x);
void top_k(const float* logits, size_t n, size_t k, uint32_t* ids, float* shares);

float element(const Vector& x, size_t i);
size_t element_bytes(MatrixType type);  // of one that is not stored in blocks

// Folds lanes in halves, as table.h states; `lanes` is a power of two.
float fold(float* lane, size_t lanes);

}  // namespace vitalis::kernels::portable
