// SPDX-License-Identifier: Apache-2.0
// Splits 64 characters at a time. Each block begins at a piece's start, so nothing is carried from
// block to block: the last piece of a block, whose end is not known there, begins the next one.
//
// The file that includes this chooses a class Bytes. Where there are no registers that hold 64
// bytes, its kThere is false, and it has nothing else. Otherwise:
//   static Bytes load(const char* at, unsigned size)   size <= 64 bytes; the others are zero
//   uint64_t high(), equal(char), within(char first, char last)   a bit for each byte
//   static size_t* put(uint64_t mask, size_t base, size_t* ends)
//       writes base + i for each bit i, in order, and up to 64 more; returns the end of the former
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/piece_kernels.h"
#include "tokenizer/split_block-inl.h"

namespace vitalis::tokenizer {
namespace {

struct Text {
  const char* data;
  size_t size;
};

// The length of the contraction at the quote text[i]: in characters, 0 if there is none.
inline unsigned contraction(const Text& text, size_t i) {
  const auto low = [&](size_t k) {
    return k < text.size ? static_cast<uint8_t>(text.data[k]) | 0x20u : 0u;
  };
  const unsigned a = low(i + 1);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  const unsigned b = low(i + 2);
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return 3;
  const bool long_s = i + 2 < text.size && text.data[i + 1] == '\xC5' && text.data[i + 2] == '\xBF';
  return long_s ? 2 : 0;
}

// Classes of their own for the three characters that the pattern names.
constexpr uint8_t kBlank = 8, kSlash = 9, kQuote = 10, kClasses = 11;

constexpr uint8_t ascii_class(unsigned c) {
  if (c >= 'A' && c <= 'Z') return kUpper;
  if (c >= 'a' && c <= 'z') return kLower;
  if (c >= '0' && c <= '9') return kNumber;
  if (c == '\n' || c == '\r') return kNewline;
  if (c == ' ') return kBlank;
  if (c >= '\t' && c <= '\r') return kSpace;
  if (c == '/') return kSlash;
  return c == '\'' ? kQuote : static_cast<uint8_t>(kOther);
}
constexpr auto kAsciiClass = [] {
  struct {
    uint8_t of[128];
  } table{};
  for (unsigned c = 0; c < 128; ++c) table.of[c] = ascii_class(c);
  return table;
}();

// Masks of `size` <= 64 bytes of ASCII.
template <class Bytes>
ClassMasks ascii_masks(const Bytes& bytes, unsigned size, bool last) {
  const uint64_t in = size == kBlock ? ~uint64_t{0} : (uint64_t{1} << size) - 1;
  ClassMasks m{};
  m.n = size;
  m.last = last;
  m.upper = bytes.within('A', 'Z') & in;
  m.lower = bytes.within('a', 'z') & in;
  m.number = bytes.within('0', '9') & in;
  m.blank = bytes.equal(' ') & in;
  m.newline = (bytes.equal('\n') | bytes.equal('\r')) & in;
  m.space = (m.blank | bytes.within('\t', '\r')) & ~m.newline & in;
  m.slash = bytes.equal('/') & in;
  m.quote = bytes.equal('\'') & in;
  m.other = in & ~(m.upper | m.lower | m.number | m.space | m.newline);
  return m;
}

// Up to 64 characters of any kind. offsets[i] is where character i begins; offsets[n], where the
// last one ends.
template <class Bytes>
struct MixedBlock {
  MixedBlock(const Text& text, size_t begin, const ClassTables& classes) {
    const auto* s = reinterpret_cast<const uint8_t*>(text.data);
    const auto in_block = [&](size_t block, size_t last_byte) {
      return classes.of[classes.block[block]][s[last_byte] & 0x3F];
    };
    alignas(64) uint8_t kinds[kBlock];
    size_t at = begin;
    unsigned n = 0;
    for (; n < kBlock && at < text.size; ++n) {
      offsets[n] = static_cast<uint16_t>(at - begin);
      const uint8_t a = s[at];
      if (a < 0x80) {
        kinds[n] = kAsciiClass.of[a];
        at += 1;
      } else if (a < 0xE0) {
        kinds[n] = in_block(a & 0x1Fu, at + 1);
        at += 2;
      } else if (a < 0xF0) {
        kinds[n] = in_block((a & 0x0Fu) << 6 | (s[at + 1] & 0x3Fu), at + 2);
        at += 3;
      } else {
        kinds[n] =
            in_block((a & 0x07u) << 12 | (s[at + 1] & 0x3Fu) << 6 | (s[at + 2] & 0x3Fu), at + 3);
        at += 4;
      }
    }
    offsets[n] = static_cast<uint16_t>(at - begin);
    uint64_t of[kClasses] = {};
    if constexpr (Bytes::kThere) {
      const uint64_t in = n == kBlock ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
      const Bytes all = Bytes::load(reinterpret_cast<const char*>(kinds), n);
      for (uint8_t k = 0; k < kClasses; ++k) of[k] = all.equal(static_cast<char>(k)) & in;
    } else {
      for (unsigned i = 0; i < n; ++i) of[kinds[i]] |= uint64_t{1} << i;
    }
    masks = {.upper = of[kUpper],
             .lower = of[kLower],
             .uncased = of[kCaseless],
             .mark = of[kMark],
             .number = of[kNumber],
             .space = of[kSpace] | of[kBlank],
             .newline = of[kNewline],
             .other = of[kOther] | of[kSlash] | of[kQuote],
             .blank = of[kBlank],
             .slash = of[kSlash],
             .quote = of[kQuote],
             .n = n,
             .last = at == text.size};
  }

