// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace vitalis {
namespace {

// No system call takes more at once.
constexpr size_t kMostBytes = size_t{1} << 30;

Status failed(std::string_view what, const std::string& path, int error_number) {
  const Code code = error_number == ENOENT                            ? Code::kNotFound
                    : error_number == EACCES || error_number == EPERM ? Code::kDenied
                                                                      : Code::kIo;
  return error(code, "cannot ", what, " ", path, ": ",
               std::error_code(error_number, std::generic_category()).message());
}

// A rename is on the disk when its folder is. Some file systems cannot do that; they have no need.
void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.is_open()) ::fsync(file.number());
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<InputFile> InputFile::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (!file.is_open() || ::fstat(file.number(), &info) != 0) return failed("open", path, errno);
  if (!S_ISREG(info.st_mode)) return error(Code::kIo, path, " is not a regular file");
  return InputFile(path, std::move(file), static_cast<uint64_t>(info.st_size));
}

Status InputFile::read(std::span<std::byte> to) {
  while (!to.empty()) {
    const ssize_t n = ::read(file_.number(), to.data(), std::min(to.size(), kMostBytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", path_, errno);
    if (n == 0) return error(Code::kMalformed, path_, " ends too early");
    to = to.subspan(static_cast<size_t>(n));
  }
  return {};
}

Result<ReplacingFile> ReplacingFile::create(const std::string& path) {
  std::string temporary = path + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.is_open()) return failed("create", temporary, errno);
  return ReplacingFile(path, std::move(temporary), std::move(file));
}

ReplacingFile::ReplacingFile(ReplacingFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)) {}

ReplacingFile::~ReplacingFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status ReplacingFile::write(std::span<const std::byte> from) {
  while (!from.empty()) {
    const ssize_t n = ::write(file_.number(), from.data(), std::min(from.size(), kMostBytes));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed("write", temporary_, n < 0 ? errno : ENOSPC);
    from = from.subspan(static_cast<size_t>(n));
  }
  return {};
}

Status ReplacingFile::commit() {
  if (::fsync(file_.number()) != 0) return failed("write", temporary_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failed("replace", path_, errno);
  temporary_.clear();
  sync_folder_of(path_);
  return {};
}

}  // namespace vitalis
