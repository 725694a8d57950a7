// SPDX-License-Identifier: Apache-2.0
// The work on pieces with AVX-512 F, BW, VL, DQ, VBMI2 and BMI2: 64 characters are one register, a
// bucket is another. Closed (piece_kernels.h).
#include "tokenizer/x86/pieces_avx512.h"

#include <immintrin.h>

#include "tokenizer/split_blocks-inl.h"

namespace vitalis::tokenizer {
namespace {

class Bytes {
 public:
  static constexpr bool kThere = true;

  static Bytes load(const char* at, unsigned size) {
    return Bytes(_mm512_maskz_loadu_epi8(_bzhi_u64(~uint64_t{0}, size), at));
  }

  uint64_t high() const { return _mm512_movepi8_mask(bytes_); }
  uint64_t equal(char c) const { return _mm512_cmpeq_epi8_mask(bytes_, _mm512_set1_epi8(c)); }
  uint64_t within(char first, char last) const {
    return _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes_, _mm512_set1_epi8(first)),
                                  _mm512_set1_epi8(static_cast<char>(last - first)));
  }

  static size_t* put(uint64_t mask, size_t base, size_t* ends) {
    alignas(64) static constexpr uint8_t kPlaces[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    alignas(64) uint8_t places[64];
    _mm512_store_si512(places, _mm512_maskz_compress_epi8(mask, _mm512_load_si512(kPlaces)));
    const __m512i bases = _mm512_set1_epi64(static_cast<long long>(base));
    const auto n = static_cast<unsigned>(_mm_popcnt_u64(mask));
    // Mostly 10 to 20: no branch for the first 24.
    for (unsigned i = 0; i < 24; i += 8) put_eight(places + i, bases, ends + i);
    for (unsigned i = 24; i < n; i += 8) put_eight(places + i, bases, ends + i);
    return ends + n;
  }

 private:
  explicit Bytes(__m512i bytes) : bytes_(bytes) {}

  static void put_eight(const uint8_t* places, __m512i bases, size_t* ends) {
    const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(places));
    _mm512_storeu_si512(ends, _mm512_add_epi64(_mm512_cvtepu8_epi64(eight), bases));
  }

  __m512i bytes_;
};

size_t cut(const char* text, size_t size, size_t begin, const ClassTables& classes, size_t* ends,
           size_t room) {
  return Cutter<Bytes>({text, size}, begin, classes, ends, room).cut();
}

size_t look_up(const char* text, size_t, size_t begin, const size_t* ends, size_t n,
               const Bucket* buckets, size_t n_buckets, Key* keys, uint64_t* hashes, uint32_t* ids,
               uint8_t* missing) {
  const Bucket* homes[256];
  for (size_t i = 0, at = begin; i < n; at = ends[i++]) {
    const size_t size = ends[i] - at;
    const bool is_long = size > kMaxShort;
    const __mmask16 in =
        static_cast<__mmask16>(_bzhi_u32(0xFFFF, is_long ? 16u : static_cast<unsigned>(size)));
    const __m128i bytes = _mm_maskz_loadu_epi8(in, text + at);
    Key& key = keys[i];
    key.low = static_cast<uint64_t>(_mm_cvtsi128_si64(bytes));
    key.high = static_cast<uint64_t>(_mm_extract_epi64(bytes, 1)) | (is_long ? kLongKeySize : size)
                                                                        << 56;
    const uint64_t hashed = hash(key);
    hashes[i] = hashed;
    homes[i] = buckets + scale(hashed, n_buckets);
    __builtin_prefetch(homes[i]);
  }
  constexpr size_t kIdsAt = offsetof(Bucket, ids) / sizeof(uint32_t);
  size_t n_missing = 0;
  for (size_t i = 0; i < n; ++i) {
    const __m512i bucket = _mm512_load_si512(homes[i]);
    const __m512i key =
        _mm512_broadcast_i64x2(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&keys[i])));
    const unsigned halves = _mm512_cmpeq_epi64_mask(bucket, key);
    const unsigned found = halves & halves >> 1 & 0b010101u;
    // Where there is none, what is read is the bucket's last word.
    const uint32_t* words = reinterpret_cast<const uint32_t*>(homes[i]);
    const uint32_t id = words[kIdsAt + _tzcnt_u32(found | 1u << 6) / 2];
    ids[i] = found != 0 ? id : kNone;
    missing[n_missing] = static_cast<uint8_t>(i);
    n_missing += found == 0;
  }
  return n_missing;
}

}  // namespace

namespace avx512 {
const PieceKernels table = {"avx512", cut, look_up};
}
}  // namespace vitalis::tokenizer
