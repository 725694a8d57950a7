// SPDX-License-Identifier: Apache-2.0
// A vocabulary as one relocatable block of memory: a header, then arrays at offsets. The block is
// built once, or it is a compiled cache file mapped from disk; both are read in the same way.
// Immutable, so it is shared by any number of threads.
//
// Entries of at most 15 bytes lie in `buckets`, keyed by their own bytes: a look-up reads one cache
// line and compares no strings. Longer ones go through `long_slots` to their bytes in `blob`.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/mapped_file.h"
#include "base/status.h"
#include "tokenizer/bucket.h"
#include "tokenizer/key.h"
#include "tokenizer/vocabulary_source.h"

namespace vitalis::tokenizer {

// Ids and the ranks of merges are no larger: here and there they are kept in 21 bits.
inline constexpr uint32_t kMaxRank = (1u << 21) - 1;

uint64_t hash(std::string_view bytes);

// A merge of two neighbours, where a file's merges do not follow from its ids.
struct PairSlot {
  Token left, right;
  uint32_t rank;  // kNone: free
  Token result;
};

class Vocabulary {
 public:
  static Result<Vocabulary> build(const VocabularySource& source);
  // A block as build() made it, at `begin` of a file. It is not trusted: whatever it holds, no
  // member reads outside it or runs without end. kMalformed where its header already says so.
  static Result<Vocabulary> adopt(MappedFile file, size_t begin);

  std::span<const std::byte> block() const { return block_; }

  // One more than the highest id.
  size_t size() const { return size_; }
  std::string_view bytes(Token id) const {
    if (id >= size_) return {};
    const uint32_t begin = offsets_[id], end = offsets_[id + 1];
    return begin <= end && end <= blob_bytes_ ? std::string_view(blob_ + begin, end - begin)
                                              : std::string_view();
  }

  // The id of an entry (not of a special token), or kNone.
  Token find(std::string_view bytes) const {
    return bytes.size() > kMaxShort ? find_long(bytes, hash(bytes))
                                    : find(key_of(bytes.data(), bytes.size()));
  }
  Token find(const Key& key) const { return find(key, hash(key)); }
  Token find(const Key& key, uint64_t hashed) const {
    for (const Bucket* b = &home(hashed);; b = next(b)) {
      for (int i = 0; i < 3; ++i) {
        if (b->keys[i] == key) return b->ids[i];
      }
      if (b->overflow == 0) return kNone;
    }
  }
  // Of more than kMaxShort bytes.
  Token find_long(std::string_view bytes, uint64_t hashed) const;
  // False: no entry has that hash. Cheaper than looking, and right in all but 2 %.
  bool may_have(uint64_t hashed) const {
    const uint64_t bits = filter_bits(hashed);
    return (filter_[filter_word(hashed)] & bits) == bits;
  }
  // Where piece kernels look: an entry that is not in its bucket may have overflowed, which `find`
  // knows.
  std::span<const Bucket> buckets() const { return {buckets_, n_buckets_}; }
  const Bucket& home(uint64_t hashed) const { return buckets_[scale(hashed, n_buckets_)]; }
  Token byte_id(uint8_t byte) const { return byte_ids_[byte]; }
  // The entry of these two bytes, or kNone.
  Token byte_pair(uint8_t first, uint8_t second) const {
    return byte_pairs_[first * size_t{256} + second];
  }

  // Special tokens, in order of id.
  std::span<const Token> specials() const { return specials_; }
  bool is_special(Token id) const;
  Token special(std::string_view name) const;

  // True: a piece that is an entry is one token, whatever its merges say.
  bool whole_pieces_first() const { return whole_pieces_first_; }
  // True: any two neighbours whose bytes join into an entry merge, the lowest id first.
  bool ranks_are_ids() const { return pairs_.empty(); }
  // Otherwise, the merge of two neighbours; a free slot if there is none.
  const PairSlot& pair(Token left, Token right) const;

 private:
  struct Header;
  class Builder;
  class Sections;

  Vocabulary() = default;
  Status bind(std::span<const std::byte> block);
  // Three bits in one of 2^15 words (a blocked Bloom filter).
  static constexpr int kFilterWords = 15;
  static size_t filter_word(uint64_t hashed) { return hashed >> (64 - kFilterWords); }
  static uint64_t filter_bits(uint64_t hashed) {
    return uint64_t{1} << (hashed & 63) | uint64_t{1} << (hashed >> 6 & 63) |
           uint64_t{1} << (hashed >> 12 & 63);
  }

  const Bucket* next(const Bucket* b) const {
    return b + 1 == buckets_ + n_buckets_ ? buckets_ : b + 1;
  }

  Arena arena_;
  std::optional<MappedFile> file_;
  std::span<const std::byte> block_;

  size_t size_ = 0;
  size_t n_buckets_ = 0;
  bool whole_pieces_first_ = true;
  const uint32_t* offsets_ = nullptr;
  const char* blob_ = nullptr;
  size_t blob_bytes_ = 0;
  const Bucket* buckets_ = nullptr;
  std::span<const Token> long_slots_;
  const Token* byte_ids_ = nullptr;
  const Token* byte_pairs_ = nullptr;
  const uint64_t* filter_ = nullptr;
  std::span<const Token> specials_;
  std::span<const PairSlot> pairs_;
};

}  // namespace vitalis::tokenizer
