// SPDX-License-Identifier: Apache-2.0
// Addresses: which may be asked at all, which share an origin, and how one follows from another.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace vitalis::hub {

struct Url {
  std::string text;
  std::string scheme;
  std::string host;  // lower case
  std::string port;  // always there

  bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
  // Reached without a network.
  bool is_loopback() const;
};

// kInvalidArgument unless it is https://, or http:// to this machine, without user name or
// fragment.
Result<Url> parse_url(std::string_view text);
// `reference` as it stands in a Location or Link, seen from `base`. https never leads to http.
Result<Url> follow(const Url& base, std::string_view reference);

Status check_endpoint(std::string_view endpoint);

// Everything but letters, digits and "-._~" as %XX; of a path, '/' stays.
std::string percent_encoded(std::string_view text);
std::string percent_encoded_path(std::string_view path);

// As much of an address as may stand in a message: without its query, which may be a signature.
std::string shown(const Url& url);

}  // namespace vitalis::hub
