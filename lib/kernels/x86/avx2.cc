// SPDX-License-Identifier: Apache-2.0
// The avx2 tier: AVX2, FMA, F16C. One external symbol, the table; closed (see kernels/table.h).
#include "kernels/x86/avx2.h"

#include "kernels/x86/attention-inl.h"
#include "kernels/x86/products-inl.h"
#include "kernels/x86/rows-inl.h"

namespace vitalis::kernels::avx2 {

constinit const Table table = {
    .name = "avx2",
    .packed_bytes = packed_bytes,
    .pack = pack,
    .matmul = matmul,
    .rms_norm = rms_norm,
    .rope = rope,
    .rope_pairs = rope_pairs,
    .swiglu = swiglu,
    .swiglu_apart = swiglu_apart,
    .widen = widen,
    .add_shares = add_shares,
    .top_k = top_k,
    .store_kv = store_kv,
    .attend = attend,
    .merge = merge,
    .finish = finish,
};

}  // namespace vitalis::kernels::avx2
