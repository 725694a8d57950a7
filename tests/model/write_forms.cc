// SPDX-License-Identifier: Apache-2.0
// write_forms MODEL OUT: the checkpoint in folder MODEL, with its tokenizer, in every published
// form.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/status.h"
#include "model/gguf_checkpoint.h"
#include "model/metal_checkpoint.h"
#include "model/original_checkpoint.h"

namespace vitalis::model {
namespace {

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

int write_forms(const std::string& folder, const std::filesystem::path& out) {
  const auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint.ok()) {
    std::cerr << checkpoint.status().message() << '\n';
    return 1;
  }
  const SpelledTokenizer tokenizer = read_tokenizer(folder + "/tokenizer.json");
  const auto gguf = [&](const char* name, GgufMatrices matrices, bool ollama) {
    write(out / name, gguf_of(*checkpoint, matrices, ollama, &tokenizer).file());
  };
  gguf("bf16.gguf", GgufMatrices::kBf16, false);
  gguf("f32.gguf", GgufMatrices::kF32, false);
  gguf("f16.gguf", GgufMatrices::kF16, false);
  gguf("q8_0.gguf", GgufMatrices::kQ8_0, false);
  gguf("ollama.gguf", GgufMatrices::kBf16, true);
  auto parts = split(gguf_of(*checkpoint, GgufMatrices::kBf16, false, &tokenizer), 3);
  for (size_t i = 0; i < parts.size(); ++i) {
    write(out / text("parts-0000", i + 1, "-of-00003.gguf"), parts[i].file());
  }
  write(out / "metal" / "model.bin", metal_of(*checkpoint, &tokenizer));
  const OriginalFiles original = original_of(*checkpoint);
  write(out / "original" / "config.json", original.config);
  write(out / "original" / "model.safetensors", original.weights);
  std::filesystem::copy_file(folder + "/tokenizer.json", out / "tokenizer.json",
                             std::filesystem::copy_options::overwrite_existing);
  return 0;
}

}  // namespace
}  // namespace vitalis::model

int main(int argc, char** argv) {
  if (argc == 3) return vitalis::model::write_forms(argv[1], argv[2]);
  std::cerr << "usage: write_forms MODEL OUT\n";
  return 2;
}
