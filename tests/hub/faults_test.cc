// SPDX-License-Identifier: Apache-2.0
// A hub that misbehaves: what is survived, and what is refused with which sentence. Whatever
// happens, nothing unverified is ever published.
#include <gtest/gtest.h>
#include <memory>

#include "hub/hub_fixture.h"

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

class Faults : public HubTest {
 protected:
  void SetUp() override {
    tree_ = model_tree(1);
    commit_ = hub_.commit(kRepo, tree_);
  }
  void expect_survived() {
    const auto progress = try_download(options());
    ASSERT_TRUE(progress.ok()) << progress.status().message();
    expect_files(layout().snapshot_path(commit_), tree_, kFilesForInference);
  }
  // Everything is refused, and the sentence holds `parts`.
  void expect_refused(Code code, std::initializer_list<std::string_view> parts) {
    const std::string sentence = failure(code);
    for (const std::string_view part : parts) EXPECT_TRUE(contains(sentence, part)) << sentence;
    expect_nothing_published();
  }
  Options with_token(const std::string& token) const {
    Options how = options();
    how.token = Token::parse(token).take();
    return how;
  }
  // Answers the first `times` requests whose path holds `part` with `answer`.
  MockHub::Hook first(int times, std::string part,
                      std::function<void(const httplib::Request&, httplib::Response&)> answer) {
    const auto left = std::make_shared<std::atomic<int>>(times);
    return [=](const httplib::Request& request, httplib::Response& response) {
      if (!contains(request.path, part) || left->fetch_sub(1) <= 0) return false;
      answer(request, response);
      return true;
    };
  }

  MockTree tree_;
  std::string commit_;
};

// The table of errors.

TEST_F(Faults, NoSuchRepository) {
  hub_.set_private(kRepo, true);
  expect_refused(Code::kNotFound, {kRepo, "knows no such repository", "nobody is signed in",
                                   "Repository not found", "mock-request"});
  hub_.rename(kRepo, "openai/elsewhere");
  hub_.on_hub([](const auto&, auto& response) {
    response.status = 404;
    response.set_header("X-Error-Code", "RepoNotFound");
    return true;
  });
  EXPECT_EQ(list(with_token("hf_known")).status().code(), Code::kNotFound);
}

TEST_F(Faults, RefusedWithoutAReason) {
  hub_.on_hub([](const auto&, auto& response) {
    response.status = 401;
    return true;
  });
  expect_refused(Code::kNotFound, {"knows no such repository"});
}

TEST_F(Faults, AStaleTokenOnAPublicRepository) {
  const auto progress = try_download(with_token("hf_expired"));
  ASSERT_TRUE(progress.ok()) << progress.status().message();
  expect_files(layout().snapshot_path(commit_), tree_, kFilesForInference);
  EXPECT_TRUE(any_contains(notices_, "does not know this token"));
  for (const std::string& notice : notices_) EXPECT_FALSE(contains(notice, "hf_expired"));
}

TEST_F(Faults, AStaleTokenOnAPrivateRepository) {
  hub_.set_private(kRepo, true);
  const Status status = list(with_token("hf_expired")).status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_TRUE(any_contains(notices_, "does not know this token"));
}

TEST_F(Faults, ATokenIsRevokedHalfway) {
  hub_.add_token("hf_known", "person", true);
  auto planned = plan(with_token("hf_known"));
  ASSERT_TRUE(planned.ok());
  auto transfer = Transfer::create(with_token("hf_revoked"), *planned);
  ASSERT_TRUE(transfer.ok());
  EXPECT_TRUE(finish(*transfer).ok());
  EXPECT_TRUE(any_contains(notices_, "does not know this token"));
}

TEST_F(Faults, AGatedRepositoryWithoutSigningIn) {
  hub_.set_gated(kRepo, true);
  expect_refused(Code::kDenied, {"asks for agreement", "sign in", "/openai/gpt-oss-20b"});
}

