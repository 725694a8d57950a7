// SPDX-License-Identifier: Apache-2.0
// HTTP over libcurl: requests that run side by side on the thread that polls. Redirects are not
// followed here: who asked decides, with the token's host in mind. Nothing is read from the
// environment, cookies and .netrc are off, and SIGPIPE never reaches the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/options.h"
#include "hub/protocol.h"
#include "hub/url.h"

namespace vitalis::hub {

struct Request {
  enum class Method { kGet, kHead, kPost };
  Method method = Method::kGet;
  Url url;
  const Token* token = nullptr;   // sent if not null
  std::optional<uint64_t> first;  // of a range of bytes
  uint64_t last = 0;
  std::string form;         // of kPost
  bool decode = false;      // take a compressed body, and give it decompressed
  uint32_t time_limit = 0;  // seconds for all of it; 0: none
};

// Whom an answer goes to, on the polling thread. False ends the exchange.
class Receiver {
 public:
  Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  virtual ~Receiver() = default;
  virtual bool on_head(const ResponseHead& head) = 0;
  virtual bool on_body(std::span<const std::byte> bytes) = 0;
  // Asked before on_body: false puts the exchange on hold with the bytes kept.
  virtual bool is_ready() { return true; }
};

// One request and its answer. May be started again when it has ended. Stays where it is: the client
// knows it by its address.
class Exchange {
 public:
  Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  bool is_running() const;
  const ResponseHead& head() const;

  // When it has ended: ok if the answer came whole, or the receiver ended it; else kNetwork.
  const Status& status() const;
  bool was_stopped() const;     // by the receiver
  bool may_help_again() const;  // the failure is of a kind that passes

 private:
  friend class HttpClient;
  struct State;
  std::unique_ptr<State> state_;
};

class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> create(const Options& options);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();  // every exchange started with it must have ended or been dropped

  Status start(Exchange& exchange, const Request& request, Receiver& receiver);
  void drop(Exchange& exchange);  // ends it unheard
  // No bytes of it are taken until resumed; its connection stays.
  void hold(Exchange& exchange, bool held);
  // Works for up to `milliseconds`, less if something ended; gives those that ended.
  std::vector<Exchange*> poll(int milliseconds);
  void wake();  // ends a poll() under way; any thread

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitalis::hub
