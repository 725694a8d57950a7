// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/well_formed.h"

#include <algorithm>
#include <simdjson.h>

#include "base/utf8.h"

namespace vitalis::tokenizer {

WellFormed::WellFormed(std::string_view original) : original_(original) {
  if (!simdjson::validate_utf8(original)) replaced_ = utf8::replace_ill_formed(original);
}

size_t WellFormed::Offsets::original(size_t offset) {
  if (!of_.replaced_) return offset;
  while (original_ < of_.original_.size()) {
    const utf8::Piece piece = utf8::next(of_.original_.substr(original_));
    const size_t in_text =
        piece.kind == utf8::Piece::kCharacter ? piece.size : utf8::kReplacement.size();
    if (offset < text_ + in_text) return original_ + std::min<size_t>(offset - text_, piece.size);
    text_ += in_text;
    original_ += piece.size;
  }
  return original_;
}

}  // namespace vitalis::tokenizer
