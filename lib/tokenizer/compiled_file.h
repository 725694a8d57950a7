// SPDX-License-Identifier: Apache-2.0
// A vocabulary's block of memory kept in a file, to be mapped instead of read again. The file is
// bound to its source by the source's path, size, time of change and a hash of samples, carries a
// checksum of the block, and is only for this version and byte order.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "tokenizer/vocabulary.h"

namespace vitalis::tokenizer {

class CompiledFile {
 public:
  // Nothing if the source cannot be examined.
  static std::optional<CompiledFile> for_source(const std::string& source,
                                                const std::string& folder);

  // Any failure means only that the source must be read: there is no such file, or it is another
  // source's, another version's, or damaged.
  Result<Vocabulary> read() const;
  // Writes under another name and renames, so that a reader never sees half a file.
  Status write(const Vocabulary& vocabulary) const;

  const std::string& path() const { return path_; }

 private:
  struct Header;
  CompiledFile() = default;

  std::string folder_, path_;
  uint64_t source_bytes_ = 0, source_time_ = 0, source_samples_ = 0, source_path_ = 0;
};

}  // namespace vitalis::tokenizer
