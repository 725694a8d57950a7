// SPDX-License-Identifier: Apache-2.0
// A host's models: signed in, downloaded, updated, rolled back and removed through the C interface,
// from a hub of these tests.
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "hub/mock_hub.h"
#include <vitalis/hub.hpp>
#include <vitalis/vitalis.h>

namespace {

namespace fs = std::filesystem;
using vitalis::tests::large_file;
using vitalis::tests::MockHub;
using vitalis::tests::MockTree;
using vitalis::tests::random_content;
using vitalis::tests::small_file;

constexpr const char* kRepo = "acme/gpt-oss-tiny";
constexpr uint64_t kWeights = 3'000'000;

std::string str(vitalis_text text) {
  return {text.data, text.size};
}

// The value of a member with text, as far as these tests need it.
std::string member(const std::string& json, const std::string& name) {
  const std::string key = '"' + name + "\":\"";
  const size_t at = json.find(key);
  if (at == json.npos) return "";
  return json.substr(at + key.size(), json.find('"', at + key.size()) - at - key.size());
}

class HubInterface : public testing::Test {
 protected:
  HubInterface() {
    home = fs::path(testing::TempDir()) / ("vitalis-hub-" + std::to_string(getpid()));
    fs::remove_all(home);
    fs::create_directories(home);
    server.add_token("good-token", "ada", true);
    commit_one = server.commit(kRepo, tree("1"));
    hub = open();
  }
  ~HubInterface() override {
    vitalis_hub_release(hub);
    fs::remove_all(home);
  }

  static MockTree tree(const std::string& version) {
    MockTree tree;
    tree["config.json"] = small_file("{\"version\": " + version + "}");
    tree["tokenizer.json"] = small_file("{}");
    tree["README.md"] = small_file("read me");
    tree["model.safetensors"] = large_file(random_content(kWeights, 1));
    tree["original/model.safetensors"] = large_file(random_content(kWeights, 2));
    return tree;
  }

  vitalis_hub* open(const char* token = nullptr) {
    endpoint = server.endpoint();
    ca_file = server.ca_file();
    token_path = (home / "token").string();
    cache = (home / "hub").string();
    vitalis_hub_options options = VITALIS_HUB_OPTIONS_INIT;
    options.endpoint = endpoint.c_str();
    options.ca_file = ca_file.c_str();
    options.token_path = token_path.c_str();
    options.cache_folder = cache.c_str();
    options.token = token;
    options.user_agent = "tests/1";
    vitalis_hub* made = nullptr;
    EXPECT_EQ(vitalis_hub_create(&options, &made), VITALIS_OK) << vitalis_last_error();
    return made;
  }

  vitalis_transfer* start(const vitalis_download_options* options = nullptr) {
    vitalis_transfer* transfer = nullptr;
    EXPECT_EQ(vitalis_hub_download(hub, kRepo, options, &transfer), VITALIS_OK)
        << vitalis_last_error();
    return transfer;
  }

  // Until it ends; the last status.
  static int32_t finish(vitalis_transfer* transfer, vitalis_transfer_progress* progress) {
    int32_t status = VITALIS_OK;
    while ((status = vitalis_transfer_next(transfer, progress)) == VITALIS_OK) continue;
    return status;
  }

  void download() {
    vitalis_transfer* transfer = start();
    EXPECT_EQ(finish(transfer, &progress), VITALIS_DONE) << vitalis_last_error();
    vitalis_transfer_release(transfer);
  }

  std::string located() {
    EXPECT_EQ(vitalis_hub_locate(hub, kRepo, nullptr, &text), VITALIS_OK) << vitalis_last_error();
    return str(text);
  }

