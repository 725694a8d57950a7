// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "formats/gguf.h"
#include "formats/metal_bin.h"
#include "tokenizer/compiled_file.h"
#include "tokenizer/encoder.h"
#include "tokenizer/load_gguf.h"
#include "tokenizer/load_json.h"
#include "tokenizer/load_metal.h"
#include "tokenizer/load_ranks.h"
#include "tokenizer/pieces.h"
#include "tokenizer/special_finder.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/well_formed.h"
#include "tokenizer/word_cache.h"

namespace vitalis {

using tokenizer::Encoder;
using tokenizer::kNone;
using tokenizer::SpecialFinder;
using tokenizer::Vocabulary;
using tokenizer::WellFormed;
using tokenizer::WordMemory;

struct Tokenizer::Tables {
  Tables(Vocabulary v, WordMemory m)
      : vocabulary(std::move(v)),
        memory(std::move(m)),
        encoder(tokenizer::piece_kernels(), vocabulary, memory) {}

  Vocabulary vocabulary;
  WordMemory memory;
  Encoder encoder;
};

namespace {

Result<Vocabulary> load(const std::string& path) {
  {
    VITALIS_ASSIGN(const MappedFile file, MappedFile::open(path));
    if (formats::is_gguf(file.bytes())) return tokenizer::load_gguf(file.bytes(), path);
    if (formats::is_metal_bin(file.bytes())) return tokenizer::load_metal(file.bytes(), path);
  }
  return tokenizer::load_json(path);
}

std::vector<Token> without(const std::vector<Token>& list, const std::vector<Token>& excluded) {
  std::vector<Token> out;
  for (const Token token : list) {
    if (std::find(excluded.begin(), excluded.end(), token) == excluded.end()) out.push_back(token);
  }
  return out;
}

}  // namespace

Result<Tokenizer> Tokenizer::from(Vocabulary vocabulary) {
  VITALIS_ASSIGN(WordMemory memory, WordMemory::create());
  return Tokenizer(std::make_unique<const Tables>(std::move(vocabulary), std::move(memory)));
}

Result<Tokenizer> Tokenizer::open(const std::string& path) {
  VITALIS_ASSIGN(Vocabulary vocabulary, load(path));
  return from(std::move(vocabulary));
}

Result<Tokenizer> Tokenizer::open(const std::string& path, const std::string& cache_folder) {
  const auto compiled = tokenizer::CompiledFile::for_source(path, cache_folder);
  if (!compiled) return open(path);
  Result<Vocabulary> found = compiled->read();
  if (found.ok()) return from(found.take());
  VITALIS_ASSIGN(Vocabulary vocabulary, load(path));
  // Without a compiled file the next start is slower, and nothing else.
  static_cast<void>(compiled->write(vocabulary));
  return from(std::move(vocabulary));
}

Result<Tokenizer> Tokenizer::open_ranks(const std::string& path,
                                        std::span<const VocabularySource::Entry> specials) {
  VITALIS_ASSIGN(Vocabulary vocabulary, tokenizer::load_ranks(path, specials));
  return from(std::move(vocabulary));
}

Result<Tokenizer> Tokenizer::build(const VocabularySource& source) {
  VITALIS_ASSIGN(Vocabulary vocabulary, Vocabulary::build(source));
  return from(std::move(vocabulary));
}

Tokenizer::Tokenizer(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

void Tokenizer::encode(std::string_view text, std::vector<Token>& out) const {
  const WellFormed well_formed(text);
  tables_->encoder.encode(well_formed.text(), out);
}

void Tokenizer::encode(std::string_view text, std::vector<Token>& out,
                       std::vector<size_t>& ends) const {
  const WellFormed well_formed(text);
  const size_t first = out.size();
  tables_->encoder.encode(well_formed.text(), out);
  WellFormed::Offsets offsets(well_formed);
  size_t end = 0;
  for (size_t i = first; i < out.size(); ++i) {
    end += bytes(out[i]).size();
    ends.push_back(offsets.original(end));
  }
}

Status Tokenizer::encode(std::string_view text, const EncodeOptions& options,
                         std::vector<Token>& out) const {
  if (options.refuse_ill_formed) {
    if (const size_t good = utf8::valid_prefix(text); good != text.size()) {
      return error(Code::kInvalidArgument, "the text is not UTF-8 at byte ", good);
    }
  }
  const SpecialFinder refused_finder(tables_->vocabulary,
                                     without(options.refused, options.allowed));
  const auto refused = refused_finder.next(text, 0);
  if (refused.token != kNone) {
    return error(Code::kInvalidArgument, "the text spells the special token ", bytes(refused.token),
                 " at byte ", refused.at, ", where it is not allowed");
  }
  const SpecialFinder finder(tables_->vocabulary, options.allowed);
  for (size_t begin = 0; begin < text.size();) {
    const auto found = finder.next(text, begin);
    encode(text.substr(begin, found.at - begin), out);
    if (found.token == kNone) break;
    out.push_back(found.token);
    begin = found.at + bytes(found.token).size();
  }
  return {};
}

size_t Tokenizer::count(std::string_view text) const {
  const WellFormed well_formed(text);
  return tables_->encoder.count(well_formed.text());
}

size_t Tokenizer::encode_up_to(std::string_view text, size_t limit, std::vector<Token>& out) const {
  const WellFormed well_formed(text);
  const size_t end = tables_->encoder.encode_up_to(well_formed.text(), limit, out);
  return WellFormed::Offsets(well_formed).original(end);
}

std::vector<std::vector<Token>> Tokenizer::encode_batch(std::span<const std::string_view> texts,
                                                        const ParallelFor& parallel_for) const {
  std::vector<std::vector<Token>> out(texts.size());
  parallel_for(texts.size(), [&](size_t i) { encode(texts[i], out[i]); });
  return out;
}

void Tokenizer::decode(std::span<const Token> tokens, std::string& out) const {
  for (const Token token : tokens) out += bytes(token);
}

std::optional<Token> Tokenizer::find(std::string_view bytes) const {
  const Token id = bytes.empty() ? kNone : tables_->vocabulary.find(bytes);
  return id == kNone ? std::nullopt : std::optional<Token>(id);
}

std::span<const Token> Tokenizer::specials() const {
  return tables_->vocabulary.specials();
}

std::string_view Tokenizer::bytes(Token token) const {
  return tables_->vocabulary.bytes(token);
}

std::optional<Token> Tokenizer::special(std::string_view name) const {
  const Token id = tables_->vocabulary.special(name);
  return id == kNone ? std::nullopt : std::optional<Token>(id);
}

bool Tokenizer::is_special(Token token) const {
  return tables_->vocabulary.is_special(token);
}

size_t Tokenizer::size() const {
  return tables_->vocabulary.size();
}

}  // namespace vitalis
