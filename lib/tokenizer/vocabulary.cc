// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/vocabulary.h"

#include <algorithm>
#include <bit>
#include <sys/mman.h>

#include "base/problems.h"

namespace vitalis::tokenizer {

namespace {

constexpr size_t kMaxIds = size_t{kMaxRank} + 1;
constexpr size_t kMaxBlob = size_t{1} << 28;
constexpr size_t kBytePairs = size_t{256} * 256;
constexpr uint64_t kMagic = 0x3230'6261'636F'7676;  // "vvocab02"

size_t power_of_two_above(size_t n) {
  size_t out = 1;
  while (out < n) out *= 2;
  return out;
}

uint64_t pair_hash(Token left, Token right) {
  return mix((static_cast<uint64_t>(left) << 32 | right) ^ 0x9E3779B97F4A7C15u,
             0xD1B54A32D192ED03u);
}

}  // namespace

uint64_t hash(std::string_view bytes) {
  uint64_t h = bytes.size() * 0x9E3779B97F4A7C15u;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    h = mix(h ^ word, 0xD1B54A32D192ED03u);
  }
  uint64_t word = 0;
  if (i < bytes.size()) std::memcpy(&word, bytes.data() + i, bytes.size() - i);
  return mix(h ^ word, 0x8BB84B93962EACC9u);
}

struct Vocabulary::Header {
  uint64_t magic;
  uint64_t block_bytes;
  uint64_t n_ids, n_buckets, n_long_slots, n_specials, n_pair_slots, blob_bytes;
  uint64_t offsets, buckets, long_slots, byte_ids, byte_pairs, filter, specials, pairs,
      blob;  // from the block's start
  uint64_t whole_pieces_first;
};

class Vocabulary::Builder {
 public:
  explicit Builder(const VocabularySource& source) : source_(source) {}

  Result<Vocabulary> build() {
    VITALIS_TRY(measure());
    VITALIS_TRY(lay_out());
    VITALIS_TRY(fill_bytes());
    VITALIS_TRY(fill_entries());
    VITALIS_TRY(fill_specials());
    VITALIS_TRY(fill_pairs());
    Vocabulary out;
    VITALIS_TRY(out.bind({arena_.at<std::byte>(0), head().block_bytes}));
    out.arena_ = std::move(arena_);
    return out;
  }

 private:
  Header& head() { return *arena_.at<Header>(0); }

  Status measure() {
    for (const auto* list : {&source_.entries, &source_.specials}) {
      for (const auto& entry : *list) {
        if (entry.id >= kMaxIds) {
          return error(Code::kMalformed, "token id ", entry.id, " is out of range; at most ",
                       kMaxIds - 1, " is expected");
        }
        if (entry.bytes.empty()) {
          return error(Code::kMalformed, "token ", entry.id, " has no bytes");
        }
        n_ids_ = std::max(n_ids_, static_cast<size_t>(entry.id) + 1);
        blob_bytes_ += entry.bytes.size();
      }
    }
    if (blob_bytes_ > kMaxBlob) {
      return error(Code::kUnsupported, "the vocabulary has ", blob_bytes_, " bytes; at most ",
                   kMaxBlob, " are expected");
    }
    for (const auto& entry : source_.entries) {
      n_short_ += entry.bytes.size() <= kMaxShort;
    }
    return {};
  }

  Status lay_out() {
    Header h{};
    h.magic = kMagic;
    h.n_ids = n_ids_;
    // Three places a bucket, 60 % of them used: few entries overflow, and the table stays small.
    h.n_buckets = n_short_ * 5 / 9 + 1;
    h.n_long_slots = power_of_two_above(2 * (source_.entries.size() - n_short_) + 1);
    h.n_specials = source_.specials.size();
    h.n_pair_slots = source_.merges ? power_of_two_above(2 * source_.merges->size() + 1) : 0;
    h.blob_bytes = blob_bytes_;
    h.whole_pieces_first = source_.whole_pieces_first;
    ArenaPlan plan;
    plan.add<Header>("header", 1);
    h.offsets = plan.add<uint32_t>("offsets", n_ids_ + 1);
    h.buckets = plan.add<Bucket>("buckets", h.n_buckets);
    h.long_slots = plan.add<Token>("long slots", h.n_long_slots);
    h.byte_ids = plan.add<Token>("byte ids", 256);
    h.byte_pairs = plan.add<Token>("byte pairs", kBytePairs);
    h.filter = plan.add<uint64_t>("filter", size_t{1} << kFilterWords);
    h.specials = plan.add<Token>("specials", h.n_specials);
    h.pairs = plan.add<PairSlot>("pairs", h.n_pair_slots);
    h.blob = plan.add<char>("blob", blob_bytes_);
    h.block_bytes = plan.bytes();
    VITALIS_ASSIGN(arena_, Arena::allocate(plan.bytes()));
    // The tables are filled and read at random. A hint, never an error.
    ::madvise(arena_.at<char>(0), plan.bytes(), MADV_HUGEPAGE);
    head() = h;
    return {};
  }

