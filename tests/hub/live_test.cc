// SPDX-License-Identifier: Apache-2.0
// The real hub, where VITALIS_LIVE_HUB=1 says that it may be asked: what the mock hub claims of it.
// A few dozen requests and less than a megabyte.
#include <cstdlib>
#include <gtest/gtest.h>

#include "hub/http.h"
#include "hub/hub_fixture.h"
#include "hub/manifest.h"

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)

constexpr const char* kShard = "model-00002-of-00002.safetensors";

class Live : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* wanted = std::getenv("VITALIS_LIVE_HUB");
    if (!wanted || std::string_view(wanted) != "1") GTEST_SKIP() << "VITALIS_LIVE_HUB is not 1";
  }

  struct Answer : Receiver {
    bool on_head(const ResponseHead& whole) override {
      head = whole;
      return true;
    }
    bool on_body(std::span<const std::byte> bytes) override {
      body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return body.size() < 1'000'000;
    }
    ResponseHead head;
    std::string body;
  };
  Answer& ask(Request request) {
    auto client = HttpClient::create(Options());
    EXPECT_TRUE(client.ok());
    answers_.push_back(std::make_unique<Answer>());
    Exchange exchange;
    EXPECT_TRUE((*client)->start(exchange, request, *answers_.back()).ok());
    while (exchange.is_running()) (*client)->poll(100);
    EXPECT_TRUE(exchange.status().ok()) << exchange.status().message();
    return *answers_.back();
  }
  Url resolve_url(const std::string& path) const {
    return *parse_url("https://huggingface.co/" + manifest_.repo + "/resolve/" + manifest_.commit +
                      '/' + path);
  }

  const Manifest& manifest_ = *known_manifest("openai/gpt-oss-20b");
  std::vector<std::unique_ptr<Answer>> answers_;
};

TEST_F(Live, TheKnownReleaseIsListedAsTheManifestSays) {
  auto hub = Hub::create({});
  ASSERT_TRUE(hub.ok());
  const auto listing = hub->list(RepoRef{.id = manifest_.repo, .revision = manifest_.commit});
  ASSERT_TRUE(listing.ok()) << listing.status().message();
  EXPECT_TRUE(check_listing(*listing, manifest_).ok());
  for (const ManifestFile& file : manifest_.files) EXPECT_TRUE(listing->find(file.path));
  const auto files = select_files(*listing, {});
  uint64_t bytes = 0;
  for (const File& file : *files) bytes += file.size;
  EXPECT_NEAR(static_cast<double>(bytes), 13.789e9, 1e6);
}

TEST_F(Live, LargeFilesLeadToSignedAddressesAndTakeRanges) {
  const Url url = resolve_url(kShard);
  const Answer& head = ask({.method = Request::Method::kHead, .url = url});
  EXPECT_EQ(head.head.status, 302);
  EXPECT_EQ(unquoted_etag(head.head.field("x-linked-etag")),
            "a18106b209e9ab35c3406db4f6f12a927364a058b21e9d1373d682e20674b303");
  EXPECT_EQ(head.head.field("x-linked-size"), "4170342232");
  EXPECT_EQ(head.head.field("x-repo-commit"), manifest_.commit);
  const auto content = follow(url, head.head.field("location"));
  ASSERT_TRUE(content.ok()) << content.status().message();
  EXPECT_FALSE(content->same_origin(url));
  for (const uint64_t first : {uint64_t{0}, uint64_t{4'000'000'000}}) {
    const Answer& part = ask({.url = *content, .first = first, .last = first + 99});
    EXPECT_EQ(part.head.status, 206);
    EXPECT_EQ(part.body.size(), 100u);
    const auto range = parse_content_range(part.head.field("content-range"));
    ASSERT_TRUE(range);
    EXPECT_EQ(range->first, first);
    EXPECT_EQ(range->total, 4170342232u);
    // It names the stored chunks, not the content.
    EXPECT_NE(unquoted_etag(part.head.field("etag")),
              unquoted_etag(head.head.field("x-linked-etag")));
  }
}

TEST_F(Live, SmallFilesLieAtTheHubUnderGitsDigest) {
  const Url url = resolve_url("config.json");
  const Answer& first = ask({.method = Request::Method::kHead, .url = url});
  EXPECT_EQ(first.head.status, 307);
  const auto next = follow(url, first.head.field("location"));
  ASSERT_TRUE(next.ok()) << next.status().message();
  EXPECT_TRUE(next->same_origin(url));
  const Answer& body = ask({.url = *next});
  EXPECT_EQ(body.head.status, 200);
  EXPECT_EQ(unquoted_etag(body.head.field("etag")), "8fb5a4a03376ab5a12afd94b4ed93da61edf5b1c");
  EXPECT_EQ(git_sha1_hex(body.body), "8fb5a4a03376ab5a12afd94b4ed93da61edf5b1c");
}

TEST_F(Live, AWrongTokenIsToldAndDoneWithout) {
  Options options;
  options.token = Token::parse("hf_thisTokenDoesNotExistAtAll").take();
  auto hub = Hub::create(options);
  EXPECT_EQ(hub->whoami().status().code(), Code::kDenied);
  EXPECT_TRUE(hub->freeze(manifest_.repo, "main").ok());
  EXPECT_TRUE(any_contains(hub->take_notices(), "does not know this token"));
}

TEST_F(Live, RateLimitsAreToldInTheFormThatIsRead) {
  const Answer& answer = ask({.url = *parse_url("https://huggingface.co/api/models/" +
                                                manifest_.repo + "/revision/main")});
  const std::string field(answer.head.field("ratelimit"));
  EXPECT_TRUE(contains(field, "r=") && contains(field, "t=")) << field;
}

TEST_F(Live, SmallFilesAreDownloaded) {
  const TemporaryFolder folder;
  auto hub = Hub::create({});
  const auto listing = hub->list(RepoRef{.id = manifest_.repo, .revision = manifest_.commit});
  ASSERT_TRUE(listing.ok()) << listing.status().message();
  const auto files =
      select_files(*listing, {.include = {"*.json", "LICENSE"}, .exclude = {"tokenizer.json"}});
  ASSERT_TRUE(files.ok());
  auto plan = make_plan(*listing, *files, {.local_dir = folder.path() + "/model"});
  ASSERT_TRUE(plan.ok());
  auto transfer = Transfer::create({}, *plan);
  ASSERT_TRUE(transfer.ok());
  while (true) {
    const auto progress = transfer->next();
    ASSERT_TRUE(progress.ok()) << progress.status().message();
    if (progress->stage == Progress::Stage::kDone) break;
  }
  auto verification =
      Verification::create(folder.path() + "/model", manifest_, {.missing_is_failure = false});
  ASSERT_TRUE(verification.ok());
  while (!verification->next()->done) continue;
  EXPECT_TRUE(verification->status().ok()) << verification->status().message();
}

}  // namespace
}  // namespace vitalis::tests
