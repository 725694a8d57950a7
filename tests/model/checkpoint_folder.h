// SPDX-License-Identifier: Apache-2.0
// A copy of a checkpoint in a folder of its own, to be damaged by a test. Removed at the end.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "formats/safetensors.h"
#include "model/checkpoint.h"
#include "synthetic/checkpoint_writer.h"

namespace vitalis::model {

class CheckpointFolder {
 public:
  // `golden` is a folder of tests/goldens/numerics.
  explicit CheckpointFolder(const std::string& golden) {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = testing::TempDir() + test->test_suite_name() + "." + test->name();
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
    const std::string source = VITALIS_SOURCE_DIR "/tests/goldens/numerics/" + golden;
    for (const auto& entry : std::filesystem::directory_iterator(source)) {
      if (entry.is_regular_file()) {
        std::filesystem::copy(entry.path(), std::filesystem::path(path_));
      }
    }
  }
  ~CheckpointFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

  std::string read(const std::string& name) const {
    Result<std::string> content = read_file(file(name), size_t{1} << 30);
    EXPECT_TRUE(content.ok()) << content.status().message();
    return content.ok() ? content.take() : "";
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
  }
  void replace(const std::string& name, const std::string& from, const std::string& to) const {
    std::string content = read(name);
    const size_t place = content.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    write(name, content.replace(place, from.size(), to));
  }

  // A shard as a list of tensors with their bytes, written back after `change`.
  struct Tensor {
    formats::TensorRange range;
    std::string bytes;
  };
  void rewrite(const std::string& name,
               const std::function<void(std::vector<Tensor>&)>& change) const {
    const std::string content = read(name);
    const auto parsed = formats::parse_safetensors(std::as_bytes(std::span(content)), name);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    std::vector<Tensor> tensors;
    for (const formats::TensorRange& range : parsed->tensors) {
      tensors.push_back({range, content.substr(range.offset, range.bytes)});
    }
    change(tensors);
    std::vector<formats::TensorRange> ranges;
    std::string data;
    for (Tensor& tensor : tensors) {
      tensor.range.bytes = tensor.bytes.size();
      ranges.push_back(tensor.range);
      data += tensor.bytes;
    }
    write(name, synthetic::safetensors_header(ranges) + data);
  }

  Result<Checkpoint> open() const { return Checkpoint::open(path_); }

  // The message of a checkpoint that must not open, with the folder cut out of every path.
  std::string refusal(Code code) const {
    const Result<Checkpoint> checkpoint = open();
    EXPECT_FALSE(checkpoint.ok());
    EXPECT_EQ(checkpoint.status().code(), code) << checkpoint.status().message();
    std::string message = checkpoint.status().message();
    for (size_t place = 0; (place = message.find(path_, place)) != std::string::npos;) {
      message.replace(place, path_.size(), "DIR");
    }
    return message;
  }

 private:
  std::string path_;
};

}  // namespace vitalis::model
