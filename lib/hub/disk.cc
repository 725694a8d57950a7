// SPDX-License-Identifier: Apache-2.0
#include "hub/disk.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <memory>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace vitalis::hub {
namespace {

constexpr long kMsdosMagic = 0x4D44;    // FAT: no file beyond 4 GiB - 1
constexpr uint64_t kMargin = 64 << 20;  // left free beside what is written

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

bool is_dots(std::string_view name) {
  return name == "." || name == "..";
}

Status list_below(const std::string& root, const std::string& prefix, size_t depth,
                  std::vector<std::string>& out) {
  constexpr size_t kDeepest = 64;
  if (depth > kDeepest) return error(Code::kUnsupported, root, ": folders more than 64 deep");
  VITALIS_ASSIGN(const auto names, list_folder(root + '/' + prefix));
  for (const std::string& name : names) {
    const std::string path = prefix.empty() ? name : prefix + '/' + name;
    struct stat info;
    if (::lstat((root + '/' + path).c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      VITALIS_TRY(list_below(root, path, depth + 1, out));
    } else {
      out.push_back(path);
    }
  }
  return {};
}

uint64_t bytes_to_unit(uint64_t offset) {
  return (kShareUnit - offset % kShareUnit) % kShareUnit;
}

// By the system within one file system, else through memory.
Status copy_range(Disk& disk, const OpenFile& from, uint64_t from_offset, const OpenFile& to,
                  uint64_t to_offset, uint64_t size) {
  auto source = static_cast<off_t>(from_offset), target = static_cast<off_t>(to_offset);
  const uint64_t end = from_offset + size;
  while (static_cast<uint64_t>(source) < end) {
    const ssize_t n = ::copy_file_range(from.descriptor(), &source, to.descriptor(), &target,
                                        end - static_cast<uint64_t>(source), 0);
    if (n > 0) continue;
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) return error(Code::kIo, from.path(), " became shorter while it was copied");
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) {
      return io_error("copy to", to.path(), errno);
    }
    break;  // then by hand
  }
  std::vector<std::byte> buffer(static_cast<uint64_t>(source) < end ? 1 << 20 : 0);
  while (static_cast<uint64_t>(source) < end) {
    const auto want = std::span(buffer).first(
        std::min<uint64_t>(buffer.size(), end - static_cast<uint64_t>(source)));
    VITALIS_ASSIGN(const size_t n, read_at(from, want, static_cast<uint64_t>(source)));
    if (n == 0) return error(Code::kIo, from.path(), " became shorter while it was copied");
    VITALIS_TRY(disk.write_at(to, std::span(buffer).first(n), static_cast<uint64_t>(target)));
    source += static_cast<off_t>(n);
    target += static_cast<off_t>(n);
  }
  return {};
}

}  // namespace