  ClassMasks masks;
  uint16_t offsets[kBlock + 1];
};

// Cuts until masks cannot tell, or there is no room for a block's pieces.
template <class Bytes>
class Cutter {
 public:
  Cutter(const Text& text, size_t begin, const ClassTables& classes, size_t* ends, size_t room)
      : text_(text), classes_(classes), begin_(begin), first_(ends), ends_(ends), room_(room) {}

  size_t cut() {
    while (begin_ < text_.size && static_cast<size_t>(ends_ - first_) + kBlock < room_) {
      if (!ascii() && !mixed()) break;
    }
    return static_cast<size_t>(ends_ - first_);
  }

 private:
  // Each of these goes on by whole pieces; false: by none.
  bool ascii() {
    if constexpr (Bytes::kThere) {
      const size_t left = text_.size - begin_;
      unsigned size = left < kBlock ? static_cast<unsigned>(left) : kBlock;
      const Bytes bytes = Bytes::load(text_.data + begin_, size);
      const uint64_t beyond = bytes.high();
      if (beyond != 0) {
        size = first_bit(beyond);
        if (size < kBlock / 2) return false;
      }
      const Starts starts =
          piece_starts(ascii_masks(bytes, size, beyond == 0 && left <= kBlock),
                       [&](unsigned i) { return contraction(text_, begin_ + i); });
      ends_ = Bytes::put(starts.mask, begin_, ends_);
      return advance(starts);
    }
    return false;
  }

  bool mixed() {
    const MixedBlock<Bytes> block(text_, begin_, classes_);
    const Starts starts = piece_starts(
        block.masks, [&](unsigned i) { return contraction(text_, begin_ + block.offsets[i]); });
    for (uint64_t s = starts.mask; s != 0; s &= s - 1) {
      *ends_++ = begin_ + block.offsets[first_bit(s)];
    }
    return advance(starts);
  }

  bool advance(const Starts& starts) {
    if (starts.whole) {
      *ends_++ = text_.size;
    } else if (starts.mask == 0) {
      return false;
    }
    begin_ = ends_[-1];
    return true;
  }

  const Text text_;
  const ClassTables& classes_;
  size_t begin_;
  size_t* const first_;
  size_t* ends_;
  const size_t room_;
};

}  // namespace
}  // namespace vitalis::tokenizer
