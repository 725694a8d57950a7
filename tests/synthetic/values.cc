// SPDX-License-Identifier: Apache-2.0
#include "synthetic/values.h"

#include <bit>
#include <cstddef>

namespace vitalis::synthetic {
namespace {

// FNV-1a of the name, the start of its stream.
uint64_t seed(std::string_view name) {
  uint64_t h = 0xCBF29CE484222325;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return h;
}

// The finalizer of splitmix64 over a Weyl sequence.
uint64_t hash(uint64_t seed, uint64_t index) {
  uint64_t z = (index + 1) * 0x9E3779B97F4A7C15 + seed;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

}  // namespace

void fill_uniform(std::string_view name, double low, double high, uint64_t first,
                  std::span<uint16_t> out) {
  const uint64_t start = seed(name);
  const double width = high - low;
  for (size_t i = 0; i < out.size(); ++i) {
    const auto numerator = static_cast<int32_t>(hash(start, first + i) >> 40);
    out[i] = to_bf16(static_cast<float>(low + width * (numerator * 0x1p-24)));
  }
}

void fill_bytes(std::string_view name, uint64_t first, std::span<uint8_t> out) {
  const uint64_t start = seed(name);
  const uint64_t word = first / 8;
  const size_t whole = out.size() / 8;
  for (size_t i = 0; i < whole; ++i) {
    const uint64_t h = hash(start, word + i);
    for (int byte = 0; byte < 8; ++byte) {
      out[8 * i + byte] = static_cast<uint8_t>(h >> 8 * byte);
    }
  }
  const uint64_t last = hash(start, word + whole);
  for (size_t i = 8 * whole; i < out.size(); ++i) {
    out[i] = static_cast<uint8_t>(last >> 8 * (i % 8));
  }
}

void fill_scales(std::string_view name, uint64_t first, std::span<uint8_t> out) {
  fill_bytes(name, first, out);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(119 + (byte & 1));
}

}  // namespace vitalis::synthetic
