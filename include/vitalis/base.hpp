// SPDX-License-Identifier: Apache-2.0
// What the C++ headers stand on: errors and results, ownership of a C handle, and the engine, whose
// threads all of them may use. Included by vitalis/text.hpp and vitalis/vitalis.hpp, which say the
// rules.
#ifndef VITALIS_BASE_HPP
#define VITALIS_BASE_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <vitalis/vitalis.h>

namespace vitalis {
// The inline namespace keeps these names apart from the library's own where it is linked
// statically.
inline namespace cpp {

// VITALIS_ERROR_*
enum class Code : int32_t {
  kInternal = VITALIS_ERROR_INTERNAL,
  kInvalidArgument = VITALIS_ERROR_INVALID_ARGUMENT,
  kNotFound = VITALIS_ERROR_NOT_FOUND,
  kIo = VITALIS_ERROR_IO,
  kMalformed = VITALIS_ERROR_MALFORMED,
  kUnsupported = VITALIS_ERROR_UNSUPPORTED,
  kOutOfMemory = VITALIS_ERROR_OUT_OF_MEMORY,
  kContextFull = VITALIS_ERROR_CONTEXT_FULL,
  kBusy = VITALIS_ERROR_BUSY,
  kNetwork = VITALIS_ERROR_NETWORK,
  kDenied = VITALIS_ERROR_DENIED,
  kIntegrity = VITALIS_ERROR_INTEGRITY,
};

// A failed call: what the library's status and sentence say.
class Error : public std::exception {
 public:
  // An error of your own.
  Error(Code code, std::string message)
      : code_(code), message_(std::make_shared<const std::string>(std::move(message))) {}
  Code code() const noexcept { return code_; }                              // which kind
  const char* what() const noexcept override { return message_->c_str(); }  // the sentence

  // The error of this thread's last call of the library, which returned `status`.
  static Error last(int32_t status) { return {static_cast<Code>(status), vitalis_last_error()}; }

 private:
  Code code_;
  std::shared_ptr<const std::string> message_;  // copies of an exception must not throw
};

// A value or an error. value() throws the error, or without exceptions ends the program.
template <class T>
class [[nodiscard]] Result {
 public:
  // Both are for `return`.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  // An error.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return held_.index() == 0; }         // whether there is a value
  explicit operator bool() const noexcept { return ok(); }        // as ok()
  const Error& error() const { return *std::get_if<1>(&held_); }  // only if there is no value
  // The value, moved out of a Result that goes.
  T value() && {
    if (!ok()) raise();
    return std::move(*std::get_if<0>(&held_));
  }
  // The value, which stays the Result's.
  T& value() & {
    if (!ok()) raise();
    return *std::get_if<0>(&held_);
  }

 private:
  [[noreturn]] void raise() const {
#if defined(__cpp_exceptions)
    throw error();
#else
    std::terminate();
#endif
  }
  std::variant<T, Error> held_;
};

using Done = std::monostate;  // the value of a Result that has nothing to tell but success

namespace detail {

template <class T>
T sized() {
  T value = {};
  value.struct_size = static_cast<uint32_t>(sizeof(T));
  return value;
}

inline std::string_view view(const vitalis_text& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

inline Result<Done> done(int32_t status) {
  if (status < 0) return Error::last(status);
  return Done();
}

// What the call that gave the status has filled. By pointer, since arguments have no order.
template <class T>
Result<T> filled(int32_t status, const T* value) {
  if (status < 0) return Error::last(status);
  return *value;
}

template <class Object, class T>
Result<Object> made(int32_t status, T* const* handle) {
  if (status < 0) return Error::last(status);
  return Object(*handle);
}

// What function(buffer, capacity, count) writes, again with a larger buffer if that was too small.
template <class Buffer, class Function>
Result<Buffer> written(size_t guess, Function function) {
  Buffer buffer(guess, {});
  for (;;) {
    size_t count = 0;
    const int32_t status = function(buffer.data(), buffer.size(), &count);
    if (status < 0) return Error::last(status);
    const bool fits = count <= buffer.size();
    buffer.resize(count);
    if (fits) return buffer;
  }
}

// Owns one reference to an object of the C interface.
template <class T, void (*Release)(T*)>
class Owner {
 public:
  T* native_handle() const { return handle_.get(); }

 protected:
  explicit Owner(T* handle) : handle_(handle) {}

 private:
  struct Releaser {
    void operator()(T* handle) const { Release(handle); }
  };
  std::unique_ptr<T, Releaser> handle_;
};

}  // namespace detail

// ---- engine: threads and kernels ----

enum class Numerics : int32_t { kFaithful, kFloat32 };  // VITALIS_NUMERICS_*
static_assert(int32_t(Numerics::kFloat32) == VITALIS_NUMERICS_FLOAT32);

// Options are for designated initialisers. What is left out has the library's default.
struct EngineOptions {
  int32_t threads = 0;                      // 0: the cores that this process may use
  const char* tier = nullptr;               // "portable", "avx2", "avx512", "avx512bf16", "amx"
  Numerics numerics = Numerics::kFaithful;  // how it computes
};

// Worker threads, and the kernels for this CPU; see vitalis_engine.
class Engine : public detail::Owner<vitalis_engine, vitalis_engine_release> {
 public:
  explicit Engine(vitalis_engine* handle) : Owner(handle) {}  // takes over one reference
  // kUnsupported for a tier that this CPU lacks.
  explicit Engine(const EngineOptions& options = {}) : Engine(try_create(options).value()) {}
  static Result<Engine> try_create(const EngineOptions& options = {}) {
    auto c = detail::sized<vitalis_engine_options>();
    c.threads = options.threads;
    c.tier = options.tier;
    c.numerics = static_cast<int32_t>(options.numerics);
    vitalis_engine* engine = nullptr;
    return detail::made<Engine>(vitalis_engine_create(&c, &engine), &engine);
  }

  // Threads and tier, defaults filled in.
  vitalis_engine_info info() const {
    auto info = detail::sized<vitalis_engine_info>();
    return detail::filled(vitalis_engine_get_info(native_handle(), &info), &info).value();
  }
};

}  // namespace cpp
}  // namespace vitalis

#endif  // VITALIS_BASE_HPP
