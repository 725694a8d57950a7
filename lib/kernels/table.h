// SPDX-License-Identifier: Apache-2.0
// The contract between the engine and the arithmetic: one struct of function pointers.
//
// portable/ gives every entry its meaning; a tier (x86/avx2.cc, x86/avx512.cc) copies the table
// below it and overrides entries. All tiers give the same bits, because every sum has one order:
//
//   Products ("tile order", what one AMX TDPBF16PS step does). k is cut into blocks of 32. In a
//   block the 16 even-numbered terms form one chain of fused multiply-adds from +0, the 16 odd ones
//   another; the block's sum is even + odd; blocks are added to the accumulator, from +0, in order.
//   A bias is added last. MXFP4 codes may enter unscaled if the block's sum is multiplied by the
//   block's power of two: both give the same bits short of underflow and overflow. Q8_0 bytes enter
//   unscaled, and the block's sum is multiplied by the block's scale, rounded, then added.
//   Long sums of one row (norm, softmax) run in 32 or 16 lanes, lane l taking elements l, l +
//   lanes,
//   ...; then lanes are folded in halves: l += l + n/2, l += l + n/4, ...
//   exp is the polynomial of math-inl.h; square root and division are IEEE's.
//
// Callers run entries with denormals flushed to zero (engine/parallel.h sees to it), as AMX does.
//
// Rules for entries: noexcept, no allocation, no threads; each works on a range of rows or heads so
// that one indirect call pays for itself. Pointers need no alignment. Inputs and outputs do not
// overlap unless said. Sizes named k, hidden and head_dim are multiples of 32 and not zero.
//
// ISA files are closed: they include this header, the intrinsics, stdint/stddef and *-inl.h,
// nothing of std; everything is in an anonymous namespace but the one constant table
// (tests/kernels/closed.sh).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace vitalis::kernels {

inline constexpr size_t kBlock = 32;          // terms in one step of a product
inline constexpr size_t kKeyTile = 16;        // keys side by side in the K cache
inline constexpr size_t kSegment = 512;       // keys in one call of attend
inline constexpr size_t kHeadsPerAttend = 8;  // query heads in one call of attend, at most
inline constexpr size_t kMostHeadDim = 256;

enum class Round : uint8_t { kNone, kBf16 };
enum class KvType : uint8_t { kBf16, kF32 };

// How the numbers of a matrix are stored: row after row, each cut into blocks of 32.
enum class MatrixType : uint8_t {
  kBf16,
  kF32,
  kF16,
  kQ8_0,  // 34 bytes a block: an f16 scale, then 32 signed bytes
  // MXFP4: 16 bytes of E2M1 codes and an E8M0 scale s, 2^(s - 127); scale 0 counts as zero, 255,
  // which the standard calls NaN, gives infinities and NaN.
  kMxfp4,        // scales apart from codes; byte j holds elements 2j, in its low nibble, and 2j + 1
  kMxfp4Metal,   // the same, with scale bytes 14 greater; below 14 they count as zero
  kMxfp4Ollama,  // 17 bytes a block, the scale first; the same nibbles
  kMxfp4Ggml,    // 17 bytes a block, the scale first; byte j holds elements j and j + 16
};

struct Matrix {
  MatrixType type;
  const void* data;
  const uint8_t* scales;  // where they lie apart: [rows][k / 32]
};

enum class VectorType : uint8_t { kBf16, kF32 };

struct Vector {
  const void* data;  // null: there is none
  VectorType type;
};

// The cache of one KV head. Position p stands in slot p % capacity; capacity is a multiple of
// kBlock, so that a block of 32 keys never wraps. Elements are bf16 or float; layouts are those of
// AMX tiles:
//   k [capacity / 16][head_dim / 2][16 keys][2]        v [capacity / 2][head_dim][2 keys]
struct KvHead {
  void* k;
  void* v;
  size_t capacity;
  KvType type;
};

// Softmax in progress for some query heads: max and sum [heads], out [heads][head_dim], not yet
// divided.
struct AttentionState {
  float* max;
  float* sum;
  float* out;
};

struct Table {
  const char* name;

  // ---- products ----

