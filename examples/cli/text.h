// SPDX-License-Identifier: Apache-2.0
// Text as the commands need it: files and standard input read whole, UTF-8 checked, sizes for
// people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitalis::cli {

// The size of the longest well-formed UTF-8 beginning of `text`; text.size() if all of it is.
size_t utf8_prefix(std::string_view text);

// A file's bytes, or standard input's if `path` is "-"; nothing and a sentence in `problem` on
// failure.
std::optional<std::string> read_whole(const std::string& path, std::string& problem);

// Without the one line end that editors and echo put last.
std::string_view without_last_newline(std::string_view text);

// "13.8 GB": powers of ten, as memory bandwidth and disks are told.
std::string size_for_people(uint64_t bytes);
// "20,914,757,184"
std::string with_separators(uint64_t number);
// `decimals` digits after the point, whatever the locale.
std::string fixed(double number, int decimals);

}  // namespace vitalis::cli