  MockHub server;
  fs::path home;
  std::string endpoint, ca_file, token_path, cache, commit_one;
  vitalis_hub* hub = nullptr;
  vitalis_text text = {};
  vitalis_transfer_progress progress = {
      sizeof(vitalis_transfer_progress), 0, 0, 0, 0, 0, 0, 0, 0, 0, {}};
};

TEST_F(HubInterface, DownloadsWhatInferenceNeeds) {
  EXPECT_EQ(vitalis_hub_locate(hub, kRepo, nullptr, &text), VITALIS_ERROR_NOT_FOUND);
  vitalis_transfer* transfer = start();
  ASSERT_EQ(vitalis_transfer_plan(transfer, &text), VITALIS_OK);
  const std::string plan = str(text);
  EXPECT_EQ(member(plan, "commit"), commit_one);
  EXPECT_EQ(plan.find("original/"), plan.npos) << plan;
  EXPECT_EQ(plan.find("README.md"), plan.npos) << plan;
  ASSERT_EQ(finish(transfer, &progress), VITALIS_DONE) << vitalis_last_error();
  EXPECT_EQ(progress.stage, VITALIS_TRANSFER_DONE);
  EXPECT_EQ(progress.bytes_verified, progress.bytes_total);
  EXPECT_EQ(progress.files, 3u);
  vitalis_transfer_file file = {};
  file.struct_size = sizeof file;
  for (uint32_t i = 0; i < progress.files; ++i) {
    ASSERT_EQ(vitalis_transfer_get_file(transfer, i, &file), VITALIS_OK);
    EXPECT_EQ(file.state, VITALIS_FILE_DONE) << str(file.path);
    EXPECT_EQ(file.verified, file.size);
  }
  EXPECT_EQ(vitalis_transfer_get_file(transfer, 3, &file), VITALIS_ERROR_NOT_FOUND);
  EXPECT_EQ(vitalis_transfer_next(transfer, &progress), VITALIS_DONE);
  vitalis_transfer_release(transfer);

  const std::string found = located();
  EXPECT_EQ(member(found, "commit"), commit_one);
  EXPECT_EQ(fs::file_size(fs::path(member(found, "folder")) / "model.safetensors"), kWeights);
  ASSERT_EQ(vitalis_hub_models(hub, &text), VITALIS_OK);
  EXPECT_EQ(member(str(text), "repo"), kRepo);
  ASSERT_EQ(vitalis_hub_audit(hub, kRepo, &text), VITALIS_OK);
  EXPECT_EQ(member(str(text), "action"), "download");
  EXPECT_NE(server.seen().front().user_agent.find("tests/1"), std::string::npos);
}

TEST_F(HubInterface, SelectsAndRefusesByPin) {
  const char* const includes[] = {"*.json"};
  vitalis_download_options options = VITALIS_DOWNLOAD_OPTIONS_INIT;
  const std::string folder = (home / "plain").string();
  options.includes = includes;
  options.include_count = 1;
  options.local_folder = folder.c_str();
  vitalis_transfer* transfer = start(&options);
  ASSERT_EQ(finish(transfer, &progress), VITALIS_DONE) << vitalis_last_error();
  vitalis_transfer_release(transfer);
  EXPECT_TRUE(fs::is_regular_file(home / "plain" / "config.json"));
  EXPECT_FALSE(fs::exists(home / "plain" / "model.safetensors"));
  ASSERT_EQ(vitalis_hub_locate(hub, folder.c_str(), nullptr, &text), VITALIS_OK);
  EXPECT_EQ(member(str(text), "commit"), commit_one);

  const std::string other(40, 'a');
  options = VITALIS_DOWNLOAD_OPTIONS_INIT;
  options.pin = other.c_str();
  EXPECT_EQ(vitalis_hub_download(hub, kRepo, &options, &transfer), VITALIS_ERROR_DENIED)
      << vitalis_last_error();
  EXPECT_EQ(transfer, nullptr);
  options.pin = nullptr;
  options.manifest = "{";
  EXPECT_LT(vitalis_hub_download(hub, kRepo, &options, &transfer), 0);
  options.manifest = nullptr;
  options.include_count = 1;  // of a list that is not there
  EXPECT_EQ(vitalis_hub_download(hub, kRepo, &options, &transfer), VITALIS_ERROR_INVALID_ARGUMENT);
}

TEST_F(HubInterface, PausesAndCancelsFromAnotherThread) {
  server.set_faults({.bytes_per_second = 1'000'000});
  vitalis_transfer* transfer = start();
  std::atomic<bool> stopping = false;
  vitalis_transfer_pause(transfer);
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    vitalis_transfer_resume(transfer);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stopping = true;
    vitalis_transfer_cancel(transfer);
  });
  int32_t status = VITALIS_OK;
  bool was_paused = false;
  while ((status = vitalis_transfer_next(transfer, &progress)) == VITALIS_OK) {
    was_paused = was_paused || progress.stage == VITALIS_TRANSFER_PAUSED;
  }
  other.join();
  EXPECT_EQ(status, VITALIS_CANCELLED);
  EXPECT_TRUE(was_paused);
  EXPECT_TRUE(stopping);
  EXPECT_EQ(vitalis_transfer_next(transfer, &progress), VITALIS_CANCELLED);
  vitalis_transfer_release(transfer);
  EXPECT_EQ(vitalis_hub_locate(hub, kRepo, nullptr, &text), VITALIS_ERROR_NOT_FOUND);
  server.set_faults({});
  download();  // goes on from there
  EXPECT_EQ(member(located(), "commit"), commit_one);
}

