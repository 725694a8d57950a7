// SPDX-License-Identifier: Apache-2.0
// A compiled vocabulary whose block has been changed at will, past its checksum: it is refused, or
// every member works within its bounds. The input is a list of changes: offset, value.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "base/mapped_file.h"
#include "tokenizer/encoder.h"
#include "tokenizer/load_json.h"
#include "tokenizer/pieces.h"
#include "tokenizer/vocabulary.h"

namespace {

using vitalis::tokenizer::Encoder;
using vitalis::tokenizer::Vocabulary;
using vitalis::tokenizer::WordMemory;

const std::string& good_block() {
  static const std::string block = [] {
    auto loaded = vitalis::tokenizer::load_json(VITALIS_SOURCE_DIR
                                                "/examples/models/vitalis-tiny/tokenizer.json");
    if (!loaded.ok()) std::abort();
    const auto bytes = loaded->block();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }();
  return block;
}

void encode(const Vocabulary& vocabulary, const vitalis::tokenizer::PieceKernels& kernels) {
  const auto memory = WordMemory::create();
  if (!memory.ok()) std::abort();
  const Encoder encoder(kernels, vocabulary, *memory);
  std::vector<vitalis::Token> ids;
  encoder.encode("The fox's 123 \u00E9\n\n  " + std::string(200, 'a'), ids);
  for (const auto id : ids) vocabulary.bytes(id);
}

void use(const Vocabulary& vocabulary) {
  for (const auto* kernels : vitalis::tokenizer::all_piece_kernels()) encode(vocabulary, *kernels);
  for (const auto id : vocabulary.specials()) vocabulary.bytes(id);
  vocabulary.special("<|start|>");
  vocabulary.find("a token that is longer than fifteen bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string block = good_block();
  for (; size >= 12; data += 12, size -= 12) {
    uint32_t at;
    uint64_t value;
    std::memcpy(&at, data, 4);
    std::memcpy(&value, data + 4, 8);
    // Half of the changes go to the header, where they say most.
    at = (at & 1 ? at / 2 % 256 : static_cast<uint32_t>(at / 2 % (block.size() - 8))) & ~7u;
    std::memcpy(block.data() + at, &value, sizeof value);
  }
  if (size > 0) block.resize(block.size() - data[0]);
  const int file = ::memfd_create("input", 0);
  if (file < 0 || ::write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size())) {
    std::abort();
  }
  auto mapped = vitalis::MappedFile::open("/proc/self/fd/" + std::to_string(file));
  ::close(file);
  if (!mapped.ok()) std::abort();
  const auto adopted = Vocabulary::adopt(mapped.take(), 0);
  if (adopted.ok()) use(*adopted);
  return 0;
}
