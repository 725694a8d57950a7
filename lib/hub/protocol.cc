// SPDX-License-Identifier: Apache-2.0
#include "hub/protocol.h"

#include <algorithm>
#include <charconv>
#include <curl/curl.h>

#include "base/problems.h"

namespace vitalis::hub {
namespace {

constexpr size_t kMostFields = 200;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// The number after `name=` among the parameters of a RateLimit field.
std::optional<uint64_t> parameter(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    const size_t end = std::min(field.find_first_of(";,"), field.size());
    const std::string_view item = trimmed(field.substr(0, end));
    field.remove_prefix(std::min(end + 1, field.size()));
    if (item.starts_with(name) && item.substr(name.size()).starts_with('=')) {
      return parse_decimal(item.substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

// What the server says for people, and by which name it will know the request again.
std::string details(const ResponseHead& head) {
  std::string out = text(" (HTTP ", head.status);
  if (const auto message = head.field("x-error-message"); !message.empty()) {
    out += ": " + excerpt(message);
  }
  if (const auto id = head.field("x-request-id"); !id.empty()) out += ", request " + excerpt(id);
  return out + ')';
}

Verdict fail(Code code, std::string sentence) {
  return {.kind = Verdict::Kind::kFail, .status = Status(code, std::move(sentence))};
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_passing(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
         status == 503 || status == 504;
}

Verdict not_seen(const ResponseHead& head, const Asked& asked) {
  return fail(Code::kNotFound,
              text(asked.what, ": ", asked.url.host, " knows no such repository, or it is private ",
                   asked.with_token ? "and the account of this token may not see it"
                                    : "and nobody is signed in",
                   details(head)));
}

Verdict judge_refusal(const ResponseHead& head, const Asked& asked) {
  const std::string_view code = head.field("x-error-code");
  const std::string message = lowered(head.field("x-error-message"));
  if (code == "GatedRepo") {
    return fail(Code::kDenied,
                text(asked.what, ": its owner asks for agreement first: ",
                     head.status == 401 ? "sign in, and accept its terms at "
                                        : "this account has not been let in; accept its terms at ",
                     asked.page, details(head)));
  }
  if (code == "RevisionNotFound") {
    return fail(Code::kNotFound,
                text(asked.what, ": there is no such branch, tag or commit", details(head)));
  }
  if (code == "EntryNotFound") {
    return fail(Code::kNotFound, text(asked.what, ": there is no such file", details(head)));
  }
  if (head.status == 401 && message.find("credentials") != message.npos) {
    const Status status = error(
        Code::kDenied, asked.what, ": ", asked.url.host,
        " does not know this token: it is wrong, or has expired or been revoked", details(head));
    return {.kind = asked.with_token ? Verdict::Kind::kAnonymous : Verdict::Kind::kFail,
            .status = status};
  }
  if (message.find("access to this resource is disabled") != message.npos) {
    return fail(Code::kDenied, text(asked.what, ": has been taken down", details(head)));
  }
  if (code == "RepoNotFound" || head.status == 401 || head.status == 404) {
    return not_seen(head, asked);
  }
  return fail(Code::kDenied,
              text(asked.what, ": ", asked.url.host, " refuses it",
                   asked.with_token ? "; the token may lack the permission to read it" : "",
                   details(head)));
}

}  // namespace

void ResponseHead::add_line(std::string_view line) {
  line = trimmed(line);
  if (line.starts_with("HTTP/")) {
    *this = {};
    const size_t space = line.find(' ');
    if (space != line.npos)
      status = static_cast<int>(parse_decimal(line.substr(space + 1, 3)).value_or(0));
    return;
  }
  const size_t colon = line.find(':');
  if (colon == line.npos || colon == 0 || fields.size() >= kMostFields) return;
  fields.emplace_back(lowered(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
}

std::string_view ResponseHead::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

std::optional<uint64_t> parse_decimal(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (text.empty() || failure != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::optional<ContentRange> parse_content_range(std::string_view field) {
  if (!lowered(field.substr(0, 6)).starts_with("bytes ")) return std::nullopt;
  field = trimmed(field.substr(6));
  const size_t dash = field.find('-');
  const size_t slash = field.find('/');
  if (dash == field.npos || slash == field.npos || dash > slash) return std::nullopt;
  const auto first = parse_decimal(trimmed(field.substr(0, dash)));
  const auto last = parse_decimal(trimmed(field.substr(dash + 1, slash - dash - 1)));
  const std::string_view total = trimmed(field.substr(slash + 1));
  ContentRange range;
  if (!first || !last || *first > *last) return std::nullopt;
  range.first = *first;
  range.last = *last;
  if (total != "*") {
    range.total = parse_decimal(total);
    if (!range.total || *range.total <= range.last) return std::nullopt;
  }
  return range;
}

std::string next_link(std::string_view field) {
  while (true) {
    const size_t open = field.find('<');
    const size_t close = open == field.npos ? field.npos : field.find('>', open);
    if (close == field.npos) return {};
    const std::string_view address = field.substr(open + 1, close - open - 1);
    field.remove_prefix(close + 1);
    const std::string parameters =
        lowered(field.substr(0, std::min(field.find('<'), field.size())));
    if (parameters.find("rel=\"next\"") != parameters.npos ||
        parameters.find("rel=next") != parameters.npos) {
      return std::string(address);
    }
  }
}

std::string_view unquoted_etag(std::string_view field) {
  if (field.starts_with("W/")) field.remove_prefix(2);
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
    field = field.substr(1, field.size() - 2);
  }
  return field;
}

std::optional<double> told_delay(const ResponseHead& head, int64_t now) {
  constexpr double kLongest = 24 * 3600;
  const std::string_view limit = head.field("ratelimit");
  const auto left = parameter(limit, "r");
  const auto reset = parameter(limit, "t");
  if (left && *left == 0 && reset) {
    return std::min(static_cast<double>(*reset) + 1, kLongest);
  }
  const std::string_view after = head.field("retry-after");
  if (after.empty()) return std::nullopt;
  if (const auto seconds = parse_decimal(after)) {
    return std::min(static_cast<double>(*seconds), kLongest);
  }
  const time_t date = curl_getdate(std::string(after).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::clamp(static_cast<double>(date - now), 0.0, kLongest);
}

Verdict judge(const ResponseHead& head, const Asked& asked, int64_t now) {
  if (head.status == 200 || head.status == 206) return {};
  if (is_redirect(head.status)) {
    if (!head.field("location").empty()) return {.kind = Verdict::Kind::kRedirect};
    return fail(Code::kNetwork, text(asked.what, ": ", shown(asked.url),
                                     " leads elsewhere, but does not say where", details(head)));
  }
  if (is_passing(head.status)) {
    return {.kind = Verdict::Kind::kRetry,
            .delay = told_delay(head, now).value_or(-1),
            .status = error(Code::kNetwork, asked.what, ": ", asked.url.host,
                            head.status == 429 ? " asks to slow down" : " can't answer now",
                            details(head))};
  }
  if (!asked.is_endpoint && (head.status == 401 || head.status == 403)) {
    return {.kind = Verdict::Kind::kRenew,
            .status = error(Code::kNetwork, asked.what, ": ", asked.url.host,
                            " refuses the signed address of its content", details(head))};
  }
  if (asked.is_endpoint && (head.status == 401 || head.status == 403 || head.status == 404)) {
    return judge_refusal(head, asked);
  }
  return fail(Code::kNetwork, text(asked.what, ": ", shown(asked.url),
                                   " gave an answer that was not expected", details(head)));
}

Result<Endpoint> Endpoint::create(const Options& options) {
  VITALIS_TRY(check_options(options));
  std::string_view base = options.endpoint;
  while (base.ends_with('/')) base.remove_suffix(1);
  VITALIS_ASSIGN(Url url, parse_url(base));
  while (url.text.ends_with('/')) url.text.pop_back();
  Endpoint endpoint(std::move(url));
  endpoint.token_ = options.token;
  return endpoint;
}

Url Endpoint::at(std::string_view path_and_query) const {
  Url url = url_;
  url.text += path_and_query;
  return url;
}

std::string Endpoint::page_of(std::string_view repo) const {
  return text(url_.text, '/', repo);
}

const Token* Endpoint::token_for(const Url& url) const {
  return token_ && url.same_origin(url_) ? &*token_ : nullptr;
}

void Endpoint::drop_token() {
  token_.reset();
}

void Endpoint::notice(const std::string& sentence) {
  if (std::find(told_.begin(), told_.end(), sentence) == told_.end()) told_.push_back(sentence);
}

void Endpoint::note_warnings(const ResponseHead& head) {
  // "topic; text": each topic once, and told_ drops equal sentences.
  const std::string_view warning = head.field("x-hf-warning");
  if (warning.empty()) return;
  const size_t semicolon = warning.find(';');
  const std::string_view topic =
      semicolon == warning.npos ? "" : trimmed(warning.substr(0, semicolon));
  const std::string prefix = text(url_.host, " warns", topic.empty() ? "" : " of ", excerpt(topic));
  for (const std::string& earlier : told_) {
    if (!topic.empty() && earlier.starts_with(prefix + ':')) return;
  }
  const std::string_view sentence =
      semicolon == warning.npos ? warning : trimmed(warning.substr(semicolon + 1));
  notice(text(prefix, ": ", excerpt(sentence)));
}

std::vector<std::string> Endpoint::take_notices() {
  std::vector<std::string> out(told_.begin() + static_cast<ptrdiff_t>(taken_), told_.end());
  taken_ = told_.size();
  return out;
}

}  // namespace vitalis::hub
