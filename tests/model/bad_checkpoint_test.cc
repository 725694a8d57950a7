// SPDX-License-Identifier: Apache-2.0
// Checkpoints that must not open. Messages are asserted whole: file, tensor, expected, found.
#include <gtest/gtest.h>

#include "model/checkpoint_folder.h"

namespace vitalis::model {
namespace {

const std::string kConfig = "config.json";
const std::string kIndex = "model.safetensors.index.json";
const std::string kSingle = "model.safetensors";
const std::string kShard0 = "model-00000-of-00002.safetensors";
const std::string kShard1 = "model-00001-of-00002.safetensors";
const std::string kShard2 = "model-00002-of-00002.safetensors";

using Tensors = std::vector<CheckpointFolder::Tensor>;

CheckpointFolder::Tensor& named(Tensors& tensors, const std::string& name) {
  for (auto& tensor : tensors) {
    if (tensor.range.name == name) return tensor;
  }
  ADD_FAILURE() << name;
  return tensors.front();
}

void drop(Tensors& tensors, const std::string& name) {
  std::erase_if(tensors, [&](const auto& tensor) { return tensor.range.name == name; });
}

TEST(BadCheckpoint, MissingFolderOrFiles) {
  const auto nowhere = Checkpoint::open("/nonexistent/model");
  EXPECT_EQ(nowhere.status().code(), Code::kNotFound);
  EXPECT_EQ(nowhere.status().message(), "there is no checkpoint /nonexistent/model");

  const CheckpointFolder folder("one-token");
  std::filesystem::remove(folder.file(kSingle));
  EXPECT_EQ(folder.refusal(Code::kNotFound),
            "cannot open DIR/model.safetensors: No such file or directory");
  std::filesystem::remove(folder.file(kConfig));
  EXPECT_EQ(folder.refusal(Code::kNotFound),
            "cannot open DIR/config.json: No such file or directory");
}

TEST(BadCheckpoint, MissingAndTruncatedShardsAreToldTogether) {
  const CheckpointFolder folder("base");
  std::filesystem::remove(folder.file(kShard0));
  const size_t bytes = folder.read(kShard1).size();
  std::filesystem::resize_file(folder.file(kShard1), bytes - 1);
  std::filesystem::resize_file(folder.file(kShard2), 0);
  EXPECT_EQ(folder.refusal(Code::kMalformed),
            "DIR: 3 problems\n"
            "  cannot open DIR/model-00000-of-00002.safetensors: No such file or directory\n"
            "  DIR/model-00001-of-00002.safetensors: tensor "
            "\"model.layers.1.mlp.experts.gate_up_proj_blocks\": ends at byte 183192 of the data, "
            "but the file has only 183191 (truncated?)\n"
            "  DIR/model-00002-of-00002.safetensors: has 0 bytes; a safetensors file begins with "
            "the 8 bytes of its header's length");
}

TEST(BadCheckpoint, AFileThatIsNoneAndAFolderInPlaceOfAShard) {
  const CheckpointFolder folder("base");
  EXPECT_EQ(Checkpoint::open(folder.file(kConfig)).status().message(),
            folder.file(kConfig) +
                ": is no checkpoint; supported: a folder with config.json, a GGUF file, or the "
                "model.bin of a folder metal/");
  std::filesystem::remove(folder.file(kShard0));
  std::filesystem::create_directory(folder.file(kShard0));
  EXPECT_EQ(folder.refusal(Code::kIo),
            "DIR/model-00000-of-00002.safetensors is not a regular file");
}

TEST(BadCheckpoint, IndexThatNamesAbsentFiles) {
  const CheckpointFolder folder("base");
  folder.replace(kIndex, "\"lm_head.weight\": \"" + kShard0,
                 "\"lm_head.weight\": \"gone.safetensors");
  EXPECT_EQ(folder.refusal(Code::kMalformed),
            "DIR: 2 problems\n"
            "  cannot open DIR/gone.safetensors: No such file or directory\n"
            "  DIR/model-00000-of-00002.safetensors: holds tensor \"lm_head.weight\", which "
            "model.safetensors.index.json does not place there");
}

TEST(BadCheckpoint, TensorsNotWhereTheIndexPutsThem) {
  const CheckpointFolder folder("base");
  folder.replace(kIndex, "\"lm_head.weight\": \"" + kShard0, "\"lm_head.weight\": \"" + kShard2);
  EXPECT_EQ(folder.refusal(Code::kMalformed),
            "DIR: 2 problems\n"
            "  DIR/model-00000-of-00002.safetensors: holds tensor \"lm_head.weight\", which "
            "model.safetensors.index.json does not place there\n"
            "  DIR/model-00002-of-00002.safetensors: does not hold tensor \"lm_head.weight\", "
            "which model.safetensors.index.json places there");
}

TEST(BadCheckpoint, ShardWithAnExtraTensor) {
  const CheckpointFolder folder("base");
  folder.rewrite(kShard2, [](Tensors& tensors) {
    tensors.push_back({{"extra", formats::DType::kF32, {2}, 0, 8}, "12345678"});
  });
  EXPECT_EQ(folder.refusal(Code::kMalformed),
            "DIR: 2 problems\n"
            "  DIR/model-00002-of-00002.safetensors: holds tensor \"extra\", which "
            "model.safetensors.index.json does not place there\n"
            "  DIR/model-00002-of-00002.safetensors: tensor \"extra\", F32 [2], is not part of "
            "this model");
}

TEST(BadCheckpoint, IndexThatIsBroken) {
  const CheckpointFolder folder("base");
  folder.replace(kIndex, "weight_map", "weights");
  EXPECT_EQ(folder.refusal(Code::kMalformed),
            "DIR/model.safetensors.index.json: expected an object \"weight_map\"");
}

TEST(BadCheckpoint, EveryTensorThatIsWrongIsToldAtOnce) {
  const CheckpointFolder folder("one-token");
  folder.rewrite(kSingle, [](Tensors& tensors) {
    drop(tensors, "model.norm.weight");
    drop(tensors, "model.layers.3.mlp.experts.down_proj_scales");
    named(tensors, "lm_head.weight").range.shape = {64, 256};
    named(tensors, "model.layers.0.self_attn.sinks").range.dtype = formats::DType::kF16;
    named(tensors, "model.layers.5.mlp.experts.gate_up_proj_blocks").range.name =
        "model.layers.6.mlp.experts.gate_up_proj_blocks";
    tensors.push_back({{"extra", formats::DType::kU8, {1}, 0, 1}, "x"});
  });
  EXPECT_EQ(folder.refusal(Code::kMalformed),
            "DIR: 7 problems\n"
            "  DIR: tensor \"model.norm.weight\" is missing; expected BF16 [64]\n"
            "  DIR/model.safetensors: tensor \"lm_head.weight\" is BF16 [64, 256]; expected BF16 "
            "[256, 64]\n"
            "  DIR/model.safetensors: tensor \"model.layers.0.self_attn.sinks\" is F16 [4]; "
            "expected BF16 [4]\n"
            "  DIR: tensor \"model.layers.5.mlp.experts.gate_up_proj_blocks\" is missing; expected "
            "U8 [8, 192, 2, 16]\n"
            "  DIR: tensor \"model.layers.3.mlp.experts.down_proj_scales\" is missing; expected U8 "
            "[8, 64, 3]\n"
            "  DIR/model.safetensors: tensor \"extra\", U8 [1], is not part of this model\n"
            "  DIR/model.safetensors: tensor \"model.layers.6.mlp.experts.gate_up_proj_blocks\", "
            "U8 [8, 192, 2, 16], is not part of this model");
}

TEST(BadCheckpoint, MisalignedTensors) {
  const CheckpointFolder folder("one-token");
  std::string content = folder.read(kSingle);
  content.insert(content.find("}}") + 2, " ");  // one byte more of header
  content[0] = static_cast<char>(content[0] + 1);
  folder.write(kSingle, content);
  const std::string message = folder.refusal(Code::kMalformed);
  EXPECT_NE(message.find("DIR/model.safetensors: tensor \"model.norm.weight\" begins at byte "),
            std::string::npos);
  EXPECT_NE(message.find("; expected a multiple of 2"), std::string::npos);
  EXPECT_EQ(message.find("_blocks"), std::string::npos) << "bytes cannot be misaligned";
}

TEST(BadCheckpoint, ConfigOfAnotherShape) {
  const CheckpointFolder folder("base");
  folder.replace(kConfig, "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4");
  EXPECT_EQ(
      folder.refusal(Code::kMalformed),
      "DIR: 8 problems\n"
      "  DIR/model-00001-of-00002.safetensors: tensor "
      "\"model.layers.0.self_attn.k_proj.weight\" is BF16 [128, 64]; expected BF16 [256, 64]\n"
      "  DIR/model-00002-of-00002.safetensors: tensor "
      "\"model.layers.1.self_attn.k_proj.weight\" is BF16 [128, 64]; expected BF16 [256, 64]\n"
      "  DIR/model-00001-of-00002.safetensors: tensor "
      "\"model.layers.0.self_attn.v_proj.weight\" is BF16 [128, 64]; expected BF16 [256, 64]\n"
      "  DIR/model-00002-of-00002.safetensors: tensor "
      "\"model.layers.1.self_attn.v_proj.weight\" is BF16 [128, 64]; expected BF16 [256, 64]\n"
      "  DIR/model-00001-of-00002.safetensors: tensor "
      "\"model.layers.0.self_attn.k_proj.bias\" is BF16 [128]; expected BF16 [256]\n"
      "  DIR/model-00002-of-00002.safetensors: tensor "
      "\"model.layers.1.self_attn.k_proj.bias\" is BF16 [128]; expected BF16 [256]\n"
      "  DIR/model-00001-of-00002.safetensors: tensor "
      "\"model.layers.0.self_attn.v_proj.bias\" is BF16 [128]; expected BF16 [256]\n"
      "  DIR/model-00002-of-00002.safetensors: tensor "
      "\"model.layers.1.self_attn.v_proj.bias\" is BF16 [128]; expected BF16 [256]");
}

TEST(BadCheckpoint, FusedTensorOfAnotherShape) {
  const CheckpointFolder folder("base/original");
  folder.replace(kConfig, "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 1");
  const std::string message = folder.refusal(Code::kMalformed);
  EXPECT_NE(message.find("DIR/model.safetensors: tensor \"block.1.attn.qkv.weight\" is BF16 "
                         "[512, 64]; expected BF16 [384, 64]"),
            std::string::npos)
      << message;
}

TEST(BadCheckpoint, WeightsOfAnotherModel) {
  const CheckpointFolder folder("one-token");
  folder.rewrite(kSingle, [](Tensors& tensors) {
    tensors.resize(2);
    tensors[0].range.name = "transformer.wte.weight";
    tensors[1].range.name = "transformer.wpe.weight";
  });
  EXPECT_EQ(folder.refusal(Code::kUnsupported), "DIR: none of the 2 tensors has a name of gpt-oss");
}

}  // namespace
}  // namespace vitalis::model
