// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <sys/mman.h>

namespace vitalis {

namespace {
constexpr size_t kAlignment = 64;
}

size_t ArenaPlan::add_bytes(std::string_view name, size_t bytes) {
  const size_t offset = bytes_;
  entries_.push_back({name, offset, bytes});
  bytes_ = (offset + bytes + kAlignment - 1) / kAlignment * kAlignment;
  return offset;
}

Result<Arena> Arena::allocate(size_t bytes) {
  Arena arena;
  if (bytes == 0) return arena;
  void* p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return error(Code::kOutOfMemory, "cannot allocate ", bytes, " bytes");
  arena.memory_ = {static_cast<std::byte*>(p), Unmap{bytes}};
  arena.bytes_ = bytes;
  return arena;
}

void Arena::Unmap::operator()(std::byte* p) const {
  ::munmap(p, bytes);
}

}  // namespace vitalis
