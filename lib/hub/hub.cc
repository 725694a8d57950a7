// SPDX-License-Identifier: Apache-2.0
#include "hub/hub.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>

#include "base/problems.h"
#include "hub/http.h"
#include "hub/json_text.h"
#include "hub/protocol.h"

namespace vitalis::hub {
namespace {

namespace dom = simdjson::dom;
using Clock = std::chrono::steady_clock;

constexpr size_t kLargestAnswer = 64 << 20;
constexpr uint32_t kTimeLimit = 120;  // seconds for one answer
constexpr double kLongestWait = 60;   // seconds; whoever calls is blocked
constexpr int kMostRedirects = 10;
constexpr int kMostPages = 1000;
constexpr int kTickMs = 50;

// An answer in memory.
class Collector : public Receiver {
 public:
  bool on_head(const ResponseHead&) override { return true; }
  bool on_body(std::span<const std::byte> bytes) override {
    if (body.size() + bytes.size() > kLargestAnswer) {
      is_too_large = true;
      return false;
    }
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }
  std::string body;
  bool is_too_large = false;
};

struct Answer {
  ResponseHead head;
  std::string body;
};

std::string form_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [key, value] : fields) {
    if (!out.empty()) out += '&';
    out += text(key, '=', percent_encoded(value));
  }
  return out;
}

std::string subject(const std::string& repo, const std::string& revision) {
  return text(repo, " at ", excerpt(revision));
}

Result<Branches> parse_branches(std::string_view json, std::string_view what) {
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(json, what));
  Branches out;
  for (auto [key, list] : {std::pair{"branches", &out.branches}, {"tags", &out.tags}}) {
    dom::array items;
    if (document.root().at_key(key).get(items)) continue;
    for (const dom::element element : items) {
      dom::object item;
      if (element.get(item)) return error(Code::kMalformed, what, ": a branch that is no object");
      Branches::Ref ref;
      VITALIS_ASSIGN(ref.name, string_member(item, "name", what));
      VITALIS_ASSIGN(ref.commit, string_member(item, "targetCommit", what));
      list->push_back(std::move(ref));
    }
  }
  return out;
}

Result<Identity> parse_identity(std::string_view json, std::string_view what) {
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(json, what));
  const dom::object root = document.root();
  Identity out;
  VITALIS_ASSIGN(out.name, string_member(root, "name", what));
  VITALIS_ASSIGN(out.full_name, optional_string(root, "fullname", what));
  VITALIS_ASSIGN(out.email, optional_string(root, "email", what));
  dom::array organisations;
  if (!root.at_key("orgs").get(organisations)) {
    for (const dom::element element : organisations) {
      dom::object item;
      if (element.get(item)) continue;
      VITALIS_ASSIGN(std::string name, string_member(item, "name", what));
      out.organisations.push_back(std::move(name));
    }
  }
  dom::object auth, token;
  if (!root.at_key("auth").get(auth) && !auth.at_key("accessToken").get(token)) {
    VITALIS_ASSIGN(out.token_name, optional_string(token, "displayName", what));
    VITALIS_ASSIGN(out.role, optional_string(token, "role", what));
  }
  return out;
}

}  // namespace

struct Hub::State {
  Options options;
  Endpoint endpoint;
  std::unique_ptr<HttpClient> client;
  std::atomic<bool> is_cancelled{false};

  explicit State(Endpoint hub) : endpoint(std::move(hub)) {}

