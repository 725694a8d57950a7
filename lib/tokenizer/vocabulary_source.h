// SPDX-License-Identifier: Apache-2.0
// What every vocabulary comes down to, whichever file it was read from. Nothing is owned: the bytes
// and lists must outlive the call that builds from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vitalis {

using Token = uint32_t;

struct VocabularySource {
  struct Entry {
    Token id;
    std::string_view bytes;
  };
  struct Merge {
    Token left, right, result;
  };

  std::vector<Entry> entries;   // raw bytes; all 256 single bytes are among them
  std::vector<Entry> specials;  // names; their ids are not those of entries
  // In order of rank. Without it an entry's rank is its id, and any two neighbours whose bytes join
  // into an entry may merge.
  std::optional<std::vector<Merge>> merges;
  // A piece that is an entry is one token, whatever the merges make of it ("ignore_merges").
  bool whole_pieces_first = true;
};

}  // namespace vitalis
