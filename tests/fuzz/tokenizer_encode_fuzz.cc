// SPDX-License-Identifier: Apache-2.0
// Any bytes through encoding and back, on the demonstration vocabulary and on one of single bytes
// and all runs of `a`: the two ways of merging. The ids must decode to the text; counts, limits and
// offsets must agree with them; pieces must be those that are found one by one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/pieces.h"
#include "tokenizer/split.h"
#include "tokenizer/tokenizer.h"

namespace {

using vitalis::Token;
using vitalis::Tokenizer;

void require(bool good) {
  if (!good) std::abort();
}

Tokenizer opened(vitalis::Result<Tokenizer> tokenizer) {
  require(tokenizer.ok());
  return tokenizer.take();
}

Tokenizer runs() {
  static std::string bytes;
  vitalis::VocabularySource source;
  for (unsigned i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  bytes += std::string(40, 'a');
  const std::string_view all = bytes;
  for (Token id = 0; id < 256; ++id) source.entries.push_back({id, all.substr(id, 1)});
  for (Token id = 256; id < 290; ++id) source.entries.push_back({id, all.substr(256, id - 254)});
  return opened(Tokenizer::build(source));
}

void check(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<Token> ids, some;
  std::vector<size_t> ends;
  tokenizer.encode(text, ids, ends);
  std::string back;
  tokenizer.decode(ids, back);
  require(back == vitalis::utf8::replace_ill_formed(text));
  require(tokenizer.count(text) == ids.size());
  require(ends.size() == ids.size() && std::is_sorted(ends.begin(), ends.end()));
  require(ends.empty() ? text.empty() : ends.back() == text.size());
  const size_t consumed = tokenizer.encode_up_to(text, ids.size() / 2, some);
  require(some.size() <= ids.size() / 2 && consumed <= text.size());
  require(std::equal(some.begin(), some.end(), ids.begin()));
}

void check_split(const vitalis::tokenizer::PieceKernels& kernels, std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    size_t ends[vitalis::tokenizer::kMaxPieces];
    const size_t n = vitalis::tokenizer::split(kernels, text, at, ends);
    require(n > 0);
    for (size_t i = 0; i < n; ++i) {
      require(vitalis::tokenizer::piece_end(text, at) == ends[i]);
      at = ends[i];
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Tokenizer tiny =
      opened(Tokenizer::open(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json"));
  static const Tokenizer by_ids = runs();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(tiny, text);
  check(by_ids, text);
  const std::string well_formed = vitalis::utf8::replace_ill_formed(text);
  for (const auto* kernels : vitalis::tokenizer::all_piece_kernels()) {
    check_split(*kernels, well_formed);
  }
  return 0;
}