  Status fill_bytes() {
    auto* offsets = arena_.at<uint32_t>(head().offsets);
    for (const auto* list : {&source_.entries, &source_.specials}) {
      for (const auto& entry : *list) {
        if (offsets[entry.id + 1] != 0) {
          return error(Code::kMalformed, "token id ", entry.id, " is given twice");
        }
        offsets[entry.id + 1] = static_cast<uint32_t>(entry.bytes.size());
      }
    }
    for (size_t id = 0; id < n_ids_; ++id) offsets[id + 1] += offsets[id];
    auto* blob = arena_.at<char>(head().blob);
    for (const auto* list : {&source_.entries, &source_.specials}) {
      for (const auto& entry : *list) {
        std::copy(entry.bytes.begin(), entry.bytes.end(), blob + offsets[entry.id]);
      }
    }
    return {};
  }

  Status fill_entries() {
    auto* byte_ids = arena_.at<Token>(head().byte_ids);
    auto* long_slots = arena_.at<Token>(head().long_slots);
    auto* byte_pairs = arena_.at<Token>(head().byte_pairs);
    std::fill_n(byte_ids, 256, kNone);
    std::fill_n(byte_pairs, kBytePairs, kNone);
    std::fill_n(long_slots, head().n_long_slots, kNone);
    // In two steps: where each goes, asked for early, then the entries, since most go to a cache
    // line of their own.
    struct Place {
      Key key;
      uint64_t hashed;
    };
    constexpr size_t kStep = 64;
    Place places[kStep];
    const auto& entries = source_.entries;
    for (size_t begin = 0; begin < entries.size(); begin += kStep) {
      const size_t n = std::min(kStep, entries.size() - begin);
      for (size_t i = 0; i < n; ++i) {
        const std::string_view bytes = entries[begin + i].bytes;
        if (bytes.size() > kMaxShort) continue;
        places[i].key = key_of(bytes.data(), bytes.size());
        places[i].hashed = hash(places[i].key);
        __builtin_prefetch(
            arena_.at<Bucket>(head().buckets) + scale(places[i].hashed, head().n_buckets), 1);
      }
      for (size_t i = 0; i < n; ++i) {
        const auto& entry = entries[begin + i];
        const auto byte = [&](size_t k) { return static_cast<uint8_t>(entry.bytes[k]); };
        if (entry.bytes.size() > kMaxShort) {
          VITALIS_TRY(insert_long(entry, long_slots));
        } else {
          VITALIS_TRY(insert_short(entry, places[i].key, places[i].hashed));
        }
        if (entry.bytes.size() == 1) byte_ids[byte(0)] = entry.id;
        if (entry.bytes.size() == 2) byte_pairs[byte(0) * 256 + byte(1)] = entry.id;
      }
    }
    for (int byte = 0; byte < 256; ++byte) {
      if (byte_ids[byte] == kNone) {
        return error(Code::kUnsupported, "no token stands for the byte ", byte,
                     "; a byte-level vocabulary has one for each");
      }
    }
    return {};
  }

  static Status twice(const VocabularySource::Entry& entry, Token other) {
    return error(Code::kMalformed, "tokens ", other, " and ", entry.id, " have the same bytes");
  }

