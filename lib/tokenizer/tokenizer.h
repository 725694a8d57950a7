// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE with the o200k pattern, from a model's tokenizer.json, GGUF file or model.bin.
// Special tokens are known by name, never by a fixed id: demonstration models number them
// differently from gpt-oss. Immutable after loading: every const member may be called from any
// number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tokenizer/vocabulary_source.h"

namespace vitalis {

namespace tokenizer {
class Vocabulary;
}

class Tokenizer {
 public:
  // `path`: a tokenizer.json, or a file of weights that holds a vocabulary: GGUF, or the model.bin
  // of a folder metal/. kNotFound (no such file, or GGUF without a vocabulary), kIo, kMalformed
  // (with what is wrong and where), kUnsupported (a tokenizer that is not byte-level BPE with the
  // o200k pattern).
  static Result<Tokenizer> open(const std::string& path);

  // The same through a compiled file in `cache_folder`, which is made on first use. A compiled file
  // that is damaged, or was made from another file or by another version, is ignored and replaced;
  // that it cannot be written is no error.
  static Result<Tokenizer> open(const std::string& path, const std::string& cache_folder);

  // A *.tiktoken file: lines of base64 and rank. It has no special tokens, so they are given.
  static Result<Tokenizer> open_ranks(const std::string& path,
                                      std::span<const VocabularySource::Entry> specials);

  // From a vocabulary that came some other way, for example inside GGUF.
  static Result<Tokenizer> build(const VocabularySource& source);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Appends the tokens of `text` to `out`. The text is data: what spells a special token stays
  // text. Each ill-formed part of UTF-8 counts as U+FFFD.
  void encode(std::string_view text, std::vector<Token>& out) const;

  // Also where each token ends: byte offsets in `text`, which need not be characters' boundaries.
  // Inside U+FFFD for an ill-formed part, offsets stay within that part.
  void encode(std::string_view text, std::vector<Token>& out, std::vector<size_t>& ends) const;

  struct EncodeOptions {
    std::vector<Token> allowed;  // special tokens that become tokens where the text spells them
    std::vector<Token> refused;  // those whose spelling is an error, less the allowed
    bool refuse_ill_formed = false;
  };
  // kInvalidArgument if the text spells a refused special token, or is ill-formed and that is
  // refused: the message has the byte offset, and nothing is appended.
  Status encode(std::string_view text, const EncodeOptions& options, std::vector<Token>& out) const;

  // How many tokens encode(text, ...) appends, without keeping them.
  size_t count(std::string_view text) const;

  // Encodes whole pieces (words, numbers, runs of white space) as long as they make at most `limit`
  // tokens; returns how many bytes of the text they are.
  size_t encode_up_to(std::string_view text, size_t limit, std::vector<Token>& out) const;

  // Runs body(0) ... body(n-1) in any order, on any threads.
  using ParallelFor = std::function<void(size_t n, const std::function<void(size_t)>& body)>;
  std::vector<std::vector<Token>> encode_batch(std::span<const std::string_view> texts,
                                               const ParallelFor& parallel_for) const;

  // Appends the bytes of the tokens: see bytes(). They need not be well-formed UTF-8;
  // StreamDecoder gives text.
  void decode(std::span<const Token> tokens, std::string& out) const;

  // The bytes a token stands for; a special token's name. Empty for ids outside the vocabulary.
  std::string_view bytes(Token token) const;
  // The token that stands for exactly these bytes; not a special token.
  std::optional<Token> find(std::string_view bytes) const;

  // The id of a special token such as "<|start|>".
  std::optional<Token> special(std::string_view name) const;
  bool is_special(Token token) const;
  // All of them, in order of id.
  std::span<const Token> specials() const;

  // One more than the highest id that the file names. Higher ids are padding rows of the model.
  size_t size() const;

 private:
  struct Tables;
  static Result<Tokenizer> from(tokenizer::Vocabulary vocabulary);
  explicit Tokenizer(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace vitalis
