// SPDX-License-Identifier: Apache-2.0
// The vocabularies in GGUF and model.bin: what tokenizer.json says, repeated there.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "model/gguf_checkpoint.h"
#include "model/metal_checkpoint.h"
#include "synthetic/checkpoint_writer.h"
#include "tokenizer/golden.h"
#include "tokenizer/load_gguf.h"
#include "tokenizer/load_metal.h"

namespace vitalis {
namespace {

using formats::GgufWriter;
using model::SpelledTokenizer;

const SpelledTokenizer& spelled_published() {
  static const SpelledTokenizer spelled =
      model::read_tokenizer(VITALIS_TEST_DATA "/tokenizer.json");
  return spelled;
}

// A file in the temporary folder, of this test alone.
std::string write(const std::string& bytes) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string path = testing::TempDir() + test->name() + ".bin";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string gguf_of(const SpelledTokenizer& spelled, uint32_t rows) {
  GgufWriter out;
  model::add_tokenizer(spelled, rows, out);
  return out.file();
}

void expect_same(const Tokenizer& expected, const Tokenizer& found) {
  for (const EncodeCase& c : encode_cases()) {
    if (!c.error_token.empty()) continue;
    std::vector<Token> a, b;
    expected.encode(c.text, a);
    found.encode(c.text, b);
    EXPECT_EQ(a, b) << c.name;
  }
  for (Token id = 0; id < expected.size(); ++id) {
    if (!expected.is_special(id)) {
      ASSERT_EQ(expected.bytes(id), found.bytes(id)) << id;
    }
    ASSERT_EQ(expected.is_special(id), found.is_special(id)) << id;
  }
}

TEST(Forms, GgufHoldsThePublishedVocabulary) {
  ASSERT_TRUE(published());
  const std::string path = write(gguf_of(spelled_published(), 201088));
  const auto found = Tokenizer::open(path);
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->size(), published()->size());
  expect_same(*published(), *found);
  for (const Token id : published()->specials()) {
    EXPECT_EQ(found->bytes(id), published()->bytes(id));
  }
  std::filesystem::remove(path);
}

// Its merges are recognized and not read; another file's are, to the same effect.
TEST(Forms, PublishedMergesOfGgufFollowFromIds) {
  ASSERT_TRUE(published());
  const std::string file = gguf_of(spelled_published(), 201088);
  const auto recognized = tokenizer::load_gguf(std::as_bytes(std::span(file)), "m.gguf");
  ASSERT_TRUE(recognized.ok()) << recognized.status().message();
  EXPECT_TRUE(recognized->ranks_are_ids());
  SpelledTokenizer other = spelled_published();
  // Two splits of one entry: not the published list any more, and to the same effect.
  std::swap(other.merges.back(), other.merges.end()[-2]);
  const std::string path = write(gguf_of(other, 201088));
  const auto found = Tokenizer::open(path);
  ASSERT_TRUE(found.ok()) << found.status().message();
  expect_same(*published(), *found);
  std::filesystem::remove(path);
}

TEST(Forms, GgufHoldsTheDemonstrationVocabulary) {
  ASSERT_TRUE(tiny());
  const SpelledTokenizer spelled =
      model::read_tokenizer(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json");
  const std::string path = write(gguf_of(spelled, 2560));
  const auto found = Tokenizer::open(path);
  ASSERT_TRUE(found.ok()) << found.status().message();
  expect_same(*tiny(), *found);
  // Through a compiled file, made and then mapped.
  const std::string cache = testing::TempDir() + "forms-cache";
  for (int i = 0; i < 2; ++i) {
    const auto compiled = Tokenizer::open(path, cache);
    ASSERT_TRUE(compiled.ok()) << compiled.status().message();
    expect_same(*tiny(), *compiled);
  }
  std::filesystem::remove_all(cache);
  std::filesystem::remove(path);
}

TEST(Forms, ModelBinHoldsThePublishedVocabulary) {
  ASSERT_TRUE(published());
  model::Config config = synthetic::gpt_oss_20b(1);
  config.vocab = 200014;
  SpelledTokenizer spelled = spelled_published();
  const std::string path = write(model::metal_header_of(config, &spelled));
  const auto found = Tokenizer::open(path);
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->size(), 200014U);
  for (const EncodeCase& c : encode_cases()) {
    if (!c.error_token.empty()) continue;
    std::vector<Token> a, b;
    published()->encode(c.text, a);
    found->encode(c.text, b);
    EXPECT_EQ(a, b) << c.name;
  }
  for (const char* name :
       {"<|startoftext|>", "<|endoftext|>", "<|start|>", "<|end|>", "<|message|>", "<|channel|>",
        "<|constrain|>", "<|return|>", "<|call|>", "<|reserved_200009|>"}) {
    EXPECT_EQ(found->special(name), published()->special(name)) << name;
  }
  // In the published file the weights begin here, after exactly this vocabulary.
  EXPECT_EQ(model::metal_header_of(config, &spelled).size(), 1'802'240U);
  std::filesystem::remove(path);
}

// ---- bad ones ----

std::string refusal(GgufWriter file, Code code) {
  const std::string bytes = file.file();
  const auto found = tokenizer::load_gguf(std::as_bytes(std::span(bytes)), "m.gguf");
  EXPECT_FALSE(found.ok());
  EXPECT_EQ(found.status().code(), code) << found.status().message();
  return found.status().message();
}

GgufWriter keys(std::string_view model, std::string_view pattern) {
  GgufWriter out;
  out.add("tokenizer.ggml.model", model);
  out.add("tokenizer.ggml.pre", pattern);
  return out;
}

std::string types(std::initializer_list<uint32_t> values) {
  std::string out = GgufWriter::number(5, 4) + GgufWriter::number(values.size(), 8);
  for (const uint32_t value : values) out += GgufWriter::number(value, 4);
  return out;
}

TEST(BadForms, GgufVocabulariesThatAreNotOurs) {
  EXPECT_EQ(refusal(GgufWriter(), Code::kNotFound), "m.gguf has no tokenizer in its metadata");
  GgufWriter llama = keys("llama", "gpt-4o");
  llama.add_strings("tokenizer.ggml.tokens", {"a", "b"});
  EXPECT_EQ(refusal(llama, Code::kUnsupported),
            "m.gguf: metadata \"tokenizer.ggml.model\" is \"llama\"; supported: \"gpt2\"");
  GgufWriter qwen = keys("gpt2", "qwen2");
  qwen.add_strings("tokenizer.ggml.tokens", {"a", "b"});
  EXPECT_EQ(refusal(qwen, Code::kUnsupported),
            "m.gguf: metadata \"tokenizer.ggml.pre\" is \"qwen2\"; supported: \"gpt-4o\", "
            "\"default\"");
}

TEST(BadForms, GgufVocabulariesThatAreDamaged) {
  GgufWriter out = keys("gpt2", "gpt-4o");
  out.add_strings("tokenizer.ggml.tokens", {"a", "b", "ab"});
  EXPECT_EQ(refusal(out, Code::kUnsupported), "m.gguf: has no tokenizer.ggml.merges");
  GgufWriter untyped = out;
  untyped.add_strings("tokenizer.ggml.merges", {"a b"});
  EXPECT_EQ(refusal(untyped, Code::kMalformed),
            "m.gguf: tokenizer.ggml.token_type has 0 types for 3 tokens");
  GgufWriter unknown = untyped;
  unknown.put("tokenizer.ggml.token_type", 9, types({1, 1, 6}));
  EXPECT_EQ(refusal(unknown, Code::kMalformed),
            "m.gguf: token 2, of type 6, is not byte-level text");
  GgufWriter lost = out;
  lost.put("tokenizer.ggml.token_type", 9, types({1, 1, 1}));
  lost.add_strings("tokenizer.ggml.merges", {"a b", "a c"});
  EXPECT_EQ(refusal(lost, Code::kMalformed),
            "m.gguf: merge 1: a part or the result is not in the vocabulary");
  GgufWriter joined = out;
  joined.put("tokenizer.ggml.token_type", 9, types({1, 1, 1}));
  joined.add_strings("tokenizer.ggml.merges", {"ab"});
  EXPECT_EQ(refusal(joined, Code::kMalformed),
            "m.gguf: merge 0 is not two byte-level texts and a space");
}

TEST(BadForms, GgufNamesAreShownAsText) {
  SpelledTokenizer twice =
      model::read_tokenizer(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json");
  twice.tokens.resize(twice.first_special);
  twice.tokens.insert(twice.tokens.end(), 2, "<|\xFF\n|>");
  const std::string file = gguf_of(twice, static_cast<uint32_t>(twice.tokens.size()));
  const auto found = tokenizer::load_gguf(std::as_bytes(std::span(file)), "m.gguf");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().message(), "m.gguf: the special token \"<|\uFFFD?|>\" is given twice");
}

TEST(BadForms, ModelBinWithAnotherPattern) {
  model::Config config = synthetic::gpt_oss_20b(1);
  config.vocab = 272;
  const std::string file = model::metal_header_of(config);
  const auto found = tokenizer::load_metal(std::as_bytes(std::span(file)), "model.bin");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().message(),
            "model.bin: its tokenizer does not split by the o200k pattern");
}

}  // namespace
}  // namespace vitalis