TEST_F(Faults, AGatedRepositoryBeforeBeingLetIn) {
  hub_.set_gated(kRepo, true);
  hub_.add_token("hf_known", "person", false);
  const Status status = try_download(with_token("hf_known")).status();
  EXPECT_EQ(status.code(), Code::kDenied);
  EXPECT_TRUE(contains(status.message(), "has not been let in")) << status.message();
  hub_.add_token("hf_friend", "person", true);
  EXPECT_TRUE(try_download(with_token("hf_friend")).ok());
}

TEST_F(Faults, NoSuchRevision) {
  const Status status = list(options(), "nope").status();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_TRUE(contains(status.message(), "no such branch, tag or commit")) << status.message();
  EXPECT_TRUE(contains(status.message(), "there are main")) << status.message();
}

TEST_F(Faults, NoSuchFile) {
  hub_.on_hub(first(1000, "/resolve/", [](const auto&, auto& response) {
    response.status = 404;
    response.set_header("X-Error-Code", "EntryNotFound");
  }));
  expect_refused(Code::kNotFound, {"there is no such file"});
}

TEST_F(Faults, NoFileMatches) {
  selection_.include = {"confg.json"};
  EXPECT_TRUE(contains(failure(Code::kNotFound), "the nearest is config.json"));
}

TEST_F(Faults, TakenDown) {
  hub_.set_disabled(kRepo, true);
  expect_refused(Code::kDenied, {"has been taken down"});
}

TEST_F(Faults, ATokenWithoutThePermission) {
  hub_.add_token("hf_narrow", "person", true);
  hub_.on_hub([](const auto&, auto& response) {
    response.status = 403;
    return true;
  });
  const Status status = list(with_token("hf_narrow")).status();
  EXPECT_EQ(status.code(), Code::kDenied);
  EXPECT_TRUE(contains(status.message(), "may lack the permission")) << status.message();
}

TEST_F(Faults, ARenamedRepository) {
  hub_.rename(kRepo, "openai/new-name");
  const auto progress = try_download(options());
  ASSERT_TRUE(progress.ok()) << progress.status().message();
  EXPECT_TRUE(any_contains(notices_, "is now called openai/new-name"));
  expect_files(Layout::cache(cache(), "openai/new-name").snapshot_path(commit_), tree_,
               kFilesForInference);
}

// Slowing down.

TEST_F(Faults, AskedToWaitByRetryAfter) {
  hub_.on_hub(first(2, "", [](const auto&, auto& response) {
    response.status = 429;
    response.set_header("Retry-After", "1");
  }));
  const auto begin = std::chrono::steady_clock::now();
  expect_survived();
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1900));
}

TEST_F(Faults, AskedToWaitByRateLimit) {
  hub_.on_content(first(1, "/blob/", [](const auto&, auto& response) {
    response.status = 429;
    response.set_header("RateLimit", "\"resolvers\";r=0;t=1");
  }));
  const auto begin = std::chrono::steady_clock::now();
  expect_survived();
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1900));
  EXPECT_TRUE(any_contains(notes_, "asks to slow down"));
  EXPECT_TRUE(any_contains(notes_, "trying again in 2 s"));
}

TEST_F(Faults, ServersThatFailForAWhile) {
  for (const int status : {408, 500, 502, 503, 504}) {
    hub_.on_hub(first(3, "/tree/", [=](const auto&, auto& response) { response.status = status; }));
    EXPECT_TRUE(list(options()).ok()) << status;
  }
  hub_.on_content(first(4, "/blob/", [](const auto&, auto& response) { response.status = 503; }));
  expect_survived();
}

