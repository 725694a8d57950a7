// SPDX-License-Identifier: Apache-2.0
// Which pieces of a partial file are on the disk: a text that only grows while the download runs.
//
//   vitalis-pieces 1 ETAG SIZE PIECE
//   FIRST COUNT
//
// A line is appended after the disk said that it holds those pieces. What a power cut leaves of the
// end (half a line, zeros) is not believed, and nothing after it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/listing.h"

namespace vitalis::hub {

inline constexpr uint64_t kPieceBytes = 4 << 20;

inline size_t piece_count(uint64_t size) {
  return static_cast<size_t>((size + kPieceBytes - 1) / kPieceBytes);
}
inline uint64_t piece_size(uint64_t size, size_t piece) {
  const uint64_t begin = piece * kPieceBytes;
  return size - begin < kPieceBytes ? size - begin : kPieceBytes;
}

// One flag for each piece; all false if the text is of another file or of another kind.
std::vector<bool> parse_piece_journal(std::string_view text, const File& file);
std::string piece_journal_text(const File& file, const std::vector<bool>& landed);
std::string piece_journal_line(size_t first, size_t count);

}  // namespace vitalis::hub
