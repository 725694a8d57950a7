// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/file.h"

namespace vitalis {
namespace {

std::string system_reason(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

Status failed(std::string_view what, const std::string& path, int error_number) {
  const Code code = error_number == ENOENT   ? Code::kNotFound
                    : error_number == EACCES ? Code::kDenied
                                             : Code::kIo;
  return error(code, "cannot ", what, " ", path, ": ", system_reason(error_number));
}

Result<struct stat> examine(const Descriptor& file, const std::string& path) {
  struct stat info;
  if (::fstat(file.number(), &info) != 0) return failed("examine", path, errno);
  if (!S_ISREG(info.st_mode)) return error(Code::kIo, path, " is not a regular file");
  return info;
}

}  // namespace

template <class Stat>
MappedFile::Identity MappedFile::identity(const Stat& info) {
  return {static_cast<uint64_t>(info.st_size), static_cast<uint64_t>(info.st_dev),
          static_cast<uint64_t>(info.st_ino), static_cast<int64_t>(info.st_mtim.tv_sec),
          static_cast<int64_t>(info.st_mtim.tv_nsec)};
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return failed("open", path, errno);
  VITALIS_ASSIGN(const struct stat info, examine(file, path));
  const Identity own = identity(info);
  const size_t size = own.size;
  if (size == 0) return MappedFile(path, own, nullptr);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number(), 0);
  if (data == MAP_FAILED) return failed("map", path, errno);
  return MappedFile(path, own, static_cast<const std::byte*>(data));
}

Status MappedFile::unchanged() const {
  struct stat info;
  if (::stat(path_.c_str(), &info) != 0) return {};
  const Identity now = identity(info);
  if (now == identity_) return {};
  if (now.device != identity_.device || now.number != identity_.number) return {};
  if (now.size != identity_.size) {
    return error(Code::kIntegrity, path_, " was changed after it was opened: it had ",
                 identity_.size, " bytes and has ", now.size);
  }
  return error(Code::kIntegrity, path_, " was changed after it was opened");
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      identity_(other.identity_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(identity_, other.identity_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  // munmap takes a mutable pointer by its C signature; the pages stay read-only.
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::will_need(size_t offset, size_t size) const {
  if (!data_ || offset >= size_) return;
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t begin = offset / page * page;
  const size_t end = size > size_ - offset ? size_ : offset + size;
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_WILLNEED);
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return failed("open", path, errno);
  VITALIS_ASSIGN(const struct stat info, examine(file, path));
  const auto size = static_cast<size_t>(info.st_size);
  if (size > limit) {
    return error(Code::kUnsupported, path, " has ", size, " bytes; at most ", limit,
                 " are expected");
  }
  std::string out(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(file.number(), out.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", path, errno);
    if (n == 0) return error(Code::kIo, path, " became shorter while it was read");
    done += static_cast<size_t>(n);
  }
  return out;
}

}  // namespace vitalis
