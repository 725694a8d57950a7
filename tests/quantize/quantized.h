// SPDX-License-Identifier: Apache-2.0
// Models quantized in a folder of the test, for tests that look at what came of it.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "base/mapped_file.h"
#include "quantize/writer.h"

namespace vitalis::quantize {

inline Status run(Writer& writer) {
  while (true) {
    const auto progress = writer.next();
    if (!progress.ok()) return progress.status();
    if (progress->done) return writer.publish();
  }
}

inline Status quantize(const std::string& model, const std::string& out,
                       hub::Disk& disk = hub::Disk::real(), uint64_t save_every = 1) {
  const auto writer = Writer::create(model, out, disk, save_every);
  return writer.ok() ? run(**writer) : writer.status();
}

// All that is in a folder, by path, hidden files too.
inline std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    out[entry.path().lexically_relative(folder)] =
        read_file(entry.path().string(), size_t{1} << 30).take();
  }
  return out;
}

class QuantizedFolder : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(root); }
  void TearDown() override { std::filesystem::remove_all(root); }
  std::string path(const std::string& name) const { return (root / name).string(); }

  const std::filesystem::path root = [] {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("quantize.") + test->test_suite_name() + "." + test->name();
    std::replace(name.begin(), name.end(), '/', '-');
    std::filesystem::remove_all(testing::TempDir() + name);
    return std::filesystem::path(testing::TempDir()) / name;
  }();
};

}  // namespace vitalis::quantize
