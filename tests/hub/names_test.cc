// SPDX-License-Identifier: Apache-2.0
// Names, addresses, globs, listings and heads of answers: what is taken, and what is refused.
#include <gtest/gtest.h>

#include "hub/hub_fixture.h"
#include "hub/protocol.h"
#include "hub/repo.h"
#include "hub/url.h"

namespace vitalis::tests {
namespace {

using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)

TEST(RepoNames, AreReadInEveryForm) {
  const struct {
    const char* text;
    RepoRef ref;
  } kCases[] = {
      {"openai/gpt-oss-20b", {.id = "openai/gpt-oss-20b"}},
      {"gpt-oss-20b", {.id = "openai/gpt-oss-20b"}},
      {"gpt-oss-20b@v1", {.id = "openai/gpt-oss-20b", .revision = "v1"}},
      {"openai/gpt-oss-20b@refs/pr/1", {.id = "openai/gpt-oss-20b", .revision = "refs/pr/1"}},
      {"hf://openai/gpt-oss-20b", {.id = "openai/gpt-oss-20b"}},
      {"hf://models/openai/gpt-oss-20b/config.json",
       {.id = "openai/gpt-oss-20b", .path = "config.json"}},
      {"hf://openai/gpt-oss-20b@v1/metal/model.bin",
       {.id = "openai/gpt-oss-20b", .revision = "v1", .path = "metal/model.bin"}},
      {"hf://openai/gpt-oss-20b@refs/pr/1/config.json",
       {.id = "openai/gpt-oss-20b", .revision = "refs/pr/1", .path = "config.json"}},
      {"hf://openai/gpt-oss-20b@refs%2Fpr%2F1/original/",
       {.id = "openai/gpt-oss-20b", .revision = "refs/pr/1", .path = "original"}},
  };
  for (const auto& expected : kCases) {
    const auto ref = parse_repo(expected.text);
    ASSERT_TRUE(ref.ok()) << expected.text << ": " << ref.status().message();
    EXPECT_EQ(ref->id, expected.ref.id);
    EXPECT_EQ(ref->revision, expected.ref.revision) << expected.text;
    EXPECT_EQ(ref->path, expected.ref.path) << expected.text;
    EXPECT_TRUE(looks_like_repo(expected.text));
  }
}

TEST(RepoNames, AreRefusedWithASentence) {
  for (const char* text : {"",           "a",        "a/b/c",         "../b",
                           "a/..",       "-a/b",     "a/b-",          "a/.b",
                           "a--b/c",     "a..b/c",   "a b/c",         "a/",
                           "/b",         "a/b@",     "a/b@-x",        "a/b@../../x",
                           "a/b@x y",    "a/b@x\ny", "hf://a/b/../c", "hf://a",
                           "a/b@x/../y", "a/b@/etc"}) {
    const auto ref = parse_repo(text);
    EXPECT_FALSE(ref.ok()) << text;
    EXPECT_GT(ref.status().message().size(), 10u);
  }
  EXPECT_EQ(parse_repo("hf://datasets/a/b").status().code(), Code::kUnsupported);
  EXPECT_FALSE(parse_repo(std::string(60, 'a') + '/' + std::string(60, 'b')).ok());
  EXPECT_FALSE(looks_like_repo("models/../x"));
  EXPECT_FALSE(looks_like_repo("some-folder"));
}

TEST(RepoPaths, StayBelowTheirFolder) {
  for (const char* good :
       {"config.json", "original/model.safetensors", ".gitattributes", "a.b/c-d"}) {
    EXPECT_TRUE(check_repo_path(good).ok()) << good;
  }
  for (const char* bad :
       {"",     "/a",        "a/",   "a//b", ".",     "..",       "a/..",
        "../a", "a/./b",     "a\\b", "C:a",  "a\x01", "a\x7f",    "\xff",
        "con",  "a/NUL.txt", "lpt1", "a.",   "a ",    ".cache/x", ".git/config"}) {
    EXPECT_FALSE(check_repo_path(bad).ok()) << bad;
  }
  EXPECT_FALSE(check_repo_path(std::string(300, 'a')).ok());
  EXPECT_FALSE(check_repo_path(std::string_view("a\0b", 3)).ok());
}

TEST(Globs, MatchAsHuggingFacesToolsDo) {
  EXPECT_TRUE(glob_matches("*.json", "original/config.json"));
  EXPECT_TRUE(glob_matches("original/", "original/a/b"));
  EXPECT_TRUE(glob_matches("original/*", "original/a/b"));
  EXPECT_TRUE(glob_matches("model-0000?-of-*", "model-00001-of-00002.safetensors"));
  EXPECT_TRUE(glob_matches("[a-c]*[!x]", "b/y"));
  EXPECT_TRUE(glob_matches("[]]", "]"));
  EXPECT_TRUE(glob_matches("a[", "a["));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("*.JSON", "config.json"));
  EXPECT_FALSE(glob_matches("config", "config.json"));
  EXPECT_FALSE(glob_matches("[!a]", "a"));
  EXPECT_FALSE(glob_matches("original/", "metal/a"));
  // No pattern takes more than the product of the two lengths.
  EXPECT_FALSE(glob_matches(std::string(200, '*') + "b", std::string(5000, 'a')));
}

