// SPDX-License-Identifier: Apache-2.0
// Attention on tiles (tiles-inl.h) over a cache of bf16, which is laid out as their right factor:
// queries times keys, then the rounded weights times values. Rows are heads, so tiles are as high
// as there are heads. Softmax and all else is attention-inl.h's. Closed (see kernels/table.h).
#pragma once

#include "kernels/x86/attention-inl.h"
#include "kernels/x86/products_tiles-inl.h"

namespace vitalis::kernels {
namespace {

// score[h][key - first] = q[h] . key for the keys of [first, last), a multiple of 32 each.
template <class Tiles>
void score_blocks(Tiles& tiles, const uint16_t* q, size_t head_dim, const KvHead& kv, size_t first,
                  size_t last, float* score) {
  const size_t tile_bytes = head_dim * kKeyTile * sizeof(uint16_t);
  for (size_t at = first; at < last; at += kBlock) {
    const char* keys = static_cast<const char*>(kv.k) + at % kv.capacity / kKeyTile * tile_bytes;
    tiles.template zero<0>();
    tiles.template zero<1>();
    for (size_t d = 0; d < head_dim; d += kBlock, keys += kTileBytes) {
      tiles.template load<4>(q + d, head_dim * sizeof(uint16_t));
      tiles.template load<6>(keys, 64);
      tiles.template multiply<0, 4, 6>();
      tiles.template load<7>(keys + tile_bytes, 64);
      tiles.template multiply<1, 4, 7>();
    }
    tiles.template store<0>(score + at - first, kSegment * sizeof(float));
    tiles.template store<1>(score + at - first + kKeyTile, kSegment * sizeof(float));
  }
}

// o[h][kDims] = the sum over [first, last) of p[h] * v, for kParts * 16 dimensions from `from` on.
template <size_t kParts, class Tiles>
void weigh_blocks(Tiles& tiles, const uint16_t* p, size_t head_dim, const KvHead& kv, size_t first,
                  size_t last, size_t from, float* o) {
  const size_t pair_bytes = head_dim * 2 * sizeof(uint16_t);
  tiles.template zero<0>();
  tiles.template zero<1>();
  if (kParts == 4) tiles.template zero<2>();
  if (kParts == 4) tiles.template zero<3>();
  for (size_t at = first; at < last; at += kBlock) {
    const char* values =
        static_cast<const char*>(kv.v) + at % kv.capacity / 2 * pair_bytes + from * 4;
    tiles.template load<4>(p + at - first, kSegment * sizeof(uint16_t));
    tiles.template load<6>(values, pair_bytes);
    tiles.template multiply<0, 4, 6>();
    tiles.template load<7>(values + 64, pair_bytes);
    tiles.template multiply<1, 4, 7>();
    if (kParts != 4) continue;
    tiles.template load<6>(values + 128, pair_bytes);
    tiles.template multiply<2, 4, 6>();
    tiles.template load<7>(values + 192, pair_bytes);
    tiles.template multiply<3, 4, 7>();
  }
  tiles.template store<0>(o, kDims * sizeof(float));
  tiles.template store<1>(o + 16, kDims * sizeof(float));
  if (kParts == 4) tiles.template store<2>(o + 32, kDims * sizeof(float));
  if (kParts == 4) tiles.template store<3>(o + 48, kDims * sizeof(float));
}

template <class Tiles>
void attend_tiles(const float* q, size_t heads, size_t head_dim, const KvHead& kv, size_t begin,
                  size_t end, float scale, const AttentionState& state) {
  if (kv.type != KvType::kBf16) return attend(q, heads, head_dim, kv, begin, end, scale, state);
  const size_t first = begin / kBlock * kBlock;
  const size_t last = (end + kBlock - 1) / kBlock * kBlock;
  alignas(64) uint16_t narrow[kHeadsPerAttend * kSegment];  // queries, then weights
  alignas(64) float score[kHeadsPerAttend * kSegment];
  static_assert(kMostHeadDim <= kSegment);
  for (size_t i = 0; i < heads * head_dim; i += kBlock) {
    store(reinterpret_cast<float*>(narrow + i), to_bf16(q + i));
  }
  Tiles tiles(heads);
  score_blocks(tiles, narrow, head_dim, kv, first, last, score);
  float keep[kHeadsPerAttend], take[kHeadsPerAttend];
  for (size_t h = 0; h < heads; ++h) {
    float* p = score + h * kSegment;
    for (size_t i = 0; i < last - first; i += kLanes) store(p + i, mul(load(p + i), set1(scale)));
    const SegmentSum segment = softmax<uint16_t>(p, first, last, begin, end);
    fold_segment(segment, state.max[h], state.sum[h], keep[h], take[h]);
    for (size_t i = 0; i < last - first; i += kBlock) {
      store(reinterpret_cast<float*>(narrow + h * kSegment + i), to_bf16(p + i));
    }
  }
  for (size_t from = 0; from < head_dim; from += kDims) {
    const size_t dims = head_dim - from < kDims ? head_dim - from : kDims;
    float o[kHeadsPerAttend * kDims];
    if (dims == kDims) {
      weigh_blocks<4>(tiles, narrow, head_dim, kv, first, last, from, o);
    } else {
      weigh_blocks<2>(tiles, narrow, head_dim, kv, first, last, from, o);
    }
    for (size_t h = 0; h < heads; ++h) {
      fold_values(o + h * kDims, dims, keep[h], take[h], state.out + h * head_dim + from);
    }
  }
}

}  // namespace
}  // namespace vitalis::kernels
