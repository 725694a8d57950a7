// SPDX-License-Identifier: Apache-2.0
#include "hub/file_lock.h"

#include <cerrno>
#include <chrono>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/mapped_file.h"
#include "base/problems.h"

namespace vitalis::hub {

namespace {

// Whether the open file is still the one at its path: who removes a model removes its lock as well.
bool is_at_its_path(const OpenFile& file) {
  struct stat mine, there;
  return ::fstat(file.descriptor(), &mine) == 0 && ::stat(file.path().c_str(), &there) == 0 &&
         mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

}  // namespace

Result<std::optional<FileLock>> FileLock::try_take(const std::string& path) {
  VITALIS_ASSIGN(OpenFile file, open_to_write(path, false));
  while (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    return io_error("lock", path, errno);
  }
  if (!is_at_its_path(file)) return std::optional<FileLock>();
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  const std::string who = text("process ", ::getpid(), " on ", std::string_view(host), '\n');
  // For people only: a disk too full to say it is no reason to refuse.
  if (::ftruncate(file.descriptor(), 0) == 0) {
    (void)Disk::real().write_at(file, std::as_bytes(std::span(who)), 0);
  }
  return std::optional<FileLock>(FileLock(std::move(file)));
}

Result<FileLock> FileLock::take(const std::string& path, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (true) {
    VITALIS_ASSIGN(auto lock, try_take(path));
    if (lock) return std::move(*lock);
    if (Clock::now() >= end) {
      return error(Code::kBusy, path, " is held by ", holder(path));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::string FileLock::holder(const std::string& path) {
  const auto text = read_file(path, 512);
  if (!text.ok() || text->empty()) return "another process";
  return excerpt(std::string_view(*text).substr(0, text->find('\n')));
}

}  // namespace vitalis::hub
