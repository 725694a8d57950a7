// SPDX-License-Identifier: Apache-2.0
// Any bytes as a GGUF file or a metal/model.bin that holds a vocabulary: a tokenizer that gives
// back what it encodes, or an error whose sentence is text, whatever the file has in it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "formats/gguf.h"
#include "tokenizer/encoder.h"
#include "tokenizer/load_gguf.h"
#include "tokenizer/load_metal.h"
#include "tokenizer/pieces.h"
#include "tokenizer/special_finder.h"

namespace {

using vitalis::tokenizer::Vocabulary;

constexpr std::string_view kText =
    "The fox's 123 \u00E9\n\n  another inner international one aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

void refuse(const vitalis::Status& status) {
  if (status.message().empty() || !vitalis::utf8::is_valid(status.message())) std::abort();
  for (const char c : status.message()) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
  }
}

void use(const Vocabulary& vocabulary) {
  const auto memory = vitalis::tokenizer::WordMemory::create();
  if (!memory.ok()) std::abort();
  for (const auto* kernels : vitalis::tokenizer::all_piece_kernels()) {
    std::vector<vitalis::Token> ids;
    vitalis::tokenizer::Encoder(*kernels, vocabulary, *memory).encode(kText, ids);
    std::string back;
    for (const auto id : ids) back += vocabulary.bytes(id);
    if (back != kText) std::abort();
  }
  const vitalis::tokenizer::SpecialFinder finder(vocabulary, vocabulary.specials());
  finder.next(kText, 0);
  for (const auto id : vocabulary.specials()) {
    if (!vocabulary.is_special(id) || vocabulary.bytes(id).empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto vocabulary = vitalis::formats::is_gguf(file)
                              ? vitalis::tokenizer::load_gguf(file, "fuzz")
                              : vitalis::tokenizer::load_metal(file, "fuzz");
  if (vocabulary.ok()) {
    use(*vocabulary);
  } else {
    refuse(vocabulary.status());
  }
  return 0;
}
