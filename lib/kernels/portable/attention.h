// SPDX-License-Identifier: Apache-2.0
// Entries of the portable table, by subject; meanings are in kernels/table.h.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::portable {

void store_kv(const float* k, const float* v, size_t head_dim, size_t slot, const KvHead& kv);
void attend(const float* q, size_t heads, size_t head_dim, const KvHead& kv, size_t begin,
            size_t end, float scale, const AttentionState& state);
void merge(const AttentionState& into, const AttentionState& from, size_t heads, size_t head_dim);
void finish(const AttentionState& state, size_t heads, size_t head_dim, float* out);

}  // namespace vitalis::kernels::portable
