// SPDX-License-Identifier: Apache-2.0
// Downloads from the mock hub that go as they should, and what they leave behind.
#include <gtest/gtest.h>

#include "hub/hub_fixture.h"

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

class Download : public HubTest {};

TEST_F(Download, FetchesWhatInferenceNeeds) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  const Progress progress = download();
  EXPECT_EQ(progress.stage, Progress::Stage::kDone);
  EXPECT_EQ(progress.bytes_verified, progress.bytes_total);
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
  EXPECT_EQ(contents_of(layout().ref_path("main")), commit);
  EXPECT_TRUE(notices_.empty());
  EXPECT_TRUE(fs::is_empty(layout().partial_folder()));
  EXPECT_EQ(hub_.count("README"), 0u);
  EXPECT_EQ(hub_.count("metal"), 0u);
}

}  // namespace
}  // namespace vitalis::tests
