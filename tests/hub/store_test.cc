// SPDX-License-Identifier: Apache-2.0
// The models on this machine: listing, removing, updating, going back, and manifests.
#include <gtest/gtest.h>

#include "hub/audit.h"
#include "hub/file_lock.h"
#include "hub/hub_fixture.h"
#include "hub/manifest.h"
#include "hub/update.h"

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

class Models : public HubTest {
 protected:
  UpdateCheck check() {
    auto hub = Hub::create(options());
    auto result = check_update(*hub, store_, kRepo);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? result.take() : UpdateCheck();
  }
  // Fetches what a check found, beside what is there.
  void stage(const UpdateCheck& update) {
    auto planned = make_plan(update.listing, update.files, {.cache_dir = cache()});
    ASSERT_TRUE(planned.ok()) << planned.status().message();
    auto transfer =
        Transfer::create(options(), *planned, {.switch_revision = false, .reason = "update"});
    ASSERT_TRUE(transfer.ok());
    const auto done = finish(*transfer);
    ASSERT_TRUE(done.ok()) << done.status().message();
  }

  Store store_{folder_.path() + "/cache"};
};

TEST_F(Models, AreListedWithWhatTheyTake) {
  EXPECT_TRUE(store_.models()->empty());
  EXPECT_EQ(store_.find(kRepo).status().code(), Code::kNotFound);
  const std::string first = hub_.commit(kRepo, model_tree(1));
  download();
  MockTree tree = model_tree(1);
  tree["config.json"] = small_file("{\"changed\":1}\n");
  const std::string second = hub_.commit(kRepo, tree);
  download();
  fs::create_directories(cache() + "/models--broken--..");
  fs::create_directories(cache() + "/datasets--a--b");
  const auto models = store_.models();
  ASSERT_TRUE(models.ok()) << models.status().message();
  ASSERT_EQ(models->size(), 1u);
  const StoredModel& model = models->front();
  EXPECT_EQ(model.repo, kRepo);
  ASSERT_EQ(model.snapshots.size(), 2u);
  EXPECT_EQ(model.snapshots[0].commit, second);
  EXPECT_EQ(model.snapshots[0].refs, std::vector<std::string>{"main"});
  EXPECT_TRUE(model.snapshots[0].complete);
  EXPECT_EQ(model.snapshots[0].files, kFilesForInference);
  EXPECT_GT(model.bytes, 14'000'000u);
  EXPECT_LT(model.bytes, 15'000'000u);  // the weights once
  EXPECT_EQ(store_.find(kRepo, first.substr(0, 8))->commit, first);
  EXPECT_EQ(store_.find(kRepo, "nope").status().code(), Code::kNotFound);
}

TEST_F(Models, AreCompleteOnlyWithEveryShard) {
  const std::string commit = hub_.commit(kRepo, model_tree(1));
  selection_.exclude = {"model-00001*"};
  download();
  const auto snapshot = store_.find(kRepo);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_FALSE(snapshot->complete);
  EXPECT_EQ(snapshot->missing, "model-00001-of-00001.safetensors");
  EXPECT_EQ(store_.activate(kRepo, "main", commit, "activate").code(), Code::kNotFound);
}

TEST_F(Models, AreNotReadThroughLinksThatLeaveTheirFolder) {
  const std::string commit = hub_.commit(kRepo, model_tree(1));
  download();
  const std::string snapshot = layout().snapshot_path(commit);
  write_file(folder_.path() + "/secret", "secret");
  fs::remove(snapshot + "/LICENSE");
  fs::create_symlink(folder_.path() + "/secret", snapshot + "/LICENSE");
  const auto files = snapshot_files(layout(), commit);
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->size(), kFilesForInference - 1);
}

