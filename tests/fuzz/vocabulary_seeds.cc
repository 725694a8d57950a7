// SPDX-License-Identifier: Apache-2.0
// vocabulary_seeds FOLDER: the first tokens and merges of vitalis-tiny's vocabulary, and special
// ones, in a GGUF file and in a model.bin: small files for tokenizer_forms_fuzz to begin with.
#include <fstream>
#include <iostream>
#include <string>

#include "model/gguf_checkpoint.h"
#include "model/metal_checkpoint.h"
#include "model/spelled_tokenizer.h"

namespace vitalis::model {
namespace {

constexpr size_t kBytes = 256, kMerges = 40;

// Its ids are bytes, then what merges make in their order.
SpelledTokenizer small_vocabulary() {
  SpelledTokenizer out =
      read_tokenizer(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json");
  out.first_special = kBytes + kMerges;
  out.tokens.resize(out.first_special);
  out.merges.resize(kMerges);
  for (const char* name : {"<|startoftext|>", "<|endoftext|>", "<|start|>", "<|reserved|>"}) {
    out.tokens.emplace_back(name);
  }
  return out;
}

void write_seeds(const std::string& folder) {
  const SpelledTokenizer vocabulary = small_vocabulary();
  const auto rows = static_cast<uint32_t>(vocabulary.tokens.size());
  formats::GgufWriter gguf;
  add_tokenizer(vocabulary, rows + 2, gguf);
  std::ofstream(folder + "/vocabulary.gguf", std::ios::binary) << gguf.file();
  Config config;
  config.vocab = rows;
  std::string bin = metal_header_of(config, &vocabulary);
  bin.resize(bin.find_last_not_of('\0') + 1);  // of the zeros that end its page
  std::ofstream(folder + "/vocabulary.bin", std::ios::binary) << bin;
}

}  // namespace
}  // namespace vitalis::model

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: vocabulary_seeds FOLDER\n";
    return 2;
  }
  vitalis::model::write_seeds(argv[1]);
}
