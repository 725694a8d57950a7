// SPDX-License-Identifier: Apache-2.0
// How the library says what went wrong: a code for machines and a sentence for people.
// Failure is a value here. Exceptions are left to operator new and third-party code, and capi/
// turns those into codes at the door.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vitalis {

// The same numbers as VITALIS_* in vitalis.h; never renumbered.
enum class Code : int32_t {
  kOk = 0,
  kInternal = -1,         // our mistake
  kInvalidArgument = -2,  // the caller's mistake
  kNotFound = -3,         // no such file, tensor, token, tool
  kIo = -4,               // the operating system refused
  kMalformed = -5,        // a file or a text breaks the rules of its format
  kUnsupported = -6,      // understood, but not something this build or this CPU does
  kOutOfMemory = -7,
  kContextFull = -8,  // more tokens than the session's context holds
  kBusy = -9,         // the object is in use by another call
  kNetwork = -10,
  kDenied = -11,     // authentication or permission
  kIntegrity = -12,  // checksum or fingerprint differs
};

std::string_view code_name(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

// Builds a sentence from pieces: text, characters, and numbers in decimal.
class Text {
 public:
  Text& operator<<(std::string_view s) {
    out_ += s;
    return *this;
  }
  Text& operator<<(char c) {
    out_ += c;
    return *this;
  }
  template <class Number>
  requires std::is_arithmetic_v<Number> Text& operator<<(Number n) {
    out_ += std::to_string(n);
    return *this;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

template <class... Pieces>
std::string text(const Pieces&... pieces) {
  Text out;
  (out << ... << pieces);
  return out.take();
}

template <class... Pieces>
Status error(Code code, const Pieces&... pieces) {
  return Status(code, text(pieces...));
}

// A T, or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T take() { return std::move(*value_); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace vitalis

// Returns from the enclosing function when `expression` (a Status) is a failure.
#define VITALIS_TRY(expression)                                                              \
  do {                                                                                       \
    if (::vitalis::Status try_status_ = (expression); !try_status_.ok()) return try_status_; \
  } while (false)

// A declaration may stand where a parenthesis would break it.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define VITALIS_CONCAT_(a, b) a##b
#define VITALIS_CONCAT(a, b) VITALIS_CONCAT_(a, b)
#define VITALIS_ASSIGN_(result, target, expression) \
  auto result = (expression);                       \
  if (!result.ok()) return result.status();         \
  target = result.take()
// VITALIS_ASSIGN(auto x, f()): x becomes the value of the Result, or the function returns its
// Status.
#define VITALIS_ASSIGN(target, expression) \
  VITALIS_ASSIGN_(VITALIS_CONCAT(assign_result_, __LINE__), target, expression)
// NOLINTEND(bugprone-macro-parentheses)
