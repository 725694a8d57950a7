// SPDX-License-Identifier: Apache-2.0
// Splits 64 characters at a time. Each block begins at a piece's start, so nothing is carried from
// block to block: the last piece of a block, whose end is not known there, begins the next one.
#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tokenizer/char_class.h"
#include "tokenizer/split.h"
#include "tokenizer/split_block.h"

namespace vitalis::tokenizer {
namespace {

constexpr size_t kBlock = 64;

// The length of the contraction at the quote text[i]: in characters, 0 if there is none.
unsigned contraction(std::string_view text, size_t i) {
  const auto low = [&](size_t k) {
    return k < text.size() ? static_cast<uint8_t>(text[k]) | 0x20u : 0u;
  };
  const unsigned a = low(i + 1);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  const unsigned b = low(i + 2);
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return 3;
  const bool long_s = i + 2 < text.size() && text[i + 1] == '\xC5' && text[i + 2] == '\xBF';
  return long_s ? 2 : 0;
}

#if defined(__SSE2__)

// Masks of `size` <= 64 bytes of ASCII at `text`, which has 64 readable bytes.
class AsciiBlock {
 public:
  explicit AsciiBlock(const char* text) {
    for (int i = 0; i < 4; ++i) {
      rows_[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text) + i);
    }
  }

  uint64_t beyond_ascii() const {
    return collect([](__m128i row) { return row; });
  }

  ClassMasks masks(unsigned size, bool last) const {
    const uint64_t in = size == 64 ? ~uint64_t{0} : (uint64_t{1} << size) - 1;
    ClassMasks m{};
    m.n = size;
    m.last = last;
    m.upper = within('A', 'Z') & in;
    m.lower = within('a', 'z') & in;
    m.number = within('0', '9') & in;
    m.blank = equal(' ') & in;
    m.newline = (equal('\n') | equal('\r')) & in;
    m.space = (m.blank | within('\t', '\r')) & ~m.newline & in;
    m.slash = equal('/') & in;
    m.quote = equal('\'') & in;
    m.other = in & ~(m.upper | m.lower | m.number | m.space | m.newline);
    return m;
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

  __m128i rows_[4];
};

#endif

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

// Up to 64 characters of any kind. offsets[i] is where character i begins; offsets[n], where the
// last one ends.
struct MixedBlock {
  MixedBlock(std::string_view text, size_t begin) {
    const auto* s = reinterpret_cast<const uint8_t*>(text.data());
    uint64_t of[kClasses] = {};
    size_t at = begin;
    unsigned n = 0;
    for (; n < kBlock && at < text.size(); ++n) {
      offsets[n] = static_cast<uint16_t>(at - begin);
      const uint8_t a = s[at];
      uint8_t kind = 0;
      if (a < 0x80) {
        kind = kAsciiClass.of[a];
        at += 1;
      } else if (a < 0xE0) {
        kind = kClassOfBlock[kClassBlock[a & 0x1F]][s[at + 1] & 0x3F];
        at += 2;
      } else if (a < 0xF0) {
        kind = kClassOfBlock[kClassBlock[(a & 0x0F) << 6 | (s[at + 1] & 0x3F)]][s[at + 2] & 0x3F];
        at += 3;
      } else {
        const int block = (a & 0x07) << 12 | (s[at + 1] & 0x3F) << 6 | (s[at + 2] & 0x3F);
        kind = kClassOfBlock[kClassBlock[block]][s[at + 3] & 0x3F];
        at += 4;
      }
      of[kind] |= uint64_t{1} << n;
    }
    offsets[n] = static_cast<uint16_t>(at - begin);
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
             .last = at == text.size()};
  }

  ClassMasks masks;
  uint16_t offsets[kBlock + 1];
};

class Cutter {
 public:
  Cutter(std::string_view text, size_t begin, size_t (&ends)[kMaxPieces])
      : text_(text), begin_(begin), ends_(ends) {}

  size_t cut() {
    while (begin_ < text_.size() && n_ + kBlock < kMaxPieces) {
      if (!ascii() && !mixed()) put(piece_end(text_, begin_));
    }
    return n_;
  }

 private:
  void put(size_t end) {
    ends_[n_++] = end;
    begin_ = end;
  }

  // Each of these goes on by whole pieces; false: by none.
  bool ascii() {
#if defined(__SSE2__)
    const size_t left = text_.size() - begin_;
    char padded[kBlock] = {};
    const char* at = text_.data() + begin_;
    if (left < kBlock) {
      text_.copy(padded, left, begin_);
      at = padded;
    }
    const AsciiBlock block(at);
    const uint64_t beyond = block.beyond_ascii();
    unsigned size = left < kBlock ? static_cast<unsigned>(left) : kBlock;
    if (beyond != 0) size = static_cast<unsigned>(std::countr_zero(beyond));
    if (beyond != 0 && size < kBlock / 2) return false;
    const Starts starts = piece_starts(block.masks(size, beyond == 0 && left <= kBlock),
                                       [&](unsigned i) { return contraction(text_, begin_ + i); });
    const size_t base = begin_;
    for (uint64_t s = starts.mask; s != 0; s &= s - 1) {
      put(base + static_cast<unsigned>(std::countr_zero(s)));
    }
    if (starts.whole) put(text_.size());
    return begin_ != base;
#else
    return false;
#endif
  }

  bool mixed() {
    const MixedBlock block(text_, begin_);
    const size_t base = begin_;
    const Starts starts = piece_starts(
        block.masks, [&](unsigned i) { return contraction(text_, base + block.offsets[i]); });
    for (uint64_t s = starts.mask; s != 0; s &= s - 1) {
      put(base + block.offsets[std::countr_zero(s)]);
    }
    if (starts.whole) put(text_.size());
    return begin_ != base;
  }

  std::string_view text_;
  size_t begin_;
  size_t n_ = 0;
  size_t (&ends_)[kMaxPieces];
};

}  // namespace

size_t split(std::string_view text, size_t begin, size_t (&ends)[kMaxPieces]) {
  return Cutter(text, begin, ends).cut();
}

}  // namespace vitalis::tokenizer
