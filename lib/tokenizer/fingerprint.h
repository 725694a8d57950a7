// SPDX-License-Identifier: Apache-2.0
// A fast 64-bit hash of large data. It tells damaged or changed files from whole ones; it does not
// withstand somebody who looks for collisions.
#pragma once

#include <cstdint>
#include <string_view>

namespace vitalis::tokenizer {

uint64_t fingerprint(std::string_view data);

}  // namespace vitalis::tokenizer
