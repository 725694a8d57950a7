// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/load_metal.h"

#include <algorithm>
#include <deque>

#include "formats/metal_bin.h"
#include "tokenizer/split.h"

namespace vitalis::tokenizer {
namespace {

using Uuid = formats::MetalBin::Uuid;

// From the 32 digits of a UUID.
constexpr Uuid uuid(uint64_t high, uint64_t low) {
  Uuid out{};
  for (size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::byte>(high >> (56 - 8 * i));
    out[8 + i] = static_cast<std::byte>(low >> (56 - 8 * i));
  }
  return out;
}

struct Known {
  Uuid uuid;
  std::string_view name;
};
constexpr Known kKnown[] = {
    {uuid(0x55a77c2f8a014c54, 0x8ac2313bfc7e208d), "<|start|>"},
    {uuid(0x16e40431f47f4b22, 0xb59b8b278fc30a54), "<|message|>"},
    {uuid(0xfcac2f6d47054f6b, 0xb228642accac7238), "<|end|>"},
    {uuid(0xf799ff69199243c4, 0xa3d8d831f475dc75), "<|return|>"},
    {uuid(0xe15ba70228c44292, 0xab8fffa434709128), "<|refusal|>"},
    {uuid(0xc0bb14c7602249da, 0xad08792d67e8b470), "<|constrain|>"},
    {uuid(0xfd3dda11c8ab4033, 0x876ed93deb172c93), "<|channel|>"},
    {uuid(0x1220f796e3884de5, 0xb487fe2eb5fe03c0), "<|call|>"},
    {uuid(0x07d7da55b3464cff, 0x8b377cefacf8a3e8), "<|untrusted|>"},
    {uuid(0xf265bd9cc717469e, 0xa447920687d65d90), "<|end_untrusted|>"},
};
// The first two ids after the text tokens have no UUID; in gpt-oss they are these.
constexpr std::string_view kFirst[] = {"<|startoftext|>", "<|endoftext|>"};

}  // namespace

Result<Vocabulary> load_metal(std::span<const std::byte> file, const std::string& path) {
  VITALIS_ASSIGN(const formats::MetalBin bin, formats::parse_metal_bin(file, path));
  if (bin.regex != kPattern) {
    return error(Code::kUnsupported, path, ": its tokenizer does not split by the o200k pattern");
  }
  VocabularySource source;
  source.entries.reserve(bin.text_tokens.size());
  Token id = 0;
  for (const std::string_view bytes : bin.text_tokens) source.entries.push_back({id++, bytes});
  std::deque<std::string> reserved;  // keeps its elements in place
  for (size_t i = 0; i < bin.special_tokens.size(); ++i, ++id) {
    const auto known = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) {
      return k.uuid == bin.special_tokens[i];
    });
    if (known != std::end(kKnown)) {
      source.specials.push_back({id, known->name});
    } else if (i < std::size(kFirst)) {
      source.specials.push_back({id, kFirst[i]});
    } else {
      source.specials.push_back({id, reserved.emplace_back(text("<|reserved_", id, "|>"))});
    }
  }
  Result<Vocabulary> out = Vocabulary::build(source);
  if (!out.ok()) return error(out.status().code(), path, ": ", out.status().message());
  return out;
}

}  // namespace vitalis::tokenizer
