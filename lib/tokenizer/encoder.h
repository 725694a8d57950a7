// SPDX-License-Identifier: Apache-2.0
// From well-formed text to tokens: split, look up, merge what is no entry. One object serves any
// number of threads at once.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/split.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_cache.h"

namespace vitalis::tokenizer {

class Encoder {
 public:
  // All must outlive it.
  Encoder(const PieceKernels& kernels, const Vocabulary& vocabulary, const WordMemory& memory)
      : kernels_(kernels), vocabulary_(vocabulary), memory_(memory) {}

  void encode(std::string_view text, std::vector<Token>& out) const;
  size_t count(std::string_view text) const;

  // Whole pieces, at most `limit` tokens; returns how many bytes they stand for.
  size_t encode_up_to(std::string_view text, size_t limit, std::vector<Token>& out) const;

 private:
  template <class Sink>
  void each_batch(std::string_view text, Sink&& sink) const;
  template <class Sink>
  void encode_batch(std::string_view text, size_t begin, const size_t* ends, size_t n,
                    Sink& sink) const;
  struct Miss;
  Miss miss_of(std::string_view piece, uint64_t key_hash, size_t after) const;
  size_t recall(const Miss& miss, Token* tokens) const;
  void learn(const Miss& miss, const Token* tokens, size_t n) const;
  template <class Sink>
  void encode_misses(std::span<const Miss> misses, const Token* ids, size_t n_ids,
                     Sink& sink) const;

  const PieceKernels& kernels_;
  const Vocabulary& vocabulary_;
  const WordMemory& memory_;
};

}  // namespace vitalis::tokenizer
