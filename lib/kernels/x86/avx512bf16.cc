// SPDX-License-Identifier: Apache-2.0
// The avx512bf16 tier: avx512, and products of pairs of bf16. One external symbol, the table;
// closed (see kernels/table.h).
#include "kernels/x86/avx512bf16.h"

#include "kernels/x86/attention_bf16-inl.h"
#include "kernels/x86/products_bf16-inl.h"
#include "kernels/x86/rows-inl.h"

namespace vitalis::kernels::avx512bf16 {

constinit const Table table = {
    .name = "avx512bf16",
    .packed_bytes = packed_bytes_bf16,
    .pack = pack_bf16,
    .matmul = matmul_bf16,
    .rms_norm = rms_norm,
    .rope = rope,
    .rope_pairs = rope_pairs,
    .swiglu = swiglu,
    .swiglu_apart = swiglu_apart,
    .widen = widen,
    .add_shares = add_shares,
    .top_k = top_k,
    .store_kv = store_kv,
    .attend = attend_bf16,
    .merge = merge,
    .finish = finish,
};

}  // namespace vitalis::kernels::avx512bf16
