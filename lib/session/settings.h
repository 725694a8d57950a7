// SPDX-License-Identifier: Apache-2.0
// What a user may set, each once: key, type, default, range, where else it may be written, and what
// it does. The table is all that help texts, documentation and checks are made from.
// A Settings holds the values, and for each where it came from; a later one replaces an earlier, so
// layers are loads in their order. Nothing is read but what is handed in: no file, no environment.
// One thread at a time, or none that writes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace vitalis::session {

struct Setting {
  // The numbers are VITALIS_SETTING_* of vitalis.h.
  enum class Type : int32_t { kBoolean = 1, kInteger, kReal, kText, kChoice, kSize };

  std::string_view key;  // "runtime.threads": section and name, of [a-z_]
  Type type;
  std::string_view fallback;   // the default as text; empty if there is none
  std::string_view otherwise;  // what holds where there is no value, in words; empty: see fallback
  double low;                  // numbers: the range, ends included
  double high;                 // infinity, or 0 of a size: no end
  std::string_view choices;    // kChoice: "low|medium|high"
  std::string_view flag;       // of the program: "--threads"; empty if there is none
  std::string_view variable;   // an environment variable besides VITALIS_SECTION_NAME; may be empty
  bool trusted;                // decides what goes where: not for a folder's file to set
  std::string_view help;
};

// In the order of sections.
std::span<const Setting> settings_table();

// "VITALIS_RUNTIME_THREADS"
std::string environment_name(const Setting& setting);
// "a number, 1 to 1024": what follows "expected" in a message.
std::string expected_value(const Setting& setting);

// 2000000 for "2MB/s": a number of bytes, with a unit of 1000 or 1024 and "/s" if wanted.
std::optional<uint64_t> parse_size(std::string_view text);

class Settings {
 public:
  Settings();

  enum class Trust : uint8_t { kAll, kHarmlessOnly };
  // A tree of sections, {"runtime": {"threads": 4}}. Every problem is told, and with one nothing is
  // changed. `origin` says whose values these are.
  Status load_json(std::string_view json, std::string_view origin, Trust trust = Trust::kAll);
  // From text, as environments and command lines have it.
  Status set(std::string_view key, std::string_view text, std::string_view origin);
  // Back to the default.
  Status unset(std::string_view key);

  // The value as text: what was set, else the default, else empty.
  std::string_view value(size_t index) const;
  bool is_set(size_t index) const { return values_[index].is_set; }
  std::string_view origin(size_t index) const { return values_[index].origin; }
  // kNotFound with the nearest key.
  static Result<size_t> find(std::string_view key);

  // Values by key, for code that knows its keys. Nothing: no value and no default.
  std::optional<uint64_t> integer(std::string_view key) const;  // kInteger, kSize
  std::optional<double> real(std::string_view key) const;
  bool truth(std::string_view key) const;
  std::string_view text(std::string_view key) const;

  // All values, defaults included, in the form that load_json takes.
  std::string to_json() const;

 private:
  struct Value {
    std::string text;
    std::string origin;
    bool is_set = false;
  };
  std::vector<Value> values_;  // in the table's order
};

}  // namespace vitalis::session
