// SPDX-License-Identifier: Apache-2.0
// Merging against a judge: the lowest rank first, the leftmost of equals, one merge at a time over
// the whole piece, with nothing clever about it.
#include "tokenizer/merge.h"

#include <gtest/gtest.h>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tokenizer/load_json.h"

namespace vitalis::tokenizer {
namespace {

std::vector<Token> judged(const Vocabulary& vocabulary, std::string_view piece) {
  struct Part {
    Token id;
    std::string bytes;
  };
  std::vector<Part> parts;
  for (const char byte : piece) {
    parts.push_back({vocabulary.byte_id(static_cast<uint8_t>(byte)), std::string(1, byte)});
  }
  while (true) {
    size_t best = 0;
    uint32_t lowest = kNone;
    Token joined = kNone;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      uint32_t rank = kNone;
      Token id = kNone;
      if (vocabulary.ranks_are_ids()) {
        rank = id = vocabulary.find(parts[i].bytes + parts[i + 1].bytes);
      } else {
        const PairSlot& slot = vocabulary.pair(parts[i].id, parts[i + 1].id);
        rank = slot.rank;
        id = slot.result;
      }
      if (rank < lowest) {
        best = i;
        lowest = rank;
        joined = id;
      }
    }
    if (lowest == kNone) break;
    parts[best] = {joined, parts[best].bytes + parts[best + 1].bytes};
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<Token> out;
  for (const Part& part : parts) out.push_back(part.id);
  return out;
}

// Letters at random, runs, repeated words, and real tokens side by side.
std::string piece_of(const Vocabulary& vocabulary, std::mt19937& random, size_t size) {
  const unsigned letters = 1 + random() % 26;
  const unsigned kind = random() % 4;
  std::string out;
  while (out.size() < size) {
    if (kind == 0) {
      out += static_cast<char>('a' + random() % letters);
    } else if (kind == 1) {
      out.append(1 + random() % 90, static_cast<char>('a' + random() % letters));
    } else if (kind == 2) {
      out += vocabulary.bytes(random() % static_cast<uint32_t>(vocabulary.size()));
    } else {
      out += out.substr(0, 1 + random() % 7) + static_cast<char>(random());
    }
  }
  out.resize(size);
  return out;
}

class Merge : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto loaded = load_json(GetParam());
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    vocabulary_.emplace(loaded.take());
  }
  std::optional<Vocabulary> vocabulary_;
};

TEST_P(Merge, EqualsTheJudgeOnLongPieces) {
  std::mt19937 random(21);
  for (int round = 0; round < 400; ++round) {
    const std::string piece = piece_of(*vocabulary_, random, 1 + random() % 700);
    std::vector<Token> merged;
    merge(*vocabulary_, piece, merged);
    ASSERT_EQ(merged, judged(*vocabulary_, piece)) << testing::PrintToString(piece);
  }
}

TEST_P(Merge, EqualsTheJudgeOnSmallPiecesTogether) {
  std::mt19937 random(22);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> pieces(1 + random() % 11);
    std::vector<SmallMerge> merges;
    std::vector<std::vector<Token>> tokens(pieces.size());
    for (size_t i = 0; i < pieces.size(); ++i) {
      pieces[i] = piece_of(*vocabulary_, random, 1 + random() % kSmallPiece);
      tokens[i].resize(pieces[i].size());
      merges.push_back({pieces[i].data(), pieces[i].size(), tokens[i].data(), 0});
    }
    merge_small(*vocabulary_, merges);
    for (size_t i = 0; i < pieces.size(); ++i) {
      tokens[i].resize(merges[i].n);
      ASSERT_EQ(tokens[i], judged(*vocabulary_, pieces[i])) << testing::PrintToString(pieces[i]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, Merge,
                         testing::Values(VITALIS_TEST_DATA "/tokenizer.json", VITALIS_SOURCE_DIR
                                         "/examples/models/vitalis-tiny/tokenizer.json"),
                         [](const auto& of) {
                           return of.index == 0 ? std::string("Published")
                                                : std::string("Demonstration");
                         });

}  // namespace
}  // namespace vitalis::tokenizer
