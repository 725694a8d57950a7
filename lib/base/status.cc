// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

namespace vitalis {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kInternal:
      return "internal error";
    case Code::kInvalidArgument:
      return "invalid argument";
    case Code::kNotFound:
      return "not found";
    case Code::kIo:
      return "input/output error";
    case Code::kMalformed:
      return "malformed data";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kOutOfMemory:
      return "out of memory";
    case Code::kContextFull:
      return "context full";
    case Code::kBusy:
      return "busy";
    case Code::kNetwork:
      return "network error";
    case Code::kDenied:
      return "permission denied";
    case Code::kIntegrity:
      return "integrity check failed";
  }
  return "unknown status";
}

}  // namespace vitalis
