// SPDX-License-Identifier: Apache-2.0
#include "hub/fetch.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/problems.h"
#include "hub/repo.h"

namespace vitalis::hub {
namespace {

constexpr size_t kMostPieces = 16;  // of one request
constexpr size_t kLongestErrorBody = size_t{64} * 1024;
constexpr int kMostRedirects = 10;

}  // namespace

// A blob as the network sees it.
struct Fetcher::Remote {
  Blob* blob = nullptr;
  std::optional<Url> url;   // where the bytes are
  uint64_t generation = 0;  // of `url`
  bool is_resolving = false;
  bool is_sequential = false;  // the server does not know ranges
  bool is_single = false;      // one connection
  uint32_t failures = 0;       // in a row, without a byte gained
  int slots = 0;               // that are at it
};

// A connection's worth of work: a run of pieces of one blob, until all of them have landed.
struct Fetcher::Slot : Receiver {
  explicit Slot(Fetcher& fetcher) : owner(fetcher) {}

  enum class Doing { kNothing, kResolve, kFetch };
  Fetcher& owner;
  Exchange exchange;
  Remote* remote = nullptr;  // null: free
  Doing doing = Doing::kNothing;
  size_t first = 0, end = 0;        // pieces
  uint64_t position = 0, stop = 0;  // bytes
  Url url;                          // asked now
  uint64_t generation = 0;
  int redirects = 0;
  Clock::time_point not_before;
  bool with_token = false;  // was it sent
  bool takes_body = false;
  bool is_restart = false;  // a range was asked for, and the whole file comes
  size_t error_bytes = 0;
  uint64_t landed_before = 0;
  Status failure;         // found while the answer came
  bool is_final = false;  // and it does not get better

  bool on_head(const ResponseHead& head) override;
  bool on_body(std::span<const std::byte> bytes) override;
  bool is_ready() override { return owner.rate_limit_ == 0 || owner.allowance_ > 0; }

  bool refuse(Code code, bool final, std::string sentence) {
    failure = Status(code, std::move(sentence));
    is_final = final;
    return false;
  }
  const File& file() const { return remote->blob->file(); }
  bool wants_range() const { return position > 0 || stop < file().size; }
};

bool Fetcher::Slot::on_head(const ResponseHead& head) {
  if (doing != Doing::kFetch || (head.status != 200 && head.status != 206)) return true;
  const std::string_view encoding = head.field("content-encoding");
  if (!encoding.empty() && encoding != "identity") {
    return refuse(Code::kNetwork, true,
                  text(file().path, ": ", url.host, " sent it encoded as ", in_quotes(encoding),
                       ", though the plain bytes were asked for; a proxy between may do that"));
  }
  if (head.status == 206) {
    const auto range = parse_content_range(head.field("content-range"));
    const bool right = range && range->first == position && range->last + 1 == stop &&
                       range->total.value_or(file().size) == file().size;
    const auto length = parse_decimal(head.field("content-length"));
    if (!right || length.value_or(stop - position) != stop - position) {
      return refuse(
          Code::kNetwork, false,
          text(file().path, ": expected bytes ", position, '-', stop - 1, '/', file().size,
               " from ", url.host, ", found Content-Range ", in_quotes(head.field("content-range")),
               " of length ", in_quotes(head.field("content-length"))));
    }
    return takes_body = true;
  }
  const auto length = parse_decimal(head.field("content-length"));
  if (length && *length != file().size) {
    return refuse(Code::kIntegrity, false,
                  text(file().path, ": expected ", file().size, " bytes from ", url.host,
                       ", found ", *length));
  }
  if (wants_range()) {
    // Ranges are ignored: all of it comes, from the begin. What has landed is passed over.
    remote->is_sequential = is_restart = true;
    position = 0;
    stop = file().size;
  }
  return takes_body = true;
}

bool Fetcher::Slot::on_body(std::span<const std::byte> bytes) {
  if (!takes_body) {
    error_bytes += bytes.size();
    return error_bytes <= kLongestErrorBody;
  }
  owner.bytes_fetched_ += bytes.size();
  owner.allowance_ -= static_cast<double>(bytes.size());
  if (bytes.size() > stop - position) {
    return refuse(Code::kNetwork, false,
                  text(file().path, ": ", url.host, " sent more than the ", stop,
                       " bytes that were expected"));
  }
  if (Status status = remote->blob->write(bytes, position); !status.ok()) {
    failure = std::move(status);
    is_final = true;
    return false;
  }
  position += bytes.size();
  if (!remote->is_sequential || remote->blob->landed_bytes() > landed_before) remote->failures = 0;
  return true;
}

Fetcher::Fetcher(HttpClient& client, Endpoint& endpoint, const Options& options, std::string repo,
                 std::string commit)
    : client_(client),
      endpoint_(endpoint),
      options_(options),
      repo_(std::move(repo)),
      commit_(std::move(commit)),
      random_(static_cast<unsigned>(std::time(nullptr))),
      rate_limit_(options.rate_limit),
      refilled_(Clock::now()) {
  for (uint32_t i = 0; i < options.connections; ++i) {
    slots_.push_back(std::make_unique<Slot>(*this));
  }
}

Fetcher::~Fetcher() {
  stop();
}

void Fetcher::add(Blob* blob) {
  auto remote = std::make_unique<Remote>();
  remote->blob = blob;
  remotes_.push_back(std::move(remote));
}

void Fetcher::fetch_anew(Blob* blob) {
  for (const auto& remote : remotes_) {
    if (remote->blob != blob) continue;
    remote->url.reset();
    remote->is_single = true;
  }
}

void Fetcher::stop() {
  for (const auto& slot : slots_) {
    if (slot->exchange.is_running()) client_.drop(slot->exchange);
    if (slot->remote) release(*slot);
  }
}

bool Fetcher::is_done() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const auto& s) { return !s->remote; }) &&
         std::all_of(remotes_.begin(), remotes_.end(),
                     [](const auto& r) { return r->blob->unclaimed() == 0; });
}

