// SPDX-License-Identifier: Apache-2.0
#include "harmony/grammar/number_range.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

namespace vitalis::harmony::grammar {
namespace {

constexpr long kMostExponent = 1000;
constexpr uint64_t kMostMultiple = 1000;
constexpr size_t kWholeDigitsOfFractions = 9;

int compare_magnitude(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  if (const int c = a.whole.compare(b.whole); c != 0) return c;
  return a.fraction.compare(b.fraction);  // no zeros at the ends: so is the order of texts
}

void increment(std::string& whole) {
  for (size_t i = whole.size(); i-- > 0;) {
    if (whole[i] != '9') {
      ++whole[i];
      return;
    }
    whole[i] = '0';
  }
  whole.insert(whole.begin(), '1');
}

// Of a number above zero.
void decrement(std::string& whole) {
  for (size_t i = whole.size(); i-- > 0;) {
    if (whole[i] != '0') {
      --whole[i];
      break;
    }
    whole[i] = '9';
  }
  if (whole.size() > 1 && whole[0] == '0') whole.erase(0, 1);
}

// Numbers without sign from `low` to `high`.
class Magnitudes {
 public:
  Magnitudes(Nfa& nfa, Nfa::State accept, NumberRange::Bound low, NumberRange::Bound high,
             size_t fraction_digits)
      : nfa_(nfa),
        accept_(accept),
        low_(std::move(low)),
        high_(std::move(high)),
        fraction_digits_(fraction_digits) {}

  void add(Nfa::State from) {
    for (size_t n = low_.at.whole.size(); n <= high_.at.whole.size(); ++n) {
      nfa_.add_empty(from,
                     state({false, n, 0, n == low_.at.whole.size(), n == high_.at.whole.size()}));
    }
    while (!queue_.empty()) {
      const Place place = queue_.back();
      queue_.pop_back();
      expand(place);
    }
  }

 private:
  struct Place {
    bool fraction;   // behind the point
    size_t length;   // of the part before the point
    size_t digits;   // read of this part
    bool low, high;  // the digits so far are those of the bound
    auto key() const { return std::tie(fraction, length, digits, low, high); }
    bool operator<(const Place& o) const { return key() < o.key(); }
  };

  Nfa::State state(Place place) {
    // What no bound holds needs to know only how many digits are left.
    if (!place.low && !place.high && !place.fraction && place.digits > 0) {
      place.length -= place.digits - 1;
      place.digits = 1;
    }
    if (place.fraction) place.length = 0;
    const auto [at, fresh] = states_.try_emplace(place, 0);
    if (fresh) {
      at->second = nfa_.add_state();
      queue_.push_back(place);
    }
    return at->second;
  }

  // The digit of a bound, zeros behind its end.
  static char digit(const NumberRange::Bound& bound, const Place& place) {
    const std::string& part = place.fraction ? bound.at.fraction : bound.at.whole;
    return place.digits < part.size() ? part[place.digits] : '0';
  }

  bool may_end(const Place& place) const {
    const size_t fraction = place.fraction ? place.digits : 0;
    if (place.low && (fraction < low_.at.fraction.size() || low_.open)) return false;
    return !(place.high && fraction >= high_.at.fraction.size() && high_.open);
  }

  void expand(const Place& place) {
    const Nfa::State from = states_.at(place);
    const bool whole_ends = !place.fraction && place.digits == place.length;
    if ((whole_ends || (place.fraction && place.digits > 0)) && may_end(place)) {
      nfa_.add_empty(from, accept_);
    }
    if (whole_ends) {
      if (fraction_digits_ > 0) {
        nfa_.add_bytes(from, state({true, 0, 0, place.low, place.high}), '.', '.');
      }
      return;
    }
    if (place.fraction && place.digits == fraction_digits_) return;
    const bool leads = !place.fraction && place.digits == 0 && place.length > 1;
    for (char d = leads ? '1' : '0'; d <= '9'; ++d) {
      if ((place.low && d < digit(low_, place)) || (place.high && d > digit(high_, place))) {
        continue;
      }
      Place next = place;
      ++next.digits;
      next.low = place.low && d == digit(low_, place);
      next.high = place.high && d == digit(high_, place);
      nfa_.add_bytes(from, state(next), static_cast<uint8_t>(d), static_cast<uint8_t>(d));
    }
  }

