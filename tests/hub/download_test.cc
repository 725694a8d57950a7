// SPDX-License-Identifier: Apache-2.0
// Downloads from the mock hub that go as they should, and what they leave behind.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "hub/hash.h"
#include "hub/hub_fixture.h"

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;
using Stage = Progress::Stage;

class Download : public HubTest {
 protected:
  void use_local_dir() { destination_.local_dir = folder_.path() + "/model"; }
  std::string in_local_dir(const std::string& path) const {
    return destination_.local_dir + '/' + path;
  }
};

TEST_F(Download, FetchesWhatInferenceNeeds) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  const Progress progress = download();
  EXPECT_EQ(progress.stage, Stage::kDone);
  EXPECT_EQ(progress.bytes_verified, progress.bytes_total);
  EXPECT_EQ(progress.seconds_left, 0);
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
  EXPECT_EQ(contents_of(layout().ref_path("main")), commit);
  EXPECT_TRUE(notices_.empty());
  EXPECT_TRUE(fs::is_empty(layout().partial_folder()));
  EXPECT_EQ(hub_.count("README"), 0u);
  EXPECT_EQ(hub_.count("metal"), 0u);
}

TEST_F(Download, LaysTheCacheOutAsOthersReadIt) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  selection_.include = {"config.json", "original/*"};
  download();
  const std::string snapshot = layout().snapshot_path(commit);
  EXPECT_EQ(fs::read_symlink(snapshot + "/config.json"),
            "../../blobs/" + tree.at("config.json").digest);
  EXPECT_EQ(fs::read_symlink(snapshot + "/original/model.safetensors"),
            "../../../blobs/" + tree.at("original/model.safetensors").digest);
  EXPECT_TRUE(fs::exists(cache() + "/CACHEDIR.TAG"));
  expect_files(snapshot, tree, 3);
}

TEST_F(Download, FetchesNothingTwice) {
  hub_.commit(kRepo, model_tree(1));
  const Progress first = download();
  EXPECT_GE(first.bytes_fetched, first.bytes_total);
  hub_.forget_seen();
  const Progress second = download();
  EXPECT_EQ(second.stage, Stage::kDone);
  EXPECT_EQ(second.bytes_fetched, 0u);
  EXPECT_EQ(hub_.seen().size(), 2u);  // the commit and the list
}

TEST_F(Download, FetchesOnlyWhatANewCommitChanges) {
  MockTree tree = model_tree(1);
  const std::string first = hub_.commit(kRepo, tree);
  download();
  tree["chat_template.jinja"] = small_file("{{ better }}\n");
  const std::string second = hub_.commit(kRepo, tree);
  const Progress progress = download();
  EXPECT_EQ(progress.bytes_fetched, tree["chat_template.jinja"].size);
  expect_files(layout().snapshot_path(second), tree, kFilesForInference);
  EXPECT_EQ(contents_of(layout().snapshot_path(first) + "/chat_template.jinja"),
            "{{ messages }}\n");
  EXPECT_EQ(contents_of(layout().ref_path("main")), second);
}

TEST_F(Download, ReadsAListOfManyPages) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  hub_.set_page_size(3);
  download();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
  EXPECT_GE(hub_.count("/tree/"), 6u);
}

TEST_F(Download, TakesATagOrACommit) {
  const MockTree tree = model_tree(1);
  const std::string old = hub_.commit(kRepo, tree);
  hub_.tag(kRepo, "v1", old);
  hub_.commit(kRepo, model_tree(2));
  ASSERT_TRUE(try_download(options(), "v1").ok());
  EXPECT_EQ(contents_of(layout().ref_path("v1")), old);
  fs::remove_all(layout().ref_path("v1"));
  ASSERT_TRUE(try_download(options(), old).ok());
  expect_files(layout().snapshot_path(old), tree, kFilesForInference);
  EXPECT_TRUE(fs::is_empty(layout().root + "/refs"));
}