TEST_F(Models, AreUpdatedBesideTheOldAndSwitchedAtOnce) {
  MockTree tree = model_tree(1);
  const std::string first = hub_.commit(kRepo, tree);
  download();
  EXPECT_FALSE(check().is_new());
  tree["chat_template.jinja"] = small_file("{{ better }}\n");
  tree["README.md"] = small_file("# Better\n");
  tree["added_tokens.json"] = small_file("{}");
  tree.erase("special_tokens_map.json");
  const std::string second = hub_.commit(kRepo, tree);
  hub_.forget_seen();
  const UpdateCheck update = check();
  EXPECT_EQ(hub_.seen().size(), 2u);  // nothing that counts as a download
  EXPECT_EQ(hub_.count("/resolve"), 0u);
  EXPECT_EQ(update.from, first);
  EXPECT_EQ(update.to, second);
  ASSERT_EQ(update.changes.size(), 3u);
  EXPECT_EQ(update.changes[0].path, "added_tokens.json");
  EXPECT_EQ(update.changes[0].kind, Change::Kind::kAdded);
  EXPECT_EQ(update.changes[1].role, Role::kTemplate);
  EXPECT_EQ(update.changes[1].kind, Change::Kind::kChanged);
  EXPECT_EQ(update.changes[1].size_after, 13u);
  EXPECT_EQ(update.changes[2].kind, Change::Kind::kRemoved);
  EXPECT_FALSE(update.touches(Role::kWeights));
  EXPECT_TRUE(contains(update.notice, "the weights stay as they are")) << update.notice;

  stage(update);
  EXPECT_EQ(store_.find(kRepo)->commit, first);
  // Whoever has the old open keeps it.
  std::ifstream open(layout().snapshot_path(first) + "/chat_template.jinja");
  ASSERT_TRUE(store_.activate(kRepo, "main", second, "update").ok());
  EXPECT_EQ(store_.find(kRepo)->commit, second);
  std::string line;
  std::getline(open, line);
  EXPECT_EQ(line, "{{ messages }}");

  const auto back = store_.rollback(kRepo);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(*back, first);
  EXPECT_EQ(store_.find(kRepo)->commit, first);
  const UpdateCheck again = check();
  EXPECT_TRUE(again.rejected);
  for (const Policy policy : {Policy::kNotify, Policy::kConfigOnly, Policy::kAuto}) {
    EXPECT_EQ(decide(policy, again), Action::kNothing);
  }
  EXPECT_EQ(store_.rollback(kRepo).status().code(), Code::kNotFound);
  // Asked for by name it is taken all the same.
  ASSERT_TRUE(store_.activate(kRepo, "main", second, "update").ok());
  EXPECT_TRUE(store_.state(kRepo)->rejected.empty());
  const std::string log = contents_of(layout().audit_path());
  for (const char* action : {"\"download\"", "\"update\"", "\"rollback\""}) {
    EXPECT_TRUE(contains(log, action)) << log;
  }
}

TEST_F(Models, AreNotRolledBackToWhatIsGone) {
  const std::string first = hub_.commit(kRepo, model_tree(1));
  download();
  hub_.commit(kRepo, model_tree(2));
  download();
  fs::remove_all(layout().snapshot_path(first));
  const Status status = store_.rollback(kRepo).status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_TRUE(contains(status.message(), "gone")) << status.message();
}

TEST_F(Models, ArePinned) {
  const std::string first = hub_.commit(kRepo, model_tree(1));
  download();
  EXPECT_EQ(store_.set_pin(kRepo, "main").code(), Code::kInvalidArgument);
  ASSERT_TRUE(store_.set_pin(kRepo, first).ok());
  hub_.commit(kRepo, model_tree(2));
  const UpdateCheck update = check();
  EXPECT_TRUE(update.pinned);
  EXPECT_EQ(decide(Policy::kAuto, update), Action::kTell);
  stage(update);
  EXPECT_EQ(store_.activate(kRepo, "main", update.to, "update").code(), Code::kDenied);
  ASSERT_TRUE(store_.set_pin(kRepo, "").ok());
  EXPECT_TRUE(store_.activate(kRepo, "main", update.to, "update").ok());
  EXPECT_EQ(check_pin(update.listing, {.commit = first}).code(), Code::kDenied);
  EXPECT_TRUE(check_pin(update.listing, {.commit = update.to}).ok());
}

TEST(Policies, DecideByWhatChanged) {
  UpdateCheck check{.from = "a", .to = "b"};
  const auto decisions = [&](Role role) {
    check.changes = {{.path = "x", .role = role}};
    std::vector<Action> out;
    for (const char* name : {"pinned", "notify", "config-only", "auto"}) {
      out.push_back(decide(*parse_policy(name), check));
    }
    return out;
  };
  using enum Action;
  EXPECT_EQ(decisions(Role::kDocs), (std::vector{kNothing, kNothing, kNothing, kNothing}));
  EXPECT_EQ(decisions(Role::kTemplate), (std::vector{kNothing, kTell, kInstall, kInstall}));
  EXPECT_EQ(decisions(Role::kWeights), (std::vector{kNothing, kTell, kTell, kInstall}));
  EXPECT_FALSE(parse_policy("sometimes").ok());
}

TEST_F(Models, InALocalFolderAreCheckedToo) {
  MockTree tree = model_tree(1);
  const std::string first = hub_.commit(kRepo, tree);
  destination_.local_dir = folder_.path() + "/model";
  download();
  tree["config.json"] = small_file("{\"new\":1}");
  const std::string second = hub_.commit(kRepo, tree);
  auto hub = Hub::create(options());
  const auto update = check_update_local_dir(*hub, destination_.local_dir);
  ASSERT_TRUE(update.ok()) << update.status().message();
  EXPECT_EQ(update->from, first);
  EXPECT_EQ(update->to, second);
  EXPECT_TRUE(update->touches(Role::kConfig));
  download();
  EXPECT_EQ(contents_of(destination_.local_dir + "/config.json"), "{\"new\":1}");
  EXPECT_EQ(check_update_local_dir(*hub, folder_.path()).status().code(), Code::kNotFound);
}

