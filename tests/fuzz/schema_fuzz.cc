// SPDX-License-Identifier: Apache-2.0
// Any JSON as a schema: it is refused in a sentence, or its grammar makes texts that end. Masks are
// those of a vocabulary of single bytes and a few words.
#include <cstdlib>

#include "harmony/grammar/matcher.h"
#include "harmony/turn_grammar.h"

using namespace vitalis;  // NOLINT(google-build-using-namespace)

namespace {

const Tokenizer& words() {
  static const Tokenizer made = [] {
    VocabularySource source;
    Token next = 0;
    static std::string bytes(256, '\0');
    for (int b = 0; b < 256; ++b) bytes[static_cast<size_t>(b)] = static_cast<char>(b);
    for (size_t b = 0; b < 256; ++b) {
      source.entries.push_back({next++, std::string_view(bytes).substr(b, 1)});
    }
    for (const std::string_view word : {"{\"", "\":", "true", "null", "12", "\",\"", "]}", "  "}) {
      source.entries.push_back({next++, word});
    }
    return Tokenizer::build(source).take();
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = harmony::Json::parse(text);
  if (!json.ok()) return 0;
  static const auto index = harmony::grammar::TokenIndex::create(words()).take();
  const auto grammar = harmony::json_grammar(*json, index);
  if (!grammar.ok()) {
    if (grammar.status().message().empty()) std::abort();
    return 0;
  }
  harmony::grammar::Matcher matcher(**grammar);
  harmony::grammar::Mask mask(index->mask_words());
  size_t left = matcher.cost() + 20, seed = size;
  if (left > 2000) return 0;
  std::string out;
  for (; left > 0 && !matcher.ended(); --left) {
    matcher.allowed(left, mask);
    Token token = static_cast<Token>(seed = seed * 6364136223846793005u + 1442695040888963407u) %
                  static_cast<Token>(words().size());
    size_t tried = 0;
    for (; tried < words().size() && !harmony::grammar::allows(mask, token); ++tried) {
      token = (token + 1) % static_cast<Token>(words().size());
    }
    if (tried == words().size()) break;
    if (!matcher.accept(token)) std::abort();
    out += words().bytes(token);
  }
  if (!matcher.done() || !harmony::Json::parse(out).ok()) std::abort();
  return 0;
}
