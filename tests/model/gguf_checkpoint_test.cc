// SPDX-License-Identifier: Apache-2.0
// Models as GGUF: bound in place, with the same numbers as in Hugging Face's files.
#include "model/gguf_checkpoint.h"

#include <gtest/gtest.h>

#include "formats/gguf.h"
#include "model/checkpoint_folder.h"
#include "model/same_model.h"

namespace vitalis::model {
namespace {

const std::string kGoldens = VITALIS_SOURCE_DIR "/tests/goldens/numerics/";

class GgufCheckpoint : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Goldens, GgufCheckpoint, testing::Values("base", "odd-widths"));

TEST_P(GgufCheckpoint, HoldsTheSameNumbers) {
  const auto reference = Checkpoint::open(kGoldens + GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status().message();
  const CheckpointFolder folder(GetParam());
  for (const auto matrices :
       {GgufMatrices::kF32, GgufMatrices::kBf16, GgufMatrices::kF16, GgufMatrices::kQ8_0}) {
    folder.write("m.gguf", gguf_of(*reference, matrices).file());
    const auto checkpoint = Checkpoint::open(folder.file("m.gguf"));
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
    EXPECT_EQ(checkpoint->format(), "GGUF");
    EXPECT_EQ(checkpoint->tensors().size(), 3 + 19U * reference->config().layers);
    SameModel(*reference, *checkpoint).expect();
    const Layer& layer = checkpoint->weights().layers[0];
    EXPECT_EQ(layer.gate_up_proj.blocks, nullptr);
    EXPECT_EQ(layer.up_proj.layout, Mxfp4Layout::kGgml);
    EXPECT_EQ(layer.sinks.type, DenseType::kF32);
  }
}

TEST_P(GgufCheckpoint, HoldsTheSameNumbersInParts) {
  const auto reference = Checkpoint::open(kGoldens + GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status().message();
  const CheckpointFolder folder(GetParam());
  auto parts = split(gguf_of(*reference, GgufMatrices::kBf16), 3);
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].version = 2 + i % 2;
    folder.write(text("m-0000", i + 1, "-of-00003.gguf"), parts[i].file());
  }
  const auto checkpoint = Checkpoint::open(folder.file("m-00001-of-00003.gguf"));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  SameModel(*reference, *checkpoint).expect();
  EXPECT_EQ(checkpoint->tensors().back().file, "m-00003-of-00003.gguf");
}

TEST_P(GgufCheckpoint, EarlyOllamaFilesHoldTheSameNumbers) {
  const auto reference = Checkpoint::open(kGoldens + GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status().message();
  const CheckpointFolder folder(GetParam());
  folder.write("m.gguf", gguf_of(*reference, GgufMatrices::kBf16, true).file());
  const auto checkpoint = Checkpoint::open(folder.file("m.gguf"));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  EXPECT_EQ(checkpoint->format(), "GGUF, early Ollama");
  SameModel(*reference, *checkpoint).expect();
}

// The first group of the published 20b: expert 0 of layer 0, rows 0 (gate) and 1 (up).
TEST(GgufBlock, HoldsThePublishedBytes) {
  struct Group {
    uint8_t scale;
    std::vector<uint8_t> codes;
    std::vector<uint8_t> ggml;
  };
  const Group groups[] = {{0x7a,
                           {0x00, 0xc0, 0x80, 0xa9, 0x10, 0x1b, 0x81, 0x22, 0x93, 0xe4, 0xa0, 0xb2,
                            0x3b, 0x19, 0xb2, 0x31},
                           {0x7a, 0x30, 0x90, 0x40, 0xec, 0x00, 0xa8, 0x29, 0xba, 0xb0, 0x31, 0x9b,
                            0x11, 0x21, 0xb8, 0x12, 0x32}},
                          {0x79,
                           {0x82, 0xf8, 0xce, 0xa8, 0x6e, 0x82, 0xa2, 0x0f, 0xc5, 0x76, 0xc2, 0x7a,
                            0xcc, 0x8c, 0xc2, 0x24},
                           {0x79, 0x52, 0xc8, 0x68, 0x7f, 0x2e, 0xcc, 0xa8, 0x7a, 0xce, 0xc6, 0xc2,
                            0x88, 0x22, 0xca, 0x4f, 0x20}}};
  const float first[] = {0, 0, 0, -0.0625F, 0, -0.0F, -0.015625F, -0.03125F};
  for (const Group& group : groups) {
    const std::string block = ggml_block(group.codes.data(), group.scale);
    EXPECT_EQ(std::vector<uint8_t>(block.begin(), block.end()), group.ggml);
    const Mxfp4 plain{group.codes.data(), &group.scale, 1, 1, 32};
    const Mxfp4 packed{group.ggml.data(), nullptr, 1, 1, 32, Mxfp4Layout::kGgml};
    for (size_t i = 0; i < 32; ++i) {
      EXPECT_EQ(element(plain, 0, 0, i), element(packed, 0, 0, i)) << i;
      if (i < 8 && group.scale == 0x7a) {
        EXPECT_EQ(element(plain, 0, 0, i), first[i]);
      }
    }
  }
}

class BadGguf : public testing::Test {
 protected:
  void SetUp() override {
    auto reference = Checkpoint::open(kGoldens + "one-token");
    ASSERT_TRUE(reference.ok());
    writer_ = gguf_of(*reference, GgufMatrices::kBf16);
  }
  formats::GgufWriter::Tensor& named(const std::string& name) {
    for (auto& tensor : writer_.tensors) {
      if (tensor.name == name) return tensor;
    }
    ADD_FAILURE() << name;
    return writer_.tensors.front();
  }
  std::string refusal(const std::string& file, Code code = Code::kMalformed) {
    folder_.write("m.gguf", file);
    const auto checkpoint = Checkpoint::open(folder_.file("m.gguf"));
    EXPECT_FALSE(checkpoint.ok());
    EXPECT_EQ(checkpoint.status().code(), code) << checkpoint.status().message();
    return cut(checkpoint.status().message());
  }
  std::string cut(std::string message) {
    const std::string path = folder_.file("");
    for (size_t at = 0; (at = message.find(path)) != message.npos;) message.erase(at, path.size());
    return message;
  }
  // The file with the first occurrence of a text replaced by one of the same length.
  static std::string with(std::string file, const std::string& from, const std::string& to) {
    const size_t place = file.find(from);
    EXPECT_NE(place, file.npos) << from;
    return file.replace(place, from.size(), to);
  }

  CheckpointFolder folder_{"one-token"};
  formats::GgufWriter writer_;
};

TEST_F(BadGguf, OtherArchitectures) {
  formats::GgufWriter llama;
  llama.add("general.architecture", std::string_view("llama"));
  EXPECT_EQ(refusal(llama.file(), Code::kUnsupported),
            "m.gguf: the architecture is \"llama\"; supported: \"gpt-oss\", \"gptoss\"");
  EXPECT_EQ(refusal(formats::GgufWriter().file(), Code::kUnsupported),
            "m.gguf: the architecture is not named; supported: \"gpt-oss\", \"gptoss\"");
}

TEST_F(BadGguf, MetadataThatMakeNoConfig) {
  formats::GgufWriter empty;
  empty.add("general.architecture", std::string_view("gpt-oss"));
  const std::string missing = refusal(empty.file());
  EXPECT_TRUE(
      missing.starts_with("m.gguf: 12 problems\n  m.gguf: metadata "
                          "\"gpt-oss.block_count\" is missing\n"))
      << missing;
  const std::string good = writer_.file();
  const std::string key = "embedding_length" + formats::GgufWriter::number(4, 4);
  EXPECT_EQ(refusal(with(good, key + formats::GgufWriter::number(64, 4),
                         key + formats::GgufWriter::number(65, 4))),
            "m.gguf: metadata \"gpt-oss.embedding_length\" is 65; expected an integer between 32 "
            "and 65536, a multiple of 32");
  EXPECT_EQ(refusal(with(good, key, "embedding_length" + formats::GgufWriter::number(6, 4))),
            "m.gguf: metadata \"gpt-oss.embedding_length\" is not an unsigned integer; expected an "
            "integer between 32 and 65536, a multiple of 32");
  EXPECT_EQ(refusal(with(good, "yarn", "cube"), Code::kUnsupported),
            "m.gguf: the rotary scaling is \"cube\"; supported: \"yarn\", \"none\"");
}

TEST_F(BadGguf, EveryTensorThatIsWrongIsToldAtOnce) {
  named("output_norm.weight").name = "output_form.weight";
  auto& sinks = named("blk.3.attn_sinks.weight");
  sinks.type = 1;  // f16
  sinks.bytes.resize(8);
  auto& head = named("output.weight");
  head.shape = {64, 256};
  EXPECT_EQ(refusal(writer_.file()),
            "m.gguf: 4 problems\n"
            "  m.gguf: tensor \"output_norm.weight\" is missing; expected F32 or BF16 [64]\n"
            "  m.gguf: tensor \"output.weight\" is BF16 [64, 256]; expected F32 or BF16 or F16 or "
            "Q8_0 [256, 64]\n"
            "  m.gguf: tensor \"blk.3.attn_sinks.weight\" is F16 [4]; expected F32 or BF16 [4]\n"
            "  m.gguf: tensor \"output_form.weight\", F32 [64], is not part of this model");
}

TEST_F(BadGguf, PartsThatDoNotBelongTogether) {
  auto parts = split(writer_, 3);
  folder_.write("m-00001-of-00003.gguf", parts[0].file());
  folder_.write("m-00002-of-00003.gguf", parts[2].file());
  auto checkpoint = Checkpoint::open(folder_.file("m-00001-of-00003.gguf"));
  ASSERT_FALSE(checkpoint.ok());
  const std::string message = cut(checkpoint.status().message());
  EXPECT_NE(
      message.find("m-00002-of-00003.gguf: says that it is part 3 of 3; expected part 2 of 3"),
      std::string::npos)
      << message;
  EXPECT_NE(message.find("cannot open m-00003-of-00003.gguf: No such file or directory"),
            std::string::npos)
      << message;
  checkpoint = Checkpoint::open(folder_.file("m-00002-of-00003.gguf"));
  EXPECT_EQ(cut(checkpoint.status().message()),
            "m-00002-of-00003.gguf: is part 3 of 3; open the first one, named "
            "\"...-00001-of-00003.gguf\"");
}

TEST_F(BadGguf, TamperedBytesNeverCrash) {
  const std::string good = writer_.file();
  const size_t header = good.find("blk.5") + 4000;  // metadata and most descriptions
  for (size_t i = 0; i < header; i += 3) {
    std::string file = good;
    file[i] = static_cast<char>(file[i] ^ (1 << i % 8));
    const auto gguf = formats::parse_gguf(std::as_bytes(std::span(file)), "m");
    if (!gguf.ok()) continue;
    for (const formats::TensorRange& tensor : gguf->tensors) {
      ASSERT_LE(tensor.offset + tensor.bytes, file.size());
    }
  }
}

}  // namespace
}  // namespace vitalis::model
