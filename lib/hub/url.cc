// SPDX-License-Identifier: Apache-2.0
#include "hub/url.h"

#include <curl/curl.h>
#include <memory>

#include "base/problems.h"

namespace vitalis::hub {
namespace {

constexpr size_t kLongestUrl = size_t{16} * 1024;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, FreeUrl>;

std::string part(const Handle& url, CURLUPart which) {
  const unsigned flags = which == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0;
  char* value = nullptr;
  std::string out;
  if (curl_url_get(url.get(), which, &value, flags) == CURLUE_OK) out = value;
  curl_free(value);
  return out;
}

Result<Url> url_of(const Handle& handle) {
  Url url{.text = part(handle, CURLUPART_URL),
          .scheme = part(handle, CURLUPART_SCHEME),
          .host = part(handle, CURLUPART_HOST),
          .port = part(handle, CURLUPART_PORT)};
  for (char& c : url.host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  if (url.host.ends_with('.')) url.host.pop_back();
  if (!part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty()) {
    return error(Code::kInvalidArgument, "an address with a user name, at ", excerpt(url.host),
                 "; expected none");
  }
  const bool is_asked = url.scheme == "https" || (url.scheme == "http" && url.is_loopback());
  if (is_asked && url.host.empty()) {
    return error(Code::kInvalidArgument, shown(url), ": an address without a host");
  }
  if (is_asked) return url;
  if (url.scheme == "http") {
    return error(Code::kInvalidArgument, shown(url),
                 ": http is not safe across a network; expected https (http only to localhost)");
  }
  return error(Code::kInvalidArgument, shown(url), ": expected https, found ",
               in_quotes(url.scheme));
}

Status refused(std::string_view text, CURLUcode reason) {
  return error(Code::kInvalidArgument, in_quotes(text),
               " is not an address: ", curl_url_strerror(reason));
}

Status check_text(std::string_view text) {
  if (text.size() > kLongestUrl) {
    return error(Code::kInvalidArgument, "an address of ", text.size(), " bytes; at most ",
                 kLongestUrl, " are expected");
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > 0x20 && c != 0x7F) continue;
    return error(Code::kInvalidArgument, in_quotes(text), " is not an address: it holds ",
                 c == ' ' ? "a space" : "a control character");
  }
  return {};
}

Result<Handle> handle_of(std::string_view text) {
  VITALIS_TRY(check_text(text));
  Handle handle(curl_url());
  if (!handle) return error(Code::kOutOfMemory, "no memory for an address");
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(),
                                      CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return refused(text, code);
  return handle;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string encoded(std::string_view text, bool keep_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace

bool Url::is_loopback() const {
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

Result<Url> parse_url(std::string_view text) {
  VITALIS_ASSIGN(const Handle handle, handle_of(text));
  return url_of(handle);
}

Result<Url> follow(const Url& base, std::string_view reference) {
  VITALIS_ASSIGN(const Handle handle, handle_of(base.text));
  if (const Status status = check_text(reference); !status.ok()) {
    return error(Code::kNetwork, shown(base), " leads elsewhere: ", status.message());
  }
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, std::string(reference).c_str(),
                                      CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return refused(reference, code);
  auto url = url_of(handle);
  if (!url.ok()) {
    return error(Code::kNetwork, shown(base), " leads elsewhere: ", url.status().message());
  }
  if (base.scheme == "https" && url->scheme != "https") {
    return error(Code::kNetwork, shown(base), " leads from https to ", shown(*url),
                 ", which is not followed");
  }
  return url;
}

Status check_endpoint(std::string_view endpoint) {
  auto url = parse_url(endpoint);
  if (!url.ok()) return error(Code::kInvalidArgument, "the endpoint: ", url.status().message());
  if (endpoint.find_first_of("?#") != std::string_view::npos) {
    return error(Code::kInvalidArgument, "the endpoint ", in_quotes(endpoint),
                 " has a query or a fragment; expected https://HOST[:PORT][/PATH]");
  }
  return {};
}

std::string percent_encoded(std::string_view text) {
  return encoded(text, false);
}

std::string percent_encoded_path(std::string_view path) {
  return encoded(path, true);
}

std::string shown(const Url& url) {
  return excerpt(std::string_view(url.text).substr(0, url.text.find_first_of("?#")));
}

}  // namespace vitalis::hub