TEST_F(Faults, ServersThatFailForGood) {
  hub_.on_content(first(100'000, "/blob/", [](const auto&, auto& r) { r.status = 503; }));
  expect_refused(Code::kNetwork, {"can't answer now", "HTTP 503", "tried 6 times"});
}

TEST_F(Faults, NobodyListens) {
  Options how = options();
  how.endpoint = "https://localhost:1";
  const Status status = list(how).status();
  EXPECT_EQ(status.code(), Code::kNetwork);
  EXPECT_TRUE(contains(status.message(), "localhost")) << status.message();
}

// Contents.

TEST_F(Faults, SignedAddressesExpire) {
  tree_ = model_tree(1, 40'000'000);
  commit_ = hub_.commit(kRepo, tree_);
  hub_.set_faults({.expires_after = 4});
  expect_survived();
  EXPECT_GT(hub_.count("/resolve/"), kFilesForInference);
}

TEST_F(Faults, SignedAddressesNeverWork) {
  hub_.on_content(first(100'000, "/blob/", [](const auto&, auto& r) { r.status = 403; }));
  expect_refused(Code::kNetwork, {"refuses the signed address", "HTTP 403"});
}

TEST_F(Faults, ConnectionsCloseEarly) {
  for (const uint64_t bytes : {100'000, 1'000'000, 5'000'000}) {
    hub_.forget_seen();
    hub_.set_faults({.close_after = bytes});
    expect_survived();
    uint64_t large = 0;
    for (const auto& [path, file] : tree_) large += file.is_large ? file.size : 0;
    // Bytes in flight when a connection closes are lost, and few.
    EXPECT_LT(hub_.content_bytes(), large * 2);
    fs::remove_all(cache());
  }
}

TEST_F(Faults, RangesAreIgnored) {
  tree_ = model_tree(1, 60'000'000);
  commit_ = hub_.commit(kRepo, tree_);
  hub_.set_faults({.ignores_ranges = true});
  expect_survived();
}

TEST_F(Faults, RangesAreIgnoredAndConnectionsClose) {
  hub_.set_faults({.close_after = 9'000'000, .ignores_ranges = true});
  expect_refused(Code::kNetwork, {"without progress"});
}

TEST_F(Faults, ContentThatIsShorterThanListed) {
  tree_ = model_tree(1, 30'000'000);
  commit_ = hub_.commit(kRepo, tree_);
  hub_.set_faults({.is_short = true});
  expect_refused(Code::kIntegrity, {"has no bytes"});
}

TEST_F(Faults, MoreThanWasAskedFor) {
  hub_.set_faults({.sends_more = true});
  selection_.include = {"model-00000*"};
  expect_refused(Code::kNetwork, {"found Content-Range", "of length"});
  selection_.include = {"tokenizer.json"};
  expect_refused(Code::kIntegrity, {"expected 15 bytes", "found 23"});
}

TEST_F(Faults, OtherBytesThanWereAskedFor) {
  tree_ = model_tree(1, 30'000'000);
  commit_ = hub_.commit(kRepo, tree_);
  hub_.set_faults({.shifts_ranges = true});
  selection_.include = {"model-00000*"};
  expect_refused(Code::kNetwork, {"Content-Range"});
}

TEST_F(Faults, WrongBytesOnce) {
  hub_.set_faults({.flips_a_byte = true, .flips_left = 1});
  expect_survived();
  EXPECT_TRUE(any_contains(notices_, "expected digest"));
}

TEST_F(Faults, WrongBytesAlways) {
  hub_.set_faults({.flips_a_byte = true});
  expect_refused(Code::kIntegrity, {"expected digest", "twice", "not kept"});
  // The part whose bytes were wrong is gone.
  for (const auto& entry : fs::directory_iterator(layout().partial_folder())) {
    EXPECT_GT(fs::file_size(entry), 0u);
  }
  hub_.set_faults({});
  expect_survived();
}

TEST_F(Faults, CompressedThoughNotAsked) {
  hub_.set_faults({.claims_gzip = true});
  expect_refused(Code::kNetwork, {"encoded as \"gzip\""});
}

TEST_F(Faults, ABodyThatTrickles) {
  Options how = options();
  how.stall_timeout = 1;
  how.retries = 1;
  selection_.include = {"tokenizer.json"};
  hub_.set_faults({.bytes_per_second = 20});
  const auto begin = std::chrono::steady_clock::now();
  const auto progress = try_download(how);
  (void)progress;  // 15 bytes may make it; that it ends is what counts
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

// The hub contradicts itself.

TEST_F(Faults, AnotherDigestThanListed) {
  hub_.on_hub(first(1000, "/resolve/", [](const auto&, auto& response) {
    response.status = 302;
    response.set_header("X-Linked-Etag", '"' + std::string(64, 'a') + '"');
    response.set_header("Location", "https://content.localhost/");
  }));
  selection_.include = {"*.safetensors"};
  expect_refused(Code::kIntegrity, {"is listed, the hub has aaaa"});
}

TEST_F(Faults, AnotherCommitThanAsked) {
  hub_.on_hub(first(1000, "/resolve/", [](const auto&, auto& response) {
    response.status = 302;
    response.set_header("X-Repo-Commit", std::string(40, 'b'));
    response.set_header("Location", "https://content.localhost/");
  }));
  expect_refused(Code::kIntegrity, {"the hub answered with commit bbbb"});
}

// Redirects.

TEST_F(Faults, ToHttp) {
  hub_.on_hub(first(1000, "/resolve/", [](const auto&, auto& response) {
    response.status = 302;
    response.set_header("Location", "http://localhost:1/x");
  }));
  expect_refused(Code::kNetwork, {"from https to http://localhost:1/x"});
  hub_.on_hub(first(1000, "/revision/", [](const auto&, auto& response) {
    response.status = 307;
    response.set_header("Location", "http://example.org/x");
  }));
  expect_refused(Code::kNetwork, {"http is not safe"});
}

TEST_F(Faults, ToAFile) {
  hub_.on_hub(first(1000, "/resolve/", [](const auto&, auto& response) {
    response.status = 302;
    response.set_header("Location", "file:///etc/passwd");
  }));
  expect_refused(Code::kNetwork, {"expected https"});
}

TEST_F(Faults, RoundAndRound) {
  hub_.on_hub(first(1000, "/resolve/", [](const auto& request, auto& response) {
    response.status = 302;
    response.set_header("Location", request.path);
  }));
  expect_refused(Code::kNetwork, {"more than 10 redirects"});
  hub_.on_hub(first(1000, "/revision/", [](const auto& request, auto& response) {
    response.status = 302;
    response.set_header("Location", request.path);
  }));
  expect_refused(Code::kNetwork, {"more than 10 redirects"});
}

TEST_F(Faults, TheTokenStaysWhenTheHubLeadsElsewhere) {
  // A mirror that leads all of its interface to another host.
  MockHub other;
  other.commit(kRepo, tree_);
  hub_.add_token("hf_known", "person", true);
  const std::string there = "https://content.localhost:" + std::to_string(other.hub_port());
  hub_.on_hub([there](const auto& request, auto& response) {
    response.status = 308;
    response.set_header("Location", there + request.target);
    return true;
  });
  Options how = with_token("hf_known");
  // One file with both authorities.
  const std::string both = folder_.path() + "/both.pem";
  write_file(both, contents_of(hub_.ca_file()) + contents_of(other.ca_file()));
  how.ca_file = both;
  const auto listing = list(how);
  EXPECT_TRUE(listing.ok()) << listing.status().message();
  EXPECT_FALSE(other.seen().empty());
  for (const Seen& seen : other.seen()) EXPECT_EQ(seen.authorization, "");
  for (const Seen& seen : hub_.seen()) EXPECT_EQ(seen.authorization, "Bearer hf_known");
}

// Certificates.

TEST_F(Faults, ACertificateOfNobodyKnown) {
  Options how = options();
  how.ca_file.clear();
  const Status status = list(how).status();
  EXPECT_EQ(status.code(), Code::kNetwork);
  EXPECT_TRUE(contains(status.message(), "certificate")) << status.message();
  EXPECT_EQ(hub_.seen().size(), 0u);
}

TEST_F(Faults, ACertificateOfAnotherName) {
  Options how = options();
  how.endpoint = "https://127.0.0.1:" + std::to_string(hub_.hub_port());
  const Status status = list(how).status();
  EXPECT_EQ(status.code(), Code::kNetwork);
  EXPECT_EQ(hub_.seen().size(), 0u);
}

// Answers that are no answers.

TEST_F(Faults, ListsThatAreNone) {
  const std::string oid(40, 'a');
  const auto item = [&](const std::string& path) {
    return R"([{"type":"file","path":")" + path + R"(","size":1,"oid":")" + oid + R"("}])";
  };
  for (const std::string& body :
       {std::string("not JSON"), std::string("{}"), std::string("[1]"), std::string("[{}]"),
        std::string("[{\"type\":\"file\",\"path\":\"a\",\"size\":-1,\"oid\":\"" + oid + "\"}]"),
        std::string("[{\"type\":\"file\",\"path\":\"a\",\"size\":1e30,\"oid\":\"" + oid + "\"}]"),
        std::string("[{\"type\":\"file\",\"path\":\"a\",\"size\":9007199254740992,\"oid\":\"" +
                    oid + "\"}]"),
        std::string("[{\"type\":\"file\",\"path\":\"a\",\"size\":1,\"oid\":\"../../x\"}]"),
        item("../config.json"), item("/etc/passwd"), item("a/../../b"), item("C:/x"),
        item("a\\\\b"), item("a//b"), item("nul"), item(".cache/x"), item("a\\u0000b")}) {
    hub_.on_hub(first(1, "/tree/", [&](const auto&, auto& response) {
      response.set_content(body, "application/json");
    }));
    const Status status = list(options()).status();
    EXPECT_EQ(status.code(), Code::kMalformed) << body << ": " << status.message();
  }
}

TEST_F(Faults, AListThatContradictsItself) {
  const std::string oid(40, 'a');
  for (const auto& [one, other] : {std::pair{"a", "a"}, {"a", "a/b"}}) {
    hub_.on_hub(first(1, "/tree/", [&, one = one, other = other](const auto&, auto& response) {
      std::string body = "[";
      for (const char* path : {one, other}) {
        body += std::string(body.size() > 1 ? "," : "") + R"({"type":"file","path":")" + path +
                R"(","size":1,"oid":")" + oid + R"("})";
      }
      response.set_content(body + ']', "application/json");
    }));
    EXPECT_EQ(list(options()).status().code(), Code::kMalformed) << other;
  }
}

TEST_F(Faults, AListWithoutEnd) {
  hub_.on_hub(first(1'000'000, "/tree/", [](const auto& request, auto& response) {
    response.set_header("Link", '<' + request.path + ">; rel=\"next\"");
    response.set_content("[]", "application/json");
  }));
  Options how = options();
  const Status status = list(how).status();
  EXPECT_EQ(status.code(), Code::kMalformed);
  EXPECT_TRUE(contains(status.message(), "pages")) << status.message();
}

TEST_F(Faults, ADescriptionOfAnotherCommit) {
  hub_.on_hub(first(1, "/revision/", [](const auto&, auto& response) {
    response.set_content("{\"id\":\"openai/gpt-oss-20b\",\"sha\":\"" + std::string(40, 'c') + "\"}",
                         "application/json");
  }));
  EXPECT_EQ(list(options(), std::string(40, 'd')).status().code(), Code::kIntegrity);
}

TEST_F(Faults, WarningsOfTheHubAreToldOnce) {
  hub_.on_hub([](const auto&, auto& response) {
    response.set_header("X-HF-Warning", "old; please update");
    return false;
  });
  expect_survived();
  EXPECT_TRUE(any_contains(notices_, "warns of old: please update"));
  EXPECT_LE(std::count_if(notices_.begin(), notices_.end(),
                          [](const std::string& n) { return contains(n, "warns"); }),
            2);  // one from the listing, one from the transfer
}

// What is never even asked.

TEST_F(Faults, EndpointsThatAreRefused) {
  for (const char* endpoint :
       {"http://huggingface.co", "ftp://localhost", "huggingface", "", "https://user:pw@host",
        "https://host/?q", "http://localhost.example.org", "http://127.0.0.1.example.org"}) {
    Options how = options();
    how.endpoint = endpoint;
    EXPECT_EQ(Hub::create(how).status().code(), Code::kInvalidArgument) << endpoint;
  }
}

TEST(PlainHub, IsForThisMachineAlone) {
  MockHub hub(false);
  hub.commit(kRepo, model_tree(1));
  Options how;
  how.endpoint = hub.endpoint();
  auto client = Hub::create(how);
  ASSERT_TRUE(client.ok()) << client.status().message();
  EXPECT_TRUE(client->list(RepoRef{.id = kRepo}).ok());
}

}  // namespace
}  // namespace vitalis::tests
