// SPDX-License-Identifier: Apache-2.0
// The pre-tokenizer: cuts text into the pieces that the o200k pattern matches, without a regex
// engine. The pattern is context free at a piece's start, so pieces are found from left to right.
//
// Text here is well-formed UTF-8 and text.size() counts as the end of the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/piece_kernels.h"

namespace vitalis::tokenizer {

// The pattern as tokenizer.json spells it.
extern const std::string_view kPattern;

// The end of the piece that starts at `begin` < text.size().
size_t piece_end(std::string_view text, size_t begin);

// Finds the ends of the pieces from `begin`, a piece's start: at least one, unless begin is the end
// of the text, and at most kMaxPieces. Returns how many. The same as piece_end again and again, but
// 64 characters at a time.
inline constexpr size_t kMaxPieces = 160;
size_t split(const PieceKernels& kernels, std::string_view text, size_t begin,
             size_t (&ends)[kMaxPieces]);

}  // namespace vitalis::tokenizer
