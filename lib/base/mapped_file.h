// SPDX-License-Identifier: Apache-2.0
// A file mapped read-only and shared: the weights stay in the page cache and are never copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"

namespace vitalis {

class MappedFile {
 public:
  // kNotFound or kIo with the path and the system's reason. An empty file maps to an empty span.
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // Asks the system to read ahead; a hint, never an error.
  void will_need(size_t offset, size_t size) const;

 private:
  MappedFile(std::string path, const std::byte* data, size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}

  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// The whole of a small file, for example a config. kUnsupported if it is larger than `limit`.
Result<std::string> read_file(const std::string& path, size_t limit);

}  // namespace vitalis
