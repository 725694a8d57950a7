// SPDX-License-Identifier: Apache-2.0
// What this machine can do at best on one thread, for the benchmarks to be held against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vitalis::bench {

// Reads all bytes once, one stream, in the widest registers of the tier.
uint64_t read_all(std::span<const uint8_t> bytes, std::string_view tier);

// Fused multiply-adds on registers, for the avx512bf16 tier products of pairs, for the amx tier
// products of tiles; returns how many floating-point operations it did.
double multiply_add(std::string_view tier, size_t rounds);

}  // namespace vitalis::bench
