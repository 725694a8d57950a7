// SPDX-License-Identifier: Apache-2.0
// Files that are read or written from end to end, where mapping would not do: a file that becomes
// shorter meanwhile is an error here, and would be a signal there. Failures name the path and the
// system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/status.h"

namespace vitalis {

// An open file's number, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

class InputFile {
 public:
  // kNotFound, kDenied, or kIo for what is no regular file.
  static Result<InputFile> open(const std::string& path);

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }  // when it was opened
  // Fills `to` with the next bytes; kMalformed if there are fewer.
  Status read(std::span<std::byte> to);

 private:
  InputFile(std::string path, Descriptor file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}
  std::string path_;
  Descriptor file_;
  uint64_t size_;
};

// A file that takes the place of `path` when it is whole and on the disk, and never else. Until
// then it has another name in the same folder. Only its owner may read it.
class ReplacingFile {
 public:
  static Result<ReplacingFile> create(const std::string& path);
  ReplacingFile(ReplacingFile&& other) noexcept;
  ReplacingFile& operator=(ReplacingFile&&) = delete;
  ~ReplacingFile();  // removes it, unless commit() succeeded

  Status write(std::span<const std::byte> from);
  Status commit();

 private:
  ReplacingFile(std::string path, std::string temporary, Descriptor file)
      : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}
  std::string path_;
  std::string temporary_;  // empty: renamed
  Descriptor file_;
};

}  // namespace vitalis
