// SPDX-License-Identifier: Apache-2.0
// Weights that follow from a rule, so that goldens can exist for a checkpoint nobody has to store:
// every number is a hash of its tensor's name and its index (tests/goldens/numerics/README.md).
// Pure functions; any part of a tensor can be made alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vitalis::synthetic {

// Elements `first`, first + 1, … of a tensor, uniform in [low, high), as bf16 bits.
void fill_uniform(std::string_view name, double low, double high, uint64_t first,
                  std::span<uint16_t> out);

// The byte stream of a name from byte `first`, a multiple of 8.
void fill_bytes(std::string_view name, uint64_t first, std::span<uint8_t> out);

// E8M0 scales of 2^-8 and 2^-7 by the lowest bit of the byte stream; `first` as above.
void fill_scales(std::string_view name, uint64_t first, std::span<uint8_t> out);

}  // namespace vitalis::synthetic
