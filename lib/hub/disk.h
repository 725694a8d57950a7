// SPDX-License-Identifier: Apache-2.0
// Files and folders as a download needs them. What durability rests on is virtual, so that tests
// can refuse it, or lose what was not synced as a power cut does; everything else is plain
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::hub {

// An open file; closes itself.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();

  explicit operator bool() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }

 private:
  int descriptor_ = -1;
  std::string path_;
};

struct Space {
  uint64_t free = 0;
  uint64_t largest_file = 0;  // 0: no limit known. FAT32 has 4 GiB - 1
};
// kIo unless there is room for so many bytes, and some to spare, on the disk that `folder` is on.
Status check_room(const Space& space, const std::string& folder, uint64_t bytes);
// kIo unless one file may have so many.
Status check_file_size(const Space& space, const std::string& folder, std::string_view name,
                       uint64_t bytes);

class Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  virtual Status write_at(const OpenFile& file, std::span<const std::byte> bytes, uint64_t offset);
  virtual Status append(const OpenFile& file, std::string_view text);
  // The bytes written so far, and the size, are on the disk when this returns.
  virtual Status sync(const OpenFile& file);
  // Bytes of one file to a place in another: shared on disk where the file system can and both
  // offsets lie alike in its blocks, else copied. How many are shared.
  virtual Result<uint64_t> copy_at(const OpenFile& from, uint64_t from_offset, const OpenFile& to,
                                   uint64_t to_offset, uint64_t size);
  // Makes the file `size` bytes long, with room for all of them if the file system can promise it.
  virtual Status allocate(const OpenFile& file, uint64_t size);
  virtual Status rename(const std::string& from, const std::string& to);
  // Names made, changed or removed in the folder are on the disk when this returns.
  virtual Status sync_folder(const std::string& folder);
  // Of the file system that `path`, or the nearest folder above it that exists, lies in.
  virtual Result<Space> space_at(const std::string& path);

  static Disk& real();
};

// Reading and writing, made or not.
Result<OpenFile> open_to_read(const std::string& path);
Result<OpenFile> open_to_write(const std::string& path, bool truncate);
// Fewer only at the end of the file.
Result<size_t> read_at(const OpenFile& file, std::span<std::byte> out, uint64_t offset);

struct FileInfo {
  uint64_t size = 0;
  int64_t modified_ns = 0;
  uint64_t inode = 0;
  uint64_t device = 0;
  uint64_t links = 0;
  uint64_t allocated = 0;  // bytes on disk
  bool is_folder = false;
  bool is_regular = false;
};
std::optional<FileInfo> examine(const std::string& path);  // follows links; none: not there
std::optional<std::string> link_target(const std::string& path);

std::string folder_of(std::string_view path);
std::string system_reason(int error_number);
Status io_error(std::string_view what, const std::string& path, int error_number);

// The folder and all above it.
Status make_folders(const std::string& path, uint32_t mode = 0777);
// Names in a folder, sorted, without "." and ".."; empty if it is not there.
Result<std::vector<std::string>> list_folder(const std::string& path);
// Paths of all files (and links) below a folder, relative to it, sorted. Links are not entered.
Result<std::vector<std::string>> list_files_below(const std::string& folder);
Status remove_file(const std::string& path);    // ok if it is not there
Status remove_folder(const std::string& path);  // and all below it; links are removed, not followed
// A new file beside it, synced, takes its place: whoever reads finds the old or the new.
Status write_atomically(Disk& disk, const std::string& path, std::string_view text,
                        uint32_t mode = 0666);
// The same for what may be lost in a power cut, since it can be made again: not synced.
Status write_in_one_step(Disk& disk, const std::string& path, std::string_view text);
// What file systems share is a multiple of this, and lies at multiples of it.
inline constexpr uint64_t kShareUnit = 4096;
// How many bytes of a copy that may be: the whole units, where both offsets lie alike.
uint64_t shareable_bytes(uint64_t from_offset, uint64_t to_offset, uint64_t size);
// Bytes of one file become a part of the other without taking room; size 0: all of them, else a
// multiple of the unit. False if the file system cannot.
bool share_range(const OpenFile& from, uint64_t from_offset, const OpenFile& to, uint64_t to_offset,
                 uint64_t size);
// A second name for a file's content. False if the file system cannot, or the user may not.
bool link_file(const std::string& from, const std::string& to);
// `size` bytes at `offset` of one become those of the other, shared on disk where it can.
Status copy_contents(const OpenFile& from, const OpenFile& to, uint64_t offset, uint64_t size);

}  // namespace vitalis::hub
