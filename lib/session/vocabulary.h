// SPDX-License-Identifier: Apache-2.0
// A tokenizer and the harmony format in its ids: what text needs of a model. Useful without
// weights. Immutable; any thread may read.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/status.h"
#include "harmony/format.h"
#include "harmony/grammar/token_grammar.h"
#include "tokenizer/tokenizer.h"

namespace vitalis::session {

class Vocabulary {
 public:
  // `path`: a tokenizer.json, a GGUF file or a model.bin, or a folder that holds a tokenizer.json
  // or whose parent does (as that of original/ in a published checkpoint). A GGUF file without a
  // vocabulary takes that of the folder it lies in. A compiled form is kept in `cache_folder`
  // unless that is empty. `rows`: ids that the model has; 0: as gpt-oss. Errors are those of
  // Tokenizer::open, and kNotFound if control tokens of the format are missing.
  static Result<std::shared_ptr<const Vocabulary>> open(const std::string& path,
                                                        const std::string& cache_folder,
                                                        size_t rows = 0);

  const Tokenizer& tokenizer() const { return tokenizer_; }
  const harmony::Format& format() const { return *format_; }
  // What answers are held to grammars with; made when it is first asked for. It borrows this.
  Result<std::shared_ptr<const harmony::grammar::TokenIndex>> token_index() const;

 private:
  explicit Vocabulary(Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}
  Tokenizer tokenizer_;
  std::optional<harmony::Format> format_;  // points to tokenizer_; set once, by open
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const harmony::grammar::TokenIndex> index_;
};

}  // namespace vitalis::session