TEST_F(Download, SendsTheTokenToTheHubAlone) {
  hub_.commit(kRepo, model_tree(1));
  hub_.add_token("hf_secret", "person", true);
  Options how = options();
  how.token = Token::parse(" hf_secret\n").take();
  ASSERT_TRUE(try_download(how).ok());
  size_t at_hub = 0, elsewhere = 0;
  for (const Seen& seen : hub_.seen()) {
    if (seen.at_hub) {
      ++at_hub;
      EXPECT_EQ(seen.authorization, "Bearer hf_secret") << seen.path;
    } else {
      ++elsewhere;
      EXPECT_EQ(seen.authorization, "") << seen.path;
    }
    EXPECT_TRUE(contains(seen.user_agent, "vitalis/")) << seen.user_agent;
    const bool is_listing = contains(seen.path, "/api/models/");
    EXPECT_TRUE(is_listing || seen.accept_encoding == "identity") << seen.path;
  }
  EXPECT_GT(at_hub, 20u);
  EXPECT_GE(elsewhere, 3u);
}

TEST_F(Download, ResolvesEachFileOnce) {
  hub_.commit(kRepo, model_tree(1, 40'000'000));
  download();
  EXPECT_EQ(hub_.count("/resolve/"), kFilesForInference);
  size_t ranges = 0;
  for (const Seen& seen : hub_.seen()) ranges += seen.at_hub ? 0 : 1;
  EXPECT_GT(ranges, 8u);  // several of the large ones
}

TEST_F(Download, AdoptsWhatOtherToolsLeftInTheCache) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  const MockFile& good = tree.at("model-00000-of-00001.safetensors");
  const MockFile& bad = tree.at("model-00001-of-00001.safetensors");
  write_file(layout().root + "/blobs/" + good.digest, *good.content);
  write_file(layout().root + "/blobs/" + bad.digest, std::string(bad.size, 'x'));
  const Progress progress = download();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
  EXPECT_LT(progress.bytes_fetched, bad.size + 10'000);
  EXPECT_TRUE(any_contains(notices_, "fetching it again"));
}

TEST_F(Download, KeepsAnotherToolsSnapshotAndAddsToIt) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  write_file(layout().root + "/blobs/" + tree.at("README.md").digest, "# A model\n");
  fs::create_directories(layout().snapshot_path(commit));
  fs::create_symlink("../../blobs/" + tree.at("README.md").digest,
                     layout().snapshot_path(commit) + "/README.md");
  download();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference + 1);
}

TEST_F(Download, WritesALocalFolderThatHuggingFacesToolsTakeAsCurrent) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  use_local_dir();
  selection_.all = true;
  download();
  expect_files(destination_.local_dir, tree, tree.size());
  for (const auto& [path, file] : tree) {
    EXPECT_FALSE(fs::is_symlink(in_local_dir(path)));
    std::istringstream lines(
        contents_of(in_local_dir(".cache/huggingface/download/" + path + ".metadata")));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, commit);
    std::getline(lines, line);
    EXPECT_EQ(line, file.digest);
    std::getline(lines, line);
    struct stat info;
    ASSERT_EQ(::stat(in_local_dir(path).c_str(), &info), 0);
    EXPECT_GE(std::stod(line), static_cast<double>(info.st_mtim.tv_sec) - 1) << path;
  }
  EXPECT_EQ(contents_of(in_local_dir(".cache/huggingface/.gitignore")), "*");
  hub_.forget_seen();
  EXPECT_EQ(download().bytes_fetched, 0u);
  const auto snapshot = find_local_dir(destination_.local_dir);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(snapshot->repo, kRepo);
  EXPECT_EQ(snapshot->commit, commit);
  EXPECT_TRUE(snapshot->complete) << snapshot->missing;
}

TEST_F(Download, VerifiesWhatLiesInALocalFolderBeforeItCounts) {
  const MockTree tree = model_tree(1);
  hub_.commit(kRepo, tree);
  use_local_dir();
  const MockFile& shard = tree.at("model-00000-of-00001.safetensors");
  write_file(in_local_dir("model-00000-of-00001.safetensors"), *shard.content);
  write_file(in_local_dir("config.json"), std::string(tree.at("config.json").size, 'x'));
  const Progress progress = download();
  EXPECT_LT(progress.bytes_fetched, shard.size);
  expect_files(destination_.local_dir, tree, kFilesForInference);
  // Changed afterwards, of the same size: found, since it is no longer the file that was verified.
  write_file(in_local_dir("model-00001-of-00001.safetensors"),
             std::string(tree.at("model-00001-of-00001.safetensors").size, 'y'));
  download();
  expect_files(destination_.local_dir, tree, kFilesForInference);
}

