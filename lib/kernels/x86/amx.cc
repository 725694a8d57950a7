// SPDX-License-Identifier: Apache-2.0
// The amx tier: avx512, and products and attention on tiles. One external symbol, the table; closed
// (see kernels/table.h).
#include "kernels/x86/amx.h"

#include "kernels/x86/attention_tiles-inl.h"
#include "kernels/x86/products_tiles-inl.h"
#include "kernels/x86/rows-inl.h"
#include "kernels/x86/tiles-inl.h"

namespace vitalis::kernels::amx {

constinit const Table table = {
    .name = "amx",
    .packed_bytes = packed_bytes_tiles,
    .pack = pack_tiles,
    .matmul = matmul_tiles<NativeTiles>,
    .rms_norm = rms_norm,
    .rope = rope,
    .rope_pairs = rope_pairs,
    .swiglu = swiglu,
    .swiglu_apart = swiglu_apart,
    .widen = widen,
    .add_shares = add_shares,
    .top_k = top_k,
    .store_kv = store_kv,
    .attend = attend_tiles<NativeTiles>,
    .merge = merge,
    .finish = finish,
};

}  // namespace vitalis::kernels::amx
