// SPDX-License-Identifier: Apache-2.0
// What every entry of the C interface does at the door: clear the last error, catch what may be
// thrown, check arguments, turn a Status into a number. No logic lives in capi/ beyond this.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include "base/status.h"
#include <vitalis/vitalis.h>

namespace vitalis::capi {

// Each sets this thread's last error.
int32_t fail(Code code, std::string_view message) noexcept;
int32_t fail_with_bad_alloc() noexcept;
int32_t fail_with_unknown() noexcept;
void clear_error() noexcept;

inline int32_t fail(const Status& status) noexcept {
  return fail(status.code(), status.message());
}

inline int32_t code_of(int32_t code) noexcept {
  return code;
}
inline int32_t code_of(const Status& status) noexcept {
  return status.ok() ? VITALIS_OK : fail(status);
}
inline int32_t code_of(const Result<int32_t>& code) noexcept {
  return code.ok() ? *code : fail(code.status());
}

// Runs body() -> Status, int32_t or Result<int32_t>; nothing is thrown past it.
template <class Body>
int32_t guard(Body&& body) noexcept {
  clear_error();
  try {
    return code_of(body());
  } catch (const std::bad_alloc&) {
    return fail_with_bad_alloc();
  } catch (...) {
    return fail_with_unknown();
  }
}

inline Status missing(std::string_view argument) {
  return error(Code::kInvalidArgument, argument, " must not be null");
}

// A counted handle. Base of every object of the interface.
class Counted {
 public:
  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  // True if this was the last reference.
  bool release() noexcept { return count_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  std::atomic<uint32_t> count_ = 1;
};

template <class Handle>
Handle* retain(Handle* handle) noexcept {
  if (handle) handle->retain();
  return handle;
}
template <class Handle>
void release(Handle* handle) noexcept {
  if (handle && handle->release()) delete handle;
}

// Holds an object that belongs to one thread at a time for one call.
class Exclusive {
 public:
  explicit Exclusive(std::atomic_flag& flag) : flag_(flag), mine_(!flag.test_and_set()) {}
  ~Exclusive() {
    if (mine_) flag_.clear();
  }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;
  Status status() const {
    return mine_ ? Status() : error(Code::kBusy, "the object is in use by another call");
  }

 private:
  std::atomic_flag& flag_;
  bool mine_;
};

// Runs body(object), as guard() does, while no other call has the object.
template <class Object, class Body>
int32_t with(Object* object, std::string_view name, Body&& body) noexcept {
  return guard([&]() -> Result<int32_t> {
    if (!object) return missing(name);
    const Exclusive exclusive(object->busy);
    VITALIS_TRY(exclusive.status());
    return code_of(body(*object));
  });
}

// Text that a caller gives: VITALIS_NUL as size means NUL-terminated. kInvalidArgument names the
// argument if it is null with a size, or not UTF-8 where that is asked for.
Result<std::string_view> bytes_argument(const char* data, size_t size, std::string_view name);
Result<std::string_view> text_argument(const char* data, size_t size, std::string_view name);

// An array that a caller gives: null only if it is empty, and no longer than any object can be.
template <class T>
Status array_argument(const T* data, size_t count, std::string_view name) {
  if (!data && count > 0) return missing(name);
  if (count > PTRDIFF_MAX / sizeof(T)) {
    return error(Code::kInvalidArgument, name, " cannot have ", count, " entries");
  }
  return {};
}

// Every version of a struct is a multiple of its alignment, so that no field is ever cut in two.
template <class T>
Status check_size(uint32_t size, std::string_view name) {
  if (size < sizeof(uint32_t)) {
    return error(Code::kInvalidArgument, name, ".struct_size is not set; found ", size);
  }
  if (size % alignof(T) != 0 || size > 4096) {
    return error(Code::kInvalidArgument, name, ".struct_size is ", size,
                 ", which no version of this struct has");
  }
  return {};
}

// A struct that the caller fills, possibly one of an older header: what it lacks is zero. Null
// means all defaults.
template <class T>
Result<T> read_struct(const T* from, std::string_view name) {
  T out = {};
  out.struct_size = sizeof(T);
  if (!from) return out;
  VITALIS_TRY(check_size<T>(from->struct_size, name));
  std::memcpy(&out, from, std::min<size_t>(from->struct_size, sizeof(T)));
  return out;
}

// A struct that we fill: no more than the caller's struct_size is written, which stays.
template <class T>
Status write_struct(const T& from, T* to, std::string_view name) {
  if (!to) return missing(name);
  const uint32_t size = to->struct_size;
  VITALIS_TRY(check_size<T>(size, name));
  std::memcpy(to, &from, std::min<size_t>(size, sizeof(T)));
  to->struct_size = size;
  return {};
}

// Zeroes a struct of the caller's size, whichever header that is from. False if no version has it.
template <class T>
bool init_struct(T* to, size_t size) noexcept {
  if (!to || size < sizeof(uint32_t) || size % alignof(T) != 0 || size > 4096) return false;
  std::memset(static_cast<void*>(to), 0, size);
  to->struct_size = static_cast<uint32_t>(size);
  return true;
}

// What such a struct holds until the call has succeeded. write_struct complains of a bad one.
template <class T>
void clear_struct(T* to) noexcept {
  if (!to || to->struct_size < sizeof(uint32_t)) return;
  std::memset(reinterpret_cast<char*>(to) + sizeof(uint32_t), 0,
              std::min<size_t>(to->struct_size, sizeof(T)) - sizeof(uint32_t));
}

inline vitalis_text borrowed(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace vitalis::capi
