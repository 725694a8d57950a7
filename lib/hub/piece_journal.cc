// SPDX-License-Identifier: Apache-2.0
#include "hub/piece_journal.h"

#include <algorithm>
#include <optional>

#include "hub/protocol.h"

namespace vitalis::hub {
namespace {

std::string header(const File& file) {
  return text("vitalis-pieces 1 ", file.etag(), ' ', file.size, ' ', kPieceBytes, '\n');
}

// The next whole line, without its end; none if the text has no further '\n'.
std::optional<std::string_view> take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::vector<bool> parse_piece_journal(std::string_view text, const File& file) {
  std::vector<bool> landed(piece_count(file.size));
  if (!text.starts_with(header(file))) return landed;
  take_line(text);
  while (const auto line = take_line(text)) {
    const size_t space = line->find(' ');
    if (space == line->npos) break;
    const auto first = parse_decimal(line->substr(0, space));
    const auto count = parse_decimal(line->substr(space + 1));
    if (!first || !count || *first >= landed.size() || *count > landed.size() - *first) break;
    std::fill_n(landed.begin() + static_cast<ptrdiff_t>(*first), *count, true);
  }
  return landed;
}

std::string piece_journal_text(const File& file, const std::vector<bool>& landed) {
  std::string out = header(file);
  for (size_t first = 0; first < landed.size();) {
    size_t end = first;
    while (end < landed.size() && landed[end]) ++end;
    if (end > first) out += piece_journal_line(first, end - first);
    first = end + 1;
  }
  return out;
}

std::string piece_journal_line(size_t first, size_t count) {
  return text(first, ' ', count, '\n');
}

}  // namespace vitalis::hub