OpenFile::OpenFile(OpenFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string system_reason(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

Status io_error(std::string_view what, const std::string& path, int error_number) {
  const Code code = error_number == ENOENT                            ? Code::kNotFound
                    : error_number == EACCES || error_number == EPERM ? Code::kDenied
                                                                      : Code::kIo;
  std::string room;
  if (error_number == ENOSPC || error_number == EDQUOT) {
    if (const auto space = Disk::real().space_at(path); space.ok()) {
      room = text(" (", space->free, " bytes are free there)");
    }
  }
  return error(code, "cannot ", what, ' ', path, ": ", system_reason(error_number), room);
}

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

Disk& Disk::real() {
  static Disk disk;
  return disk;
}

Status Disk::write_at(const OpenFile& file, std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n =
        ::pwrite(file.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io_error("write to", file.path(), n < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Status Disk::append(const OpenFile& file, std::string_view text) {
  const off_t end = ::lseek(file.descriptor(), 0, SEEK_END);
  if (end < 0) return io_error("write to", file.path(), errno);
  return Disk::write_at(file, std::as_bytes(std::span(text)), static_cast<uint64_t>(end));
}

Status Disk::sync(const OpenFile& file) {
  if (::fdatasync(file.descriptor()) != 0) return io_error("sync", file.path(), errno);
  return {};
}

Result<uint64_t> Disk::copy_at(const OpenFile& from, uint64_t from_offset, const OpenFile& to,
                               uint64_t to_offset, uint64_t size) {
  // Up to the first multiple of the unit, from there in whole units, and the rest.
  const uint64_t head = bytes_to_unit(from_offset);
  const uint64_t body = shareable_bytes(from_offset, to_offset, size);
  if (body == 0 || !share_range(from, from_offset + head, to, to_offset + head, body)) {
    VITALIS_TRY(copy_range(*this, from, from_offset, to, to_offset, size));
    return uint64_t{0};
  }
  VITALIS_TRY(copy_range(*this, from, from_offset, to, to_offset, head));
  const uint64_t done = head + body;
  VITALIS_TRY(copy_range(*this, from, from_offset + done, to, to_offset + done, size - done));
  return body;
}

Status Disk::allocate(const OpenFile& file, uint64_t size) {
  struct stat info;
  if (::fstat(file.descriptor(), &info) != 0) return io_error("examine", file.path(), errno);
  const auto length = static_cast<off_t>(size);
  if (info.st_size != length && ::ftruncate(file.descriptor(), length) != 0) {
    return io_error("make room for", file.path(), errno);
  }
  if (length == 0) return {};
  while (::fallocate(file.descriptor(), 0, 0, length) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return {};  // then it grows as it is written
    return io_error("make room for", file.path(), errno);
  }
  return {};
}

Status Disk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return io_error("rename to", to, errno);
  return {};
}

Status Disk::sync_folder(const std::string& folder) {
  const OpenFile open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder);
  if (!open) return io_error("open", folder, errno);
  // Some file systems have no such thing for folders, and need none.
  if (::fsync(open.descriptor()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    return io_error("sync", folder, errno);
  }
  return {};
}

Result<OpenFile> open_to_read(const std::string& path) {
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
  if (!file) return io_error("open", path, errno);
  return file;
}

Result<OpenFile> open_to_write(const std::string& path, bool truncate) {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (truncate ? O_TRUNC : 0);
  OpenFile file(::open(path.c_str(), flags, 0666), path);
  if (!file) return io_error("open", path, errno);
  return file;
}

Result<size_t> read_at(const OpenFile& file, std::span<std::byte> out, uint64_t offset) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::pread(file.descriptor(), out.data() + done, out.size() - done,
                              static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", file.path(), errno);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

std::optional<FileInfo> examine(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileInfo{
      .size = static_cast<uint64_t>(info.st_size),
      .modified_ns = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec,
      .inode = info.st_ino,
      .device = info.st_dev,
      .links = info.st_nlink,
      .allocated = static_cast<uint64_t>(info.st_blocks) * 512,
      .is_folder = S_ISDIR(info.st_mode),
      .is_regular = S_ISREG(info.st_mode)};
}

std::optional<std::string> link_target(const std::string& path) {
  char target[4096];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  if (size < 0 || static_cast<size_t>(size) >= sizeof target) return std::nullopt;
  return std::string(target, static_cast<size_t>(size));
}

Status make_folders(const std::string& path, uint32_t mode) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
      const int reason = errno;
      if (!examine(part)) return io_error("make the folder", part, reason);
    }
    if (slash == path.npos) break;
  }
  const auto info = examine(path);
  if (!info || !info->is_folder) return error(Code::kIo, path, " is not a folder");
  return {};
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  std::vector<std::string> names;
  if (!folder) {
    if (errno == ENOENT) return names;
    return io_error("list", path, errno);
  }
  while (const dirent* entry = ::readdir(folder.get())) {
    if (!is_dots(entry->d_name)) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> list_files_below(const std::string& folder) {
  std::vector<std::string> out;
  VITALIS_TRY(list_below(folder, "", 0, out));
  std::sort(out.begin(), out.end());
  return out;
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("remove", path, errno);
  return {};
}

Status remove_folder(const std::string& path) {
  VITALIS_ASSIGN(const auto names, list_folder(path));
  for (const std::string& name : names) {
    const std::string below = path + '/' + name;
    struct stat info;
    if (::lstat(below.c_str(), &info) != 0) continue;
    VITALIS_TRY(S_ISDIR(info.st_mode) ? remove_folder(below) : remove_file(below));
  }
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return io_error("remove", path, errno);
  return {};
}

namespace {

Status replace(Disk& disk, const std::string& path, std::string_view text, uint32_t mode,
               bool synced) {
  const std::string beside = path + "." + std::to_string(::getpid()) + ".new";
  VITALIS_TRY(remove_file(beside));
  const OpenFile file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode), beside);
  if (!file) return io_error("make", beside, errno);
  const auto write = [&]() -> Status {
    VITALIS_TRY(disk.write_at(file, std::as_bytes(std::span(text)), 0));
    if (synced) VITALIS_TRY(disk.sync(file));
    VITALIS_TRY(disk.rename(beside, path));
    return synced ? disk.sync_folder(folder_of(path)) : Status();
  };
  Status status = write();
  if (!status.ok()) (void)remove_file(beside);
  return status;
}

}  // namespace

Status write_atomically(Disk& disk, const std::string& path, std::string_view text, uint32_t mode) {
  return replace(disk, path, text, mode, true);
}

Status write_in_one_step(Disk& disk, const std::string& path, std::string_view text) {
  return replace(disk, path, text, 0666, false);
}

uint64_t shareable_bytes(uint64_t from_offset, uint64_t to_offset, uint64_t size) {
  if (from_offset % kShareUnit != to_offset % kShareUnit) return 0;
  const uint64_t head = std::min(size, bytes_to_unit(from_offset));
  return (size - head) / kShareUnit * kShareUnit;
}

bool share_range(const OpenFile& from, uint64_t from_offset, const OpenFile& to, uint64_t to_offset,
                 uint64_t size) {
  file_clone_range range = {.src_fd = from.descriptor(),
                            .src_offset = from_offset,
                            .src_length = size,
                            .dest_offset = to_offset};
  return ::ioctl(to.descriptor(), FICLONERANGE, &range) == 0;
}

bool link_file(const std::string& from, const std::string& to) {
  return ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

Status copy_contents(const OpenFile& from, const OpenFile& to, uint64_t offset, uint64_t size) {
  return copy_range(Disk::real(), from, offset, to, offset, size);
}

Result<Space> Disk::space_at(const std::string& path) {
  std::string existing = path;
  while (!examine(existing)) {
    const std::string above = folder_of(existing);
    if (above == existing) break;
    existing = above;
  }
  struct statvfs info;
  struct statfs kind;
  if (::statvfs(existing.c_str(), &info) != 0) return io_error("examine", existing, errno);
  Space space{.free = uint64_t{info.f_bavail} * info.f_frsize};
  if (::statfs(existing.c_str(), &kind) == 0 && kind.f_type == kMsdosMagic) {
    space.largest_file = 0xFFFF'FFFF;
  }
  return space;
}

Status check_room(const Space& space, const std::string& folder, uint64_t bytes) {
  if (bytes == 0 || bytes + kMargin <= space.free) return {};
  return error(Code::kIo, folder, ": the disk has ", space.free, " bytes free; ", bytes,
               " are needed, and ", kMargin, " to spare");
}

Status check_file_size(const Space& space, const std::string& folder, std::string_view name,
                       uint64_t bytes) {
  if (space.largest_file == 0 || bytes <= space.largest_file) return {};
  return error(Code::kIo, folder, ": the file system there holds no file of more than ",
               space.largest_file, " bytes (FAT32?), and ", name, " has ", bytes);
}

}  // namespace vitalis::hub