uint32_t Fetcher::active() const {
  return static_cast<uint32_t>(std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) {
    return slot->exchange.is_running() && slot->takes_body;
  }));
}

std::string Fetcher::note() const {
  return Clock::now() < note_until_ ? note_ : "";
}

Asked Fetcher::asked(const Slot& slot) const {
  return {.what = text(repo_, " at ", commit_.substr(0, 7), ": ", slot.file().path),
          .url = slot.url,
          .page = endpoint_.page_of(repo_),
          .is_endpoint = slot.url.same_origin(endpoint_.url()),
          .with_token = slot.with_token};
}

void Fetcher::release(Slot& slot) {
  slot.remote->blob->give_back(slot.first, slot.end);
  if (slot.doing == Slot::Doing::kResolve) slot.remote->is_resolving = false;
  --slot.remote->slots;
  slot.remote = nullptr;
  slot.doing = Slot::Doing::kNothing;
  slot.takes_body = false;
}

bool Fetcher::claim(Slot& slot, Remote& remote, size_t most) {
  if (remote.is_sequential) most = remote.blob->unclaimed();
  if (!remote.blob->claim(most, slot.first, slot.end)) return false;
  const uint64_t size = remote.blob->file().size;
  slot.remote = &remote;
  slot.position = remote.is_sequential ? 0 : slot.first * kPieceBytes;
  slot.stop = remote.is_sequential ? size : std::min(slot.end * kPieceBytes, size);
  slot.not_before = {};
  ++remote.slots;
  return true;
}

// In order, so that the digest can follow what lands.
void Fetcher::assign() {
  size_t unclaimed = 0;
  for (const auto& remote : remotes_) unclaimed += remote->blob->unclaimed();
  if (unclaimed == 0) return;
  // Shorter towards the end, so that the connections end together.
  const size_t most = std::clamp<size_t>(unclaimed / (2 * slots_.size()), 1, kMostPieces);
  for (const auto& slot : slots_) {
    if (slot->remote) continue;
    for (const auto& remote : remotes_) {
      if (remote->slots > 0 && (remote->is_sequential || remote->is_single)) continue;
      if (claim(*slot, *remote, most)) break;
    }
  }
}

Status Fetcher::begin(Slot& slot) {
  const auto now = Clock::now();
  if (now < slot.not_before || now < not_before_) return {};
  if (slot.remote->url) return begin_fetch(slot);
  if (slot.remote->is_resolving) return {};  // another connection asks for the address
  slot.remote->is_resolving = true;
  slot.redirects = 0;
  slot.url = endpoint_.at(
      text('/', repo_, "/resolve/", commit_, '/', percent_encoded_path(slot.file().path)));
  return begin_resolve(slot);
}

