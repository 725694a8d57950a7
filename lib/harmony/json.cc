// SPDX-License-Identifier: Apache-2.0
#include "harmony/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <simdjson.h>
#include <unordered_map>

#include "base/problems.h"

namespace vitalis::harmony {
namespace {

using Value = simdjson::ondemand::value;

std::string_view trimmed(std::string_view token) {
  const size_t end = token.find_last_not_of(" \t\r\n");
  return token.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

size_t digits_from(std::string_view s, size_t i) {
  while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
  return i;
}

// The number grammar of RFC 8259; `real` says whether it has a fraction or an exponent.
bool is_number(std::string_view s, bool& real) {
  size_t i = s.starts_with('-') ? 1 : 0;
  const size_t whole = digits_from(s, i);
  if (whole == i || (s[i] == '0' && whole > i + 1)) return false;
  i = whole;
  real = i < s.size();
  if (i < s.size() && s[i] == '.') {
    const size_t fraction = digits_from(s, i + 1);
    if (fraction == i + 1) return false;
    i = fraction;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    const size_t exponent = digits_from(s, i);
    if (exponent == i) return false;
    i = exponent;
  }
  return i == s.size();
}

// Of a number that no double holds: whether it is too large, and not too small.
bool is_huge(std::string_view s) {
  if (s.starts_with('-')) s.remove_prefix(1);
  const size_t e = std::min(s.find_first_of("eE"), s.size());
  const size_t point = std::min(s.find('.'), e);
  const size_t first = s.find_first_of("123456789");  // it is not zero
  int64_t magnitude = static_cast<int64_t>(point) - static_cast<int64_t>(first);
  if (e < s.size()) {
    std::string_view digits = s.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') digits.remove_prefix(1);
    int64_t exponent = int64_t{1} << 40;  // more than a number has digits
    std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    magnitude += negative ? -exponent : exponent;
  }
  return magnitude > 0;
}

double to_double(std::string_view text) {
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec ==
      std::errc::result_out_of_range) {
    const double size = is_huge(text) ? std::numeric_limits<double>::infinity() : 0;
    return text.starts_with('-') ? -size : size;
  }
  return value;
}

bool fits_64_bits(std::string_view text) {
  int64_t i;
  uint64_t u;
  const auto end = text.data() + text.size();
  return std::from_chars(text.data(), end, i).ec == std::errc() ||
         std::from_chars(text.data(), end, u).ec == std::errc();
}

// The shortest decimal that reads back as the same double: digits × 10^(point - digits.size()).
struct Decimal {
  bool negative;
  std::string digits;
  int point;
};
Decimal shortest(double value) {
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string_view s(buffer, static_cast<size_t>(end.ptr - buffer));
  Decimal out{s.starts_with('-'), {}, 0};
  if (out.negative) s.remove_prefix(1);
  const size_t e = s.find('e');
  for (const char c : s.substr(0, e)) {
    if (c != '.') out.digits += c;
  }
  const char* exponent = s.data() + e + (s[e + 1] == '+' ? 2 : 1);
  std::from_chars(exponent, s.data() + s.size(), out.point);
  ++out.point;
  return out;
}

// Positional notation up to 16 digits before the point and a few zeros after it (4 in the compact
// style, 3 in Python's), else scientific.
void write_real(std::string& out, double value, Json::Style style) {
  const bool python = style == Json::Style::kPython;
  const Decimal d = shortest(value);
  const int size = static_cast<int>(d.digits.size());
  if (d.negative) out += '-';
  if (value == 0) {
    out += "0.0";
  } else if (d.point > 16 || d.point < (python ? -3 : -4)) {
    out += d.digits[0];
    if (size > 1) (out += '.').append(d.digits, 1);
    out += 'e';
    const int exponent = d.point - 1;
    if (exponent < 0 || python) out += exponent < 0 ? '-' : '+';
    if (python && std::abs(exponent) < 10) out += '0';
    out += std::to_string(std::abs(exponent));
  } else if (d.point <= 0) {
    out.append("0.").append(static_cast<size_t>(-d.point), '0').append(d.digits);
  } else if (size <= d.point) {
    out.append(d.digits).append(static_cast<size_t>(d.point - size), '0').append(".0");
  } else {
    out.append(d.digits, 0, static_cast<size_t>(d.point)).append(".");
    out.append(d.digits, static_cast<size_t>(d.point));
  }
}

}  // namespace

// Reads one document. A failure leaves its place in where_, put together on the way out.
class JsonReader {
 public:
  Status read_document(std::string_view text, Json& out) {
    // Inside an array every document is a value, a lone number too.
    const std::string wrapped = vitalis::text("[", text, "]");
    const simdjson::padded_string padded(wrapped);
    if (!padded.data()) {
      return error(Code::kOutOfMemory, "no memory for ", wrapped.size(), " bytes of JSON");
    }
    simdjson::ondemand::parser parser;
    Status status = read_wrapped(parser, padded, out);
    if (status.ok()) return status;
    return error(status.code(), "JSON", where_.empty() ? "" : " at ", where_, ": ",
                 status.message());
  }

