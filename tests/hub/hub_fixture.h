// SPDX-License-Identifier: Apache-2.0
// What the tests of the hub share: a mock hub, a folder of their own, and a whole download as one
// call.
#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <stdlib.h>  // mkdtemp

#include "hub/download.h"
#include "hub/hub.h"
#include "hub/layout.h"
#include "hub/mock_hub.h"
#include "hub/plan.h"
#include "hub/store.h"

namespace vitalis::tests {

inline constexpr const char* kRepo = "openai/gpt-oss-20b";

inline std::string contents_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A folder that goes with the test.
class TemporaryFolder {
 public:
  // In memory where there is room: what is tested does not depend on the disk, and syncing is slow.
  TemporaryFolder() {
    std::error_code failure;
    const auto memory = std::filesystem::space("/dev/shm", failure);
    const bool fits = !failure && memory.available > uint64_t{2} << 30;
    std::string path = fits ? "/dev/shm" : std::filesystem::temp_directory_path().string();
    path += "/vitalis-hub-XXXXXX";
    if (const char* made = ::mkdtemp(path.data())) path_ = made;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The shape of the published repository, in small: two shards of several pieces, their index, and
// what else lies there.
inline MockTree model_tree(uint64_t seed, uint64_t shard_bytes = 9'500'000) {
  MockTree tree;
  tree["model-00000-of-00001.safetensors"] = large_file(random_content(shard_bytes, seed));
  tree["model-00001-of-00001.safetensors"] = large_file(random_content(shard_bytes / 2, seed + 1));
  tree["model.safetensors.index.json"] = small_file(
      R"({"weight_map":{"a":"model-00000-of-00001.safetensors","b":"model-00001-of-00001.safetensors"}})");
  tree["tokenizer.json"] = large_file(content_of("{\"tokenizer\":1}"));
  tree["config.json"] = small_file("{\"model_type\":\"gpt_oss\"}\n");
  tree["generation_config.json"] = small_file("{}\n");
  tree["tokenizer_config.json"] = small_file("{\"a\":1}\n");
  tree["special_tokens_map.json"] = small_file("{\"b\":1}\n");
  tree["chat_template.jinja"] = small_file("{{ messages }}\n");
  tree["LICENSE"] = small_file("Apache\n");
  tree["USAGE_POLICY"] = small_file("Be good.\n");
  tree["README.md"] = small_file("# A model\n");
  tree[".gitattributes"] = small_file("* lfs\n");
  tree["original/config.json"] = small_file("{\"original\":1}\n");
  tree["original/model.safetensors"] = large_file(random_content(100'000, seed + 2));
  tree["metal/model.bin"] = large_file(random_content(100'000, seed + 3));
  return tree;
}
inline constexpr size_t kFilesForInference = 11;

class HubTest : public ::testing::Test {
 protected:
  hub::Options options() const {
    hub::Options out;
    out.endpoint = hub_.endpoint();
    out.ca_file = hub_.ca_file();
    out.retry_delay_ms = 10;
    out.stall_timeout = 5;
    return out;
  }
  std::string cache() const { return folder_.path() + "/cache"; }
  hub::Layout layout() const { return hub::Layout::cache(cache(), kRepo); }

  Result<hub::Listing> list(const hub::Options& how, const std::string& revision = "main") {
    auto hub = hub::Hub::create(how);
    if (!hub.ok()) return hub.status();
    auto listing = hub->list(hub::RepoRef{.id = kRepo, .revision = revision});
    for (std::string& notice : hub->take_notices()) notices_.push_back(std::move(notice));
    return listing;
  }

  Result<hub::Plan> plan(const hub::Options& how, const std::string& revision = "main") {
    VITALIS_ASSIGN(const hub::Listing listing, list(how, revision));
    VITALIS_ASSIGN(const auto files, hub::select_files(listing, selection_));
    hub::Destination to = destination_;
    if (to.cache_dir.empty() && to.local_dir.empty()) to.cache_dir = cache();
    return hub::make_plan(listing, files, to);
  }

  // To the end, or to the failure.
  Result<hub::Progress> finish(hub::Transfer& transfer) {
    while (true) {
      auto progress = transfer.next();
      for (std::string& notice : transfer.take_notices()) notices_.push_back(std::move(notice));
      if (!progress.ok()) return progress.status();
      if (!progress->note.empty()) notes_.push_back(progress->note);
      if (progress->stage == hub::Progress::Stage::kDone ||
          progress->stage == hub::Progress::Stage::kCancelled) {
        return progress;
      }
    }
  }

  Result<hub::Progress> try_download(const hub::Options& how,
                                     const std::string& revision = "main") {
    VITALIS_ASSIGN(hub::Plan planned, plan(how, revision));
    VITALIS_ASSIGN(hub::Transfer transfer,
                   hub::Transfer::create(how, std::move(planned), transfer_));
    return finish(transfer);
  }

  hub::Progress download() {
    const auto progress = try_download(options());
    EXPECT_TRUE(progress.ok()) << progress.status().message();
    return progress.ok() ? *progress : hub::Progress();
  }

  // The sentence of a download that must fail so.
  std::string failure(Code code) {
    const auto progress = try_download(options());
    EXPECT_FALSE(progress.ok());
    EXPECT_EQ(progress.status().code(), code) << progress.status().message();
    return progress.status().message();
  }

  // The selected files of `tree` are in `folder`, right to the byte, and no others but links.
  void expect_files(const std::string& folder, const MockTree& tree, size_t count) const {
    size_t found = 0;
    for (const auto& [path, file] : tree) {
      const std::filesystem::path whole = folder + '/' + path;
      if (!std::filesystem::exists(whole)) continue;
      ++found;
      EXPECT_TRUE(contents_of(whole) == *file.content) << path;
    }
    EXPECT_EQ(found, count);
  }
  void expect_nothing_published() const {
    EXPECT_FALSE(std::filesystem::exists(layout().ref_path("main")));
    std::error_code ignored;
    EXPECT_TRUE(!std::filesystem::exists(layout().root + "/snapshots") ||
                std::filesystem::is_empty(layout().root + "/snapshots", ignored));
  }

  MockHub hub_;
  TemporaryFolder folder_;
  hub::Selection selection_;
  hub::Destination destination_;
  hub::TransferOptions transfer_;
  std::vector<std::string> notices_;
  std::vector<std::string> notes_;
};

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
inline bool any_contains(const std::vector<std::string>& texts, std::string_view part) {
  for (const std::string& text : texts) {
    if (contains(text, part)) return true;
  }
  return false;
}

}  // namespace vitalis::tests
