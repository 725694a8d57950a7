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

  // kIntegrity if the mapped file was written to since, by its size or its time of change: what is
  // mapped may have changed too, and pages behind a new end may not be touched. A file that was
  // removed or replaced by another, as updates do, is still mapped as it was.
  Status unchanged() const;

  // Asks the system to read ahead; a hint, never an error.
  void will_need(size_t offset, size_t size) const;

 private:
  // What tells a file from another, and from itself once it is written to.
  struct Identity {
    uint64_t size = 0, device = 0, number = 0;
    int64_t seconds = 0, nanoseconds = 0;
    bool operator==(const Identity&) const = default;
  };
  template <class Stat>
  static Identity identity(const Stat& info);

  MappedFile(std::string path, const Identity& identity, const std::byte* data)
      : path_(std::move(path)), identity_(identity), data_(data), size_(identity.size) {}

  std::string path_;
  Identity identity_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// The whole of a small file, for example a config. kUnsupported if it is larger than `limit`.
Result<std::string> read_file(const std::string& path, size_t limit);

}  // namespace vitalis