Status Fetcher::begin_resolve(Slot& slot) {
  slot.doing = Slot::Doing::kResolve;
  slot.takes_body = false;
  slot.failure = {};
  slot.error_bytes = 0;
  const Token* token = endpoint_.token_for(slot.url);
  slot.with_token = token != nullptr;
  return client_.start(slot.exchange,
                       {.method = Request::Method::kHead, .url = slot.url, .token = token}, slot);
}

Status Fetcher::begin_fetch(Slot& slot) {
  slot.doing = Slot::Doing::kFetch;
  slot.url = *slot.remote->url;
  slot.generation = slot.remote->generation;
  slot.takes_body = slot.is_restart = slot.is_final = false;
  slot.error_bytes = 0;
  slot.failure = {};
  slot.landed_before = slot.remote->blob->landed_bytes();
  if (slot.remote->is_sequential) slot.position = 0;
  Request request{.url = slot.url, .token = endpoint_.token_for(slot.url)};
  slot.with_token = request.token != nullptr;
  if (slot.wants_range()) {
    request.first = slot.position;
    request.last = slot.stop - 1;
  }
  return client_.start(slot.exchange, request, slot);
}

// What the hub says of the file must be what it listed.
Status Fetcher::check_resolved(const Slot& slot) const {
  if (!slot.url.same_origin(endpoint_.url())) return {};
  const ResponseHead& head = slot.exchange.head();
  const File& file = slot.file();
  const std::string what = text(repo_, " at ", commit_.substr(0, 7), ": ", file.path);
  const std::string_view commit = head.field("x-repo-commit");
  if (is_commit(commit) && commit != commit_) {
    return error(Code::kIntegrity, what, ": the hub answered with commit ", commit);
  }
  const auto size = parse_decimal(head.field("x-linked-size"));
  if (size && *size != file.size) {
    return error(Code::kIntegrity, what, ": ", file.size, " bytes are listed, the hub has ", *size);
  }
  std::string_view etag = unquoted_etag(head.field("x-linked-etag"));
  if (etag.empty() && file.sha256.empty()) etag = unquoted_etag(head.field("etag"));
  if ((is_sha256(etag) || is_commit(etag)) && etag.size() == file.etag().size() &&
      etag != file.etag()) {
    return error(Code::kIntegrity, what, ": digest ", file.etag(), " is listed, the hub has ",
                 etag);
  }
  return {};
}

Status Fetcher::follow_redirect(Slot& slot) {
  if (++slot.redirects > kMostRedirects) {
    return error(Code::kNetwork, asked(slot).what, ": more than ", kMostRedirects,
                 " redirects, the last from ", shown(slot.url));
  }
  VITALIS_ASSIGN(slot.url, follow(slot.url, slot.exchange.head().field("location")));
  return {};
}

Status Fetcher::finish_resolve(Slot& slot) {
  Remote& remote = *slot.remote;
  if (!slot.exchange.status().ok()) {
    remote.is_resolving = false;
    return retry(slot, {.kind = slot.exchange.may_help_again() ? Verdict::Kind::kRetry
                                                               : Verdict::Kind::kFail,
                        .status = slot.exchange.status()});
  }
  const ResponseHead& head = slot.exchange.head();
  endpoint_.note_warnings(head);
  const Verdict verdict = judge(head, asked(slot), std::time(nullptr));
  if (verdict.kind == Verdict::Kind::kRedirect) {
    VITALIS_TRY(check_resolved(slot));
    VITALIS_TRY(follow_redirect(slot));
    // A signed address is for one GET: only the hub's own are asked on.
    if (slot.url.same_origin(endpoint_.url())) return begin_resolve(slot);
  } else if (verdict.kind == Verdict::Kind::kGood) {
    VITALIS_TRY(check_resolved(slot));
  } else {
    remote.is_resolving = false;
    return retry(slot, verdict);
  }
  remote.is_resolving = false;
  remote.url = slot.url;
  ++remote.generation;
  slot.doing = Slot::Doing::kNothing;
  return {};
}