 private:
  static Status wrong(simdjson::error_code code) {
    return error(code == simdjson::MEMALLOC ? Code::kOutOfMemory : Code::kMalformed,
                 simdjson::error_message(code));
  }

  Status read_wrapped(simdjson::ondemand::parser& parser, const simdjson::padded_string& padded,
                      Json& out) {
    simdjson::ondemand::document document;
    simdjson::ondemand::array array;
    if (const auto e = parser.iterate(padded).get(document)) return wrong(e);
    if (const auto e = document.get_array().get(array)) return wrong(e);
    int count = 0;
    for (auto element : array) {
      Value value;
      if (const auto e = element.get(value)) return wrong(e);
      if (++count > 1) break;
      VITALIS_TRY(read(value, 0, out));
    }
    if (count == 0) return error(Code::kMalformed, "expected a value, found nothing");
    const char* rest;
    if (count > 1 || document.current_location().get(rest) == simdjson::SUCCESS) {
      return error(Code::kMalformed, "expected one value, found more text after it");
    }
    return {};
  }

  Status read(Value value, int depth, Json& out) {
    if (depth > Json::kMaxDepth) {
      return error(Code::kMalformed, "nested deeper than ", Json::kMaxDepth, " levels");
    }
    simdjson::ondemand::json_type type;
    if (const auto e = value.type().get(type)) return wrong(e);
    switch (type) {
      case simdjson::ondemand::json_type::array:
        return read_array(value, depth, out);
      case simdjson::ondemand::json_type::object:
        return read_object(value, depth, out);
      case simdjson::ondemand::json_type::string: {
        std::string_view s;
        if (const auto e = value.get_string().get(s)) return wrong(e);
        out = Json::string(std::string(s));
        return {};
      }
      default:
        return read_scalar(trimmed(value.raw_json_token()), out);
    }
  }

  static Status read_scalar(std::string_view token, Json& out) {
    bool real = false;
    if (token == "true" || token == "false") {
      out = Json::boolean(token == "true");
    } else if (token == "null") {
      out = Json();
    } else if (is_number(token, real)) {
      if (!std::isfinite(to_double(token))) {
        return error(Code::kMalformed, "the number ", token.substr(0, 40), " is out of range");
      }
      out.kind_ = real ? Json::Kind::kReal : Json::Kind::kInteger;
      out.text_ = token;
    } else {
      return error(Code::kMalformed, "expected a value, found ", in_quotes(token));
    }
    return {};
  }

  Status read_array(Value value, int depth, Json& out) {
    out = Json::array();
    simdjson::ondemand::array array;
    if (const auto e = value.get_array().get(array)) return wrong(e);
    for (auto element : array) {
      Value item;
      if (const auto e = element.get(item)) return wrong(e);
      out.items_.emplace_back();
      if (Status status = read(item, depth + 1, out.items_.back()); !status.ok()) {
        where_ = text("[", out.items_.size() - 1, "]",
                      where_.empty() || where_[0] == '[' ? "" : ".", where_);
        return status;
      }
    }
    return {};
  }

  Status read_object(Value value, int depth, Json& out) {
    out = Json::object();
    simdjson::ondemand::object object;
    if (const auto e = value.get_object().get(object)) return wrong(e);
    std::unordered_map<std::string, size_t> places;  // in use from kFewMembers on
    for (auto element : object) {
      simdjson::ondemand::field field;
      std::string_view raw_name;
      if (const auto e = std::move(element).get(field)) return wrong(e);
      if (const auto e = field.unescaped_key().get(raw_name)) return wrong(e);
      const std::string name(raw_name);
      const size_t place = place_of(name, out, places);
      if (Status status = read(field.value(), depth + 1, out.members_[place].second);
          !status.ok()) {
        where_ = text(name, where_.empty() || where_[0] == '[' ? "" : ".", where_);
        return status;
      }
    }
    return {};
  }

