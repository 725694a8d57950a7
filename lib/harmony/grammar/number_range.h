// SPDX-License-Identifier: Apache-2.0
// JSON numbers between bounds, as automata over their digits. Bounds are decimal, of any length:
// nothing is rounded. Where a schema sets no bound there is one of our own, so that a number ends:
// see kWholeDigits. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "harmony/grammar/automaton.h"

namespace vitalis::harmony::grammar {

// Digits before the point where no bound says otherwise: as many as a double holds exactly.
inline constexpr size_t kWholeDigits = 15;
inline constexpr size_t kFractionDigits = 10;

struct Decimal {
  bool negative = false;
  std::string whole = "0";  // no zeros in front, but for "0" itself
  std::string fraction;     // no zeros at the end

  // A JSON number; none if its exponent is beyond a thousand.
  static std::optional<Decimal> parse(std::string_view text);
  bool is_zero() const { return whole == "0" && fraction.empty(); }
  bool is_whole() const { return fraction.empty(); }
};
int compare(const Decimal& a, const Decimal& b);  // < 0, 0, > 0

struct NumberRange {
  struct Bound {
    Decimal at;
    bool open = false;  // the bound itself is not meant
  };
  std::optional<Bound> low, high;
  bool integer = false;
  std::optional<Decimal> multiple_of;

  // The narrower of both.
  void raise(const Bound& bound);
  void lower(const Bound& bound);
  bool contains(const Decimal& value) const;  // but for multiple_of
};

// kUnsupported: a multiple_of that is neither whole nor a power of ten, or too large.
Result<Dfa> number_dfa(const NumberRange& range);
// Whether `value` is a multiple; only for what number_dfa holds.
bool is_multiple(const Decimal& value, const Decimal& of);

}  // namespace vitalis::harmony::grammar