  Status wait(double seconds) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (!is_cancelled && Clock::now() < end) client->poll(kTickMs);
    return cancelled();
  }

  Status cancelled() const { return is_cancelled ? error(Code::kNetwork, "cancelled") : Status(); }

  // One request and its whole answer, whatever it says.
  Status exchange(const Request& request, Collector& collector, ResponseHead& head,
                  bool& may_help_again) {
    Exchange exchange;
    VITALIS_TRY(client->start(exchange, request, collector));
    while (exchange.is_running()) {
      if (is_cancelled) {
        client->drop(exchange);
        return cancelled();
      }
      client->poll(kTickMs);
    }
    head = exchange.head();
    may_help_again = exchange.may_help_again();
    if (collector.is_too_large) {
      return error(Code::kMalformed, request.url.host, ": an answer of more than ", kLargestAnswer,
                   " bytes");
    }
    return exchange.status();
  }

  // Follows redirects and tries again as the protocol says.
  Result<Answer> call(Request request, const std::string& what, const std::string& repo,
                      bool any_status = false) {
    if (options.offline) {
      return error(Code::kNetwork, what, ": offline mode is on, and this needs ",
                   endpoint.url().host);
    }
    VITALIS_TRY(cancelled());
    request.decode = true;
    request.time_limit = kTimeLimit;
    double backoff = options.retry_delay_ms / 1000.0;
    int redirects = 0;
    for (uint32_t failures = 0;;) {
      request.token = endpoint.token_for(request.url);
      Collector collector;
      ResponseHead head;
      bool may_help_again = false;
      const Status sent = exchange(request, collector, head, may_help_again);
      Verdict verdict;
      if (!sent.ok()) {
        if (!may_help_again) return error(sent.code(), what, ": ", sent.message());
        verdict = {.kind = Verdict::Kind::kRetry,
                   .status = error(Code::kNetwork, what, ": ", sent.message())};
      } else {
        endpoint.note_warnings(head);
        if (any_status && head.status >= 400 && head.status < 429) {
          return Answer{std::move(head), std::move(collector.body)};
        }
        verdict = judge(head,
                        {.what = what,
                         .url = request.url,
                         .page = endpoint.page_of(repo),
                         .is_endpoint = request.url.same_origin(endpoint.url()),
                         .with_token = request.token != nullptr},
                        std::time(nullptr));
      }
      switch (verdict.kind) {
        case Verdict::Kind::kGood:
          return Answer{std::move(head), std::move(collector.body)};
        case Verdict::Kind::kRedirect: {
          if (++redirects > kMostRedirects) {
            return error(Code::kNetwork, what, ": more than ", kMostRedirects,
                         " redirects, the last from ", shown(request.url));
          }
          VITALIS_ASSIGN(const Url target, follow(request.url, head.field("location")));
          if (request.method == Request::Method::kPost && !target.same_origin(request.url)) {
            return error(Code::kNetwork, what, ": ", shown(request.url), " leads to ",
                         shown(target), ", where a form with a secret is not sent");
          }
          request.url = target;
          break;
        }
        case Verdict::Kind::kAnonymous:
          // It may be a public model, for which no token is needed at all.
          endpoint.drop_token();
          endpoint.notice(verdict.status.message() + "; going on without it");
          break;
        case Verdict::Kind::kRetry: {
          if (failures++ >= options.retries) return verdict.status;
          const double delay = verdict.delay >= 0 ? verdict.delay : backoff;
          if (delay > kLongestWait) {
            return error(Code::kNetwork, verdict.status.message(), "; it asks to wait ",
                         static_cast<int64_t>(delay), " seconds");
          }
          backoff = std::min(backoff * 2, options.retry_delay_ms * 8 / 1000.0);
          VITALIS_TRY(wait(delay));
          break;
        }
        case Verdict::Kind::kRenew:
        case Verdict::Kind::kFail:
          return verdict.status;
      }
    }
  }

  Request get(const std::string& path) const { return {.url = endpoint.at(path)}; }
  Request post(const std::string& path, std::string form) const {
    return {.method = Request::Method::kPost, .url = endpoint.at(path), .form = std::move(form)};
  }
};

