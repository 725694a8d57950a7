// SPDX-License-Identifier: Apache-2.0
// The kernels for pieces against each other, and their look-ups against a plain search.
#include "tokenizer/pieces.h"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tokenizer/key.h"
#include "tokenizer/split.h"

namespace vitalis::tokenizer {
namespace {

// Few buckets, so that most are full and overflow; what overflows is left out of the map, as
// look_up does not go on to other buckets.
class Table {
 public:
  explicit Table(const std::vector<std::string>& entries) : buckets_(7) {
    uint32_t id = 100;
    for (const std::string& entry : entries) {
      if (entry.size() > kMaxShort || ids_.contains(entry)) continue;
      const Key key = key_of(entry.data(), entry.size());
      Bucket& home = buckets_[scale(hash(key), buckets_.size())];
      for (int k = 0; k < 3; ++k) {
        if (home.keys[k] != Key{}) continue;
        home.keys[k] = key;
        home.ids[k] = ids_[entry] = id++;
        break;
      }
    }
  }

  const std::vector<Bucket>& buckets() const { return buckets_; }
  uint32_t find(const std::string& piece) const {
    const auto found = ids_.find(piece);
    return found == ids_.end() ? kNone : found->second;
  }

 private:
  std::vector<Bucket> buckets_;
  std::map<std::string, uint32_t> ids_;
};

TEST(Pieces, LookUpFindsWhatIsInItsBucket) {
  std::mt19937 random(5);
  size_t found = 0, long_ones = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> pieces;
    std::vector<size_t> ends;
    std::string text(random() % 3, '?');
    const size_t begin = text.size();
    const size_t n = 1 + random() % 256;
    for (size_t i = 0; i < n; ++i) {
      std::string piece;
      const size_t size = 1 + random() % (i % 16 == 0 ? 600 : i % 3 == 0 ? 17 : 2);
      while (piece.size() < size) piece += static_cast<char>(random() % 7 == 0 ? 0xF0 : 'a');
      long_ones += size > kMaxShort;
      text += piece;
      ends.push_back(text.size());
      pieces.push_back(std::move(piece));
    }
    const std::vector<char> exact(text.begin(), text.end());
    const Table table(pieces);
    for (const PieceKernels* kernels : all_piece_kernels()) {
      Key keys[256];
      uint64_t hashes[256];
      uint32_t ids[256];
      uint8_t missing[256];
      const size_t n_missing = kernels->look_up(exact.data(), exact.size(), begin, ends.data(), n,
                                                table.buckets().data(), table.buckets().size(),
                                                keys, hashes, ids, missing);
      size_t at = 0;
      for (size_t i = 0; i < n; ++i) {
        SCOPED_TRACE(kernels->name);
        ASSERT_EQ(ids[i], table.find(pieces[i])) << pieces[i];
        found += ids[i] != kNone;
        if (ids[i] == kNone) {
          ASSERT_LT(at, n_missing);
          ASSERT_EQ(missing[at++], i);
        }
        if (pieces[i].size() > kMaxShort) continue;
        ASSERT_EQ(keys[i], key_of(pieces[i].data(), pieces[i].size()));
        ASSERT_EQ(hashes[i], hash(keys[i]));
      }
      ASSERT_EQ(at, n_missing);
    }
  }
  EXPECT_GT(found, 1000u);
  EXPECT_GT(long_ones, 1000u);
}

TEST(Pieces, ThePlainKernelsComeFirstAndTheFastestIsChosen) {
  const auto all = all_piece_kernels();
  EXPECT_STREQ(all.front()->name, "plain");
  EXPECT_EQ(&piece_kernels(), all.back());
}

}  // namespace
}  // namespace vitalis::tokenizer