  Status insert_short(const VocabularySource::Entry& entry, const Key& key, uint64_t hashed) {
    auto* buckets = arena_.at<Bucket>(head().buckets);
    arena_.at<uint64_t>(head().filter)[filter_word(hashed)] |= filter_bits(hashed);
    size_t at = scale(hashed, head().n_buckets);
    while (true) {
      Bucket& bucket = buckets[at];
      for (int i = 0; i < 3; ++i) {
        if (bucket.keys[i] == key) return twice(entry, bucket.ids[i]);
        if (bucket.keys[i] == Key{}) {
          bucket.keys[i] = key;
          bucket.ids[i] = entry.id;
          return {};
        }
      }
      ++bucket.overflow;
      at = at + 1 == head().n_buckets ? 0 : at + 1;
    }
  }

  Status insert_long(const VocabularySource::Entry& entry, Token* slots) {
    const auto* offsets = arena_.at<uint32_t>(head().offsets);
    const auto* blob = arena_.at<char>(head().blob);
    const uint64_t hashed = hash(entry.bytes);
    arena_.at<uint64_t>(head().filter)[filter_word(hashed)] |= filter_bits(hashed);
    size_t at = hashed & (head().n_long_slots - 1);
    while (slots[at] != kNone) {
      const Token id = slots[at];
      if (std::string_view(blob + offsets[id], offsets[id + 1] - offsets[id]) == entry.bytes) {
        return twice(entry, id);
      }
      at = (at + 1) & (head().n_long_slots - 1);
    }
    slots[at] = entry.id;
    return {};
  }

  Status fill_specials() {
    auto* specials = arena_.at<Token>(head().specials);
    std::vector<std::string_view> names;
    for (const auto& special : source_.specials) {
      *specials++ = special.id;
      names.push_back(special.bytes);
    }
    std::sort(arena_.at<Token>(head().specials), specials);
    std::sort(names.begin(), names.end());
    const auto same = std::adjacent_find(names.begin(), names.end());
    if (same != names.end()) {
      return error(Code::kMalformed, "the special token ", in_quotes(*same), " is given twice");
    }
    return {};
  }

  Status fill_pairs() {
    if (!source_.merges) return {};
    if (source_.merges->size() > kMaxRank) {
      return error(Code::kUnsupported, "there are ", source_.merges->size(), " merges; at most ",
                   kMaxRank, " are expected");
    }
    auto* slots = arena_.at<PairSlot>(head().pairs);
    const size_t last = head().n_pair_slots - 1;
    std::fill_n(slots, last + 1, PairSlot{kNone, kNone, kNone, kNone});
    uint32_t rank = 0;
    for (const auto& merge : *source_.merges) {
      VITALIS_TRY(check_merge(merge, rank));
      size_t at = pair_hash(merge.left, merge.right) & last;
      while (slots[at].rank != kNone) {
        if (slots[at].left == merge.left && slots[at].right == merge.right) {
          return error(Code::kMalformed, "merge ", rank, " repeats merge ", slots[at].rank);
        }
        at = (at + 1) & last;
      }
      slots[at] = {merge.left, merge.right, rank++, merge.result};
    }
    return {};
  }

  Status check_merge(const VocabularySource::Merge& merge, uint32_t rank) {
    const auto* offsets = arena_.at<uint32_t>(head().offsets);
    const auto* blob = arena_.at<char>(head().blob);
    const auto bytes = [&](Token id) {
      return id < n_ids_ ? std::string_view(blob + offsets[id], offsets[id + 1] - offsets[id])
                         : std::string_view();
    };
    const std::string_view left = bytes(merge.left), right = bytes(merge.right);
    const std::string_view result = bytes(merge.result);
    if (left.empty() || right.empty() || result.size() != left.size() + right.size() ||
        !result.starts_with(left) || !result.ends_with(right)) {
      return error(Code::kMalformed, "merge ", rank, ": token ", merge.result, " is not token ",
                   merge.left, " followed by token ", merge.right);
    }
    return {};
  }

  const VocabularySource& source_;
  Arena arena_;
  size_t n_ids_ = 0, n_short_ = 0, blob_bytes_ = 0;
};

Result<Vocabulary> Vocabulary::build(const VocabularySource& source) {
  return Builder(source).build();
}