Status Fetcher::finish_fetch(Slot& slot) {
  Remote& remote = *slot.remote;
  slot.doing = Slot::Doing::kNothing;
  const Exchange& exchange = slot.exchange;
  const bool is_whole = slot.takes_body && slot.position == slot.stop;
  if (!slot.failure.ok() && !is_whole) {
    return retry(slot, {.kind = slot.is_final ? Verdict::Kind::kFail : Verdict::Kind::kRetry,
                        .status = slot.failure});
  }
  if (is_whole) {  // what came beyond, or how it ended, does not matter: the digest does
    release(slot);
    return {};
  }
  if (!exchange.status().ok()) {
    return retry(slot,
                 {.kind = exchange.may_help_again() ? Verdict::Kind::kRetry : Verdict::Kind::kFail,
                  .status = exchange.status()});
  }
  if (slot.takes_body) {
    return retry(slot,
                 {.kind = Verdict::Kind::kRetry,
                  .status = error(Code::kNetwork, asked(slot).what, ": ", slot.url.host,
                                  " ended after ", slot.position, " of ", slot.stop, " bytes")});
  }
  if (exchange.head().status == 416) {
    // Bytes that are listed are not there: perhaps at another address.
    return retry(slot, {.kind = Verdict::Kind::kRenew,
                        .status = error(Code::kIntegrity, asked(slot).what, ": ", slot.url.host,
                                        " has no bytes ", slot.position, '-', slot.stop - 1)});
  }
  const Verdict verdict = judge(exchange.head(), asked(slot), std::time(nullptr));
  if (verdict.kind != Verdict::Kind::kRedirect) return retry(slot, verdict);
  VITALIS_TRY(follow_redirect(slot));
  if (slot.generation == remote.generation) {
    remote.url = slot.url;
    ++remote.generation;
  }
  return {};
}

// What to do about an answer that brought no bytes, or not all. A failure that is returned is
// final.
Status Fetcher::retry(Slot& slot, const Verdict& verdict) {
  Remote& remote = *slot.remote;
  slot.doing = Slot::Doing::kNothing;
  slot.takes_body = false;
  if (verdict.kind == Verdict::Kind::kFail) return verdict.status;
  if (verdict.kind == Verdict::Kind::kAnonymous) {
    endpoint_.drop_token();
    endpoint_.notice(verdict.status.message() + "; going on without it");
    return {};
  }
  if (remote.failures >= options_.retries) {
    return error(verdict.status.code(), verdict.status.message(), "; tried ", remote.failures + 1,
                 " times without progress");
  }
  const uint32_t failures = remote.failures++;
  if (verdict.kind == Verdict::Kind::kRenew) {
    if (slot.generation == remote.generation) remote.url.reset();
    if (failures == 0) return {};  // it has expired, as it must: a new one at once
  }
  double delay = verdict.delay;
  if (delay < 0) {
    const double spread = 0.8 + 0.4 * (static_cast<double>(random_() % 1000) / 1000);
    delay = options_.retry_delay_ms / 1000.0 * std::min(std::exp2(failures), 8.0) * spread;
  }
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(delay));
  slot.not_before = until;
  if (verdict.delay >= 0) not_before_ = std::max(not_before_, until);
  note_ = text(verdict.status.message(), "; trying again in ",
               static_cast<int64_t>(std::ceil(delay)), " s");
  note_until_ = until;
  return {};
}

void Fetcher::drop_others_of(const Slot& slot) {
  for (const auto& other : slots_) {
    if (other.get() == &slot || other->remote != slot.remote) continue;
    if (other->exchange.is_running()) client_.drop(other->exchange);
    release(*other);
  }
}

Status Fetcher::finish(Slot& slot) {
  return slot.doing == Slot::Doing::kResolve ? finish_resolve(slot) : finish_fetch(slot);
}

void Fetcher::refill() {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  refilled_ = now;
  const auto rate = static_cast<double>(rate_limit_);
  allowance_ = std::min(allowance_ + rate * seconds, std::max(rate / 4, 16384.0));
}

Status Fetcher::step(int milliseconds, bool held) {
  constexpr int kTick = 10;
  refill();
  held |= rate_limit_ != 0 && allowance_ <= 0;
  if (!held) assign();
  bool waits = held;
  for (const auto& slot : slots_) {
    if (!slot->remote) continue;
    if (!slot->exchange.is_running() && !held) {
      VITALIS_TRY(begin(*slot));
      waits |= !slot->exchange.is_running();
    }
    client_.hold(slot->exchange, held);
  }
  const auto ended = client_.poll(waits ? std::min(milliseconds, kTick) : milliseconds);
  for (const auto& slot : slots_) {
    if (slot->is_restart && slot->remote && slot->exchange.is_running()) {
      slot->is_restart = false;
      drop_others_of(*slot);
    }
  }
  for (const auto& slot : slots_) {
    if (!slot->remote) continue;
    if (std::find(ended.begin(), ended.end(), &slot->exchange) == ended.end()) continue;
    VITALIS_TRY(finish(*slot));
  }
  return {};
}

}  // namespace vitalis::hub
