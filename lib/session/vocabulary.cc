// SPDX-License-Identifier: Apache-2.0
#include "session/vocabulary.h"

#include <filesystem>

namespace vitalis::session {
namespace {

namespace fs = std::filesystem;

// Beside what is in the folder, or above it.
std::string find_json(const fs::path& folder) {
  std::error_code ignored;
  const fs::path here = folder / "tokenizer.json";
  const fs::path above = (folder / ".." / "tokenizer.json").lexically_normal();
  return !fs::exists(here, ignored) && fs::exists(above, ignored) ? above.string() : here.string();
}

Result<Tokenizer> open_file(const std::string& file, const std::string& cache_folder) {
  return cache_folder.empty() ? Tokenizer::open(file) : Tokenizer::open(file, cache_folder);
}

// `used` is the file that it comes from.
Result<Tokenizer> open_any(const std::string& path, const std::string& cache_folder,
                           std::string& used) {
  std::error_code ignored;
  used = fs::is_directory(path, ignored) ? find_json(path) : path;
  Result<Tokenizer> own = open_file(used, cache_folder);
  if (own.ok() || own.status().code() != Code::kNotFound || !fs::is_regular_file(path, ignored)) {
    return own;
  }
  used = find_json(fs::absolute(path, ignored).parent_path());
  return open_file(used, cache_folder);
}

}  // namespace

Result<std::shared_ptr<const Vocabulary>> Vocabulary::open(const std::string& path,
                                                           const std::string& cache_folder,
                                                           size_t rows) {
  std::string file;
  VITALIS_ASSIGN(auto tokenizer, open_any(path, cache_folder, file));
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
