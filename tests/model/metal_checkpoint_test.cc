// SPDX-License-Identifier: Apache-2.0
// Models as metal/model.bin: bound in place, with the numbers of Hugging Face's files once the
// layout that the views tell is taken into account.
#include "model/metal_checkpoint.h"

#include <gtest/gtest.h>

#include "formats/gguf_writer.h"
#include "formats/metal_bin.h"
#include "model/checkpoint_folder.h"
#include "model/same_model.h"

namespace vitalis::model {
namespace {

const std::string kGoldens = VITALIS_SOURCE_DIR "/tests/goldens/numerics/";

std::string metal_golden(const std::string& name) {
  const auto reference = Checkpoint::open(kGoldens + name);
  EXPECT_TRUE(reference.ok()) << reference.status().message();
  return reference.ok() ? metal_of(*reference) : "";
}

class MetalCheckpoint : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Goldens, MetalCheckpoint, testing::Values("base", "odd-widths"));

TEST_P(MetalCheckpoint, HoldsTheSameNumbers) {
  const auto reference = Checkpoint::open(kGoldens + GetParam());
  ASSERT_TRUE(reference.ok()) << reference.status().message();
  const CheckpointFolder folder(GetParam());
  folder.write("model.bin", metal_of(*reference));
  const auto checkpoint = Checkpoint::open(folder.file("model.bin"));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  EXPECT_EQ(checkpoint->format(), "Metal");
  EXPECT_EQ(checkpoint->tensors().size(), 3 + 15U * reference->config().layers);
  EXPECT_EQ(checkpoint->weights().q_scale, 0.5F);
  EXPECT_EQ(checkpoint->weights().k_scale, 0.25F);
  EXPECT_EQ(checkpoint->weights().rotary_pairs, RotaryPairs::kAdjacent);
  EXPECT_EQ(checkpoint->weights().layers[0].down_proj.layout, Mxfp4Layout::kMetal);
  SameModel(*reference, *checkpoint).expect();
}

TEST(MetalBin, HoldsTokensWithLongLengths) {
  const std::string file = metal_golden("base");
  const auto bin = formats::parse_metal_bin(std::as_bytes(std::span(file)), "model.bin");
  ASSERT_TRUE(bin.ok()) << bin.status().message();
  EXPECT_EQ(bin->regex, "[a-z]+");
  ASSERT_EQ(bin->text_tokens.size(), 240U);
  EXPECT_EQ(bin->text_tokens[3], std::string(300, 'x'));
  EXPECT_EQ(bin->text_tokens[239], "239");
  ASSERT_EQ(bin->special_tokens.size(), 16U);
  EXPECT_EQ(bin->special_tokens[7][0], std::byte{7});
  EXPECT_EQ(bin->weights_offset, formats::kMetalPage);
}

// A header of the published 20b must ask for the published file's size, save that its own token
// table is longer: its weights begin at byte 1,802,240.
TEST(MetalBin, AsksForTheSizeOfThePublishedFile) {
  Config config = synthetic::gpt_oss_20b(24);
  config.vocab = 200014;
  const CheckpointFolder folder("base");
  const std::string header = metal_header_of(config);
  folder.write("model.bin", header);
  const auto checkpoint = Checkpoint::open(folder.file("model.bin"));
  ASSERT_FALSE(checkpoint.ok());
  EXPECT_TRUE(checkpoint.status().message().ends_with(
      text("model.bin: has ", header.size(), " bytes; expected ",
           13'750'886'400 - 1'802'240 + header.size(), " by its header")))
      << checkpoint.status().message();
}

class BadMetal : public testing::Test {
 protected:
  std::string refusal(const std::string& file, Code code = Code::kMalformed) {
    folder_.write("model.bin", file);
    const auto checkpoint = Checkpoint::open(folder_.file("model.bin"));
    EXPECT_FALSE(checkpoint.ok());
    EXPECT_EQ(checkpoint.status().code(), code) << checkpoint.status().message();
    std::string message = checkpoint.status().message();
    const std::string path = folder_.file("");
    for (size_t at = 0; (at = message.find(path)) != message.npos;) message.erase(at, path.size());
    return message;
  }
  // The file with the 32-bit number at a place of its header changed.
  std::string with(size_t place, uint32_t value) const {
    return std::string(good_).replace(place, 4, formats::GgufWriter::number(value, 4));
  }

  CheckpointFolder folder_{"base"};
  std::string good_ = metal_golden("base");
};

TEST_F(BadMetal, HeadersThatDoNotFit) {
  EXPECT_EQ(refusal(with(16, 1), Code::kUnsupported),
            "model.bin: the UUID of its model is not the one of gpt-oss");
  EXPECT_EQ(refusal(with(100, 1), Code::kUnsupported),
            "model.bin: the UUID of its layout is not the one of gpt-oss");
  EXPECT_EQ(refusal(with(116, 1), Code::kUnsupported),
            "model.bin: the UUID of its tokenizer is not the one of gpt-oss");
  EXPECT_EQ(refusal(with(48, 65)),
            "model.bin: embedding_dim is 65; expected an integer between 32 and 65536, a multiple "
            "of 32");
  EXPECT_EQ(refusal(with(36, 3)), text("model.bin: has ", good_.size(), " bytes; expected ",
                                       good_.size() + 196608, " by its header"));
  EXPECT_EQ(refusal(with(84, std::bit_cast<uint32_t>(-0.5F)), Code::kUnsupported).substr(0, 46),
            "model.bin: yarn_offset is -0.5; expected -0.86");
  EXPECT_EQ(refusal(with(80, 0)),
            "model.bin: interpolation_scale gives inf; expected a number between 1 and 10000");
  EXPECT_EQ(refusal(with(136, 241)).substr(0, 31), "model.bin: the token table shou");
}

TEST_F(BadMetal, TruncationsAndSurplus) {
  EXPECT_EQ(refusal(good_.substr(0, good_.size() - 1)),
            text("model.bin: has ", good_.size() - 1, " bytes; expected ", good_.size(),
                 " by its header"));
  EXPECT_EQ(refusal(good_ + "x"), text("model.bin: has ", good_.size() + 1, " bytes; expected ",
                                       good_.size(), " by its header"));
  for (size_t size = 16; size < 2000; ++size) {
    const std::string file = good_.substr(0, size);
    const auto bin = formats::parse_metal_bin(std::as_bytes(std::span(file)), "model.bin");
    if (bin.ok()) {
      EXPECT_GE(bin->weights_offset, file.size());
    } else {
      EXPECT_NE(bin.status().message().find("ends inside its "), std::string::npos);
    }
  }
}

TEST_F(BadMetal, TamperedHeadersNeverCrash) {
  for (size_t i = 16; i < 420; i += 5) {
    for (const char change : {1, 16, 127}) {
      std::string file = good_;
      file[i] = static_cast<char>(file[i] ^ change);
      folder_.write("model.bin", file);
      const auto checkpoint = Checkpoint::open(folder_.file("model.bin"));
      if (!checkpoint.ok()) continue;
      for (const Checkpoint::Tensor& tensor : checkpoint->tensors()) {
        ASSERT_LE(tensor.bytes, file.size());
      }
    }
  }
}

}  // namespace
}  // namespace vitalis::model
