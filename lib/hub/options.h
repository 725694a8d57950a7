// SPDX-License-Identifier: Apache-2.0
// What the caller decides about the hub: where it is, who asks, how fast, through whom. The library
// reads no environment and no configuration; HF_* variables and the like are the caller's to map.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace vitalis::hub {

// An access token. It has no conversion to text and no place in a message: only reveal() gives it
// away, and only a request to the endpoint's own scheme, host and port carries it.
class Token {
 public:
  // White space around it is dropped. kInvalidArgument if nothing is left, if a space, a control
  // character or a byte beyond ASCII is inside, if it is longer than 4096, or if it is an
  // organisation's token of the old kind. The message never holds the text.
  static Result<Token> parse(std::string_view text);

  const std::string& reveal() const { return value_; }
  // Enough to tell two tokens apart: "hf_…wxyz", or "…" if it is too short to show any of it.
  std::string masked() const;

  bool operator==(const Token& other) const = default;

 private:
  explicit Token(std::string value) : value_(std::move(value)) {}
  std::string value_;
};

struct Options {
  // HF_ENDPOINT. https://, or http:// where the host is this machine itself (localhost, 127.x.x.x,
  // [::1]): a token or a listing must not cross a network in the clear.
  std::string endpoint = "https://huggingface.co";
  std::optional<Token> token;  // none: anonymous
  bool offline = false;        // whatever needs the network is refused with kNetwork

  uint32_t connections = 4;  // of one transfer, 1 to 16
  uint64_t rate_limit = 0;   // bytes per second of one transfer; 0: none

  std::string proxy;     // URL, http, https or socks5; empty: none
  std::string no_proxy;  // hosts that go without it, comma-separated
  std::string ca_file;   // PEM, instead of the system's; SSL_CERT_FILE
  std::string ca_dir;    // hashed folder, instead of the system's; SSL_CERT_DIR

  uint32_t connect_timeout = 10;   // seconds until a connection must stand (HF_HUB_ETAG_TIMEOUT)
  uint32_t stall_timeout = 10;     // seconds without a byte (HF_HUB_DOWNLOAD_TIMEOUT)
  uint32_t retries = 5;            // in a row without progress, before a transfer gives up
  uint32_t retry_delay_ms = 1000;  // before the first retry; doubles up to eight times that

  std::string user_agent;  // appended to "vitalis/VERSION"
};

// kInvalidArgument with a sentence for the first value that can't be.
Status check_options(const Options& options);

}  // namespace vitalis::hub
