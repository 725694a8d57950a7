// SPDX-License-Identifier: Apache-2.0
// The avx512 tier: F, BW, VL, DQ. Here is how its weights are decoded; loops over them are in the
// *-inl.h files. One external symbol, the table; closed (see kernels/table.h).
#include "kernels/x86/avx512.h"

#include <immintrin.h>

#include "kernels/x86/vec_avx512-inl.h"
// After the vocabulary.
#include "kernels/x86/attention-inl.h"
#include "kernels/x86/rows-inl.h"

namespace vitalis::kernels {
namespace {

// From this many rows on lanes are rows and not blocks.
inline constexpr size_t kManyRows = 16;

// Where block b of a group of 16 stands: transposing the dwords of 4 registers of 4 blocks each
// leaves them in this order.
constexpr size_t lane_of_block(size_t b) {
  return b % 4 * 4 + b / 4;
}

// How many of a group's 16 blocks a row still has.
inline size_t in_group(size_t blocks, size_t first) {
  return blocks - first < kLanes ? blocks - first : kLanes;
}

struct Bf16 {
  const uint16_t* w;
  size_t row_blocks;

  template <size_t kRows>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t x_stride,
                                 V (&sum)[kRows]) const {
    const size_t count = in_group(row_blocks, first);
    const uint16_t* from = w + (n * row_blocks + first) * kBlock;
    V pairs[16];
    if (count == kLanes) {
      VITALIS_UNROLL
      for (size_t b = 0; b < kLanes; ++b) {
        pairs[lane_of_block(b)] = _mm512_loadu_ps(from + b * kBlock);
        if (kRows == 1) _mm_prefetch(from + (row_blocks + b) * kBlock, _MM_HINT_T0);
      }
    } else {
      VITALIS_UNROLL
      for (size_t b = 0; b < kLanes; ++b) {
        pairs[lane_of_block(b)] = b < count ? _mm512_loadu_ps(from + b * kBlock) : zero();
      }
    }
    transpose(pairs);
    V even[kRows], odd[kRows];
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
    VITALIS_UNROLL
    for (size_t i = 0; i < 16; ++i) {
      const Bits both = _mm512_castps_si512(pairs[i]);
      const V low = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
      const V high = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(-0x10000)));
      VITALIS_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        even[r] = fma(low, load(x + r * x_stride + 2 * i * kLanes), even[r]);
        odd[r] = fma(high, load(x + r * x_stride + (2 * i + 1) * kLanes), odd[r]);
      }
    }
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) sum[r] = add(even[r], odd[r]);
  }

  // One block to floats: its 16 even terms, then its 16 odd ones.
  void decode(size_t n, size_t block, float* to) const {
    V even, odd;
    load_pairs(w + (n * row_blocks + block) * kBlock, even, odd);
    store(to, even);
    store(to + 16, odd);
  }
};

struct Mxfp4 {
  const uint8_t* blocks;
  const uint8_t* scales;
  size_t row_blocks;

  // bf16 bits of the 16 codes, twice: look-ups take 5 bits, of which the upper is not the code's.
  static Bits codes() {
    return _mm512_broadcast_i64x4(_mm256_setr_epi16(0, 0x3F00, 0x3F80, 0x3FC0, 0x4000, 0x4040,
                                                    0x4080, 0x40C0, -0x8000, -0x4100, -0x4080,
                                                    -0x4040, -0x4000, -0x3FC0, -0x3F80, -0x3F40));
  }

