// SPDX-License-Identifier: Apache-2.0
#include "o200k.h"

#include <cstdlib>
#include <iostream>

namespace vitalis::harmony {
namespace {

template <class T>
const T& required(const Result<T>& result) {
  if (result.ok()) return *result;
  std::cerr << result.status().message() << "\n(tests/fetch_data.sh fetches the tokenizer)\n";
  std::exit(1);
}

}  // namespace

const Format& o200k() {
  static const auto tokenizer = Tokenizer::open(VITALIS_TEST_DATA "/tokenizer.json");
  static const auto format = Format::create(required(tokenizer));
  return required(format);
}

}  // namespace vitalis::harmony