  Nfa& nfa_;
  Nfa::State accept_;
  NumberRange::Bound low_, high_;
  size_t fraction_digits_;
  std::map<Place, Nfa::State> states_;
  std::vector<Place> queue_;
};

// Whole magnitudes: bounds that integers reach. False if there is none between them.
bool make_whole(NumberRange::Bound& low, NumberRange::Bound& high) {
  if (low.open || !low.at.fraction.empty()) increment(low.at.whole);
  if (high.open && high.at.fraction.empty()) {
    if (high.at.whole == "0") return false;
    decrement(high.at.whole);
  }
  low.at.fraction.clear();
  high.at.fraction.clear();
  low.open = high.open = false;
  return compare_magnitude(low.at, high.at) <= 0;
}

Decimal all_nines(size_t digits) {
  return {false, std::string(digits, '9'), ""};
}

// The power of ten that 10^-k is, or none.
std::optional<size_t> negative_power_of_ten(const Decimal& value) {
  if (value.whole != "0" || value.fraction.empty() || value.fraction.back() != '1') return {};
  const bool zeros = value.fraction.find_first_not_of('0') == value.fraction.size() - 1;
  return zeros ? std::optional(value.fraction.size()) : std::nullopt;
}

std::optional<uint64_t> small_whole(const Decimal& value) {
  if (!value.is_whole() || value.whole.size() > 9) return {};
  uint64_t out = 0;
  std::from_chars(value.whole.data(), value.whole.data() + value.whole.size(), out);
  return out;
}

Result<Dfa> multiples(uint64_t of) {
  Nfa nfa;
  const Nfa::State start = nfa.add_state(), digits = nfa.add_state();
  for (uint64_t r = 1; r < of; ++r) nfa.add_state();
  const auto add = [&](Nfa::State from, uint64_t rest) {
    for (uint8_t d = 0; d < 10; ++d) {
      nfa.add_bytes(from, digits + static_cast<Nfa::State>((rest * 10 + d) % of),
                    static_cast<uint8_t>('0' + d), static_cast<uint8_t>('0' + d));
    }
  };
  for (uint64_t r = 0; r < of; ++r) add(digits + static_cast<Nfa::State>(r), r);
  add(start, 0);
  nfa.add_bytes(start, start, '-', '-');
  return nfa.determinize(start, digits);
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  Decimal out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  long exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (failure != std::errc() || exponent > kMostExponent || exponent < -kMostExponent) return {};
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  out.whole = text.substr(0, point);
  if (point != std::string_view::npos) out.fraction = text.substr(point + 1);
  for (; exponent > 0; --exponent) {
    out.whole += out.fraction.empty() ? '0' : out.fraction[0];
    if (!out.fraction.empty()) out.fraction.erase(0, 1);
  }
  for (; exponent < 0; ++exponent) {
    out.fraction.insert(out.fraction.begin(), out.whole.empty() ? '0' : out.whole.back());
    if (!out.whole.empty()) out.whole.pop_back();
  }
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  if (out.whole.empty()) out.whole.push_back('0');
  while (!out.fraction.empty() && out.fraction.back() == '0') out.fraction.pop_back();
  if (out.is_zero()) out.negative = false;
  return out;
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  return a.negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

void NumberRange::raise(const Bound& bound) {
  const int order = low ? compare(bound.at, low->at) : 1;
  if (order > 0 || (order == 0 && bound.open)) low = bound;
}

void NumberRange::lower(const Bound& bound) {
  const int order = high ? compare(bound.at, high->at) : -1;
  if (order < 0 || (order == 0 && bound.open)) high = bound;
}

bool NumberRange::contains(const Decimal& value) const {
  if (integer && !value.is_whole()) return false;
  if (low) {
    const int order = compare(value, low->at);
    if (order < 0 || (order == 0 && low->open)) return false;
  }
  if (high) {
    const int order = compare(value, high->at);
    if (order > 0 || (order == 0 && high->open)) return false;
  }
  return true;
}

Result<Dfa> number_dfa(const NumberRange& range) {
  bool integer = range.integer;
  size_t fraction_digits = kFractionDigits;
  uint64_t multiple = 0;  // none
  std::optional<size_t> places;
  if (range.multiple_of) {
    multiple = small_whole(*range.multiple_of).value_or(0);
    places = negative_power_of_ten(*range.multiple_of);
    if (multiple > kMostMultiple) multiple = 0;
    if (multiple == 0 && !places) {
      return error(Code::kUnsupported, "multipleOf is held for whole numbers to ", kMostMultiple,
                   " and for 0.1, 0.01, …");
    }
    if (multiple > 0) integer = true;
  }

  const bool bounded = range.low || range.high;
  // Bounds are often compared as doubles: no more digits than those tell apart, and some of them
  // behind the point.
  size_t digits = bounded && !integer ? kWholeDigitsOfFractions : kWholeDigits;
  for (const auto* bound : {&range.low, &range.high}) {
    if (*bound) {
      fraction_digits = std::max(fraction_digits, (*bound)->at.fraction.size());
    }
  }
  if (range.low && !range.low->at.negative) {
    digits = std::max(digits, range.low->at.whole.size() + 1);
  }
  if (range.high && range.high->at.negative) {
    digits = std::max(digits, range.high->at.whole.size() + 1);
  }
  const NumberRange::Bound zero;
  const NumberRange::Bound most = {all_nines(digits), false};

  Nfa nfa;
  const Nfa::State start = nfa.add_state(), negative = nfa.add_state(), accept = nfa.add_state();
  nfa.add_bytes(start, negative, '-', '-');
  const auto add = [&](Nfa::State from, NumberRange::Bound low, NumberRange::Bound high) {
    low.at.negative = high.at.negative = false;
    const int order = compare(low.at, high.at);
    if (order > 0 || (order == 0 && (low.open || high.open))) return;
    if (integer && !make_whole(low, high)) return;
    size_t fraction = integer ? 0 : fraction_digits;
    if (!integer && bounded && high.at.whole.size() < kWholeDigits) {
      const size_t exact = kWholeDigits - high.at.whole.size();
      fraction =
          std::min(fraction, std::max({exact, low.at.fraction.size(), high.at.fraction.size()}));
    } else if (!integer && bounded) {
      fraction = std::max(low.at.fraction.size(), high.at.fraction.size());
    }
    if (places) fraction = std::min(fraction, *places);
    Magnitudes(nfa, accept, std::move(low), std::move(high), fraction).add(from);
  };
  // Zero and above; below zero, by magnitude.
  if (!range.high || !range.high->at.negative) {
    add(start, range.low && !range.low->at.negative ? *range.low : zero,
        range.high ? *range.high : most);
  }
  if (!range.low || range.low->at.negative) {
    add(negative,
        range.high && range.high->at.negative ? *range.high : NumberRange::Bound{Decimal(), true},
        range.low ? *range.low : most);
  }
  if (!range.low && !range.high && !integer && !places) {
    const Nfa::State sign = nfa.add_state(), first = nfa.add_state(), second = nfa.add_state(),
                     end = nfa.add_state();
    for (const uint8_t e : {'e', 'E'}) nfa.add_bytes(accept, sign, e, e);
    for (const uint8_t s : {'+', '-'}) nfa.add_bytes(sign, first, s, s);
    nfa.add_empty(sign, first);
    nfa.add_bytes(first, second, '0', '9');
    nfa.add_bytes(second, end, '0', '9');
    nfa.add_empty(second, end);
    nfa.add_empty(accept, end);
    return nfa.determinize(start, end);
  }
  VITALIS_ASSIGN(Dfa dfa, nfa.determinize(start, accept));
  if (multiple == 0) return dfa;
  VITALIS_ASSIGN(const Dfa divisible, multiples(multiple));
  return intersect(dfa, divisible);
}

bool is_multiple(const Decimal& value, const Decimal& of) {
  if (const auto places = negative_power_of_ten(of)) return value.fraction.size() <= *places;
  const auto divisor = small_whole(of);
  if (!divisor || *divisor == 0 || !value.is_whole()) return false;
  uint64_t rest = 0;
  for (const char c : value.whole) rest = (rest * 10 + static_cast<uint64_t>(c - '0')) % *divisor;
  return rest == 0;
}

}  // namespace vitalis::harmony::grammar
