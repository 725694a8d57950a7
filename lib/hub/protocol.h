// SPDX-License-Identifier: Apache-2.0
// What the hub's answers mean: heads of responses, and the verdict over each. No I/O, so that every
// row of the protocol can be tested by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "hub/options.h"
#include "hub/url.h"

namespace vitalis::hub {

struct ResponseHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case

  // Takes one line as it comes, with its line break. A status line begins anew.
  void add_line(std::string_view line);
  // The first of that name; empty if there is none.
  std::string_view field(std::string_view name) const;
};

struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;
  std::optional<uint64_t> total;
};
std::optional<ContentRange> parse_content_range(std::string_view field);  // "bytes 0-9/100"
std::optional<uint64_t> parse_decimal(std::string_view text);
// The address of rel="next" in a Link field; empty if there is none.
std::string next_link(std::string_view field);
// "W/"abc"" -> "abc".
std::string_view unquoted_etag(std::string_view field);

// How many seconds the server asks to wait: Retry-After in seconds or as a date, or t of a
// RateLimit field whose r is 0.
std::optional<double> told_delay(const ResponseHead& head, int64_t now);

// What a response is the answer to.
struct Asked {
  std::string what;  // for sentences: "openai/gpt-oss-20b at main"
  Url url;
  std::string page;         // the model's page at the hub, for people
  bool is_endpoint = true;  // the hub itself, not a host that it sent us to
  bool with_token = false;
};

struct Verdict {
  enum class Kind {
    kGood,       // 200, 206
    kRedirect,   // to the field "location"
    kRetry,      // later
    kAnonymous,  // the token is not known: once again without
    kRenew,      // a signed address has expired
    kFail,
  };
  Kind kind = Kind::kGood;
  double delay = -1;  // kRetry: seconds as told; negative: not told
  Status status;      // kFail, and of the others what to say when it does not get better
};
Verdict judge(const ResponseHead& head, const Asked& asked, int64_t now);

// The hub as the options describe it. Not for use by two threads at once.
class Endpoint {
 public:
  static Result<Endpoint> create(const Options& options);

  const Url& url() const { return url_; }
  // The address of `path_and_query`, which begins with '/'.
  Url at(std::string_view path_and_query) const;
  std::string page_of(std::string_view repo) const;
  // The token, if that address may have it; null otherwise.
  const Token* token_for(const Url& url) const;
  bool has_token() const { return token_.has_value(); }

  // The hub does not know the token: from now on there is none.
  void drop_token();
  // Kept until taken, each once.
  void notice(const std::string& sentence);
  // X-HF-Warning, and what else of a head is for people.
  void note_warnings(const ResponseHead& head);
  std::vector<std::string> take_notices();

 private:
  explicit Endpoint(Url url) : url_(std::move(url)) {}
  Url url_;
  std::optional<Token> token_;
  std::vector<std::string> told_;
  size_t taken_ = 0;
};

}  // namespace vitalis::hub