TEST(Roles, FollowFromNames) {
  EXPECT_EQ(role_of("model-00000-of-00002.safetensors"), Role::kWeights);
  EXPECT_EQ(role_of("model.safetensors.index.json"), Role::kWeights);
  EXPECT_EQ(role_of("metal/model.bin"), Role::kWeights);
  EXPECT_EQ(role_of("tokenizer_config.json"), Role::kTokenizer);
  EXPECT_EQ(role_of("chat_template.jinja"), Role::kTemplate);
  EXPECT_EQ(role_of("generation_config.json"), Role::kConfig);
  EXPECT_EQ(role_of("USAGE_POLICY"), Role::kLicense);
  EXPECT_EQ(role_of("README.md"), Role::kDocs);
  EXPECT_EQ(role_of("script.py"), Role::kOther);
}

TEST(Listings, AreKeptAsTheyWere) {
  Listing listing{.repo = kRepo, .revision = "main", .commit = std::string(40, 'a')};
  listing.files = {{"b \"quoted\" \xC3\xA9", 7, "", std::string(40, 'b')},
                   {"a/x", uint64_t{1} << 40, std::string(64, 'c'), std::string(40, 'd')}};
  ASSERT_TRUE(finish_listing(listing).ok());
  const auto again = listing_from_json(listing_to_json(listing), "test");
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->files, listing.files);
  EXPECT_EQ(again->commit, listing.commit);
  EXPECT_FALSE(listing_from_json("{}", "test").ok());
}

