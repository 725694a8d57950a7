// SPDX-License-Identifier: Apache-2.0
#include "session/vocabulary.h"

#include <filesystem>

namespace vitalis::session {
namespace {

std::string find_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  const fs::path here = fs::path(path) / "tokenizer.json";
  const fs::path above = (fs::path(path) / ".." / "tokenizer.json").lexically_normal();
  return !fs::exists(here, ignored) && fs::exists(above, ignored) ? above.string() : here.string();
}

}  // namespace

Result<std::shared_ptr<const Vocabulary>> Vocabulary::open(const std::string& path,
                                                           const std::string& cache_folder,
                                                           size_t rows) {
  const std::string file = find_file(path);
  VITALIS_ASSIGN(auto tokenizer, cache_folder.empty() ? Tokenizer::open(file)
                                                      : Tokenizer::open(file, cache_folder));
  if (rows > 0 && tokenizer.size() > rows) {
    return error(Code::kMalformed, file, " names tokens up to ", tokenizer.size() - 1,
                 ", but the model has only ", rows, " rows for them");
  }
  // make_shared cannot reach the private constructor.
  std::shared_ptr<Vocabulary> vocabulary(new Vocabulary(std::move(tokenizer)));
  const Token named_end = rows > 0 ? static_cast<Token>(rows) : harmony::Format::kNamedEnd;
  VITALIS_ASSIGN(vocabulary->format_, harmony::Format::create(vocabulary->tokenizer_, named_end));
  return std::shared_ptr<const Vocabulary>(std::move(vocabulary));
}

Result<std::shared_ptr<const harmony::grammar::TokenIndex>> Vocabulary::token_index() const {
  const std::lock_guard lock(mutex_);
  if (!index_) {
    VITALIS_ASSIGN(index_, harmony::grammar::TokenIndex::create(tokenizer_));
  }
  return index_;
}

}  // namespace vitalis::session
