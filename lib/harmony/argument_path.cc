// SPDX-License-Identifier: Apache-2.0
#include "harmony/argument_path.h"

#include "base/utf8.h"

namespace vitalis::harmony {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ArgumentPath::reset() {
  path_.clear();
  key_.clear();
  containers_.clear();
  offset_ = 0;
  phase_ = Phase::kValue;
  leaving_ = started_ = escaped_ = false;
  hex_digits_ = 0;
  high_ = 0;
  // Enough for what people declare, so that a call's tokens cost no allocation.
  path_.reserve(256);
  key_.reserve(64);
  containers_.reserve(16);
}

ArgumentState ArgumentPath::state() const {
  if (phase_ == Phase::kBroken) return ArgumentState::kInvalid;
  if (!started_) return ArgumentState::kNone;
  const bool root_closed = leaving_ && containers_.size() == 1 && path_.empty();
  if (!containers_.empty() && !root_closed) return ArgumentState::kIncomplete;
  if (phase_ == Phase::kAfterValue) return ArgumentState::kComplete;
  // A number at the root has no end of its own.
  return phase_ == Phase::kInNumber && number_is_whole() ? ArgumentState::kComplete
                                                         : ArgumentState::kIncomplete;
}

size_t ArgumentPath::take(std::string_view text) {
  if (leaving_) leave_value();
  size_t n = 0;
  while (n < text.size()) {
    if (phase_ == Phase::kBroken) return text.size();
    const char c = text[n];
    if (expects_value() && !is_space(c) && !(phase_ == Phase::kFirstItem && c == ']')) {
      if (n > 0 && !containers_.empty()) return n;
      if (!enter_value() || !begin_value(c)) fail();
    } else if (phase_ == Phase::kInNumber && !number_byte(c)) {
      if (!number_is_whole()) {
        fail();
      } else {
        phase_ = Phase::kAfterValue;
        if (!containers_.empty() && n > 0) {
          leaving_ = true;
          return n;
        }
        leave_value();
      }
      continue;
    } else if (phase_ != Phase::kInNumber) {
      const bool good = phase_ == Phase::kInString || phase_ == Phase::kInKey ? string_byte(c)
                        : phase_ == Phase::kInLiteral                         ? literal_byte(c)
                                                                              : structure(c);
      if (!good) fail();
    }
    if (phase_ == Phase::kBroken) continue;
    ++n;
    ++offset_;
    if (leaving_) return n;
  }
  return n;
}

// Extends the path by the value's place in its container.
bool ArgumentPath::enter_value() {
  started_ = true;
  if (containers_.empty()) return true;
  const Container& container = containers_.back();
  path_ += '/';
  if (container.object) {
    path_ += key_;
  } else {
    char digits[12];
    size_t size = 0;
    uint32_t index = container.index;
    do {
      digits[size++] = static_cast<char>('0' + index % 10);
      index /= 10;
    } while (index > 0);
    while (size > 0) path_ += digits[--size];
  }
  return path_.size() <= kMaxPathBytes;
}

bool ArgumentPath::begin_value(char c) {
  switch (c) {
    case '{':
    case '[':
      if (containers_.size() == kMaxDepth) return false;
      containers_.push_back({c == '{', static_cast<uint32_t>(path_.size()), 0});
      phase_ = c == '{' ? Phase::kFirstKey : Phase::kFirstItem;
      return true;
    case '"':
      phase_ = Phase::kInString;
      return true;
    case 't':
      literal_ = "rue";
      break;
    case 'f':
      literal_ = "alse";
      break;
    case 'n':
      literal_ = "ull";
      break;
    default:
      if (c != '-' && !is_digit(c)) return false;
      phase_ = Phase::kInNumber;
      number_ = c == '-' ? Number::kMinus : c == '0' ? Number::kZero : Number::kDigits;
      return true;
  }
  phase_ = Phase::kInLiteral;
  return true;
}

// A byte between values: white space and punctuation.
bool ArgumentPath::structure(char c) {
  if (is_space(c)) return true;
  if (containers_.empty()) return false;
  Container& container = containers_.back();
  const char close = container.object ? '}' : ']';
  switch (phase_) {
    case Phase::kFirstKey:
    case Phase::kKey:
      if (c == '"') {
        phase_ = Phase::kInKey;
        key_.clear();
        return true;
      }
      break;
    case Phase::kColon:
      if (c != ':') return false;
      phase_ = Phase::kValue;
      return true;
    case Phase::kAfterValue:
      if (c == ',') {
        ++container.index;
        phase_ = container.object ? Phase::kKey : Phase::kValue;
        return true;
      }
      break;
    default:
      break;
  }
  if (c != close || phase_ == Phase::kKey) return false;
  phase_ = Phase::kAfterValue;
  leaving_ = true;
  return true;
}

bool ArgumentPath::string_byte(char c) {
  if (escaped_ || hex_digits_ > 0) return escape_byte(c);
  if (static_cast<unsigned char>(c) < 0x20) return false;
  if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    high_ = 0;
    if (phase_ == Phase::kInString) {
      phase_ = Phase::kAfterValue;
      leaving_ = true;
    } else {
      phase_ = Phase::kColon;
    }
  } else {
    high_ = 0;
    if (phase_ == Phase::kInKey) add_to_key(c);
  }
  return phase_ != Phase::kInKey || key_.size() <= kMaxPathBytes;
}

