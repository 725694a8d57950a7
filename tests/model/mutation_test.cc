// SPDX-License-Identifier: Apache-2.0
// Each byte of a valid header is changed in turn, in GGUF and in model.bin: an error must come of
// it, or a model with the same weights, whose config differs in nothing but numbers that are free.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "formats/gguf.h"
#include "formats/metal_bin.h"
#include "model/checkpoint_folder.h"
#include "model/gguf_checkpoint.h"
#include "model/metal_checkpoint.h"

namespace vitalis::model {
namespace {

const std::string kGoldens = VITALIS_SOURCE_DIR "/tests/goldens/numerics/";

// Where every tensor lies, and as what.
struct View {
  ptrdiff_t data, scales;
  size_t rows, cols, stride;
  int type;
  bool operator==(const View&) const = default;
};
std::vector<View> views(const Checkpoint& checkpoint) {
  struct Describe {
    const std::byte* origin;
    std::vector<View>& out;
    void operator()(const Dense& w, Reads) const {
      out.push_back({w.data - origin, 0, w.rows, w.cols, w.row_stride, static_cast<int>(w.type)});
    }
    void operator()(const Mxfp4& w, Reads) const {
      const auto* blocks = reinterpret_cast<const std::byte*>(w.blocks);
      const auto* scales = reinterpret_cast<const std::byte*>(w.scales);
      out.push_back({blocks - origin, scales ? scales - origin : 0, w.rows, w.cols, w.blocks_stride,
                     100 + static_cast<int>(w.layout)});
    }
  };
  std::vector<View> out;
  for_each_tensor(checkpoint.weights(), Describe{checkpoint.weights().embed_tokens.data, out});
  return out;
}

// The sizes that shapes depend on.
std::vector<uint64_t> sizes(const Config& c) {
  return {c.layers, c.hidden, c.intermediate, c.heads, c.kv_heads, c.head_dim, c.experts, c.vocab};
}

class Mutation : public testing::Test {
 protected:
  const Checkpoint reference = Checkpoint::open(kGoldens + "one-token").take();
  const CheckpointFolder folder{"one-token"};

  // Of the file's first `bytes` bytes each is changed in two ways.
  void change_each_byte(const std::string& name, const std::string& content, size_t bytes) {
    folder.write(name, content);
    const std::string path = folder.file(name);
    const auto whole = Checkpoint::open(path);
    ASSERT_TRUE(whole.ok()) << whole.status().message();
    const std::vector<View> expected = views(*whole);
    const int file = ::open(path.c_str(), O_WRONLY);
    size_t opened = 0, refused = 0;
    for (size_t at = 0; at < bytes; ++at) {
      for (const int change : {1 << at % 8, 0x80 ^ (at % 8 == 7 ? 1 : 0)}) {
        const char changed = static_cast<char>(content[at] ^ change);
        ASSERT_EQ(::pwrite(file, &changed, 1, static_cast<off_t>(at)), 1);
        const auto found = Checkpoint::open(path);
        if (!found.ok()) {
          ++refused;
          EXPECT_FALSE(found.status().message().empty());
        } else {
          ++opened;
          EXPECT_TRUE(views(*found) == expected) << "byte " << at << " ^ " << change;
          EXPECT_EQ(sizes(found->config()), sizes(whole->config())) << "byte " << at;
        }
      }
      ASSERT_EQ(::pwrite(file, &content[at], 1, static_cast<off_t>(at)), 1);
    }
    ::close(file);
    EXPECT_GT(refused, bytes / 4) << opened << " opened";
  }
};

TEST_F(Mutation, OfGguf) {
  const std::string content = gguf_of(reference, GgufMatrices::kBf16).file();
  const auto parsed = formats::parse_gguf(std::as_bytes(std::span(content)), "m.gguf");
  ASSERT_TRUE(parsed.ok());
  change_each_byte("m.gguf", content, parsed->tensors.front().offset);
}

TEST_F(Mutation, OfModelBin) {
  const std::string content = metal_of(reference);
  // The sizes, the UUIDs and the tokenizer's lengths; then text, which is the tokenizer's affair.
  change_each_byte("model.bin", content, 148);
}

TEST(Changed, FilesAreToldByNameSizeAndTime) {
  const CheckpointFolder folder("one-token");
  const auto checkpoint = folder.open();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  EXPECT_TRUE(checkpoint->unchanged().ok());
  const std::string name = folder.file("model.safetensors");
  const auto time = std::filesystem::last_write_time(name);
  std::filesystem::last_write_time(name, time + std::chrono::seconds(1));
  EXPECT_EQ(checkpoint->unchanged().code(), Code::kIntegrity);
  EXPECT_EQ(checkpoint->unchanged().message(), name + " was changed after it was opened");
  std::filesystem::last_write_time(name, time);
  EXPECT_TRUE(checkpoint->unchanged().ok());
  std::ofstream(name, std::ios::app) << "x";
  EXPECT_TRUE(checkpoint->unchanged().message().find(" bytes and has ") != std::string::npos)
      << checkpoint->unchanged().message();
  // One put in its place is another file: what is mapped stays as it was.
  std::filesystem::remove(name);
  EXPECT_TRUE(checkpoint->unchanged().ok());
  std::ofstream(name) << "x";
  EXPECT_TRUE(checkpoint->unchanged().ok());
}

}  // namespace
}  // namespace vitalis::model
