// SPDX-License-Identifier: Apache-2.0
// What is wrong with a model's files is told by name: in their structure, their sizes, their bytes.
#include "session/verify.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "base/mapped_file.h"
#include "hub/hash.h"

namespace vitalis::session {
namespace {

namespace fs = std::filesystem;
using Outcome = hub::VerifyFile::Outcome;
const std::string kTiny = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

class Verify : public testing::Test {
 protected:
  const fs::path folder =
      fs::path(testing::TempDir()) /
      (std::string("verify-") + testing::UnitTest::GetInstance()->current_test_info()->name());

  void SetUp() override {
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
      fs::copy_file(kTiny + "/" + name, folder / name);
    }
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string read(const std::string& name) const {
    return read_file((folder / name).string(), size_t{1} << 30).take();
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  }
  // Of the folder as it is.
  std::string manifest() const {
    hub::Manifest out{"here/tiny", "0123456789abcdef0123456789abcdef01234567", {}};
    for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
      const std::string bytes = read(name);
      out.files.push_back({name, bytes.size(), hub::sha256_of(bytes)});
    }
    write("manifest.json", hub::manifest_to_json(out));
    return (folder / "manifest.json").string();
  }
  static Status run(ModelVerification& verification) {
    while (true) {
      const auto progress = verification.next();
      if (!progress.ok()) return progress.status();
      if (progress->done) return verification.status();
    }
  }
  Status verify(const std::string& by) const {
    auto verification = ModelVerification::create(folder.string(), by);
    if (!verification.ok()) return verification.status();
    return run(*verification);
  }
};

TEST_F(Verify, WholeFilesAreGood) {
  auto verification = ModelVerification::create(folder.string(), manifest());
  ASSERT_TRUE(verification.ok()) << verification.status().message();
  EXPECT_EQ(verification->release(), "here/tiny at 0123456");
  const auto begin = verification->next();
  ASSERT_TRUE(begin.ok());
  EXPECT_FALSE(begin->done);
  EXPECT_EQ(begin->bytes_done, 0U);
  EXPECT_GT(begin->bytes_total, 11'000'000U);
  EXPECT_TRUE(run(*verification).ok());
  EXPECT_EQ(verification->files().size(), 3U);
  for (const auto& file : verification->files()) EXPECT_EQ(file.outcome, Outcome::kGood);
}

TEST_F(Verify, AFlippedBitIsFoundAndItsFileNamed) {
  const std::string by = manifest();
  std::string bytes = read("model.safetensors");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write("model.safetensors", bytes);
  const Status status = verify(by);
  EXPECT_EQ(status.code(), Code::kIntegrity);
  EXPECT_NE(status.message().find("model.safetensors: expected "), std::string::npos)
      << status.message();
}

TEST_F(Verify, StructureIsToldBeforeAnythingIsHashed) {
  const std::string by = manifest();
  const std::string bytes = read("model.safetensors");
  write("model.safetensors", bytes.substr(0, bytes.size() - 5));
  const Status status = verify(by);
  EXPECT_EQ(status.code(), Code::kMalformed) << status.message();
  EXPECT_NE(status.message().find("model.safetensors"), std::string::npos) << status.message();
}

TEST_F(Verify, SmallFilesCountToo) {
  const std::string by = manifest();
  write("config.json", read("config.json") + "\n");
  const Status status = verify(by);
  EXPECT_EQ(status.code(), Code::kIntegrity);
  EXPECT_NE(status.message().find("config.json: expected "), std::string::npos) << status.message();
  write("manifest.json", "{}");
  EXPECT_EQ(verify(by).code(), Code::kUnsupported);  // it has no schema
  EXPECT_EQ(verify("/nowhere/manifest.json").code(), Code::kNotFound);
}

TEST_F(Verify, AnUnknownReleaseIsWholeInStructureAlone) {
  auto verification = ModelVerification::create(folder.string(), "");
  ASSERT_TRUE(verification.ok()) << verification.status().message();
  EXPECT_EQ(verification->release(), "");
  EXPECT_TRUE(run(*verification).ok());
  EXPECT_TRUE(verification->files().empty());
}

}  // namespace
}  // namespace vitalis::session
