// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/formats.h"

#include <utility>

namespace vitalis::harmony::grammar {
namespace {

// Days that every month has, and the 29th, 30th and 31st of those that have them; the 29th of
// February only where four divides the year and a hundred does not.
#define VITALIS_YEAR "[1-9][0-9]{3}"
#define VITALIS_DATE                                                             \
  "(?:" VITALIS_YEAR                                                             \
  "-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|" \
  "(?:0[13578]|1[02])-31)|[1-9][0-9](?:0[48]|[2468][048]|[13579][26])-02-29)"
#define VITALIS_CLOCK "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
#define VITALIS_ZONE "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
#define VITALIS_BYTE "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define VITALIS_LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
#define VITALIS_HOST VITALIS_LABEL "(?:\\." VITALIS_LABEL "){0,6}"
#define VITALIS_GROUP "[0-9a-fA-F]{1,4}"

constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"date", "^" VITALIS_DATE "$"},
    {"time", "^" VITALIS_CLOCK VITALIS_ZONE "$"},
    {"date-time", "^" VITALIS_DATE "T" VITALIS_CLOCK VITALIS_ZONE "$"},
    {"duration",
     "^P(?:[0-9]{1,6}W|(?:[0-9]{1,6}Y)?(?:[0-9]{1,6}M)?[0-9]{1,6}D(?:T[0-9]{1,6}H)?|"
     "T(?:[0-9]{1,6}H)?(?:[0-9]{1,6}M)?[0-9]{1,6}S|T[0-9]{1,6}[HM])$"},
    {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
    {"ipv4", "^" VITALIS_BYTE "(?:\\." VITALIS_BYTE "){3}$"},
    {"ipv6", "^(?:" VITALIS_GROUP ":){7}" VITALIS_GROUP "$"},
    {"hostname", "^" VITALIS_HOST "$"},
    {"email", "^[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,32}){0,3}@" VITALIS_HOST "$"},
    {"uri",
     "^[a-z][a-z0-9+.-]{1,15}://" VITALIS_HOST "(?::[0-9]{1,4})?(?:/[A-Za-z0-9._~!&'()*+,;=:@-]*)*"
     "(?:\\?[A-Za-z0-9._~!&'()*+,;=:@/?-]*)?(?:#[A-Za-z0-9._~!&'()*+,;=:@/?-]*)?$"},
};

}  // namespace

std::optional<std::string_view> format_pattern(std::string_view format) {
  for (const auto& [name, pattern] : kFormats) {
    if (name == format) return pattern;
  }
  return {};
}

}  // namespace vitalis::harmony::grammar
