// SPDX-License-Identifier: Apache-2.0
#include "session/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/problems.h"
#include "harmony/json.h"

namespace vitalis::session {

namespace {

using harmony::Json;
using Type = Setting::Type;

constexpr std::string_view kSchema = "1";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// How many characters must be changed, put in or left out to make one name of the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string_view section_of(std::string_view key) {
  return key.substr(0, key.find('.'));
}
std::string_view name_of(std::string_view key) {
  return key.substr(key.find('.') + 1);
}

// A name that is right under another section is nearer than one misspelt.
std::string_view nearest_key(std::string_view key) {
  std::string_view best;
  size_t least = std::numeric_limits<size_t>::max();
  for (const Setting& setting : settings_table()) {
    const size_t whole = distance(key.substr(0, 100), setting.key);
    const size_t name = distance(name_of(key).substr(0, 100), name_of(setting.key)) + 1;
    if (const size_t found = std::min(whole, name); found < least) {
      least = found;
      best = setting.key;
    }
  }
  return best;
}

Status unknown(std::string_view key) {
  return error(Code::kNotFound, "there is no setting ", in_quotes(key), "; the nearest is \"",
               nearest_key(key), '"');
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(settings_table(),
                             [&](const Setting& s) { return section_of(s.key) == name; });
}

std::optional<bool> parse_truth(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "1" || word == "on" || word == "yes") return true;
  if (word == "false" || word == "0" || word == "off" || word == "no" || word.empty()) return false;
  return std::nullopt;
}

// from_chars takes neither "nan" for a range nor "010" for 8, and no locale.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || rest != end || text.empty()) return std::nullopt;
  return number;
}

bool is_choice(std::string_view choices, std::string_view text) {
  for (size_t at = 0; at <= choices.size();) {
    const size_t end = std::min(choices.find('|', at), choices.size());
    if (choices.substr(at, end - at) == text) return true;
    at = end + 1;
  }
  return false;
}

bool in_range(const Setting& setting, double number) {
  return number >= setting.low && number <= setting.high;
}

std::string range_end(double number) {
  if (number == std::floor(number)) return text(static_cast<int64_t>(number));
  return text(number);
}

// The value as it is kept, or nothing if the setting cannot have it.
std::optional<std::string> canonical(const Setting& setting, std::string_view given) {
  switch (setting.type) {
    case Type::kBoolean: {
      const auto truth = parse_truth(given);
      if (!truth) return std::nullopt;
      return *truth ? "true" : "false";
    }
    case Type::kInteger: {
      const auto number = parse_number<uint64_t>(given);
      if (!number || !in_range(setting, static_cast<double>(*number))) return std::nullopt;
      return std::to_string(*number);
    }
    case Type::kReal: {
      const auto number = parse_number<double>(given);
      if (!number || !in_range(setting, *number)) return std::nullopt;
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr;
      return std::string(digits.data(), end);
    }
    case Type::kSize: {
      const auto bytes = parse_size(given);
      if (!bytes || static_cast<double>(*bytes) < setting.low) return std::nullopt;
      return std::string(given);
    }
    case Type::kChoice:
      if (!is_choice(setting.choices, given)) return std::nullopt;
      return std::string(given);
    case Type::kText:
      if (given.find('\0') != given.npos) return std::nullopt;
      return std::string(given);
  }
  return std::nullopt;
}

// JSON tells numbers, truth and text apart: "4" is no number there.
bool fits(Type type, const Json& value) {
  switch (type) {
    case Type::kBoolean:
      return value.is_boolean();
    case Type::kInteger:
      return value.kind() == Json::Kind::kInteger;
    case Type::kReal:
      return value.is_number();
    case Type::kSize:
      return value.is_string() || value.kind() == Json::Kind::kInteger;
    default:
      return value.is_string();
  }
}

std::string written(const Json& value) {
  return value.is_boolean() ? (value.truth() ? "true" : "false") : value.text();
}

Status misfit(const Setting& setting, std::string_view found) {
  return error(Code::kInvalidArgument, setting.key, ": expected ", expected_value(setting),
               ", found ", found);
}

}  // namespace