TEST(Urls, FollowWithinHttps) {
  const auto base = parse_url("https://Hub.Example:8443/a/b?c=d");
  ASSERT_TRUE(base.ok());
  EXPECT_EQ(base->host, "hub.example");
  EXPECT_EQ(base->port, "8443");
  EXPECT_EQ(follow(*base, "/x?y=%22z%22")->text, "https://Hub.Example:8443/x?y=%22z%22");
  EXPECT_TRUE(follow(*base, "/x")->same_origin(*base));
  EXPECT_FALSE(follow(*base, "https://hub.example/x")->same_origin(*base));
  EXPECT_FALSE(follow(*base, "//other.example/x")->same_origin(*base));
  EXPECT_FALSE(follow(*base, "http://localhost/x").ok());
  EXPECT_FALSE(follow(*base, "javascript:1").ok());
  EXPECT_FALSE(follow(*base, "https://./x").ok());
  EXPECT_FALSE(follow(*base, "/a b").ok());
  EXPECT_FALSE(follow(*base, std::string_view("/a\0b", 4)).ok());
  EXPECT_FALSE(follow(*base, "https://user:pass@hub.example:8443/").ok());
  EXPECT_FALSE(follow(*base, std::string(100'000, 'a')).ok());
  EXPECT_EQ(parse_url("https://a/")->port, "443");
  EXPECT_TRUE(parse_url("https://hub.example.")->same_origin(*parse_url("https://HUB.example")));
  EXPECT_EQ(shown(*parse_url("https://a/b?signature=secret")), "https://a/b");
  EXPECT_EQ(percent_encoded("refs/pr/1 \xC3\xA9"), "refs%2Fpr%2F1%20%C3%A9");
}

TEST(Heads, AreReadAsTheyCome) {
  ResponseHead head;
  head.add_line("HTTP/1.1 100 Continue\r\n");
  head.add_line("HTTP/1.1 302 Found\r\n");
  head.add_line("X-Linked-ETag:  \"abc\" \r\n");
  head.add_line("no colon here\r\n");
  head.add_line(": no name\r\n");
  EXPECT_EQ(head.status, 302);
  EXPECT_EQ(head.field("x-linked-etag"), "\"abc\"");
  EXPECT_EQ(head.fields.size(), 1u);
  EXPECT_EQ(unquoted_etag("W/\"abc\""), "abc");
  EXPECT_EQ(unquoted_etag("abc"), "abc");

  EXPECT_EQ(parse_content_range("bytes 5-9/100")->last, 9u);
  EXPECT_FALSE(parse_content_range("bytes 5-9/*")->total);
  for (const char* bad : {"", "bytes", "bytes 9-5/100", "bytes 5-100/100", "bytes */100", "5-9/100",
                          "bytes 5-9", "bytes a-b/c", "bytes 5-9/99999999999999999999"}) {
    EXPECT_FALSE(parse_content_range(bad)) << bad;
  }
  EXPECT_EQ(next_link("<https://a/1>; rel=\"prev\", <https://a/3>; rel=\"next\""), "https://a/3");
  EXPECT_EQ(next_link("<https://a/1>; rel=\"last\""), "");
  EXPECT_EQ(next_link("<unfinished"), "");
}

TEST(Heads, SayHowLongToWait) {
  const auto delay = [](std::string_view name, std::string_view value) {
    ResponseHead head;
    head.add_line("HTTP/1.1 429 Too Many Requests");
    head.add_line(text(name, ": ", value));
    return told_delay(head, 1'000'000'000).value_or(-1);
  };
  EXPECT_EQ(delay("Retry-After", "7"), 7);
  EXPECT_EQ(delay("Retry-After", "Sun, 09 Sep 2001 01:47:00 GMT"), 20);
  EXPECT_EQ(delay("Retry-After", "Sun, 09 Sep 2001 01:00:00 GMT"), 0);
  EXPECT_EQ(delay("Retry-After", "soon"), -1);
  EXPECT_EQ(delay("Retry-After", "99999999999"), 24 * 3600);
  EXPECT_EQ(delay("RateLimit", "\"resolvers\";r=0;t=55"), 56);
  EXPECT_EQ(delay("RateLimit", "\"resolvers\";r=3;t=55"), -1);
  EXPECT_EQ(delay("X-Other", "1"), -1);
}

TEST(TokenText, IsOneWord) {
  EXPECT_EQ(Token::parse("  hf_abc\n")->reveal(), "hf_abc");
  for (const char* bad :
       {"", " \n", "hf_a\nhf_b", "hf a", "hf_\xC3\xA9", "hf_a\x01", "api_org_x"}) {
    const Status status = Token::parse(bad).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << bad;
    EXPECT_FALSE(contains(status.message(), "hf_a")) << status.message();
  }
  EXPECT_FALSE(Token::parse(std::string(5000, 'a')).ok());
  EXPECT_EQ(Token::parse("hf_abcdefghijklmnopqrstuvwxyz")->masked(), "hf_…wxyz");
  EXPECT_EQ(Token::parse("hf_short")->masked(), "…");
}

TEST(OptionValues, AreChecked) {
  Options options;
  EXPECT_TRUE(check_options(options).ok());
  options.connections = 0;
  EXPECT_FALSE(check_options(options).ok());
  options.connections = 17;
  EXPECT_TRUE(contains(check_options(options).message(), "expected 1 to 16"));
  options.connections = 4;
  options.proxy = "http://a\r\nX: y";
  EXPECT_FALSE(check_options(options).ok());
}

}  // namespace
}  // namespace vitalis::tests
