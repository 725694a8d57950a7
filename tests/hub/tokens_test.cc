// SPDX-License-Identifier: Apache-2.0
// The token files of the Hugging Face home, and signing in.
#include <ctime>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "hub/hub_fixture.h"
#include "hub/token_store.h"

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

Token token_of(const char* text) {
  return Token::parse(text).take();
}

class Tokens : public HubTest {
 protected:
  std::string home() const { return folder_.path() + "/huggingface"; }
  TokenStore store_{folder_.path() + "/huggingface/token"};
};

unsigned mode_of(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

TEST_F(Tokens, AreStoredForTheirOwnerAlone) {
  EXPECT_FALSE(store_.active()->has_value());
  EXPECT_TRUE(store_.list()->empty());
  ASSERT_TRUE(store_.save("laptop", token_of("hf_one")).ok());
  EXPECT_EQ(contents_of(home() + "/token"), "hf_one");
  EXPECT_EQ(contents_of(home() + "/stored_tokens"), "[laptop]\nhf_token = hf_one\n\n");
  EXPECT_EQ(mode_of(home()), 0700u);
  EXPECT_EQ(mode_of(home() + "/token"), 0600u);
  EXPECT_EQ(mode_of(home() + "/stored_tokens"), 0600u);
}

TEST_F(Tokens, AreSwitchedAndForgotten) {
  ASSERT_TRUE(store_.save("one", token_of("hf_one")).ok());
  ASSERT_TRUE(store_.save("two", token_of("hf_two"), "refresh", 1234567890).ok());
  auto tokens = store_.list();
  ASSERT_EQ(tokens->size(), 2u);
  EXPECT_FALSE((*tokens)[0].active);
  EXPECT_TRUE((*tokens)[1].active);
  EXPECT_EQ((*tokens)[1].refresh, "refresh");
  EXPECT_EQ((*tokens)[1].expires_at, 1234567890);
  ASSERT_TRUE(store_.use("one").ok());
  EXPECT_EQ(store_.active()->value().reveal(), "hf_one");
  const Status unknown = store_.use("three");
  EXPECT_EQ(unknown.code(), Code::kNotFound);
  EXPECT_TRUE(contains(unknown.message(), "one, two")) << unknown.message();
  ASSERT_TRUE(store_.remove("one").ok());
  EXPECT_FALSE(store_.active()->has_value());
  EXPECT_EQ(store_.list()->size(), 1u);
  ASSERT_TRUE(store_.clear().ok());
  EXPECT_TRUE(store_.list()->empty());
  EXPECT_TRUE(store_.clear().ok());
}

TEST_F(Tokens, OfOtherToolsAreRead) {
  write_file(home() + "/token", "hf_active\n");
  write_file(home() + "/stored_tokens",
             "# by hand\n[ work ]\nhf_token=hf_active\n\n[oauth-me]\nhf_token = oauth_x\n"
             "refresh_token = r\nexpires_at = 99\nunknown = 1\n");
  const auto tokens = store_.list();
  ASSERT_TRUE(tokens.ok()) << tokens.status().message();
  ASSERT_EQ(tokens->size(), 2u);
  EXPECT_EQ((*tokens)[0].name, "work");
  EXPECT_TRUE((*tokens)[0].active);
  EXPECT_EQ((*tokens)[1].expires_at, 99);
  write_file(home() + "/token", "hf_unnamed");
  EXPECT_EQ(store_.list()->back().name, "");
  EXPECT_TRUE(store_.list()->back().active);
}

TEST_F(Tokens, ThatAreDamagedAreToldWithoutBeingShown) {
  for (const char* text : {"hf_secret = x\n", "[a\nhf_token = hf_secret\n", "[a]\nhf_secret\n",
                           "[a]\nhf_token = hf_secret two\n", "[a]\n"}) {
    const Status status = parse_stored_tokens(text, "stored_tokens").status();
    EXPECT_EQ(status.code(), Code::kMalformed) << text;
    EXPECT_FALSE(contains(status.message(), "hf_secret")) << status.message();
  }
  write_file(home() + "/token", "hf_secret\nhf_other\n");
  EXPECT_EQ(store_.active().status().code(), Code::kMalformed);
  for (const char* name : {"", " a", "a\nb", "a]b", "[a"}) {
    EXPECT_EQ(store_.save(name, token_of("hf_x")).code(), Code::kInvalidArgument) << name;
  }
}

TEST_F(Tokens, TellWhoTheyAreOf) {
  hub_.add_token("hf_known", "person", true);
  Options how = options();
  EXPECT_EQ(Hub::create(how)->whoami().status().code(), Code::kDenied);
  how.token = token_of("hf_known");
  auto hub = Hub::create(how);
  const auto who = hub->whoami();
  ASSERT_TRUE(who.ok()) << who.status().message();
  EXPECT_EQ(who->name, "person");
  EXPECT_EQ(who->token_name, "laptop");
  EXPECT_EQ(who->role, "read");
  EXPECT_EQ(who->organisations, std::vector<std::string>{"acme"});
  how.token = token_of("hf_unknown");
  const Status status = Hub::create(how)->whoami().status();
  EXPECT_EQ(status.code(), Code::kDenied);
  EXPECT_FALSE(contains(status.message(), "hf_unknown"));
}

TEST_F(Tokens, ComeByACode) {
  int polls = 0;
  hub_.on_hub([&](const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/oauth/device") {
      EXPECT_EQ(request.get_param_value("client_id"), "my app");
      response.set_content(R"({"device_code":"d","user_code":"ABCD","interval":1,"expires_in":60,)"
                           R"("verification_uri":"https://hub/device"})",
                           "application/json");
      return true;
    }
    if (request.path != "/oauth/token") return false;
    EXPECT_EQ(request.get_param_value("device_code"), "d");
    ++polls;
    response.status = polls < 5 ? 400 : 200;
    const char* answers[] = {R"({"error":"authorization_pending"})", R"({"error":"slow_down"})",
                             R"({"error":"expired_token"})", R"({"error":"access_denied"})",
                             R"({"access_token":"oauth_x","refresh_token":"r","expires_in":100})"};
    response.set_content(answers[polls - 1], "application/json");
    return true;
  });
  auto hub = Hub::create(options());
  EXPECT_EQ(hub->begin_device_login("", "x").status().code(), Code::kInvalidArgument);
  auto code = hub->begin_device_login("my app", "openid");
  ASSERT_TRUE(code.ok()) << code.status().message();
  EXPECT_EQ(code->user_code, "ABCD");
  EXPECT_FALSE(hub->poll_device_login("my app", *code)->has_value());
  EXPECT_FALSE(hub->poll_device_login("my app", *code)->has_value());
  EXPECT_EQ(code->interval, 6u);
  EXPECT_TRUE(contains(hub->poll_device_login("my app", *code).status().message(), "expired"));
  EXPECT_TRUE(contains(hub->poll_device_login("my app", *code).status().message(), "refused"));
  const auto tokens = hub->poll_device_login("my app", *code);
  ASSERT_TRUE(tokens.ok() && tokens->has_value());
  EXPECT_EQ((*tokens)->access.reveal(), "oauth_x");
  EXPECT_NEAR(static_cast<double>((*tokens)->expires_at),
              static_cast<double>(std::time(nullptr)) + 100, 5);
}

TEST_F(Tokens, CallsEndWhenTheyAreCancelled) {
  auto hub = Hub::create(options());
  hub->cancel();
  EXPECT_TRUE(contains(hub->freeze(kRepo, "main").status().message(), "cancelled"));
}

}  // namespace
}  // namespace vitalis::tests
