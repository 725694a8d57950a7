// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>

#include "base/utf8.h"
#include "boundary.h"

namespace vitalis::capi {
namespace {

// Fixed, so that reporting an error can fail in no way.
thread_local char last_error[4096];

}  // namespace

void clear_error() noexcept {
  last_error[0] = '\0';
}

int32_t fail(Code code, std::string_view message) noexcept {
  size_t size = std::min(message.size(), sizeof(last_error) - 1);
  // A long message is cut between characters.
  while (size > 0 && size < message.size() && (message[size] & 0xC0) == 0x80) --size;
  std::copy_n(message.data(), size, last_error);
  last_error[size] = '\0';
  return static_cast<int32_t>(code);
}

int32_t fail_with_bad_alloc() noexcept {
  return fail(Code::kOutOfMemory, "out of memory");
}

int32_t fail_with_unknown() noexcept {
  return fail(Code::kInternal, "an unexpected exception was caught at the interface");
}

Result<std::string_view> bytes_argument(const char* data, size_t size, std::string_view name) {
  if (!data) {
    if (size == 0) return std::string_view();
    return missing(name);
  }
  if (size == VITALIS_NUL) return std::string_view(data);
  if (size > PTRDIFF_MAX) {
    return error(Code::kInvalidArgument, name, " cannot be ", size, " bytes long");
  }
  return std::string_view(data, size);
}

Result<std::string_view> text_argument(const char* data, size_t size, std::string_view name) {
  VITALIS_ASSIGN(const std::string_view text, bytes_argument(data, size, name));
  const size_t valid = utf8::valid_prefix(text);
  if (valid < text.size()) {
    return error(Code::kInvalidArgument, name, " is not UTF-8: the byte at offset ", valid,
                 " is out of place");
  }
  return text;
}

}  // namespace vitalis::capi

extern "C" {

uint32_t vitalis_abi_version(void) {
  return VITALIS_ABI_VERSION;
}

const char* vitalis_version_string(void) {
  return VITALIS_VERSION;
}

const char* vitalis_status_name(int32_t status) {
  if (status == VITALIS_DONE) return "done";
  if (status == VITALIS_CANCELLED) return "cancelled";
  if (status == VITALIS_AGAIN) return "again";
  return vitalis::code_name(static_cast<vitalis::Code>(status)).data();
}

const char* vitalis_last_error(void) {
  return vitalis::capi::last_error;
}

}  // extern "C"