Hub::Hub(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hub::Hub(Hub&& other) noexcept = default;
Hub& Hub::operator=(Hub&& other) noexcept = default;
Hub::~Hub() = default;

Result<Hub> Hub::create(Options options) {
  VITALIS_ASSIGN(Endpoint endpoint, Endpoint::create(options));
  auto state = std::make_unique<State>(std::move(endpoint));
  VITALIS_ASSIGN(state->client, HttpClient::create(options));
  state->options = std::move(options);
  return Hub(std::move(state));
}

const Options& Hub::options() const {
  return state_->options;
}

Result<Identity> Hub::whoami() {
  const std::string what = "signing in";
  if (!state_->endpoint.has_token()) return error(Code::kDenied, "nobody is signed in: no token");
  VITALIS_ASSIGN(const Answer answer, state_->call(state_->get("/api/whoami-v2"), what, "", true));
  if (answer.head.status == 401 || answer.head.status == 403) {
    return error(Code::kDenied, state_->endpoint.url().host,
                 " does not know this token: it is wrong, or has expired or been revoked (HTTP ",
                 answer.head.status, ")");
  }
  if (answer.head.status != 200) {
    return error(Code::kNetwork, what, ": ", state_->endpoint.url().host,
                 " gave an answer that was not expected (HTTP ", answer.head.status, ")");
  }
  return parse_identity(answer.body, "the answer of whoami");
}

Result<RepoInfo> Hub::freeze(const std::string& repo, const std::string& revision) {
  VITALIS_TRY(check_repo_id(repo));
  VITALIS_TRY(check_revision(revision));
  const std::string what = subject(repo, revision);
  const std::string path = text("/api/models/", repo, "/revision/", percent_encoded(revision));
  auto answer = state_->call(state_->get(path), what, repo);
  if (!answer.ok()) {
    const Status& status = answer.status();
    if (status.message().find("no such branch") == std::string::npos) return status;
    const auto known = branches(repo);
    if (!known.ok()) return status;
    std::string names;
    for (const auto* list : {&known->branches, &known->tags}) {
      for (const Branches::Ref& ref : *list) {
        names += (names.empty() ? "" : ", ") + excerpt(ref.name);
        if (names.size() > 400) break;
      }
    }
    return error(status.code(), status.message(), "; there are ", names.empty() ? "none" : names);
  }
  VITALIS_ASSIGN(RepoInfo info, parse_repo_info(answer->body, text("the description of ", repo)));
  if (info.is_disabled) return error(Code::kDenied, what, ": has been taken down");
  if (is_commit(revision) && info.commit != revision) {
    return error(Code::kIntegrity, what, ": the hub answered with commit ", info.commit);
  }
  if (info.repo != repo) {
    state_->endpoint.notice(text(repo, " is now called ", info.repo));
  }
  return info;
}

Result<Listing> Hub::list(const RepoInfo& info, const std::string& revision) {
  Listing listing{.repo = info.repo,
                  .revision = revision,
                  .commit = info.commit,
                  .is_private = info.is_private,
                  .is_gated = info.is_gated};
  const std::string what = text("the listing of ", info.repo);
  Request request = state_->get(
      text("/api/models/", info.repo, "/tree/", info.commit, "?recursive=true&expand=false"));
  for (int page = 0; page < kMostPages; ++page) {
    VITALIS_ASSIGN(const Answer answer,
                   state_->call(request, subject(info.repo, revision), info.repo));
    VITALIS_TRY(parse_tree_page(answer.body, what, listing.files));
    const std::string next = next_link(answer.head.field("link"));
    if (next.empty()) {
      VITALIS_TRY(finish_listing(listing));
      return listing;
    }
    VITALIS_ASSIGN(request.url, follow(request.url, next));
  }
  return error(Code::kMalformed, what, ": more than ", kMostPages, " pages");
}

Result<Listing> Hub::list(const RepoRef& ref) {
  VITALIS_ASSIGN(const RepoInfo info, freeze(ref.id, ref.revision));
  return list(info, ref.revision);
}

Result<Branches> Hub::branches(const std::string& repo) {
  VITALIS_TRY(check_repo_id(repo));
  VITALIS_ASSIGN(const Answer answer,
                 state_->call(state_->get(text("/api/models/", repo, "/refs")), repo, repo));
  return parse_branches(answer.body, text("the branches of ", repo));
}

Result<DeviceCode> Hub::begin_device_login(const std::string& client_id, const std::string& scope) {
  if (client_id.empty()) {
    return error(Code::kInvalidArgument,
                 "signing in by a code needs the client id of a registered application");
  }
  const std::string what = "signing in by a code";
  VITALIS_ASSIGN(const Answer answer,
                 state_->call(state_->post("/oauth/device",
                                           form_of({{"client_id", client_id}, {"scope", scope}})),
                              what, "", true));
  if (answer.head.status != 200) {
    return error(Code::kDenied, what, ": ", state_->endpoint.url().host, " refuses it (HTTP ",
                 answer.head.status, ")");
  }
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(answer.body, what));
  const dom::object root = document.root();
  DeviceCode code;
  VITALIS_ASSIGN(code.device_code, string_member(root, "device_code", what));
  VITALIS_ASSIGN(code.user_code, string_member(root, "user_code", what));
  VITALIS_ASSIGN(code.verification_uri, string_member(root, "verification_uri", what));
  VITALIS_ASSIGN(code.verification_uri_complete,
                 optional_string(root, "verification_uri_complete", what));
  code.interval =
      static_cast<uint32_t>(std::clamp<int64_t>(integer_or_zero(root, "interval"), 1, 60));
  code.expires_in =
      static_cast<uint32_t>(std::clamp<int64_t>(integer_or_zero(root, "expires_in"), 0, 86400));
  return code;
}

Result<std::optional<OAuthTokens>> Hub::poll_device_login(const std::string& client_id,
                                                          DeviceCode& code) {
  const std::string what = "signing in by a code";
  VITALIS_ASSIGN(
      const Answer answer,
      state_->call(
          state_->post("/oauth/token",
                       form_of({{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                                {"device_code", code.device_code},
                                {"client_id", client_id}})),
          what, "", true));
  VITALIS_ASSIGN(const auto document, formats::JsonDocument::parse(answer.body, what));
  const dom::object root = document.root();
  if (answer.head.status == 200) {
    VITALIS_ASSIGN(const std::string access, string_member(root, "access_token", what));
    VITALIS_ASSIGN(Token token, Token::parse(access));
    OAuthTokens tokens{.access = std::move(token)};
    VITALIS_ASSIGN(tokens.refresh, optional_string(root, "refresh_token", what));
    const int64_t lifetime = integer_or_zero(root, "expires_in");
    if (lifetime > 0) tokens.expires_at = std::time(nullptr) + lifetime;
    return std::optional<OAuthTokens>(std::move(tokens));
  }
  VITALIS_ASSIGN(const std::string reason, optional_string(root, "error", what));
  if (reason == "authorization_pending") return std::optional<OAuthTokens>();
  if (reason == "slow_down") {
    code.interval += 5;
    return std::optional<OAuthTokens>();
  }
  if (reason == "expired_token") {
    return error(Code::kDenied, what, ": the code has expired; begin again");
  }
  if (reason == "access_denied") return error(Code::kDenied, what, ": it was refused");
  return error(Code::kDenied, what, ": ", state_->endpoint.url().host,
               " refuses it: ", excerpt(reason));
}

std::vector<std::string> Hub::take_notices() {
  return state_->endpoint.take_notices();
}

void Hub::cancel() {
  state_->is_cancelled = true;
  state_->client->wake();
}

}  // namespace vitalis::hub