TEST_F(Models, AreRemovedWithTheBlobsThatNobodyElseNeeds) {
  MockTree tree = model_tree(1);
  const std::string first = hub_.commit(kRepo, tree);
  download();
  tree["model-00001-of-00001.safetensors"] = large_file(random_content(5'000'000, 99));
  const std::string second = hub_.commit(kRepo, tree);
  download();
  const auto would = store_.remove(kRepo, first, true);
  ASSERT_TRUE(would.ok()) << would.status().message();
  EXPECT_TRUE(fs::exists(layout().snapshot_path(first)));
  const auto did = store_.remove(kRepo, first, false);
  ASSERT_TRUE(did.ok());
  EXPECT_EQ(did->what, would->what);
  EXPECT_EQ(did->files, 1u);
  EXPECT_GT(did->bytes, 4'700'000u);
  EXPECT_FALSE(fs::exists(layout().snapshot_path(first)));
  expect_files(layout().snapshot_path(second), tree, kFilesForInference);
  ASSERT_TRUE(store_.remove(kRepo, "", false).ok());
  EXPECT_TRUE(store_.models()->empty());
  EXPECT_EQ(store_.remove(kRepo, "", false).status().code(), Code::kNotFound);
}

TEST_F(Models, ArePrunedOfWhatNothingStandsFor) {
  std::vector<std::string> commits;
  for (int i = 0; i < 3; ++i) {
    MockTree tree = model_tree(1);
    tree["config.json"] = small_file("{\"version\":" + std::to_string(i) + "}");
    commits.push_back(hub_.commit(kRepo, tree));
    download();
  }
  write_file(layout().partial_folder() + "/" + std::string(64, 'a'), std::string(100'000, 'x'));
  const auto did = store_.prune("", 1, false);
  ASSERT_TRUE(did.ok()) << did.status().message();
  EXPECT_FALSE(fs::exists(layout().snapshot_path(commits[0])));
  EXPECT_TRUE(fs::exists(layout().snapshot_path(commits[1])));
  EXPECT_TRUE(store_.find(kRepo)->complete);
  EXPECT_TRUE(fs::is_empty(layout().partial_folder()));
  EXPECT_EQ(*store_.rollback(kRepo), commits[1]);
}

TEST_F(Models, AreNotTouchedWhileATransferRuns) {
  hub_.commit(kRepo, model_tree(1));
  download();
  const auto lock = FileLock::try_take(layout().lock_path());
  ASSERT_TRUE(lock.ok() && lock->has_value());
  const Status status = store_.remove(kRepo, "", false).status();
  EXPECT_EQ(status.code(), Code::kBusy);
  EXPECT_TRUE(contains(status.message(), "process")) << status.message();
}

TEST(RepoStates, AreReadBackOrRefused) {
  RepoState state{.pin = std::string(40, 'a'),
                  .history = {{"main", std::string(40, 'b'), 12}},
                  .rejected = {std::string(40, 'c')}};
  const auto again = parse_repo_state(repo_state_to_json(state), "test");
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->pin, state.pin);
  EXPECT_EQ(again->history[0].time, 12);
  EXPECT_EQ(again->rejected, state.rejected);
  for (const char* bad : {"", "[]", "{}", R"({"schema":1,"pin":"x"})",
                          R"({"schema":1,"history":[1]})", R"({"schema":1,"rejected":["../x"]})"}) {
    EXPECT_FALSE(parse_repo_state(bad, "test").ok()) << bad;
  }
}

// Manifests.

Manifest manifest_of(const MockTree& tree) {
  Manifest out{.repo = kRepo, .commit = std::string(40, 'a')};
  for (const auto& [path, file] : tree) {
    out.files.push_back({path, file.size, sha256_hex(*file.content)});
  }
  return out;
}

Status verify(const std::string& folder, const Manifest& manifest, VerifyOptions how = {}) {
  auto verification = Verification::create(folder, manifest, how);
  if (!verification.ok()) return verification.status();
  uint64_t last = 0;
  while (true) {
    const auto progress = verification->next();
    if (!progress.ok()) return progress.status();
    EXPECT_GE(progress->bytes_done, last);
    last = progress->bytes_done;
    if (!progress->done) continue;
    EXPECT_EQ(last, progress->bytes_total);
    return verification->status();
  }
}

TEST_F(Models, AreVerifiedByAManifest) {
  const MockTree tree = model_tree(1);
  const std::string folder = folder_.path() + "/model";
  for (const auto& [path, file] : tree) write_file(folder + '/' + path, *file.content);
  const Manifest manifest = manifest_of(tree);
  EXPECT_TRUE(verify(folder, manifest).ok());
  write_file(folder + "/extra.safetensors", "x");
  EXPECT_TRUE(verify(folder, manifest).ok());
  EXPECT_EQ(verify(folder, manifest, {.extra_is_failure = true}).code(), Code::kIntegrity);
  fs::remove(folder + "/README.md");
  EXPECT_EQ(verify(folder, manifest).code(), Code::kNotFound);
  EXPECT_TRUE(verify(folder, manifest, {.missing_is_failure = false}).ok());
  write_file(folder + "/config.json", "short");
  std::string wrong = *tree.at("model-00000-of-00001.safetensors").content;
  wrong[5'000'000] ^= 1;
  write_file(folder + "/model-00000-of-00001.safetensors", wrong);
  const Status status = verify(folder, manifest);
  EXPECT_EQ(status.code(), Code::kIntegrity);
  for (const char* part : {"3 problems", "config.json: expected 25 bytes, found 5", "README.md",
                           "model-00000-of-00001.safetensors: expected "}) {
    EXPECT_TRUE(contains(status.message(), part)) << status.message();
  }
}

TEST_F(Models, AreVerifiedByAListing) {
  const MockTree tree = model_tree(1);
  const std::string commit = hub_.commit(kRepo, tree);
  download();
  Listing listing = list(options()).take();
  std::erase_if(listing.files, [&](const File& file) {
    return !fs::exists(layout().snapshot_path(commit) + '/' + file.path);
  });
  auto verification = Verification::create(layout().snapshot_path(commit), listing);
  ASSERT_TRUE(verification.ok());
  while (!verification->next()->done) continue;
  EXPECT_TRUE(verification->status().ok()) << verification->status().message();
}

TEST(Manifests, OfKnownReleasesAreSound) {
  const Manifest* known = known_manifest("openai/gpt-oss-20b");
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known_manifest("openai/gpt-oss-20b", std::string(40, 'a')), nullptr);
  constexpr uint64_t kInferenceBytes = 13'789'244'452;
  uint64_t root = 0;
  for (const ManifestFile& file : known->files) {
    EXPECT_EQ(file.sha256.size(), 64u);
    const Role role = role_of(file.path);
    const bool is_read = role != Role::kDocs && role != Role::kLicense;
    if (is_read && !contains(file.path, "/")) root += file.size;
  }
  EXPECT_EQ(root, kInferenceBytes);
  const auto again = parse_manifest(manifest_to_json(*known), "test");
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->files.size(), known->files.size());
}

