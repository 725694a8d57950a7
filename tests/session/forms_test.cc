// SPDX-License-Identifier: Apache-2.0
// The demonstration model in every published form, opened with the tokenizer that the form has: the
// same tokens in, the same tokens out.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "harmony/render.h"
#include "model/gguf_checkpoint.h"
#include "model/metal_checkpoint.h"
#include "model/original_checkpoint.h"
#include "session/session.h"

namespace vitalis::session {
namespace {

namespace fs = std::filesystem;
const std::string kTiny = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

std::shared_ptr<const Model> opened(const std::string& path) {
  auto engine = engine::make_engine({});
  auto model = Model::open(std::make_shared<const engine::Engine>(engine.take()), path);
  if (!model.ok()) throw std::runtime_error(model.status().message());
  return model.take();
}

class Forms : public testing::Test {
 protected:
  const std::shared_ptr<const Model> reference = opened(kTiny);
  const model::SpelledTokenizer spelled = model::read_tokenizer(kTiny + "/tokenizer.json");
  const fs::path folder =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();

  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  std::string write(const std::string& name, const std::string& bytes) const {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return (folder / name).string();
  }
  std::string gguf(model::GgufMatrices matrices, bool ollama = false) const {
    return write("m.gguf",
                 model::gguf_of(reference->checkpoint(), matrices, ollama, &spelled).file());
  }

  static std::vector<Token> answer(const std::shared_ptr<const Model>& model,
                                   const std::string& question) {
    harmony::Conversation conversation;
    conversation.messages.push_back(
        {.role = harmony::Role::kSystem, .parts = {harmony::default_system_content()}});
    conversation.messages.push_back(harmony::text_message(harmony::Role::kUser, question));
    std::vector<Token> out;
    EXPECT_TRUE(harmony::render(conversation, model->format(), {}, out).ok());
    auto session = Session::create(model, {.context = 512}).take();
    EXPECT_TRUE(
        session->start(conversation, {.sampling = {.greedy = true}, .max_tokens = 60}).ok());
    Event event;
    while (true) {
      const auto step = session->next(event);
      if (!step.ok() || *step != Session::Step::kEvent) break;
    }
    for (const harmony::Message& message : session->reply()) {
      out.insert(out.end(), message.sampled.begin(), message.sampled.end());
    }
    return out;
  }

  void expect_same(const std::string& path) const {
    const auto model = opened(path);
    for (const char* question :
         {"What is the capital of France?", "Write a haiku about the sea.", "2 + 2?"}) {
      EXPECT_EQ(answer(reference, question), answer(model, question)) << path << ": " << question;
    }
    EXPECT_EQ(model->parameters(), reference->parameters());
  }
};

TEST_F(Forms, GgufAnswersAlike) {
  expect_same(gguf(model::GgufMatrices::kBf16));
  expect_same(gguf(model::GgufMatrices::kF32));
  expect_same(gguf(model::GgufMatrices::kF16));
}

TEST_F(Forms, EarlyOllamaAnswersAlike) {
  expect_same(gguf(model::GgufMatrices::kBf16, true));
}

TEST_F(Forms, ModelBinAnswersAlike) {
  expect_same(write("metal/model.bin", model::metal_of(reference->checkpoint(), &spelled)));
}

TEST_F(Forms, OriginalAnswersAlikeWithTheTokenizerAboveIt) {
  const model::OriginalFiles files = model::original_of(reference->checkpoint());
  write("original/config.json", files.config);
  write("original/model.safetensors", files.weights);
  fs::copy_file(kTiny + "/tokenizer.json", folder / "tokenizer.json");
  expect_same((folder / "original").string());
}

TEST_F(Forms, GgufWithoutATokenizerTakesTheOneBesideIt) {
  auto bare = model::gguf_of(reference->checkpoint(), model::GgufMatrices::kBf16);
  std::string file = bare.file();
  // The key of the tokens is made another's; the number of rows is then told by a key of its own.
  const size_t place = file.find("tokenizer.ggml.tokens");
  ASSERT_NE(place, std::string::npos);
  file.replace(place, 21, "tokenizer.none.tokens");
  model::Config config = reference->config();
  bare.add("gpt-oss.vocab_size", config.vocab);
  file = bare.file();
  file.replace(file.find("tokenizer.ggml.tokens"), 21, "tokenizer.none.tokens");
  const std::string path = write("m.gguf", file);
  const auto engine = std::make_shared<const engine::Engine>(engine::make_engine({}).take());
  const auto refused = Model::open(engine, path);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kNotFound) << refused.status().message();
  fs::copy_file(kTiny + "/tokenizer.json", folder / "tokenizer.json");
  expect_same(path);
}

// Sums over the tensors as they are stored, whatever the form.
TEST_F(Forms, BytesOfATokenFollowFromTheForm) {
  const model::Config& c = reference->config();
  const uint64_t matrices =
      uint64_t{c.layers} * c.hidden * (2 * c.q_width() + 2 * c.kv_width() + c.experts) +
      uint64_t{c.vocab} * c.hidden + c.hidden;
  const uint64_t vectors = uint64_t{c.layers} * (2 * c.hidden + c.q_width() + 2 * c.kv_width() +
                                                 c.hidden + c.heads + c.experts) +
                           c.hidden;
  const uint64_t biases =
      uint64_t{c.layers} * c.experts_per_token * (2 * c.intermediate + c.hidden);
  const uint64_t experts =
      uint64_t{c.layers} * c.experts_per_token * 3 * c.intermediate * c.hidden / 32 * 17;
  EXPECT_EQ(reference->decode_bytes(), 2 * (matrices + vectors + biases) + experts);
  const auto f32 = opened(gguf(model::GgufMatrices::kF32));
  EXPECT_EQ(f32->decode_bytes(), 4 * (matrices + vectors + biases) + experts);
  const auto q8 = opened(gguf(model::GgufMatrices::kQ8_0));
  const uint64_t router = uint64_t{c.layers} * c.hidden * c.experts;  // f32 in GGUF
  EXPECT_EQ(q8->decode_bytes(),
            (matrices - router) / 32 * 34 + 4 * (router + vectors + biases) + experts);
}

}  // namespace
}  // namespace vitalis::session