TEST_F(HubInterface, UpdatesBesideTheOldFilesAndGoesBack) {
  download();
  const std::string old_folder = member(located(), "folder");
  ASSERT_EQ(vitalis_hub_check(hub, kRepo, nullptr, VITALIS_POLICY_AUTO, &text), VITALIS_OK);
  EXPECT_NE(str(text).find("\"is_new\":false"), std::string::npos) << str(text);
  vitalis_transfer* transfer = nullptr;
  EXPECT_EQ(vitalis_hub_update(hub, &transfer), VITALIS_ERROR_NOT_FOUND);

  const std::string commit_two = server.commit(kRepo, tree("2"));
  server.forget_seen();
  ASSERT_EQ(vitalis_hub_check(hub, kRepo, nullptr, VITALIS_POLICY_CONFIG_ONLY, &text), VITALIS_OK);
  EXPECT_EQ(member(str(text), "action"), "install") << str(text);
  EXPECT_EQ(server.count("/resolve/"), 0u) << "a check counts as no download";
  ASSERT_EQ(vitalis_hub_update(hub, &transfer), VITALIS_OK) << vitalis_last_error();
  ASSERT_EQ(finish(transfer, &progress), VITALIS_DONE) << vitalis_last_error();
  EXPECT_LT(progress.bytes_fetched, 1000u) << "the weights did not change";
  vitalis_transfer_release(transfer);
  EXPECT_EQ(member(located(), "commit"), commit_one) << "until it is activated";
  ASSERT_EQ(vitalis_hub_activate(hub, kRepo, nullptr, commit_two.c_str()), VITALIS_OK);
  EXPECT_EQ(member(located(), "commit"), commit_two);
  EXPECT_TRUE(fs::exists(fs::path(old_folder) / "model.safetensors"));

  ASSERT_EQ(vitalis_hub_rollback(hub, kRepo, nullptr, &text), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(str(text), commit_one);
  ASSERT_EQ(vitalis_hub_check(hub, kRepo, nullptr, VITALIS_POLICY_AUTO, &text), VITALIS_OK);
  EXPECT_EQ(member(str(text), "action"), "nothing") << "a rejected commit is not offered again";

  ASSERT_EQ(vitalis_hub_pin(hub, kRepo, commit_one.c_str()), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(vitalis_hub_download(hub, kRepo, nullptr, &transfer), VITALIS_ERROR_DENIED);
  EXPECT_NE(std::strstr(vitalis_last_error(), commit_one.substr(0, 7).c_str()), nullptr);
  ASSERT_EQ(vitalis_hub_pin(hub, kRepo, nullptr), VITALIS_OK);
  ASSERT_EQ(vitalis_hub_remove(hub, kRepo, nullptr, 0, &text), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(vitalis_hub_locate(hub, kRepo, nullptr, &text), VITALIS_ERROR_NOT_FOUND);
}

TEST_F(HubInterface, SignsInAndOut) {
  EXPECT_EQ(vitalis_hub_whoami(hub, &text), VITALIS_ERROR_DENIED);
  EXPECT_EQ(vitalis_hub_login(hub, "bad-token", VITALIS_NUL, nullptr, &text), VITALIS_ERROR_DENIED);
  EXPECT_EQ(std::strstr(vitalis_last_error(), "bad-token"), nullptr);
  EXPECT_FALSE(fs::exists(token_path));
  for (const char* bad : {"", " ", "two words", "line\nline", "caf\xc3\xa9"}) {
    EXPECT_EQ(vitalis_hub_login(hub, bad, VITALIS_NUL, nullptr, &text),
              VITALIS_ERROR_INVALID_ARGUMENT);
  }
  ASSERT_EQ(vitalis_hub_login(hub, " good-token\n", VITALIS_NUL, "work", &text), VITALIS_OK)
      << vitalis_last_error();
  EXPECT_EQ(member(str(text), "name"), "ada");
  EXPECT_EQ(str(text).find("good-token"), std::string::npos);
  EXPECT_EQ(fs::status(token_path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_EQ(vitalis_hub_tokens(hub, &text), VITALIS_OK);
  EXPECT_EQ(str(text).find("good-token"), std::string::npos);
  EXPECT_EQ(member(str(text), "name"), "work");
  ASSERT_EQ(vitalis_hub_whoami(hub, &text), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(vitalis_hub_switch(hub, "home"), VITALIS_ERROR_NOT_FOUND);
  ASSERT_EQ(vitalis_hub_logout(hub, nullptr), VITALIS_OK);
  EXPECT_EQ(vitalis_hub_whoami(hub, &text), VITALIS_ERROR_DENIED);
}

TEST_F(HubInterface, OfflineAndMistakes) {
  vitalis_hub_options options = VITALIS_HUB_OPTIONS_INIT;
  options.offline = 1;
  vitalis_hub* offline = nullptr;
  ASSERT_EQ(vitalis_hub_create(&options, &offline), VITALIS_OK);
  EXPECT_EQ(vitalis_hub_list(offline, kRepo, nullptr, &text), VITALIS_ERROR_NETWORK);
  EXPECT_EQ(vitalis_hub_models(offline, &text), VITALIS_ERROR_INVALID_ARGUMENT);
  vitalis_hub_release(offline);
  options.endpoint = "http://example.org";
  EXPECT_EQ(vitalis_hub_create(&options, &offline), VITALIS_ERROR_INVALID_ARGUMENT);
  for (const char* name : {"", "a/b/c", "../x", "/nowhere/at/all", "datasets/x/y", "a@b@c"}) {
    EXPECT_LT(vitalis_hub_locate(hub, name, nullptr, &text), 0) << name;
    EXPECT_STRNE(vitalis_last_error(), "");
    EXPECT_LT(vitalis_hub_list(hub, name, nullptr, &text), 0) << name;
  }
  EXPECT_EQ(vitalis_hub_list(hub, "acme/absent", nullptr, &text), VITALIS_ERROR_NOT_FOUND);
  EXPECT_EQ(vitalis_hub_check(hub, kRepo, nullptr, 9, &text), VITALIS_ERROR_INVALID_ARGUMENT);
  vitalis_hub_cancel(hub);
  EXPECT_EQ(vitalis_hub_list(hub, kRepo, nullptr, &text), VITALIS_ERROR_NETWORK);
}

// The hub has to be asked until the person has decided.
TEST_F(HubInterface, SignsInByACode) {
  std::atomic<int> polls = 0;
  server.on_hub([&](const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/oauth/device") {
      response.set_content(
          R"({"device_code": "secret-code", "user_code": "ABCD-1234", "interval": 1,
              "verification_uri": "https://localhost/device", "expires_in": 600})",
          "application/json");
      return true;
    }
    if (request.path == "/oauth/token") {
      if (polls++ == 0) {
        response.status = 400;
        response.set_content(R"({"error": "authorization_pending"})", "application/json");
      } else {
        response.set_content(R"({"access_token": "good-token", "expires_in": 3600})",
                             "application/json");
      }
      return true;
    }
    return false;
  });
  EXPECT_EQ(vitalis_hub_poll_login(hub, &text), VITALIS_ERROR_INVALID_ARGUMENT);
  ASSERT_EQ(vitalis_hub_begin_login(hub, "client", "openid", &text), VITALIS_OK)
      << vitalis_last_error();
  EXPECT_EQ(member(str(text), "user_code"), "ABCD-1234");
  EXPECT_EQ(str(text).find("secret-code"), std::string::npos);
  ASSERT_EQ(vitalis_hub_poll_login(hub, &text), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(text.size, 0u);
  ASSERT_EQ(vitalis_hub_poll_login(hub, &text), VITALIS_OK) << vitalis_last_error();
  EXPECT_EQ(member(str(text), "name"), "ada");
  ASSERT_EQ(vitalis_hub_tokens(hub, &text), VITALIS_OK);
  EXPECT_EQ(member(str(text), "name"), "oauth-ada");
}

TEST_F(HubInterface, TheWrapperDoesTheSame) {
  vitalis::Hub wrapped({.endpoint = server.endpoint(),
                        .token_path = token_path,
                        .cache_folder = cache,
                        .ca_file = server.ca_file()});
  EXPECT_FALSE(wrapped.try_locate(kRepo).ok());
  EXPECT_THROW(wrapped.whoami(), vitalis::Error);
  vitalis::Transfer transfer = wrapped.download(kRepo, {.excludes = {"config.json"}});
  EXPECT_EQ(transfer.plan().find("config.json"), std::string::npos);
  uint64_t landed = 0;
  while (const auto news = transfer.next()) landed = news->bytes_landed;
  EXPECT_FALSE(transfer.was_cancelled());
  EXPECT_LE(landed, kWeights + 2);
  EXPECT_EQ(member(wrapped.models(), "repo"), kRepo);
  wrapped.login("good-token");
  EXPECT_EQ(member(wrapped.whoami(), "name"), "ada");
  wrapped.logout();
  EXPECT_NE(wrapped.check(kRepo).find("\"is_new\":false"), std::string::npos);
  EXPECT_EQ(wrapped.try_update().error().code(), vitalis::Code::kNotFound);
  EXPECT_FALSE(wrapped.try_rollback(kRepo).ok());
  vitalis::Transfer stopped = wrapped.download(kRepo, {.all = true});
  stopped.cancel();
  while (stopped.next()) continue;
  EXPECT_TRUE(stopped.was_cancelled());
}

}  // namespace
