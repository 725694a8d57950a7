// SPDX-License-Identifier: Apache-2.0
// One process at a time, by flock on a file that stays. The holder writes who it is, for messages;
// the lock itself ends with the process, however that ends.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "hub/disk.h"

namespace vitalis::hub {

class FileLock {
 public:
  // None if another has it. The folder must be there.
  static Result<std::optional<FileLock>> try_take(const std::string& path);
  // Waits up to `seconds`; then kBusy says who has it.
  static Result<FileLock> take(const std::string& path, double seconds);
  // "process 123 on HOST", as far as it is known.
  static std::string holder(const std::string& path);

  FileLock(FileLock&& other) noexcept = default;
  FileLock& operator=(FileLock&& other) noexcept = default;

 private:
  explicit FileLock(OpenFile file) : file_(std::move(file)) {}
  OpenFile file_;
};

}  // namespace vitalis::hub