  // Where the member of that name stands; a new one is added at the end.
  static size_t place_of(const std::string& name, Json& out,
                         std::unordered_map<std::string, size_t>& places) {
    constexpr size_t kFewMembers = 16;
    auto& members = out.members_;
    if (members.size() < kFewMembers) {
      const auto found = std::find_if(members.begin(), members.end(),
                                      [&](const auto& member) { return member.first == name; });
      if (found != members.end()) return static_cast<size_t>(found - members.begin());
    } else {
      for (size_t i = places.size(); i < members.size(); ++i) places.emplace(members[i].first, i);
      if (const auto found = places.find(name); found != places.end()) return found->second;
    }
    members.emplace_back(name, Json());
    return members.size() - 1;
  }

  std::string where_;
};

Json Json::boolean(bool value) {
  Json out;
  out.kind_ = Kind::kBoolean;
  out.truth_ = value;
  return out;
}

Json Json::integer(int64_t value) {
  Json out;
  out.kind_ = Kind::kInteger;
  out.text_ = std::to_string(value);
  return out;
}

Json Json::string(std::string value) {
  Json out;
  out.kind_ = Kind::kString;
  out.text_ = std::move(value);
  return out;
}

Json Json::array() {
  Json out;
  out.kind_ = Kind::kArray;
  return out;
}

Json Json::object() {
  Json out;
  out.kind_ = Kind::kObject;
  return out;
}

Result<Json> Json::parse(std::string_view text) {
  Json out;
  JsonReader reader;
  VITALIS_TRY(reader.read_document(text, out));
  return out;
}

double Json::real() const {
  return is_number() ? to_double(text_) : 0;
}

const Json* Json::find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

void Json::set(std::string name, Json value) {
  for (Member& member : members_) {
    if (member.first == name) {
      member.second = std::move(value);
      return;
    }
  }
  members_.emplace_back(std::move(name), std::move(value));
}

void Json::write(std::string& out, Style style) const {
  const std::string_view comma = style == Style::kPython ? ", " : ",";
  const std::string_view colon = style == Style::kPython ? ": " : ":";
  switch (kind_) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kBoolean:
      out += truth_ ? "true" : "false";
      return;
    case Kind::kInteger:
      // Python's integers have no bound; the other reference reads what 64 bits cannot hold, and
      // minus zero, as floats.
      if (style == Style::kPython) {
        out += text_ == "-0" ? "0" : text_;
      } else if (fits_64_bits(text_) && text_ != "-0") {
        out += text_;
      } else {
        write_real(out, real(), style);
      }
      return;
    case Kind::kReal:
      write_real(out, real(), style);
      return;
    case Kind::kString:
      write_json_string(out, text_);
      return;
    case Kind::kArray:
      out += '[';
      for (size_t i = 0; i < items_.size(); ++i) {
        if (i > 0) out += comma;
        items_[i].write(out, style);
      }
      out += ']';
      return;
    case Kind::kObject:
      out += '{';
      for (size_t i = 0; i < members_.size(); ++i) {
        if (i > 0) out += comma;
        write_json_string(out, members_[i].first);
        out += colon;
        members_[i].second.write(out, style);
      }
      out += '}';
      return;
  }
}

std::string Json::dump(Style style) const {
  std::string out;
  write(out, style);
  return out;
}

void write_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr std::string_view kHex = "0123456789abcdef";
          (out.append("\\u00") += kHex[static_cast<unsigned char>(c) >> 4]) += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::string_view kind_name(Json::Kind kind) {
  switch (kind) {
    case Json::Kind::kNull:
      return "null";
    case Json::Kind::kBoolean:
      return "a boolean";
    case Json::Kind::kInteger:
    case Json::Kind::kReal:
      return "a number";
    case Json::Kind::kString:
      return "a string";
    case Json::Kind::kArray:
      return "an array";
    case Json::Kind::kObject:
      return "an object";
  }
  return "nothing";
}

}  // namespace vitalis::harmony
