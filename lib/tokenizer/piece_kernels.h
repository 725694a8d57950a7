// SPDX-License-Identifier: Apache-2.0
// What is done for every piece of text, as a table of functions, so that a CPU with wide registers
// can have its own. All tables give the same results. Entries are noexcept, allocate nothing and
// know nothing of std: an ISA file holds one (tests/kernels/closed.sh).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/bucket.h"
#include "tokenizer/char_class.h"

namespace vitalis::tokenizer {

inline constexpr unsigned kBlock = 64;  // characters that masks tell of

struct PieceKernels {
  const char* name;

  // Writes to `ends` where the pieces of text[begin, size) end, and returns how many, from `begin`,
  // a piece's start, as far as bit masks can tell and there is room: none if the first piece is not
  // for masks. `ends` has room for `room` > kBlock; less may come out, and more be written.
  size_t (*cut)(const char* text, size_t size, size_t begin, const ClassTables& classes,
                size_t* ends, size_t room);

  // Makes keys and hashes of the n <= 256 pieces that end at `ends`, the first at text[begin], and
  // looks each up in its bucket: ids[i], or kNone; the indices of those to `missing`. Returns how
  // many are missing. Pieces that are too long for a key have one that no entry has.
  size_t (*look_up)(const char* text, size_t size, size_t begin, const size_t* ends, size_t n,
                    const Bucket* buckets, size_t n_buckets, Key* keys, uint64_t* hashes,
                    uint32_t* ids, uint8_t* missing);
};

}  // namespace vitalis::tokenizer