std::string environment_name(const Setting& setting) {
  std::string name = "VITALIS_";
  for (const char c : setting.key) {
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string expected_value(const Setting& setting) {
  switch (setting.type) {
    case Type::kBoolean:
      return "true or false";
    case Type::kInteger:
    case Type::kReal: {
      const bool open = setting.high >= std::numeric_limits<uint32_t>::max();
      const std::string low =
          setting.low > 0 && setting.low < 1e-30 ? "above 0" : range_end(setting.low);
      return text("a number, ", low, open ? " or more" : " to " + range_end(setting.high));
    }
    case Type::kSize:
      return "a size such as 12GiB or 900MB";
    case Type::kChoice: {
      std::string words(setting.choices);
      const size_t last = words.rfind('|');
      if (last != words.npos) words.replace(last, 1, " or ");
      for (size_t at = 0; (at = words.find('|', at)) != words.npos;) words.replace(at, 1, ", ");
      return words;
    }
    case Type::kText:
      return "text";
  }
  return {};
}

std::optional<uint64_t> parse_size(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = parse_number<double>(text.substr(0, digits));
  if (!number) return std::nullopt;
  std::string_view unit = text.substr(digits);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  constexpr std::array<std::pair<std::string_view, double>, 14> kUnits = {{{"", 1},
                                                                           {"b", 1},
                                                                           {"bytes", 1},
                                                                           {"kb", 1e3},
                                                                           {"mb", 1e6},
                                                                           {"gb", 1e9},
                                                                           {"tb", 1e12},
                                                                           {"k", 1024},
                                                                           {"m", 1048576},
                                                                           {"g", 1073741824},
                                                                           {"kib", 1024},
                                                                           {"mib", 1048576},
                                                                           {"gib", 1073741824},
                                                                           {"tib", 1099511627776}}};
  for (const auto& [name, factor] : kUnits) {
    if (lower(unit) != name) continue;
    const double bytes = *number * factor;
    if (!(bytes < 1e18)) return std::nullopt;
    return static_cast<uint64_t>(std::llround(bytes));
  }
  return std::nullopt;
}

Settings::Settings() : values_(settings_table().size()) {}

Result<size_t> Settings::find(std::string_view key) {
  const auto table = settings_table();
  const auto found = std::ranges::find(table, key, &Setting::key);
  if (found == table.end()) return unknown(key);
  return static_cast<size_t>(found - table.begin());
}

Status Settings::set(std::string_view key, std::string_view value, std::string_view origin) {
  VITALIS_ASSIGN(const size_t index, find(key));
  const Setting& setting = settings_table()[index];
  auto kept = canonical(setting, value);
  if (!kept) return misfit(setting, in_quotes(value));
  values_[index] = {std::move(*kept), std::string(origin), true};
  return {};
}

Status Settings::unset(std::string_view key) {
  VITALIS_ASSIGN(const size_t index, find(key));
  values_[index] = {};
  return {};
}

Status Settings::load_json(std::string_view json, std::string_view origin, Trust trust) {
  VITALIS_ASSIGN(const Json tree, Json::parse(json));
  if (!tree.is_object()) {
    return error(Code::kMalformed, "expected an object of sections, found ",
                 kind_name(tree.kind()));
  }
  Problems problems;
  std::vector<Value> values = values_;
  const auto load = [&](const std::string& key, const Json& given) -> Status {
    VITALIS_ASSIGN(const size_t index, find(key));
    const Setting& setting = settings_table()[index];
    if (setting.trusted && trust == Trust::kHarmlessOnly) {
      return error(Code::kDenied, key,
                   ": not for a folder's file to set, since it decides what is sent or kept where");
    }
    if (!fits(setting.type, given)) return misfit(setting, kind_name(given.kind()));
    auto kept = canonical(setting, written(given));
    if (!kept) return misfit(setting, in_quotes(written(given)));
    values[index] = {std::move(*kept), std::string(origin), true};
    return {};
  };
  for (const auto& [section, members] : tree.members()) {
    if (section == "schema") {
      if (members.text() != kSchema) {
        problems.add(Code::kUnsupported, "schema: expected 1, the one this version reads, found ",
                     in_quotes(written(members)));
      }
    } else if (!is_section(section) && members.is_object() && !members.members().empty()) {
      problems.add(unknown(section + '.' + members.members()[0].first));
    } else if (!is_section(section)) {
      problems.add(unknown(section));
    } else if (!members.is_object()) {
      problems.add(Code::kMalformed, section, ": expected a section, found ",
                   kind_name(members.kind()));
    } else {
      for (const auto& [name, given] : members.members()) {
        std::string key = section;
        key += '.';
        key += name;
        if (const Status status = load(key, given); !status.ok()) problems.add(status);
      }
    }
  }
  VITALIS_TRY(problems.status(origin.empty() ? "settings" : origin));
  values_ = std::move(values);
  return {};
}

std::string_view Settings::value(size_t index) const {
  return values_[index].is_set ? std::string_view(values_[index].text)
                               : settings_table()[index].fallback;
}

std::string_view Settings::text(std::string_view key) const {
  const auto index = find(key);
  return index.ok() ? value(*index) : std::string_view();
}

std::optional<uint64_t> Settings::integer(std::string_view key) const {
  const auto index = find(key);
  if (!index.ok()) return std::nullopt;
  const std::string_view written = value(*index);
  return settings_table()[*index].type == Type::kSize ? parse_size(written)
                                                      : parse_number<uint64_t>(written);
}

std::optional<double> Settings::real(std::string_view key) const {
  return parse_number<double>(text(key));
}

bool Settings::truth(std::string_view key) const {
  return text(key) == "true";
}

std::string Settings::to_json() const {
  std::string out = "{\"schema\":";
  out += kSchema;
  std::string_view section;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Setting& setting = settings_table()[i];
    const std::string_view written = value(i);
    if (written.empty() && !values_[i].is_set) continue;
    if (section_of(setting.key) != section) {
      if (!section.empty()) out += '}';
      section = section_of(setting.key);
      out += ",\"";
      out += section;
      out += "\":{";
    } else {
      out += ',';
    }
    out += '"';
    out += name_of(setting.key);
    out += "\":";
    const bool bare = setting.type == Type::kBoolean || setting.type == Type::kInteger ||
                      setting.type == Type::kReal;
    if (bare) {
      out += written;
    } else {
      harmony::write_json_string(out, written);
    }
  }
  if (!section.empty()) out += '}';
  return out + '}';
}

}  // namespace vitalis::session
