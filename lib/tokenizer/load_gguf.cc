// SPDX-License-Identifier: Apache-2.0
// Keys: tokenizer.ggml.model ("gpt2"), .pre (how text is cut), .tokens (byte-level text by id),
// .token_type, .merges ("left right"). The 446,189 merges of the published vocabulary say no more
// than its ids do (load_json.cc): where tokens and merges are those, they are not read.
#include "tokenizer/load_gguf.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/problems.h"
#include "formats/gguf.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/fingerprint.h"
#include "tokenizer/merge_list.h"

namespace vitalis::tokenizer {
namespace {

using formats::GgufValue;

// llama.cpp's names for the o200k pattern, and what Ollama writes for those it does not know.
constexpr std::string_view kPatterns[] = {"gpt-4o", "default"};

// Of the tokens below the special ones and of the merges, as they lie in a file.
constexpr size_t kPublishedEntries = 199998;
constexpr uint64_t kPublishedTokens = 0xB9AD7244FFBC6ABA;
constexpr uint64_t kPublishedMerges = 0x66229300CA8D1A6F;

enum TokenType : int32_t { kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5 };

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Loader {
 public:
  Loader(const formats::Gguf& gguf, const std::string& path) : gguf_(gguf), path_(path) {}

  Result<Vocabulary> load() {
    const GgufValue* tokens = gguf_.find("tokenizer.ggml.tokens");
    if (!tokens) return error(Code::kNotFound, path_, " has no tokenizer in its metadata");
    VITALIS_TRY(expect_text("tokenizer.ggml.model", {{"gpt2"}}));
    VITALIS_TRY(expect_text("tokenizer.ggml.pre", kPatterns));
    const GgufValue* merges = gguf_.find("tokenizer.ggml.merges");
    if (!merges) return error(Code::kUnsupported, path_, ": has no tokenizer.ggml.merges");
    const std::vector<std::string_view> texts = tokens->strings();
    const std::vector<std::string_view> pairs = merges->strings();
    // Decoded bytes are never more than spelled ones.
    bytes_ = std::make_unique_for_overwrite<char[]>(tokens->bytes.size() + merges->bytes.size());
    VITALIS_TRY(read_tokens(texts));
    if (!published(*tokens, texts, *merges)) VITALIS_TRY(read_merges(pairs));
    Result<Vocabulary> out = Vocabulary::build(source_);
    if (!out.ok()) return error(out.status().code(), path_, ": ", out.status().message());
    return out;
  }

 private:
  Status expect_text(std::string_view key, std::span<const std::string_view> known) const {
    const GgufValue* value = gguf_.find(key);
    const auto found = value ? value->string() : std::nullopt;
    if (found && std::find(known.begin(), known.end(), *found) != known.end()) return {};
    std::string expected;
    for (const std::string_view name : known) {
      expected += text(expected.empty() ? "" : ", ", in_quotes(name));
    }
    return error(Code::kUnsupported, path_, ": metadata ", in_quotes(key), " is ",
                 found ? in_quotes(*found) : "missing", "; supported: ", expected);
  }

  std::optional<std::string_view> decode(std::string_view spelled) {
    char* at = bytes_.get() + used_;
    const std::optional<size_t> size = decode_byte_level(spelled, at);
    if (!size) return std::nullopt;
    used_ += *size;
    return std::string_view(at, *size);
  }

  Status read_tokens(const std::vector<std::string_view>& texts) {
    const GgufValue* value = gguf_.find("tokenizer.ggml.token_type");
    const std::vector<int32_t> types = value ? value->integers() : std::vector<int32_t>();
    if (types.size() != texts.size()) {
      return error(Code::kMalformed, path_, ": tokenizer.ggml.token_type has ", types.size(),
                   " types for ", texts.size(), " tokens");
    }
    source_.entries.reserve(texts.size());
    for (size_t id = 0; id < texts.size(); ++id) {
      const auto token = static_cast<Token>(id);
      // Rows beyond the vocabulary, which Ollama calls user-defined.
      const bool padding = texts[id] == text("[PAD", id, ']');
      if (padding || types[id] == kUnused) continue;
      if (types[id] == kControl || types[id] == kUserDefined) {
        source_.specials.push_back({token, texts[id]});
        continue;
      }
      const auto bytes = types[id] == kNormal ? decode(texts[id]) : std::nullopt;
      if (!bytes) {
        return error(Code::kMalformed, path_, ": token ", id, ", of type ", types[id],
                     ", is not byte-level text");
      }
      source_.entries.push_back({token, *bytes});
    }
    return {};
  }

  bool published(const GgufValue& tokens, const std::vector<std::string_view>& texts,
                 const GgufValue& merges) const {
    if (source_.entries.size() != kPublishedEntries || texts.size() <= kPublishedEntries) {
      return false;
    }
    const auto* begin = reinterpret_cast<const char*>(tokens.bytes.data());
    const char* end = texts[kPublishedEntries - 1].data() + texts[kPublishedEntries - 1].size();
    return fingerprint({begin, static_cast<size_t>(end - begin)}) == kPublishedTokens &&
           fingerprint(as_text(merges.bytes)) == kPublishedMerges;
  }

  Status read_merges(const std::vector<std::string_view>& pairs) {
    std::vector<SpelledMerge> merges;
    merges.reserve(pairs.size());
    for (const std::string_view both : pairs) {
      const size_t space = both.find(' ');
      const auto left = decode(both.substr(0, space));
      const auto right = space == both.npos ? std::nullopt : decode(both.substr(space + 1));
      if (!left || !right) {
        return error(Code::kMalformed, path_, ": merge ", merges.size(),
                     " is not two byte-level texts and a space");
      }
      merges.push_back({*left, *right});
    }
    auto resolved = resolve_merges(source_.entries, merges);
    if (!resolved.ok()) return error(Code::kMalformed, path_, ": ", resolved.status().message());
    source_.merges = resolved.take();
    return {};
  }

  const formats::Gguf& gguf_;
  const std::string& path_;
  std::unique_ptr<char[]> bytes_;
  size_t used_ = 0;
  VocabularySource source_;
};

}  // namespace

Result<Vocabulary> load_gguf(std::span<const std::byte> file, const std::string& path) {
  VITALIS_ASSIGN(const formats::Gguf gguf, formats::parse_gguf(file, path));
  return Loader(gguf, path).load();
}

}  // namespace vitalis::tokenizer