  // Dword q of 16 blocks, in the order of lane_of_block, and 2^scale.
  VITALIS_INLINE void load_group(size_t n, size_t first, Bits (&dword)[4], V& scale) const {
    const size_t at = n * row_blocks + first;
    const size_t count = in_group(row_blocks, first);
    const uint8_t* from = blocks + at * 16;
    Bits z[4];
    __m128i bytes;
    if (count == kLanes) {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) z[i] = _mm512_loadu_si512(from + i * 64);
      bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(scales + at));
    } else {
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) {
        const uint64_t dwords = (uint64_t{1} << 4 * count) - 1;
        z[i] = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(dwords >> 16 * i), from + i * 64);
      }
      bytes = _mm_maskz_loadu_epi8(first_lanes(count), scales + at);
    }
    const Bits a = _mm512_unpacklo_epi32(z[0], z[1]), b = _mm512_unpackhi_epi32(z[0], z[1]);
    const Bits c = _mm512_unpacklo_epi32(z[2], z[3]), d = _mm512_unpackhi_epi32(z[2], z[3]);
    dword[0] = _mm512_unpacklo_epi64(a, c);
    dword[1] = _mm512_unpackhi_epi64(a, c);
    dword[2] = _mm512_unpacklo_epi64(b, d);
    dword[3] = _mm512_unpackhi_epi64(b, d);
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    scale = _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu8_epi32(_mm_shuffle_epi8(bytes, order)), 23));
  }

  template <size_t kRows>
  VITALIS_INLINE void block_sums(size_t n, size_t first, const float* x, size_t x_stride,
                                 V (&sum)[kRows]) const {
    Bits dword[4];
    V scale;
    load_group(n, first, dword, scale);
    if (kRows == 1) {
      const uint8_t* next = blocks + ((n + 1) * row_blocks + first) * 16;
      VITALIS_UNROLL
      for (size_t i = 0; i < 4; ++i) _mm_prefetch(next + 64 * i, _MM_HINT_T0);
      if (first % 64 == 0) _mm_prefetch(scales + (n + 4) * row_blocks + first, _MM_HINT_T0);
    }
    const Bits table = codes(), upper = _mm512_set1_epi32(-0x10000);
    V even[kRows], odd[kRows];
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = zero();
    VITALIS_UNROLL
    for (size_t q = 0; q < 4; ++q) {
      // Nibble i of the lower half is term i, of the upper half term 4 + i.
      Bits term[4];
      term[0] = _mm512_permutexvar_epi16(dword[q], table);
      term[1] = _mm512_permutexvar_epi16(_mm512_srli_epi16(dword[q], 4), table);
      term[2] = _mm512_permutexvar_epi16(_mm512_srli_epi16(dword[q], 8), table);
      term[3] = _mm512_permutexvar_epi16(_mm512_srli_epi16(dword[q], 12), table);
      VITALIS_UNROLL
      for (size_t i = 0; i < 8; i += 2) {
        const Bits e = term[i % 4], o = term[i % 4 + 1];
        const V low =
            _mm512_castsi512_ps(i < 4 ? _mm512_slli_epi32(e, 16) : _mm512_and_si512(e, upper));
        const V high =
            _mm512_castsi512_ps(i < 4 ? _mm512_slli_epi32(o, 16) : _mm512_and_si512(o, upper));
        VITALIS_UNROLL
        for (size_t r = 0; r < kRows; ++r) {
          const float* at = x + r * x_stride + (8 * q + i) * kLanes;
          even[r] = fma(low, load(at), even[r]);
          odd[r] = fma(high, load(at + kLanes), odd[r]);
        }
      }
    }
    VITALIS_UNROLL
    for (size_t r = 0; r < kRows; ++r) sum[r] = mul(add(even[r], odd[r]), scale);
  }

  void decode(size_t n, size_t block, float* to) const {
    const size_t at = n * row_blocks + block;
    const V values = _mm512_setr_ps(0.f, 0.5f, 1.f, 1.5f, 2.f, 3.f, 4.f, 6.f, -0.f, -0.5f, -1.f,
                                    -1.5f, -2.f, -3.f, -4.f, -6.f);
    const V scale = set1(e8m0_to_f32(scales[at]));
    const Bits bytes =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i_u*>(blocks + at * 16)));
    store(to, mul(_mm512_permutexvar_ps(bytes, values), scale));
    store(to + 16, mul(_mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), values), scale));
  }
};

}  // namespace
}  // namespace vitalis::kernels

#include "kernels/x86/products-inl.h"

namespace vitalis::kernels::avx512 {

constinit const Table table = {
    .name = "avx512",
    .packed_bytes = packed_bytes,
    .pack = pack,
    .matmul_bf16 = matmul_bf16,
    .matmul_mxfp4 = matmul_mxfp4,
    .rms_norm = rms_norm,
    .rope = rope,
    .swiglu = swiglu,
    .widen = widen,
    .add_shares = add_shares,
    .top_k = top_k,
    .store_kv = store_kv,
    .attend = attend,
    .merge = merge,
    .finish = finish,
};

}  // namespace vitalis::kernels::avx512
