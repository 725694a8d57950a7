// SPDX-License-Identifier: Apache-2.0
// See amx_emulated.h. Closed, as kernels/x86/amx.cc is (see kernels/table.h).
#include "kernels/amx_emulated.h"

#include "kernels/tile_steps-inl.h"
#include "kernels/tiles_emulated-inl.h"
#include "kernels/x86/attention_tiles-inl.h"
#include "kernels/x86/products_tiles-inl.h"
#include "kernels/x86/rows-inl.h"

namespace vitalis::kernels::amx_emulated {

constinit const Table table = {
    .name = "amx_emulated",
    .packed_bytes = packed_bytes_tiles,
    .pack = pack_tiles,
    .matmul = matmul_tiles<EmulatedTiles>,
    .rms_norm = rms_norm,
    .rope = rope,
    .rope_pairs = rope_pairs,
    .swiglu = swiglu,
    .swiglu_apart = swiglu_apart,
    .widen = widen,
    .add_shares = add_shares,
    .top_k = top_k,
    .store_kv = store_kv,
    .attend = attend_tiles<EmulatedTiles>,
    .merge = merge,
    .finish = finish,
};

void steps(size_t rows, size_t blocks, const uint16_t* left, const uint16_t* right, float* sums) {
  tile_steps<EmulatedTiles>(rows, blocks, left, right, sums);
}

}  // namespace vitalis::kernels::amx_emulated
