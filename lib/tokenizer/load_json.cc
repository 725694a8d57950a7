// SPDX-License-Identifier: Apache-2.0
// The file is mapped and read with simdjson's on-demand reader. The 446,189 merges of the published
// model are every split of every entry, in the order of ids, so they say no more than the ids do:
// where the text of "model" is that one, they are not read. In any other file they are.
#include "tokenizer/load_json.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <unistd.h>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/fingerprint.h"
#include "tokenizer/merge_list.h"
#include "tokenizer/split.h"

namespace vitalis::tokenizer {
namespace {

using simdjson::ondemand::array;
using simdjson::ondemand::field;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// "model" of the tokenizer.json of gpt-oss-20b and -120b (same file), from its brace to the end.
// That its merges follow from its ids is held by a test that reads them.
constexpr uint64_t kPublishedModel = 0xC106B4508EE2179C;

// Text for simdjson, which reads up to SIMDJSON_PADDING bytes beyond the end: what follows a file
// in its last mapped page is zeros; a file that fills its last page is copied.
class PaddedText {
 public:
  static Result<PaddedText> open(const std::string& path) {
    VITALIS_ASSIGN(MappedFile file, MappedFile::open(path));
    PaddedText out(std::move(file));
    const size_t size = out.file_.bytes().size();
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    if (size % page == 0 || page - size % page < simdjson::SIMDJSON_PADDING) {
      out.copy_ = simdjson::padded_string(out.mapped());
      if (!out.copy_->data()) {
        return error(Code::kOutOfMemory, path, ": no memory for a copy of ", size, " bytes");
      }
    }
    return out;
  }
  simdjson::padded_string_view view() const {
    const std::string_view text = copy_ ? std::string_view(*copy_) : mapped();
    return simdjson::padded_string_view(text.data(), text.size(),
                                        text.size() + simdjson::SIMDJSON_PADDING);
  }

 private:
  explicit PaddedText(MappedFile file) : file_(std::move(file)) {}
  std::string_view mapped() const {
    return {reinterpret_cast<const char*>(file_.bytes().data()), file_.bytes().size()};
  }

  MappedFile file_;
  std::optional<simdjson::padded_string> copy_;
};

class Loader {
 public:
  explicit Loader(const std::string& path) : path_(path) {}