Result<Vocabulary> Vocabulary::adopt(MappedFile file, size_t begin) {
  Vocabulary out;
  VITALIS_TRY(out.bind(file.bytes().subspan(begin)));
  out.file_ = std::move(file);
  return out;
}

// Views into a block, each held to its bounds and alignment.
class Vocabulary::Sections {
 public:
  explicit Sections(std::span<const std::byte> block) : block_(block) {}

  template <class T>
  std::span<const T> at(uint64_t offset, uint64_t count) {
    if (offset % alignof(T) != 0 || offset > block_.size() ||
        count > (block_.size() - offset) / sizeof(T)) {
      good_ = false;
      return {};
    }
    return {reinterpret_cast<const T*>(block_.data() + offset), static_cast<size_t>(count)};
  }
  bool good() const { return good_; }

 private:
  std::span<const std::byte> block_;
  bool good_ = true;
};

Status Vocabulary::bind(std::span<const std::byte> block) {
  const auto malformed = [] { return error(Code::kMalformed, "not a compiled vocabulary"); };
  Header h;
  if (block.size() < sizeof h) return malformed();
  std::memcpy(&h, block.data(), sizeof h);
  if (h.magic != kMagic || h.block_bytes != block.size() || h.n_ids > kMaxIds) return malformed();
  Sections sections(block);
  const auto offsets = sections.at<uint32_t>(h.offsets, h.n_ids + 1);
  const auto buckets = sections.at<Bucket>(h.buckets, h.n_buckets);
  const auto blob = sections.at<char>(h.blob, h.blob_bytes);
  const auto byte_ids = sections.at<Token>(h.byte_ids, 256);
  const auto byte_pairs = sections.at<Token>(h.byte_pairs, kBytePairs);
  const auto filter = sections.at<uint64_t>(h.filter, size_t{1} << kFilterWords);
  long_slots_ = sections.at<Token>(h.long_slots, h.n_long_slots);
  specials_ = sections.at<Token>(h.specials, h.n_specials);
  pairs_ = sections.at<PairSlot>(h.pairs, h.n_pair_slots);
  // What ends a search must be there.
  const auto ends = [](const Bucket& b) { return b.overflow == 0; };
  const auto free_slot = [](const PairSlot& slot) { return slot.rank == kNone; };
  if (!sections.good() || std::none_of(buckets.begin(), buckets.end(), ends) ||
      !std::has_single_bit(h.n_long_slots) ||
      std::find(long_slots_.begin(), long_slots_.end(), kNone) == long_slots_.end() ||
      (h.n_pair_slots != 0 && (!std::has_single_bit(h.n_pair_slots) ||
                               std::none_of(pairs_.begin(), pairs_.end(), free_slot)))) {
    return malformed();
  }
  block_ = block;
  size_ = h.n_ids;
  whole_pieces_first_ = h.whole_pieces_first != 0;
  offsets_ = offsets.data();
  buckets_ = buckets.data();
  n_buckets_ = buckets.size();
  blob_ = blob.data();
  blob_bytes_ = blob.size();
  byte_ids_ = byte_ids.data();
  byte_pairs_ = byte_pairs.data();
  filter_ = filter.data();
  return {};
}

Token Vocabulary::find_long(std::string_view bytes, uint64_t hashed) const {
  if (!may_have(hashed)) return kNone;
  const size_t last = long_slots_.size() - 1;
  for (size_t at = hashed & last;; at = (at + 1) & last) {
    const Token id = long_slots_[at];
    if (id == kNone || this->bytes(id) == bytes) return id;
  }
}

bool Vocabulary::is_special(Token id) const {
  return std::binary_search(specials_.begin(), specials_.end(), id);
}

Token Vocabulary::special(std::string_view name) const {
  for (const Token id : specials_) {
    if (bytes(id) == name) return id;
  }
  return kNone;
}

const PairSlot& Vocabulary::pair(Token left, Token right) const {
  const size_t last = pairs_.size() - 1;
  for (size_t at = pair_hash(left, right) & last;; at = (at + 1) & last) {
    const PairSlot& slot = pairs_[at];
    if (slot.rank == kNone || (slot.left == left && slot.right == right)) return slot;
  }
}

}  // namespace vitalis::tokenizer
