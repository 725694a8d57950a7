// SPDX-License-Identifier: Apache-2.0
// Formats of JSON Schema that are held, as regular expressions.
#pragma once

#include <optional>
#include <string_view>

namespace vitalis::harmony::grammar {

// None for formats that stay an annotation.
std::optional<std::string_view> format_pattern(std::string_view format);

}  // namespace vitalis::harmony::grammar