  Result<Vocabulary> load() {
    VITALIS_ASSIGN(const PaddedText text, PaddedText::open(path_));
    text_ = text.view();
    bytes_ = std::make_unique_for_overwrite<char[]>(text_.size());
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document document;
    object root;
    if (const auto e = parser.iterate(text.view()).get(document)) return bad_json(e);
    if (const auto e = document.get_object().get(root)) return bad_json(e);
    for (auto item : root) {
      field f;
      std::string_view key;
      if (const auto e = std::move(item).get(f)) return bad_json(e);
      if (const auto e = f.unescaped_key().get(key)) return bad_json(e);
      VITALIS_TRY(read_section(key, f.value()));
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      return malformed("text follows the closing brace");
    VITALIS_TRY(require_sections());
    VITALIS_TRY(find_merges());
    drop_specials_among_entries();
    Result<Vocabulary> out = Vocabulary::build(source_);
    if (!out.ok()) return error(out.status().code(), path_, ": ", out.status().message());
    return out;
  }

 private:
  Status malformed(std::string_view what) const {
    return error(Code::kMalformed, path_, ": ", what);
  }
  Status unsupported(std::string_view what) const {
    return error(Code::kUnsupported, path_, ": ", what);
  }
  Status bad_json(simdjson::error_code e, std::string_view where = "") const {
    return error(Code::kMalformed, path_, ": not the JSON expected", where, ": ",
                 simdjson::error_message(e));
  }

  Status read_section(std::string_view key, value v) {
    if (key == "added_tokens") return read_added_tokens(v);
    if (key == "normalizer") return read_absent(v, "normalizer");
    if (key == "pre_tokenizer") return read_pre_tokenizer(v);
    if (key == "model") return read_model(v);
    return {};
  }

  Status require_sections() const {
    if (!has_pre_tokenizer_) return unsupported("there is no pre_tokenizer");
    if (!has_vocab_) return malformed("there is no model.vocab");
    if (!source_.merges && !published_) return malformed("there is no model.merges");
    return {};
  }

  Status read_absent(value v, std::string_view name) const {
    bool null = false;
    if (const auto e = v.is_null().get(null)) return bad_json(e);
    if (null) return {};
    return error(Code::kUnsupported, path_, ": ", name, " is not null");
  }

  // Copies what simdjson would overwrite or give up with the parser.
  std::string_view keep(std::string_view s) {
    char* at = bytes_.get() + bytes_used_;
    std::copy(s.begin(), s.end(), at);
    bytes_used_ += s.size();
    return {at, s.size()};
  }

  Status read_added_tokens(value v) {
    array list;
    if (const auto e = v.get_array().get(list)) return bad_json(e, " in added_tokens");
    for (auto item : list) {
      object token;
      if (const auto e = item.get_object().get(token)) return bad_json(e, " in added_tokens");
      VITALIS_TRY(read_added_token(token));
    }
    return {};
  }

  Status read_added_token(object token) {
    std::optional<uint64_t> id;
    std::optional<std::string_view> content;
    for (auto item : token) {
      field f;
      std::string_view key;
      if (const auto e = std::move(item).get(f)) return bad_json(e, " in added_tokens");
      if (const auto e = f.unescaped_key().get(key)) return bad_json(e, " in added_tokens");
      if (key == "id") {
        if (const auto e = f.value().get_uint64().get(id.emplace())) {
          return bad_json(e, " in an id of added_tokens");
        }
      } else if (key == "content") {
        if (const auto e = f.value().get_string().get(content.emplace())) {
          return bad_json(e, " in a content of added_tokens");
        }
      } else if (key == "single_word" || key == "lstrip" || key == "rstrip") {
        bool set = false;
        if (const auto e = f.value().get_bool().get(set)) return bad_json(e, " in added_tokens");
        if (set) return error(Code::kUnsupported, path_, ": an added token with ", key);
      }
    }
    if (!id || !content) return malformed("an added token without id or content");
    if (*id >= kNone) return error(Code::kMalformed, path_, ": token id ", *id, " is out of range");
    source_.specials.push_back({static_cast<Token>(*id), keep(*content)});
    return {};
  }

  // What the parts of a pre_tokenizer say, as far as it matters.
  struct PreTokenizer {
    std::string_view type, regex, behavior;
    std::optional<bool> invert, add_prefix_space, use_regex;
  };

  Status read_pre_tokenizer(value v) {
    object root;
    if (v.get_object().get(root)) return unsupported("pre_tokenizer is not an object");
    std::vector<PreTokenizer> parts;
    VITALIS_TRY(each_field(root, [&](std::string_view key, value part) {
      return key == "pretokenizers" ? read_pre_tokenizers(part, parts) : Status();
    }));
    if (parts.size() != 2) return unsupported("pre_tokenizer is not Split, then ByteLevel");
    const PreTokenizer& split = parts[0];
    const PreTokenizer& bytes = parts[1];
    if (split.type != "Split" || split.behavior != "Isolated" || split.invert != false) {
      return unsupported("pre_tokenizer does not begin with a plain Split");
    }
    if (split.regex != kPattern) {
      return unsupported("pre_tokenizer does not split by the o200k pattern");
    }
    if (bytes.type != "ByteLevel" || bytes.add_prefix_space != false || bytes.use_regex != false) {
      return unsupported("pre_tokenizer does not end with a plain ByteLevel");
    }
    has_pre_tokenizer_ = true;
    return {};
  }

  Status read_pre_tokenizers(value v, std::vector<PreTokenizer>& out) const {
    array list;
    if (v.get_array().get(list)) return unsupported("pre_tokenizer is not a Sequence");
    for (auto item : list) {
      object part;
      if (const auto e = item.get_object().get(part)) return bad_json(e, " in pre_tokenizer");
      PreTokenizer& to = out.emplace_back();
      VITALIS_TRY(each_field(part, [&](std::string_view key, value f) {
        return read_pre_tokenizer_field(key, f, to);
      }));
    }
    return {};
  }

  Status read_pre_tokenizer_field(std::string_view key, value v, PreTokenizer& out) const {
    simdjson::error_code e = simdjson::SUCCESS;
    if (key == "type") e = v.get_string().get(out.type);
    if (key == "behavior") e = v.get_string().get(out.behavior);
    if (key == "invert") e = v.get_bool().get(out.invert.emplace());
    if (key == "add_prefix_space") e = v.get_bool().get(out.add_prefix_space.emplace());
    if (key == "use_regex") e = v.get_bool().get(out.use_regex.emplace());
    if (e) return bad_json(e, " in pre_tokenizer");
    if (key != "pattern") return {};
    object pattern;
    if (v.get_object().get(pattern)) return unsupported("pre_tokenizer's pattern is not a Regex");
    return each_field(pattern, [&](std::string_view kind, value text) {
      if (kind != "Regex") return unsupported("pre_tokenizer's pattern is not a Regex");
      const auto bad = text.get_string().get(out.regex);
      return bad ? bad_json(bad, " in pre_tokenizer") : Status();
    });
  }

  // Fields are taken in the order of the file: simdjson's look-up by name asserts on damaged text.
  template <class Visit>
  Status each_field(object& from, Visit visit) const {
    for (auto item : from) {
      field f;
      std::string_view key;
      if (const auto e = std::move(item).get(f)) return bad_json(e);
      if (const auto e = f.unescaped_key().get(key)) return bad_json(e);
      VITALIS_TRY(visit(key, f.value()));
    }
    return {};
  }

  Status read_model(value v) {
    const char* begin = v.raw_json_token().data();
    published_ = fingerprint({begin, static_cast<size_t>(text_.data() + text_.size() - begin)}) ==
                 kPublishedModel;
    object model;
    if (const auto e = v.get_object().get(model)) return bad_json(e, " in model");
    source_.whole_pieces_first = false;
    for (auto item : model) {
      field f;
      std::string_view key;
      if (const auto e = std::move(item).get(f)) return bad_json(e, " in model");
      if (const auto e = f.unescaped_key().get(key)) return bad_json(e, " in model");
      VITALIS_TRY(read_model_field(key, f.value()));
    }
    return {};
  }

  Status read_model_field(std::string_view key, value v) {
    if (key == "vocab") return read_vocab(v);
    if (key == "merges") return published_ ? Status() : read_merges(v);
    if (key == "type") {
      std::string_view type;
      if (v.get_string().get(type) || type != "BPE") return unsupported("model.type is not BPE");
    } else if (key == "ignore_merges") {
      if (v.get_bool().get(source_.whole_pieces_first)) {
        return malformed("model.ignore_merges is not a boolean");
      }
    } else if (key == "byte_fallback") {
      bool set = false;
      if (v.get_bool().get(set) || set) return unsupported("model.byte_fallback is set");
    } else if (key == "dropout" || key == "continuing_subword_prefix" ||
               key == "end_of_word_suffix") {
      return read_absent(v, key);
    }
    return {};
  }

  Status read_vocab(value v) {
    object vocab;
    if (const auto e = v.get_object().get(vocab)) return bad_json(e, " in model.vocab");
    source_.entries.reserve(200'000);
    for (auto item : vocab) {
      field f;
      std::string_view key;
      uint64_t id = 0;
      if (const auto e = std::move(item).get(f)) return bad_json(e, " in model.vocab");
      if (const auto e = f.unescaped_key().get(key)) return bad_json(e, " in model.vocab");
      if (const auto e = f.value().get_uint64().get(id)) return bad_json(e, " in model.vocab");
      if (id >= kNone) return error(Code::kMalformed, path_, ": token id ", id, " is out of range");
      char* at = bytes_.get() + bytes_used_;
      const std::optional<size_t> size = decode_byte_level(key, at);
      if (!size) {
        return error(Code::kMalformed, path_, ": token ", id, " is not byte-level text");
      }
      bytes_used_ += *size;
      source_.entries.push_back({static_cast<Token>(id), {at, *size}});
    }
    has_vocab_ = true;
    return {};
  }

  Status read_merges(value v) {
    array list;
    if (const auto e = v.get_array().get(list)) return bad_json(e, " in model.merges");
    source_.merges.emplace();
    for (auto item : list) {
      value merge;
      if (const auto e = std::move(item).get(merge)) return bad_json(e, " in model.merges");
      VITALIS_TRY(read_merge(merge));
    }
    return {};
  }

  // ["left", "right"], or "left right" in older files.
  Status read_merge(value v) {
    simdjson::ondemand::json_type type{};
    if (const auto e = v.type().get(type)) return bad_json(e, " in model.merges");
    if (type == simdjson::ondemand::json_type::string) {
      std::string_view both;
      if (const auto e = v.get_string().get(both)) return bad_json(e, " in model.merges");
      const size_t space = both.find(' ');
      if (space == both.npos) return bad_merge("has no space");
      return add_merge(both.substr(0, space), both.substr(space + 1));
    }
    array parts;
    if (const auto e = v.get_array().get(parts)) return bad_json(e, " in model.merges");
    std::string_view text[2];
    size_t n = 0;
    for (auto item : parts) {
      if (n == 2) return bad_merge("has more than two parts");
      if (const auto e = item.get_string().get(text[n])) return bad_json(e, " in model.merges");
      ++n;
    }
    if (n != 2) return bad_merge("has fewer than two parts");
    return add_merge(text[0], text[1]);
  }

  Status bad_merge(std::string_view what) const {
    return error(Code::kMalformed, path_, ": merge ", merges_.size(), " ", what);
  }

  // The two parts stay side by side in bytes_, so that their join is a view as well.
  Status add_merge(std::string_view left, std::string_view right) {
    char* at = bytes_.get() + bytes_used_;
    const std::optional<size_t> left_size = decode_byte_level(left, at);
    if (!left_size) return bad_merge("is not byte-level text");
    const std::optional<size_t> right_size = decode_byte_level(right, at + *left_size);
    if (!right_size) return bad_merge("is not byte-level text");
    bytes_used_ += *left_size + *right_size;
    merges_.push_back({{at, *left_size}, {at + *left_size, *right_size}});
    return {};
  }

  // Merges may come before the vocabulary in the file, so their ids are found at the end.
  Status find_merges() {
    if (!source_.merges) return {};
    auto resolved = tokenizer::resolve_merges(source_.entries, merges_);
    if (!resolved.ok()) return error(Code::kMalformed, path_, ": ", resolved.status().message());
    source_.merges = resolved.take();
    return {};
  }

  // Some files list the added tokens in model.vocab as well.
  void drop_specials_among_entries() {
    Token lowest = kNone;
    for (const auto& special : source_.specials) lowest = std::min(lowest, special.id);
    std::erase_if(source_.entries, [&](const VocabularySource::Entry& entry) {
      return entry.id >= lowest && std::any_of(source_.specials.begin(), source_.specials.end(),
                                               [&](const auto& special) {
                                                 return special.id == entry.id &&
                                                        special.bytes == entry.bytes;
                                               });
    });
  }

  const std::string& path_;
  std::string_view text_;
  std::unique_ptr<char[]> bytes_;  // decoded bytes, which are never more than the file has
  size_t bytes_used_ = 0;
  bool published_ = false, has_pre_tokenizer_ = false, has_vocab_ = false;
  std::vector<SpelledMerge> merges_;
  VocabularySource source_;
};

}  // namespace

Result<Vocabulary> load_json(const std::string& path) {
  return Loader(path).load();
}

}  // namespace vitalis::tokenizer
