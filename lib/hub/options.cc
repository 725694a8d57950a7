// SPDX-License-Identifier: Apache-2.0
#include "hub/options.h"

#include "base/problems.h"
#include "hub/url.h"

namespace vitalis::hub {
namespace {

constexpr size_t kLongestToken = 4096;
constexpr std::string_view kBlank = " \t\r\n\v\f";

}  // namespace

Result<Token> Token::parse(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return error(Code::kInvalidArgument, "the token is empty");
  text = text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
  if (text.size() > kLongestToken) {
    return error(Code::kInvalidArgument, "the token has ", text.size(), " characters; at most ",
                 kLongestToken, " are expected");
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] > ' ' && text[i] < 0x7F) continue;
    return error(Code::kInvalidArgument, "the token holds ",
                 text[i] == '\n' || text[i] == '\r' ? "a line break"
                 : text[i] == ' '                   ? "a space"
                                                    : "a byte that no token holds",
                 " after ", i, " characters; expected one word");
  }
  if (text.starts_with("api_org")) {
    return error(
        Code::kInvalidArgument,
        "this is an organisation's token of the old kind (api_org…), which the hub takes no "
        "longer; expected a person's access token");
  }
  return Token(std::string(text));
}

std::string Token::masked() const {
  constexpr size_t kShown = 4;
  constexpr size_t kShortest = 20;  // of which the shown part tells nothing
  if (value_.size() < kShortest) return "…";
  const size_t head = value_.starts_with("hf_") ? 3 : 0;
  return value_.substr(0, head) + "…" + value_.substr(value_.size() - kShown);
}

Status check_options(const Options& options) {
  VITALIS_TRY(check_endpoint(options.endpoint));
  if (options.connections < 1 || options.connections > 16) {
    return error(Code::kInvalidArgument, "connections is ", options.connections,
                 "; expected 1 to 16");
  }
  if (options.connect_timeout == 0 || options.stall_timeout == 0) {
    return error(Code::kInvalidArgument, "a time limit of 0 seconds; expected at least 1");
  }
  for (const std::string* text : {&options.proxy, &options.no_proxy, &options.user_agent,
                                  &options.ca_file, &options.ca_dir}) {
    for (const char c : *text) {
      if (static_cast<unsigned char>(c) < 0x20) {
        return error(Code::kInvalidArgument, in_quotes(*text), " holds a control character");
      }
    }
  }
  return {};
}

}  // namespace vitalis::hub
