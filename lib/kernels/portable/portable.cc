// SPDX-License-Identifier: Apache-2.0
#include "kernels/portable/portable.h"

#include "kernels/portable/attention.h"
#include "kernels/portable/products.h"
#include "kernels/portable/rows.h"

namespace vitalis::kernels::portable {

constinit const Table table = {
    .name = "portable",
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

}  // namespace vitalis::kernels::portable
