// SPDX-License-Identifier: Apache-2.0
// One allocation for many buffers: their sizes are planned first, then memory is taken once.
// The plan is what a memory estimate prints, so an estimate and a run cannot differ.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis {

class ArenaPlan {
 public:
  struct Entry {
    std::string_view name;  // must outlive the plan: pass a literal
    size_t offset;
    size_t bytes;
  };

  // Reserves room for `count` elements of T, aligned to 64 bytes, and returns the offset.
  template <class T>
  size_t add(std::string_view name, size_t count) {
    return add_bytes(name, count * sizeof(T));
  }
  size_t add_bytes(std::string_view name, size_t bytes);

  size_t bytes() const { return bytes_; }
  std::span<const Entry> entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
};

class Arena {
 public:
  Arena() = default;
  // kOutOfMemory if the system has not enough. The memory is zero; pages are touched on first use.
  static Result<Arena> allocate(size_t bytes);

  template <class T>
  T* at(size_t offset) const {
    return reinterpret_cast<T*>(memory_.get() + offset);
  }
  size_t bytes() const { return bytes_; }

 private:
  struct Unmap {
    size_t bytes;
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Unmap> memory_;
  size_t bytes_ = 0;
};

}  // namespace vitalis
