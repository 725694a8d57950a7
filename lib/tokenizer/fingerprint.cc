// SPDX-License-Identifier: Apache-2.0
// Four independent chains of 128-bit products, so that the multiplier is always busy.
#include "tokenizer/fingerprint.h"

#include <cstddef>
#include <cstring>

#include "tokenizer/mix.h"

namespace vitalis::tokenizer {
namespace {

constexpr uint64_t kKeys[8] = {0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8BB84B93962EACC9,
                               0x4B33A62ED433D4A3, 0x2D358DCCAA6C78A5, 0xA0761D6478BD642F,
                               0xE7037ED1A0B428DB, 0x589965CC75374CC3};

void absorb(uint64_t (&lanes)[4], const char* data) {
  uint64_t words[8];
  std::memcpy(words, data, sizeof words);
  for (int i = 0; i < 4; ++i) {
    lanes[i] = mix(words[2 * i] ^ kKeys[2 * i] ^ lanes[i], words[2 * i + 1] ^ kKeys[2 * i + 1]) ^
               words[2 * i] ^ (lanes[i] << 1 | lanes[i] >> 63);
  }
}

}  // namespace

uint64_t fingerprint(std::string_view data) {
  uint64_t lanes[4] = {kKeys[3], kKeys[2], kKeys[1], kKeys[0]};
  size_t i = 0;
  for (; i + 64 <= data.size(); i += 64) absorb(lanes, data.data() + i);
  char rest[64] = {};
  if (i < data.size()) std::memcpy(rest, data.data() + i, data.size() - i);
  absorb(lanes, rest);
  uint64_t out = data.size();
  for (const uint64_t lane : lanes) out = mix(out ^ lane, kKeys[4] ^ lane << 1);
  return out;
}

}  // namespace vitalis::tokenizer
