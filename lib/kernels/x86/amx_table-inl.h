// SPDX-License-Identifier: Apache-2.0
// The amx tier over any tiles: avx512, and products and attention on tiles. Closed (see
// kernels/table.h).
#pragma once

#include "kernels/x86/attention_tiles-inl.h"
#include "kernels/x86/products_tiles-inl.h"
#include "kernels/x86/rows-inl.h"

namespace vitalis::kernels {
namespace {

template <class Tiles>
constexpr Table amx_table(const char* name) {
  return {
      .name = name,
      .packed_bytes = packed_bytes_tiles,
      .pack = pack_tiles,
      .matmul = matmul_tiles<Tiles>,
      .rms_norm = rms_norm,
      .rope = rope,
      .rope_pairs = rope_pairs,
      .swiglu = swiglu,
      .swiglu_apart = swiglu_apart,
      .widen = widen,
      .add_shares = add_shares,
      .top_k = top_k,
      .store_kv = store_kv,
      .attend = attend_tiles<Tiles>,
      .merge = merge,
      .finish = finish,
  };
}

}  // namespace
}  // namespace vitalis::kernels
