// SPDX-License-Identifier: Apache-2.0
// The same model as GGUF: made from a checkpoint in Hugging Face's layout, number by number.
#pragma once

#include <string>
#include <vector>

#include "formats/gguf_writer.h"
#include "model/checkpoint.h"
#include "model/spelled_tokenizer.h"

namespace vitalis::model {

// kQ8AsF32: what kQ8_0 rounds to, but stored as f32.
enum class GgufMatrices : uint8_t { kF32, kBf16, kF16, kQ8_0, kQ8AsF32 };

// As llama.cpp's converter writes it; in early Ollama's form if `ollama`. Without a tokenizer
// tokens have names of no meaning.
formats::GgufWriter gguf_of(const Checkpoint& checkpoint, GgufMatrices matrices,
                            bool ollama = false, const SpelledTokenizer* tokenizer = nullptr);

// The keys that a tokenizer makes, padded to `rows` tokens.
void add_tokenizer(const SpelledTokenizer& tokenizer, uint32_t rows, formats::GgufWriter& out);

// The same over several files, named "STEM-00001-of-0000N.gguf".
std::vector<formats::GgufWriter> split(const formats::GgufWriter& whole, size_t parts);

// One MXFP4 group in ggml's 17 bytes: the scale, then codes paired over halves.
std::string ggml_block(const uint8_t* codes, uint8_t scale);

}  // namespace vitalis::model
