// SPDX-License-Identifier: Apache-2.0
#include "hub/http.h"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <curl/curl.h>
#include <mutex>

#include "base/problems.h"

namespace vitalis::hub {
namespace {

constexpr long kSlowest = 100;              // bytes per second, over the stall timeout
constexpr long kBufferBytes = 256L * 1024;  // of one connection
constexpr long kMostConnections = 32;       // kept open in all

// libcurl's own state for the process. Safe to call from several threads since 7.84, and counted.
CURLcode prepare_curl() {
  static std::once_flag once;
  static CURLcode code = CURLE_FAILED_INIT;
  std::call_once(once, [] { code = curl_global_init(CURL_GLOBAL_DEFAULT); });
  return code;
}

// Keeps SIGPIPE, which writing to a closed connection raises, from a host that does not expect it:
// blocked in this thread meanwhile, and what came is taken off.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeGuard() {
    const timespec now = {};
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &now) > 0) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

bool passes(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_AGAIN:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Exchange::State {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  Receiver* receiver = nullptr;
  ResponseHead head;
  Status status;
  std::string host;
  bool is_running = false;
  bool is_held = false;
  bool was_stopped = false;
  bool may_help_again = false;
  char reason[CURL_ERROR_SIZE] = "";

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }

  void end(CURLcode code) {
    is_running = false;
    status = {};
    may_help_again = false;
    if (code == CURLE_OK || was_stopped) return;
    may_help_again = passes(code);
    const std::string_view detail = reason[0] != '\0' ? reason : curl_easy_strerror(code);
    status = error(Code::kNetwork, host, ": ", excerpt(detail));
  }

  static size_t on_header(char* data, size_t, size_t size, void* self) {
    auto& state = *static_cast<State*>(self);
    const std::string_view line(data, size);
    if (line != "\r\n" && line != "\n") {
      state.head.add_line(line);
      return size;
    }
    if (state.head.status < 200) return size;  // more is to come
    if (state.receiver->on_head(state.head)) return size;
    state.was_stopped = true;
    return 0;
  }

  static size_t on_write(char* data, size_t, size_t size, void* self) {
    auto& state = *static_cast<State*>(self);
    if (!state.receiver->is_ready()) {
      state.is_held = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    if (state.receiver->on_body({reinterpret_cast<const std::byte*>(data), size})) return size;
    state.was_stopped = true;
    return 0;
  }
};

Exchange::Exchange() : state_(std::make_unique<State>()) {}
Exchange::~Exchange() = default;

bool Exchange::is_running() const {
  return state_->is_running;
}
const ResponseHead& Exchange::head() const {
  return state_->head;
}
const Status& Exchange::status() const {
  return state_->status;
}
bool Exchange::was_stopped() const {
  return state_->was_stopped;
}
bool Exchange::may_help_again() const {
  return state_->may_help_again;
}

struct HttpClient::State {
  CURLM* multi = nullptr;
  Options options;
  std::string user_agent;
  std::vector<Exchange*> ended;
};

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpClient::~HttpClient() {
  const SigpipeGuard guard;
  curl_multi_cleanup(state_->multi);
}

Result<std::unique_ptr<HttpClient>> HttpClient::create(const Options& options) {
  VITALIS_TRY(check_options(options));
  if (const CURLcode code = prepare_curl(); code != CURLE_OK) {
    return error(Code::kInternal,
                 "libcurl can't start: ", std::string_view(curl_easy_strerror(code)));
  }
  auto state = std::make_unique<State>();
  state->multi = curl_multi_init();
  if (!state->multi) return error(Code::kOutOfMemory, "no memory for libcurl");
  curl_multi_setopt(state->multi, CURLMOPT_MAXCONNECTS, kMostConnections);
  state->options = options;
  state->user_agent = "vitalis/" VITALIS_VERSION;
  if (!options.user_agent.empty()) state->user_agent += ' ' + options.user_agent;
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(state)));
}

