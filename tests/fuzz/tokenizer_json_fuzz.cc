// SPDX-License-Identifier: Apache-2.0
// Any bytes as tokenizer.json and as a rank file: a tokenizer that works, or an error with a
// sentence.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace {

void use(const vitalis::Result<vitalis::Tokenizer>& tokenizer) {
  if (!tokenizer.ok()) {
    if (tokenizer.status().message().empty()) std::abort();
    return;
  }
  std::vector<vitalis::Token> ids;
  tokenizer->encode("The fox's 123 \u00E9\n\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ids);
  std::string back;
  tokenizer->decode(ids, back);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = ::memfd_create("input", 0);
  if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  use(vitalis::Tokenizer::open(path));
  use(vitalis::Tokenizer::open_ranks(path, {}));
  ::close(file);
  return 0;
}
