// SPDX-License-Identifier: Apache-2.0
// Opening whole checkpoints: every golden, the demonstration model, and OpenAI's own layout; and
// that a header which was tampered with never opens as a different model.
#include "model/checkpoint.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>

#include "base/mapped_file.h"
#include "formats/safetensors.h"
#include "model/bind.h"
#include "model/checkpoint_folder.h"

namespace vitalis::model {
namespace {

const std::string kGoldens = VITALIS_SOURCE_DIR "/tests/goldens/numerics/";

Checkpoint opened(const std::string& path) {
  Result<Checkpoint> checkpoint = Checkpoint::open(path);
  if (!checkpoint.ok()) throw std::runtime_error(checkpoint.status().message());
  return checkpoint.take();
}

// Calls `visit` for every tensor that the first of two models has.
template <class Visit>
void for_each_tensor(const Weights& a, const Weights& b, const Config& config, Visit&& visit) {
  for (const SchemaTensor& tensor : schema()) {
    if (const auto* shared = std::get_if<Dense Weights::*>(&tensor.slot)) {
      visit(a.**shared, b.**shared);
      continue;
    }
    for (uint32_t layer = 0; layer < config.layers; ++layer) {
      if (const auto* dense = std::get_if<Dense Layer::*>(&tensor.slot)) {
        if ((a.layers[layer].**dense).data) {
          visit(a.layers[layer].**dense, b.layers[layer].**dense);
        }
      } else {
        const auto quantized = std::get<Mxfp4 Layer::*>(tensor.slot);
        if ((a.layers[layer].*quantized).blocks) {
          visit(a.layers[layer].*quantized, b.layers[layer].*quantized);
        }
      }
    }
  }
}

struct ExpectSameBytes {
  void operator()(const Dense& a, const Dense& b) {
    ++count;
    EXPECT_EQ(a.rows, b.rows);
    EXPECT_EQ(a.cols, b.cols);
    EXPECT_EQ(a.type, b.type);
    EXPECT_EQ(std::memcmp(a.data, b.data, 2 * a.rows * a.cols), 0);
  }
  void operator()(const Mxfp4& a, const Mxfp4& b) {
    ++count;
    EXPECT_EQ(a.experts, b.experts);
    EXPECT_EQ(a.rows, b.rows);
    EXPECT_EQ(a.cols, b.cols);
    const size_t groups = a.experts * a.rows * a.cols / kMxfp4Group;
    EXPECT_EQ(std::memcmp(a.blocks, b.blocks, groups * 16), 0);
    EXPECT_EQ(std::memcmp(a.scales, b.scales, groups), 0);
  }
  size_t count = 0;
};

TEST(Checkpoint, OpensEveryGolden) {
  for (const char* name : {"base", "odd-widths", "clamped", "many-experts", "all-experts",
                           "one-token", "long", "base/original", "odd-widths/original"}) {
    const auto checkpoint = Checkpoint::open(kGoldens + name);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
    EXPECT_EQ(checkpoint->weights().layers.size(), checkpoint->config().layers) << name;
  }
}

TEST(Checkpoint, OpensTheDemonstrationModel) {
  const Checkpoint checkpoint = opened(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/");
  EXPECT_EQ(checkpoint.format(), "safetensors");
  EXPECT_EQ(checkpoint.tensors().size(), 19U * checkpoint.config().layers + 3);
  uint64_t bytes = 0;
  for (const Checkpoint::Tensor& tensor : checkpoint.tensors()) bytes += tensor.bytes;
  EXPECT_LT(bytes, checkpoint.mapped_bytes());
  EXPECT_GT(bytes, checkpoint.mapped_bytes() * 99 / 100);
}

TEST(Checkpoint, ListsTensorsByTheFileThatHoldsThem) {
  const Checkpoint checkpoint = opened(kGoldens + "base");
  ASSERT_EQ(checkpoint.tensors().size(), 41U);
  const Checkpoint::Tensor& first = checkpoint.tensors().front();
  EXPECT_EQ(first.name, "lm_head.weight");
  EXPECT_EQ(first.dtype, "BF16");
  EXPECT_EQ(first.shape, std::vector<uint64_t>({256, 64}));
  EXPECT_EQ(first.bytes, 32768U);
  EXPECT_EQ(first.file, "model-00000-of-00002.safetensors");
  EXPECT_EQ(checkpoint.tensors().back().file, "model-00002-of-00002.safetensors");
}

TEST(Checkpoint, ViewsLiveInTheMapping) {
  Checkpoint first = opened(kGoldens + "base");
  const std::byte* data = first.weights().lm_head.data;
  const Checkpoint second = std::move(first);
  EXPECT_EQ(second.weights().lm_head.data, data);
  // The first bytes of the shard after its header of 848 bytes.
  const auto file = MappedFile::open(kGoldens + "base/model-00000-of-00002.safetensors");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(std::memcmp(data, file->bytes().data() + 8 + 848, 32768), 0);
}

TEST(Checkpoint, OpenAiNamesGiveTheSameBytes) {
  for (const std::string name : {"base", "odd-widths"}) {
    const Checkpoint a = opened(kGoldens + name);
    const Checkpoint b = opened(kGoldens + name + "/original");
    EXPECT_EQ(b.format(), "safetensors, OpenAI names");
    ExpectSameBytes same;
    for_each_tensor(a.weights(), b.weights(), a.config(), same);
    EXPECT_EQ(same.count, 3U + 17 * a.config().layers);
  }
}

TEST(Checkpoint, TheIndexAloneDecidesWhichFilesAreOpened) {
  const CheckpointFolder folder("base");
  folder.write("model.safetensors", "not looked at");
  folder.write("model-00003-of-00002.safetensors", "nor this");
  const auto checkpoint = folder.open();
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status().message();
}

// One shard with every byte of its header changed in turn, and every number and string replaced.
class TamperedHeader : public testing::Test {
 protected:
  void SetUp() override {
    Result<std::string> config = read_file(kGoldens + "one-token/config.json", 1 << 20);
    ASSERT_TRUE(config.ok());
    // Two layers of the six keep the number of variants small.
    config_ = *parse_config(*config, "config.json");
    const CheckpointFolder folder("one-token");
    config_.layers = 2;
    config_.sliding.resize(2);
    folder.rewrite("model.safetensors", [](auto& tensors) {
      std::erase_if(tensors, [](const auto& tensor) {
        const std::string& name = tensor.range.name;
        return name.starts_with("model.layers.") && name[13] > '1';
      });
    });
    file_ = folder.read("model.safetensors");
    header_bytes_ = static_cast<unsigned char>(file_[0]) | static_cast<unsigned char>(file_[1])
                                                               << 8;
    ASSERT_TRUE(load(file_, original_));
  }

  // Offsets of every tensor's data from the start of the data, in the order of the schema.
  bool load(const std::string& file, std::vector<uint64_t>& offsets) {
    const auto parsed = formats::parse_safetensors(std::as_bytes(std::span(file)), "f");
    if (!parsed.ok()) return false;
    const auto* begin = reinterpret_cast<const std::byte*>(file.data());
    Inventory inventory;
    for (const formats::TensorRange& tensor : parsed->tensors) {
      inventory.tensors.emplace(tensor.name, FoundTensor{tensor, begin + tensor.offset, "f"});
    }
    Problems problems;
    const NameTable* table = recognize(safetensors_tables(), inventory);
    if (!table) return false;
    const Weights weights = bind(config_, *table, inventory, "folder", problems);
    if (!problems.empty()) return false;
    const std::byte* data = begin + parsed->tensors.front().offset;
    for_each_tensor(weights, weights, config_, [&](const auto& tensor, const auto&) {
      if constexpr (std::is_same_v<std::decay_t<decltype(tensor)>, Dense>) {
        offsets.push_back(tensor.data - data);
      } else {
        offsets.push_back(reinterpret_cast<const std::byte*>(tensor.blocks) - data);
        offsets.push_back(reinterpret_cast<const std::byte*>(tensor.scales) - data);
      }
    });
    return true;
  }

  void expect_error_or_equal(const std::string& file, size_t place) {
    std::vector<uint64_t> offsets;
    if (!load(file, offsets)) {
      ++refused_;
      return;
    }
    ++equal_;
    EXPECT_EQ(offsets, original_) << "at byte " << place << ": "
                                  << file.substr(place < 20 ? 0 : place - 20, 40);
  }

  std::string with_header(const std::string& header) const {
    std::string out;
    for (int byte = 0; byte < 8; ++byte) out += static_cast<char>(header.size() >> 8 * byte);
    return out + header + file_.substr(8 + header_bytes_);
  }

  Config config_;
  std::string file_;
  size_t header_bytes_ = 0;
  std::vector<uint64_t> original_;
  size_t refused_ = 0;
  size_t equal_ = 0;
};

TEST_F(TamperedHeader, BytesGiveAnErrorOrAnEqualModel) {
  for (size_t i = 0; i < 8 + header_bytes_; ++i) {
    for (const char change : {0x01, 0x02, 0x04, 0x10, 0x20, 0x7F}) {
      std::string file = file_;
      file[i] = static_cast<char>(file[i] ^ change);
      expect_error_or_equal(file, i);
    }
  }
  EXPECT_GT(refused_, 1000U);
  EXPECT_GT(equal_, 0U);  // the metadata and the padding at the end may change
}

TEST_F(TamperedHeader, NumbersGiveAnErrorOrAnEqualModel) {
  const std::string header = file_.substr(8, header_bytes_);
  const std::string digits = "0123456789";
  for (size_t begin = header.find("shape"); begin != std::string::npos;) {
    begin = header.find_first_of(digits, begin);
    if (begin == std::string::npos) break;
    const size_t end = header.find_first_not_of(digits, begin);
    if (header[begin - 1] != '[' && header[begin - 1] != ',' && header[begin - 1] != ' ') {
      begin = end;  // part of a name or a type
      continue;
    }
    for (const char* number :
         {"0", "1", "2", "32", "64", "65535", "4294967296", "9223372036854775808",
          "18446744073709551615", "18446744073709551616", "-1", "1e3", "0.5", "null", "[]"}) {
      expect_error_or_equal(with_header(header.substr(0, begin) + number + header.substr(end)),
                            8 + begin);
    }
    begin = end;
  }
  EXPECT_GT(refused_, 1000U);
}

TEST_F(TamperedHeader, TypesGiveAnErrorOrAnEqualModel) {
  const std::string header = file_.substr(8, header_bytes_);
  for (const std::string from :
       {"\"BF16\"", "\"U8\"", "\"dtype\"", "\"shape\"", "\"data_offsets\""}) {
    for (size_t place = header.find(from); place != std::string::npos;
         place = header.find(from, place + 1)) {
      for (const char* to :
           {"\"F16\"", "\"I8\"", "\"U8\"", "\"F32\"", "\"\"", "\"bf16\"", "0", "\"x\""}) {
        std::string changed = header;
        expect_error_or_equal(with_header(changed.replace(place, from.size(), to)), 8 + place);
      }
    }
  }
  EXPECT_GT(refused_, 1000U);
}

}  // namespace
}  // namespace vitalis::model