TEST_F(Download, CopiesIntoALocalFolderWhatTheCacheHas) {
  const MockTree tree = model_tree(1);
  hub_.commit(kRepo, tree);
  download();
  hub_.forget_seen();
  use_local_dir();
  destination_.cache_dir = cache();
  EXPECT_EQ(download().bytes_fetched, 0u);
  expect_files(destination_.local_dir, tree, kFilesForInference);
}

TEST_F(Download, FetchesACopyThatIsNotWhatItShouldBe) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  const std::string elsewhere = folder_.path() + "/elsewhere";
  const std::string path = "model-00000-of-00001.safetensors";
  write_file(elsewhere + '/' + path, std::string(tree.at(path).size, 'z'));
  destination_.cache_dir = cache();
  destination_.adopt_from = {elsewhere};
  download();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
  EXPECT_TRUE(any_contains(notices_, path));
}

TEST_F(Download, PlacesEqualContentsUnderEachName) {
  MockTree tree = model_tree(1);
  tree["copy.safetensors"] = tree["model-00000-of-00001.safetensors"];
  const std::string commit = hub_.commit(kRepo, tree);
  download();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference + 1);
  use_local_dir();
  const Progress progress = download();
  EXPECT_LT(progress.bytes_fetched, 20'000'000u);
  expect_files(destination_.local_dir, tree, kFilesForInference + 1);
}

TEST_F(Download, FinishesAPublicationThatWasCutOff) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  use_local_dir();
  download();
  // As it is between two renames: some files are placed, one is still a part.
  const Layout local = Layout::local(destination_.local_dir);
  const std::string path = "model-00001-of-00001.safetensors";
  fs::rename(in_local_dir(path), local.records + "/partial/" + tree.at(path).digest);
  fs::rename(local.current_path(), local.publication_path());
  const auto snapshot = find_local_dir(destination_.local_dir);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().message();
  EXPECT_TRUE(snapshot->complete);
  EXPECT_EQ(snapshot->commit, commit);
  expect_files(destination_.local_dir, tree, kFilesForInference);
}

TEST_F(Download, StagesAnUpdateWithoutSwitching) {
  const std::string first = hub_.commit(kRepo, model_tree(1));
  download();
  const MockTree tree = model_tree(2);
  const std::string second = hub_.commit(kRepo, tree);
  transfer_.switch_revision = false;
  download();
  EXPECT_EQ(contents_of(layout().ref_path("main")), first);
  expect_files(layout().snapshot_path(second), tree, kFilesForInference);
}

TEST_F(Download, PausesResumesAndCancels) {
  const MockTree tree = model_tree(1, 30'000'000);
  const std::string commit = hub_.commit(kRepo, tree);
  Options how = options();
  how.rate_limit = 40'000'000;
  auto planned = plan(how);
  ASSERT_TRUE(planned.ok());
  uint64_t fetched = 0;
  {
    auto transfer = Transfer::create(how, *planned);
    ASSERT_TRUE(transfer.ok());
    while (fetched < 8'000'000) {
      const auto progress = transfer->next();
      ASSERT_TRUE(progress.ok()) << progress.status().message();
      fetched = progress->bytes_fetched;
    }
    transfer->pause();
    ASSERT_TRUE(transfer->next().ok());
    fetched = transfer->next()->bytes_fetched;
    const auto paused = transfer->next();
    EXPECT_EQ(paused->stage, Stage::kPaused);
    EXPECT_EQ(paused->bytes_fetched, fetched);
    transfer->resume();
    EXPECT_EQ(transfer->next()->stage, Stage::kWorking);
    std::thread([&] { transfer->cancel(); }).join();
    EXPECT_EQ(transfer->next()->stage, Stage::kCancelled);
    EXPECT_EQ(transfer->next()->stage, Stage::kCancelled);
  }
  expect_nothing_published();
  auto again = plan(how);
  ASSERT_TRUE(again.ok());
  EXPECT_GT(again->bytes_reused, 0u);
  EXPECT_EQ(again->bytes_to_fetch, again->bytes_total - again->bytes_reused);
  const Progress rest = download();
  EXPECT_LE(rest.bytes_fetched, again->bytes_to_fetch + 100'000);
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
}

TEST_F(Download, KeepsToTheRateLimit) {
  hub_.commit(kRepo, model_tree(1, 8'000'000));
  Options how = options();
  how.rate_limit = 8'000'000;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(try_download(how).ok());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_GT(seconds, 12'000'000 / 8e6 * 0.7);
}

TEST_F(Download, WaitsForAnotherThatIsAtTheSame) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  Options how = options();
  how.rate_limit = 20'000'000;
  auto planned = plan(how);
  ASSERT_TRUE(planned.ok());
  auto first = Transfer::create(how, *planned);
  auto second = Transfer::create(options(), *planned);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE(first->next().ok());
  const auto locked = second->next();
  ASSERT_TRUE(locked.ok());
  EXPECT_EQ(locked->stage, Stage::kLocked);
  EXPECT_TRUE(contains(locked->note, "process")) << locked->note;
  ASSERT_TRUE(finish(*first).ok());
  const auto done = finish(*second);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->bytes_fetched, 0u);
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
}

