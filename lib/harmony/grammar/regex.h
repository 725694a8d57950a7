// SPDX-License-Identifier: Apache-2.0
// Regular expressions of JSON Schema (the regular part of ECMA-262's) to automata over the bytes of
// encoded strings: each character stands in its one canonical encoding, UTF-8 where JSON allows it
// and the shortest escape where it does not. Pure functions; any thread.
#pragma once

#include <string_view>

#include "base/status.h"
#include "harmony/grammar/automaton.h"

namespace vitalis::harmony::grammar {

// The encoded texts, without quotes, in which the expression is found (anchor it to match it
// whole). kMalformed, kUnsupported (look-around, back references, properties of characters) with
// the place in the expression.
Result<Dfa> regex_body(std::string_view pattern);

// All texts.
const Dfa& any_body();
// The one encoded text of a string.
Dfa literal_body(std::string_view text);

}  // namespace vitalis::harmony::grammar
