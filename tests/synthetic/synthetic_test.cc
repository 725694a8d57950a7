// SPDX-License-Identifier: Apache-2.0
// The rule against its first values, and a written checkpoint against the rule.
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "formats/json.h"
#include "model/checkpoint.h"
#include "synthetic/checkpoint_writer.h"
#include "synthetic/values.h"

namespace vitalis::synthetic {
namespace {

class Samples : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = VITALIS_SOURCE_DIR "/tests/goldens/numerics/synthetic-samples.json";
    Result<std::string> json = read_file(path, 1 << 20);
    ASSERT_TRUE(json.ok()) << json.status().message();
    Result<formats::JsonDocument> document = formats::JsonDocument::parse(*json, path);
    ASSERT_TRUE(document.ok()) << document.status().message();
    document_ = std::make_unique<formats::JsonDocument>(document.take());
  }

  std::vector<double> numbers(std::string_view key) {
    std::vector<double> out;
    simdjson::dom::array array;
    EXPECT_FALSE(document_->root().at_key(key).get(array));
    for (const simdjson::dom::element item : array) {
      double value = 0;
      EXPECT_FALSE(item.get(value));
      out.push_back(value);
    }
    return out;
  }

 private:
  std::unique_ptr<formats::JsonDocument> document_;
};

TEST_F(Samples, BytesFollowTheRule) {
  for (const char* name : {"model.layers.0.mlp.experts.gate_up_proj_blocks", "x"}) {
    const std::vector<double> expected = numbers(name);
    std::vector<uint8_t> bytes(expected.size());
    fill_bytes(name, 0, bytes);
    EXPECT_EQ(std::vector<double>(bytes.begin(), bytes.end()), expected) << name;
  }
}

TEST_F(Samples, UniformNumbersFollowTheRule) {
  const std::vector<double> expected = numbers("uniform lm_head.weight");
  std::vector<uint16_t> bits(expected.size());
  fill_uniform("lm_head.weight", -1, 1, 0, bits);
  std::vector<double> found;
  found.reserve(bits.size());
  for (const uint16_t b : bits) found.push_back(std::bit_cast<float>(uint32_t{b} << 16));
  EXPECT_EQ(found, expected);
}

TEST(Values, PartsEqualTheWhole) {
  std::vector<uint8_t> whole(100);
  std::vector<uint8_t> parts(100);
  fill_scales("s", 0, whole);
  fill_scales("s", 0, std::span(parts).first(40));
  fill_scales("s", 40, std::span(parts).subspan(40));
  EXPECT_EQ(whole, parts);
  EXPECT_NE(std::count(whole.begin(), whole.end(), 119), 0);
  EXPECT_EQ(
      std::count(whole.begin(), whole.end(), 119) + std::count(whole.begin(), whole.end(), 120),
      100);
  std::vector<uint16_t> numbers(50);
  std::vector<uint16_t> halves(50);
  fill_uniform("u", 0.75, 1.25, 0, numbers);
  fill_uniform("u", 0.75, 1.25, 0, std::span(halves).first(17));
  fill_uniform("u", 0.75, 1.25, 17, std::span(halves).subspan(17));
  EXPECT_EQ(numbers, halves);
}

// What the indexes of the published checkpoints say of themselves.
TEST(Schema, HasTheSizesOfThePublishedModels) {
  const auto total = [](const model::Config& config) {
    uint64_t bytes = 0;
    for (const formats::TensorRange& tensor : hugging_face_tensors(config)) bytes += tensor.bytes;
    return bytes;
  };
  model::Config config = gpt_oss_20b(24);
  EXPECT_EQ(hugging_face_tensors(config).size(), 459U);
  EXPECT_EQ(total(config), 13'761'264'768U);
  config = gpt_oss_20b(36);
  config.experts = 128;
  EXPECT_EQ(total(config), 65'248'815'744U);
}

TEST(CheckpointWriter, WritesWhatOpens) {
  model::Config config = gpt_oss_20b(3);
  config.hidden = 96;
  config.intermediate = 32;
  config.heads = 4;
  config.kv_heads = 2;
  config.experts = 5;
  config.vocab = 77;
  const std::string folder = testing::TempDir() + "synthetic-checkpoint";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(write_checkpoint(config, folder, 3).ok());

  const auto checkpoint = model::Checkpoint::open(folder);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  EXPECT_EQ(checkpoint->config().hidden, 96U);
  EXPECT_EQ(checkpoint->config().rms_norm_eps, 1e-5F);
  EXPECT_EQ(checkpoint->config().yarn.factor, 32);
  EXPECT_EQ(checkpoint->config().sliding, std::vector<bool>({true, false, true}));
  EXPECT_EQ(checkpoint->tensors().size(), 3U + 19 * 3);

  const model::Dense& head = checkpoint->weights().lm_head;
  std::vector<uint16_t> expected(head.rows * head.cols);
  fill_uniform("lm_head.weight", -std::sqrt(3.0 / 96), std::sqrt(3.0 / 96), 0, expected);
  EXPECT_EQ(std::memcmp(head.data, expected.data(), 2 * expected.size()), 0);

  const model::Mxfp4& down = checkpoint->weights().layers[2].down_proj;
  std::vector<uint8_t> codes(down.experts * down.rows * down.cols / 2);
  fill_bytes("model.layers.2.mlp.experts.down_proj_blocks", 0, codes);
  EXPECT_EQ(std::memcmp(down.blocks, codes.data(), codes.size()), 0);
  std::filesystem::remove_all(folder);
}

TEST(CheckpointWriter, SaysWhereItCannotWrite) {
  const Status status = write_checkpoint(gpt_oss_20b(1), "/nonexistent", 1);
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_EQ(status.message(), "cannot write /nonexistent/config.json");
}

}  // namespace
}  // namespace vitalis::synthetic