TEST(Manifests, AreHeldAgainstAListing) {
  Listing listing{.repo = kRepo, .commit = std::string(40, 'a')};
  listing.files = {{"a", 5, std::string(64, '1'), std::string(40, '2')},
                   {"b", 6, "", std::string(40, '3')}};
  Manifest manifest{.repo = kRepo};
  manifest.files = {{"a", 5, std::string(64, '1')},
                    {"b", 6, std::string(64, '4')},
                    {"c", 1, std::string(64, '5')}};
  EXPECT_TRUE(check_listing(listing, manifest).ok());
  manifest.files[0].sha256 = std::string(64, '9');
  manifest.files[1].size = 7;
  const Status status = check_pin(listing, {.manifest = manifest});
  EXPECT_EQ(status.code(), Code::kIntegrity);
  EXPECT_TRUE(contains(status.message(), "2 problems")) << status.message();
}

TEST(Manifests, ThatAreNoneAreRefused) {
  for (const char* bad : {"", "[]", "{}", R"({"schema":2,"files":[]})", R"({"schema":1})",
                          R"({"schema":1,"files":[]})",
                          R"({"schema":1,"files":[{"path":"../a","size":1,"sha256":"x"}]})",
                          R"({"schema":1,"files":[{"path":"a","size":1,"sha256":"x"}]})"}) {
    EXPECT_FALSE(parse_manifest(bad, "test").ok()) << bad;
  }
}

TEST(Audit, IsOneLineForEachEntry) {
  const std::string line =
      audit_line({.time = 1, .action = "update", .repo = kRepo, .result = "two\nlines \"quoted\""});
  EXPECT_EQ(line,
            "{\"time\":\"1970-01-01T00:00:01Z\",\"action\":\"update\","
            "\"repo\":\"openai/gpt-oss-20b\",\"result\":\"two\\nlines \\\"quoted\\\"\"}\n");
}

}  // namespace
}  // namespace vitalis::tests