TEST_F(Download, NeedsNoNetworkForWhatIsThere) {
  hub_.commit(kRepo, model_tree(1));
  auto planned = plan(options());
  ASSERT_TRUE(planned.ok());
  Options how = options();
  how.offline = true;
  EXPECT_EQ(Transfer::create(how, *planned).status().code(), Code::kNetwork);
  EXPECT_TRUE(contains(list(how).status().message(), "offline"));
  download();
  hub_.forget_seen();
  planned = make_plan(
      planned->listing,
      [&] {
        std::vector<File> files;
        for (const PlannedFile& file : planned->files) files.push_back(file.file);
        return files;
      }(),
      planned->destination);
  auto transfer = Transfer::create(how, *planned);
  ASSERT_TRUE(transfer.ok());
  EXPECT_TRUE(finish(*transfer).ok());
  EXPECT_TRUE(hub_.seen().empty());
}

TEST_F(Download, RefusesWhatTheDiskCantHold) {
  hub_.commit(kRepo, model_tree(1));
  auto planned = plan(options());
  ASSERT_TRUE(planned.ok());
  EXPECT_TRUE(check_space(*planned).ok());
  planned->space.free = 1'000'000;
  const Status status = Transfer::create(options(), *planned).status();
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_TRUE(contains(status.message(), "1000000 bytes free")) << status.message();
  planned->space = {.free = uint64_t{1} << 40, .largest_file = 5'000'000};
  EXPECT_TRUE(contains(check_space(*planned).message(), "FAT32"));
}

TEST_F(Download, RefusesToLeaveAPin) {
  const std::string first = hub_.commit(kRepo, model_tree(1));
  download();
  ASSERT_TRUE(Store(cache()).set_pin(kRepo, first).ok());
  hub_.commit(kRepo, model_tree(2));
  EXPECT_TRUE(contains(failure(Code::kDenied), "pinned"));
  EXPECT_EQ(contents_of(layout().ref_path("main")), first);
}

TEST_F(Download, RecordsWhatItDid) {
  const std::string commit = hub_.commit(kRepo, model_tree(1));
  download();
  const std::string line = contents_of(layout().audit_path());
  EXPECT_TRUE(contains(line, "\"action\":\"download\"")) << line;
  EXPECT_TRUE(contains(line, "\"to\":\"" + commit + '"'));
  EXPECT_TRUE(contains(line, "\"sha256\":"));
  EXPECT_TRUE(contains(line, "\"result\":\"ok\"}\n"));
}

TEST_F(Download, FetchesAnEmptyFile) {
  MockTree tree = model_tree(1);
  tree["LICENSE"] = small_file("");
  const std::string commit = hub_.commit(kRepo, tree);
  download();
  expect_files(layout().snapshot_path(commit), tree, kFilesForInference);
}

}  // namespace
}  // namespace vitalis::tests