Status HttpClient::start(Exchange& exchange, const Request& request, Receiver& receiver) {
  Exchange::State& state = *exchange.state_;
  const Options& options = state_->options;
  if (!state.easy) state.easy = curl_easy_init();
  if (!state.easy) return error(Code::kOutOfMemory, "no memory for libcurl");
  CURL* const easy = state.easy;
  curl_easy_reset(easy);
  curl_slist_free_all(state.headers);
  state.headers = nullptr;
  state.receiver = &receiver;
  state.head = {};
  state.status = {};
  state.host = request.url.host;
  state.was_stopped = state.is_held = false;
  state.reason[0] = '\0';

  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good &= curl_easy_setopt(easy, option, value) == CURLE_OK;
  };
  const bool is_plain = request.url.scheme == "http";  // parse_url allows it on this machine alone
  set(CURLOPT_URL, request.url.text.c_str());
  set(CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION,
      static_cast<long>(CURL_HTTP_VERSION_1_1));  // ranges on connections of their own
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, state_->user_agent.c_str());
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout));
  set(CURLOPT_LOW_SPEED_LIMIT, kSlowest);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout));
  set(CURLOPT_TIMEOUT, static_cast<long>(request.time_limit));
  // Set even when empty: libcurl would look into the environment otherwise.
  set(CURLOPT_PROXY, is_plain ? "" : options.proxy.c_str());
  set(CURLOPT_NOPROXY, options.no_proxy.c_str());
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.ca_dir.empty()) set(CURLOPT_CAPATH, options.ca_dir.c_str());
  if (request.token) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    set(CURLOPT_XOAUTH2_BEARER, request.token->reveal().c_str());
  }
  if (request.decode) {
    set(CURLOPT_ACCEPT_ENCODING, "");
  } else {
    state.headers = curl_slist_append(nullptr, "Accept-Encoding: identity");
    set(CURLOPT_HTTPHEADER, state.headers);
  }
  if (request.method == Request::Method::kHead) set(CURLOPT_NOBODY, 1L);
  if (request.method == Request::Method::kPost) {
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.form.size()));
    set(CURLOPT_COPYPOSTFIELDS, request.form.c_str());
  }
  if (request.first) {
    set(CURLOPT_RANGE, text(*request.first, '-', request.last).c_str());
  }
  set(CURLOPT_ERRORBUFFER, state.reason);
  set(CURLOPT_PRIVATE, &exchange);
  set(CURLOPT_HEADERFUNCTION, &Exchange::State::on_header);
  set(CURLOPT_HEADERDATA, &state);
  set(CURLOPT_WRITEFUNCTION, &Exchange::State::on_write);
  set(CURLOPT_WRITEDATA, &state);
  if (!good) return error(Code::kInternal, "libcurl refuses the options for ", shown(request.url));
  if (curl_multi_add_handle(state_->multi, easy) != CURLM_OK) {
    return error(Code::kInternal, "libcurl refuses the request for ", shown(request.url));
  }
  state.is_running = true;
  return {};
}

void HttpClient::drop(Exchange& exchange) {
  const SigpipeGuard guard;
  if (exchange.state_->easy) curl_multi_remove_handle(state_->multi, exchange.state_->easy);
  exchange.state_->is_running = false;
}

void HttpClient::hold(Exchange& exchange, bool held) {
  Exchange::State& state = *exchange.state_;
  if (!state.is_running || state.is_held == held) return;
  state.is_held = held;
  const SigpipeGuard guard;  // bytes that waited are delivered from in here
  curl_easy_pause(state.easy, held ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

std::vector<Exchange*> HttpClient::poll(int milliseconds) {
  const SigpipeGuard guard;
  std::vector<Exchange*> ended;
  for (int round = 0; round < 2; ++round) {
    int running = 0;
    curl_multi_perform(state_->multi, &running);
    int waiting = 0;
    while (const CURLMsg* message = curl_multi_info_read(state_->multi, &waiting)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      void* exchange = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
      curl_multi_remove_handle(state_->multi, easy);
      static_cast<Exchange*>(exchange)->state_->end(code);
      ended.push_back(static_cast<Exchange*>(exchange));
    }
    if (round > 0 || !ended.empty()) break;
    curl_multi_poll(state_->multi, nullptr, 0, milliseconds, nullptr);
  }
  return ended;
}

void HttpClient::wake() {
  curl_multi_wakeup(state_->multi);
}

}  // namespace vitalis::hub
