// SPDX-License-Identifier: Apache-2.0
// Text as the encoder wants it: the caller's own bytes if they are well-formed UTF-8, else a copy
// with U+FFFD for each ill-formed part, and the way back to offsets in the original.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vitalis::tokenizer {

class WellFormed {
 public:
  explicit WellFormed(std::string_view original);
  WellFormed(const WellFormed&) = delete;
  WellFormed& operator=(const WellFormed&) = delete;

  std::string_view text() const { return replaced_ ? *replaced_ : original_; }

  // Turns ascending offsets in text() into offsets in the original.
  class Offsets {
   public:
    explicit Offsets(const WellFormed& of) : of_(of) {}
    size_t original(size_t offset);

   private:
    const WellFormed& of_;
    size_t text_ = 0, original_ = 0;  // the same character's start
  };

 private:
  std::string_view original_;
  std::optional<std::string> replaced_;
};

}  // namespace vitalis::tokenizer
