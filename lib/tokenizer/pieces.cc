// SPDX-License-Identifier: Apache-2.0
// The plain kernels, in what every CPU of its architecture has, and the choice among all.
#include "tokenizer/pieces.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "cpu/features.h"
#include "tokenizer/key.h"
#include "tokenizer/split_blocks-inl.h"
#if defined(__x86_64__)
#include "tokenizer/x86/pieces_avx512.h"
#endif

namespace vitalis::tokenizer {
namespace {

#if defined(__SSE2__)

class Bytes {
 public:
  static constexpr bool kThere = true;

  static Bytes load(const char* at, unsigned size) {
    char padded[kBlock] = {};
    if (size < kBlock) {
      std::memcpy(padded, at, size);
      at = padded;
    }
    Bytes out;
    for (int i = 0; i < 4; ++i) {
      out.rows_[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + i);
    }
    return out;
  }

  uint64_t high() const {
    return collect([](__m128i row) { return row; });
  }
  uint64_t equal(char c) const {
    const __m128i all = _mm_set1_epi8(c);
    return collect([&](__m128i row) { return _mm_cmpeq_epi8(row, all); });
  }
  uint64_t within(char first, char last) const {
    const __m128i from = _mm_set1_epi8(first);
    const __m128i width = _mm_set1_epi8(static_cast<char>(last - first));
    return collect([&](__m128i row) {
      const __m128i offset = _mm_sub_epi8(row, from);
      return _mm_cmpeq_epi8(_mm_min_epu8(offset, width), offset);
    });
  }

  static size_t* put(uint64_t mask, size_t base, size_t* ends) {
    for (; mask != 0; mask &= mask - 1) *ends++ = base + first_bit(mask);
    return ends;
  }

 private:
  template <class Row>
  uint64_t collect(Row row) const {
    uint64_t out = 0;
    for (int i = 0; i < 4; ++i) {
      out |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(row(rows_[i]))))
             << 16 * i;
    }
    return out;
  }

  __m128i rows_[4];
};

#else

struct Bytes {
  static constexpr bool kThere = false;
};

#endif

size_t cut(const char* text, size_t size, size_t begin, const ClassTables& classes, size_t* ends,
           size_t room) {
  return Cutter<Bytes>({text, size}, begin, classes, ends, room).cut();
}

// In two passes, so that the misses of a table larger than the inner caches overlap.
size_t look_up(const char* text, size_t text_size, size_t begin, const size_t* ends, size_t n,
               const Bucket* buckets, size_t n_buckets, Key* keys, uint64_t* hashes, uint32_t* ids,
               uint8_t* missing) {
  const Bucket* homes[256];
  // Keys may be cut from 16 bytes at once where there are as many.
  const size_t padded = text_size < 16 ? 0 : text_size - 15;
  for (size_t i = 0, at = begin; i < n; at = ends[i++]) {
    const size_t size = ends[i] - at;
    if (size > kMaxShort) {
      keys[i] = {0, kLongKeySize << 56};
    } else {
      keys[i] = at < padded ? key_of_padded(text + at, size) : key_of(text + at, size);
    }
    hashes[i] = hash(keys[i]);
    homes[i] = buckets + scale(hashes[i], n_buckets);
    __builtin_prefetch(homes[i]);
  }
  size_t n_missing = 0;
  for (size_t i = 0; i < n; ++i) {
    const Bucket& home = *homes[i];
    uint32_t id = kNone;
    for (int k = 0; k < 3; ++k) {
      if (home.keys[k] == keys[i]) {
        id = home.ids[k];
        break;
      }
    }
    ids[i] = id;
    missing[n_missing] = static_cast<uint8_t>(i);
    n_missing += id == kNone;
  }
  return n_missing;
}

constexpr PieceKernels kPlain = {"plain", cut, look_up};

}  // namespace

std::vector<const PieceKernels*> all_piece_kernels() {
  std::vector<const PieceKernels*> out = {&kPlain};
#if defined(__x86_64__)
  if (cpu::detect().avx512_vbmi2) out.push_back(&avx512::table);
#endif
  return out;
}

const PieceKernels& piece_kernels() {
  static const PieceKernels& fastest = *all_piece_kernels().back();
  return fastest;
}

}  // namespace vitalis::tokenizer
