// SPDX-License-Identifier: Apache-2.0
// Up to 64 characters as one bit mask per class, and where pieces start among them.
#pragma once

#include <stdint.h>

namespace vitalis::tokenizer {
namespace {

// Of a mask that is not zero.
inline unsigned first_bit(uint64_t mask) {
  return static_cast<unsigned>(__builtin_ctzll(mask));
}
inline unsigned last_bit(uint64_t mask) {
  return static_cast<unsigned>(63 - __builtin_clzll(mask));
}

// Bit i is character i. The classes do not overlap, except that blank, slash and quote are also in
// space, other and other. No bit is set at or above n.
struct ClassMasks {
  uint64_t upper, lower, uncased, mark, number, space, newline, other;
  uint64_t blank;  // U+0020
  uint64_t slash;
  uint64_t quote;  // U+0027
  unsigned n;
  bool last;  // the input ends after character n-1
};

struct Starts {
  uint64_t mask;  // pieces that surely start there; character 0 is not told
  bool whole;     // nothing after the last of them starts a piece
};

// `contraction(i)` says how many characters from the quote at i, which follows letters, are one of
// 's 't 'm 'd 're 've 'll: 0, 2 or 3.
template <class Contraction>
Starts piece_starts(const ClassMasks& m, Contraction contraction) {
  const auto low_bits = [](unsigned n) { return n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1; };

  // Consumed by the piece before them: contractions after letters, and line ends and slashes after
  // punctuation. `ends` + `first` carries through the rest of the run that begins at `first`.
  uint64_t consumed = 0;
  const uint64_t letters = m.upper | m.lower | m.uncased | m.mark;
  for (uint64_t quotes = m.quote & letters << 1; quotes != 0; quotes &= quotes - 1) {
    const unsigned i = first_bit(quotes);
    if (consumed >> (i - 1) & 1) continue;
    consumed |= low_bits(contraction(i)) << i;
  }
  const uint64_t ends = m.newline | m.slash;
  const uint64_t first = m.newline & m.other << 1;
  const uint64_t tails = ends & ~(ends + first);
  consumed |= tails;

  // Marks after punctuation belong to either side, a capital after a caseless letter starts a piece
  // only if no small letter follows, and line ends after `//` lines may be consumed twice. What
  // starts there or later is left to piece_end.
  uint64_t doubt = m.upper & (m.uncased | m.mark) << 1;
  doubt |= m.mark & m.other << 1;
  if ((m.slash & m.newline << 1) != 0) doubt |= first & m.slash << 1;

  const uint64_t keep = ~consumed;
  const uint64_t upper = m.upper & keep, other = m.other & keep, newline = m.newline & keep;
  const uint64_t letter = letters & keep;
  const uint64_t space = m.space, white = space | newline;

  // Letters begin a piece, or the character before them does.
  const uint64_t core = (letter & ~(letter << 1)) | (upper & m.lower << 1);
  const uint64_t alone = other & ~(other << 1) & ~(other >> 1);
  const uint64_t prefix = alone & letter >> 1 & ~(m.blank << 1);
  uint64_t starts = (core & ~((space | prefix) << 1)) | prefix;

  // Other characters, with a blank before them.
  starts |= (other & ~(other << 1) & ~(m.blank << 1)) | (m.blank & other >> 1);

  // Numbers by threes.
  const uint64_t third = m.number & m.number << 1 & m.number << 2;
  for (uint64_t s = m.number & ~(m.number << 1); s != 0; s = s << 3 & third) starts |= s;

  // White space: its run, its last character before something else, and what follows the last line
  // end. At the end of the input a run is not divided.
  starts |= white & ~(white << 1);
  const uint64_t followed = low_bits(m.n) >> 1;
  starts |= space & ~(white >> 1) & followed;
  uint64_t indents = space & newline << 1;
  if (indents != 0) {
    if (!m.last) {
      // What follows a run that reaches the end of the block is not known.
      const uint64_t others = ~space & low_bits(m.n);
      indents &= others == 0 ? 0 : low_bits(last_bit(others) + 1);
    }
    // A blank line: its white space lies between two line ends and starts nothing.
    for (uint64_t f = (space + indents) & newline; f != 0; f &= f - 1) {
      const uint64_t before = indents & ((f & -f) - 1);
      if (before != 0) indents &= ~(uint64_t{1} << last_bit(before));
    }
    starts |= indents;
  }
  const unsigned known = doubt != 0 ? first_bit(doubt) : m.n;
  return {starts & low_bits(known) & ~uint64_t{1}, m.last && doubt == 0};
}

}  // namespace
}  // namespace vitalis::tokenizer