  // Activations are packed once and read by every product with the same rows. The layout is the
  // tier's own; packed_bytes says how much room it takes, at most
  // 4 * (rows rounded up to 16) * (k rounded up to 512) + 64.
  size_t (*packed_bytes)(size_t rows, size_t k);
  // Row r comes from source + (index ? index[r] : r) * stride. Round::kBf16 rounds each value to
  // the nearest bf16, ties to even.
  void (*pack)(const float* source, size_t stride, const uint32_t* index, size_t rows, size_t k,
               Round round, void* packed);

  // out[r * out_stride + n - begin] = sum over k of x[r][k] * w[n][k], + bias[n], for rows n of w
  // in [begin, end). w [>= end][k], bias [>= end] or none; x packed [rows][k].
  void (*matmul)(const void* x, size_t rows, size_t k, const Matrix& w, size_t begin, size_t end,
                 const Vector& bias, float* out, size_t out_stride);

  // ---- rows ----

  // out = x / sqrt(mean(x^2) + eps) * weight; sums in 32 lanes of fused multiply-adds.
  void (*rms_norm)(const float* x, const Vector& weight, size_t hidden, float eps, float* out);
  // Rotary embedding in halves, in place: (a, b) = x[i], x[i + head_dim / 2] become
  // (a cos - b sin, b cos + a sin), each product and sum rounded. cos, sin [head_dim / 2].
  void (*rope)(float* x, size_t heads, size_t head_dim, const float* cos, const float* sin);
  // The same where a and b stand side by side, as x[2i], x[2i + 1]; what comes out stands in
  // halves, as rope's does. head_dim <= kMostHeadDim.
  void (*rope_pairs)(float* x, size_t heads, size_t head_dim, const float* cos, const float* sin);
  // out[i] = (up + 1) * (gate / (1 + exp(-1.702 gate))), gate = min(x[2i], limit), up = x[2i + 1]
  // clamped to [-limit, limit].
  void (*swiglu)(const float* x, size_t n, float limit, float* out);
  // The same with gate = min(gate[i], limit), up = up[i] clamped.
  void (*swiglu_apart)(const float* gate, const float* up, size_t n, float limit, float* out);
  // out = the n values of a row as floats; n is a multiple of 32. `type` is not one of MXFP4's.
  void (*widen)(MatrixType type, const void* row, size_t n, float* out);
  // x[i] += 0 + shares[0] * rows[0][i] + shares[1] * rows[1][i] ..., the right side a chain of
  // fused multiply-adds.
  void (*add_shares)(const float* const* rows, const float* shares, size_t count, size_t n,
                     float* x);
  // The k largest of n logits, best first, ties to the lower index, NaN below all; shares = softmax
  // over the k. 0 < k <= n.
  void (*top_k)(const float* logits, size_t n, size_t k, uint32_t* ids, float* shares);

  // ---- attention ----

  // Puts one position's key and value [head_dim] into slot `slot` of the cache, rounded to its
  // type.
  void (*store_kv)(const float* k, const float* v, size_t head_dim, size_t slot, const KvHead& kv);
  // Folds keys at positions [begin, end) into the state of `heads` <= kHeadsPerAttend query heads
  // that share the KV head. q [heads][head_dim], rotated; for KvType::kBf16 it holds bf16 values.
  // The range is not empty and lies within one segment of kSegment positions (begin / kSegment ==
  // (end - 1) / kSegment).
  //   score = (q . k) * scale; m = max of scores; p = exp(score - m), sum in 16 lanes by position %
  //   16; for kBf16 p is then rounded to bf16; o = sum over keys of p * v, blocks of 32 aligned
  //   positions, keys outside the range with p = 0; then the state is merged with (m, sum, o) as
  //   merge does.
  void (*attend)(const float* q, size_t heads, size_t head_dim, const KvHead& kv, size_t begin,
                 size_t end, float scale, const AttentionState& state);
  // into = into and from: m = max of both; a = exp(into.max - m), b = exp(from.max - m);
  // sum = from.sum * b + (into.sum * a), out likewise, the last two operations fused.
  void (*merge)(const AttentionState& into, const AttentionState& from, size_t heads,
                size_t head_dim);
  // out[h][d] = state.out[h][d] / state.sum[h].
  void (*finish)(const AttentionState& state, size_t heads, size_t head_dim, float* out);
};

}  // namespace vitalis::kernels