bool ArgumentPath::escape_byte(char c) {
  if (hex_digits_ > 0) {
    const int value = hex_value(c);
    if (value < 0) return false;
    unit_ = unit_ << 4 | static_cast<char32_t>(value);
    if (--hex_digits_ > 0 || phase_ != Phase::kInKey) return true;
    if (unit_ >= 0xD800 && unit_ < 0xDC00) {
      high_ = unit_;
    } else if (unit_ >= 0xDC00 && unit_ < 0xE000) {
      utf8::append(key_, high_ ? 0x10000 + ((high_ - 0xD800) << 10) + (unit_ - 0xDC00) : 0xFFFD);
      high_ = 0;
    } else {
      high_ = 0;
      unit_ < 0x80 ? add_to_key(static_cast<char>(unit_)) : utf8::append(key_, unit_);
    }
    return true;
  }
  escaped_ = false;
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  if (c == 'u') {
    hex_digits_ = 4;
    unit_ = 0;
    return true;
  }
  high_ = 0;
  const size_t at = kNames.find(c);
  if (at == std::string_view::npos) return false;
  if (phase_ == Phase::kInKey) add_to_key(kValues[at]);
  return true;
}

void ArgumentPath::add_to_key(char c) {
  if (c == '~') {
    key_ += "~0";
  } else if (c == '/') {
    key_ += "~1";
  } else {
    key_ += c;
  }
}

// Whether the number goes on with c.
bool ArgumentPath::number_byte(char c) {
  const bool digit = is_digit(c);
  const bool e = c == 'e' || c == 'E';
  const auto go = [this](Number next) {
    number_ = next;
    return true;
  };
  switch (number_) {
    case Number::kMinus:
      return digit && go(c == '0' ? Number::kZero : Number::kDigits);
    case Number::kDigits:
      if (digit) return true;
      [[fallthrough]];
    case Number::kZero:
      return c == '.' ? go(Number::kPoint) : e && go(Number::kE);
    case Number::kPoint:
      return digit && go(Number::kFraction);
    case Number::kFraction:
      return digit || (e && go(Number::kE));
    case Number::kE:
      return digit ? go(Number::kExponent) : (c == '+' || c == '-') && go(Number::kESign);
    case Number::kESign:
      return digit && go(Number::kExponent);
    case Number::kExponent:
      return digit;
  }
  return false;
}

bool ArgumentPath::number_is_whole() const {
  return number_ == Number::kZero || number_ == Number::kDigits || number_ == Number::kFraction ||
         number_ == Number::kExponent;
}

bool ArgumentPath::literal_byte(char c) {
  if (literal_.front() != c) return false;
  literal_.remove_prefix(1);
  if (literal_.empty()) {
    phase_ = Phase::kAfterValue;
    leaving_ = true;
  }
  return true;
}

// The value that path_ names is over: the path becomes that of the container around it.
void ArgumentPath::leave_value() {
  leaving_ = false;
  if (containers_.empty()) return;
  // After a closing bracket the container itself is what has ended.
  if (containers_.back().path_size == path_.size()) containers_.pop_back();
  path_.resize(containers_.empty() ? 0 : containers_.back().path_size);
}

}  // namespace vitalis::harmony
