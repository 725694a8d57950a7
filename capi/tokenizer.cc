// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "handles.h"
#include "tokenizer/stream_decoder.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

struct vitalis_decoder : Counted {
  explicit vitalis_decoder(std::shared_ptr<const session::Vocabulary> of)
      : vocabulary(std::move(of)), stream(vocabulary->tokenizer()) {}
  std::atomic_flag busy;
  std::shared_ptr<const session::Vocabulary> vocabulary;
  StreamDecoder stream;
  std::string text;
};

namespace {

Result<std::vector<Token>> read_tokens(const uint32_t* tokens, size_t count,
                                       std::string_view name) {
  VITALIS_TRY(array_argument(tokens, count, name));
  return std::vector<Token>(tokens, tokens + count);
}

Result<Tokenizer::EncodeOptions> read_encode(const vitalis_encode_options* options,
                                             const Tokenizer& tokenizer) {
  VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
  constexpr uint32_t kKnown = VITALIS_ENCODE_SPECIAL | VITALIS_ENCODE_STRICT;
  if ((given.flags & ~kKnown) != 0) {
    return error(Code::kInvalidArgument, "options.flags: found unknown ones in ", given.flags);
  }
  Tokenizer::EncodeOptions out;
  VITALIS_ASSIGN(out.allowed, read_tokens(given.allowed, given.allowed_count, "options.allowed"));
  VITALIS_ASSIGN(out.refused, read_tokens(given.refused, given.refused_count, "options.refused"));
  if (given.flags & VITALIS_ENCODE_SPECIAL) {
    out.allowed.assign(tokenizer.specials().begin(), tokenizer.specials().end());
  }
  out.refuse_ill_formed = (given.flags & VITALIS_ENCODE_STRICT) != 0;
  return out;
}

// As much of `from` as fits into the caller's array.
template <class T>
void copy_out(const std::vector<T>& from, T* to, size_t capacity) {
  if (to) std::copy_n(from.begin(), std::min(from.size(), capacity), to);
}

// Calls body(decoder) -> what the decoder's text became.
template <class Body>
int32_t with(vitalis_decoder* decoder, vitalis_text* text_out, Body&& body) {
  return guard([&]() -> Status {
    if (!text_out) return missing("text_out");
    *text_out = {nullptr, 0};
    if (!decoder) return missing("decoder");
    const Exclusive exclusive(decoder->busy);
    VITALIS_TRY(exclusive.status());
    decoder->text.clear();
    body(*decoder);
    *text_out = borrowed(decoder->text);
    return {};
  });
}

}  // namespace

extern "C" {

int32_t vitalis_tokenizer_open(const char* path, const char* cache_folder,
                               vitalis_tokenizer** tokenizer_out) {
  return guard([&]() -> Status {
    if (!tokenizer_out) return missing("tokenizer_out");
    *tokenizer_out = nullptr;
    if (!path) return missing("path");
    VITALIS_ASSIGN(auto vocabulary,
                   session::Vocabulary::open(path, cache_folder ? cache_folder : ""));
    auto handle = std::make_unique<vitalis_tokenizer>();
    handle->vocabulary = std::move(vocabulary);
    *tokenizer_out = handle.release();
    return {};
  });
}

vitalis_tokenizer* vitalis_tokenizer_retain(vitalis_tokenizer* tokenizer) {
  return retain(tokenizer);
}
void vitalis_tokenizer_release(vitalis_tokenizer* tokenizer) {
  release(tokenizer);
}

uint32_t vitalis_tokenizer_size(const vitalis_tokenizer* tokenizer) {
  return tokenizer ? static_cast<uint32_t>(tokenizer->vocabulary->tokenizer().size()) : 0;
}

void vitalis_encode_options_init(vitalis_encode_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_tokenizer_encode(const vitalis_tokenizer* tokenizer, const char* text, size_t size,
                                 const vitalis_encode_options* options, uint32_t* tokens,
                                 size_t* ends, size_t capacity, size_t* count_out) {
  return guard([&]() -> Status {
    if (!count_out) return missing("count_out");
    *count_out = 0;
    if (!tokenizer) return missing("tokenizer");
    if (!tokens && capacity > 0) return missing("tokens");
    if (options && ends) {
      return error(Code::kInvalidArgument, "ends: offsets are given without options only");
    }
    VITALIS_ASSIGN(const std::string_view bytes, bytes_argument(text, size, "text"));
    const Tokenizer& of = tokenizer->vocabulary->tokenizer();
    std::vector<Token> ids;
    std::vector<size_t> offsets;
    if (options) {
      VITALIS_ASSIGN(const auto given, read_encode(options, of));
      VITALIS_TRY(of.encode(bytes, given, ids));
    } else if (ends) {
      of.encode(bytes, ids, offsets);
    } else {
      of.encode(bytes, ids);
    }
    copy_out(ids, tokens, capacity);
    copy_out(offsets, ends, capacity);
    *count_out = ids.size();
    return {};
  });
}

int32_t vitalis_tokenizer_count(const vitalis_tokenizer* tokenizer, const char* text, size_t size,
                                size_t* count_out) {
  return guard([&]() -> Status {
    if (!count_out) return missing("count_out");
    *count_out = 0;
    if (!tokenizer) return missing("tokenizer");
    VITALIS_ASSIGN(const std::string_view bytes, bytes_argument(text, size, "text"));
    *count_out = tokenizer->vocabulary->tokenizer().count(bytes);
    return {};
  });
}

int32_t vitalis_tokenizer_encode_up_to(const vitalis_tokenizer* tokenizer, const char* text,
                                       size_t size, uint32_t* tokens, size_t capacity,
                                       size_t* count_out, size_t* bytes_out) {
  return guard([&]() -> Status {
    if (count_out) *count_out = 0;
    if (bytes_out) *bytes_out = 0;
    if (!count_out) return missing("count_out");
    if (!bytes_out) return missing("bytes_out");
    if (!tokenizer) return missing("tokenizer");
    if (!tokens && capacity > 0) return missing("tokens");
    VITALIS_ASSIGN(const std::string_view bytes, bytes_argument(text, size, "text"));
    std::vector<Token> ids;
    *bytes_out = tokenizer->vocabulary->tokenizer().encode_up_to(bytes, capacity, ids);
    copy_out(ids, tokens, capacity);
    *count_out = ids.size();
    return {};
  });
}

int32_t vitalis_tokenizer_encode_batch(const vitalis_tokenizer* tokenizer,
                                       const vitalis_engine* engine, const vitalis_text* texts,
                                       size_t text_count, uint32_t* tokens, size_t capacity,
                                       size_t* counts, size_t* count_out) {
  return guard([&]() -> Status {
    if (!count_out) return missing("count_out");
    *count_out = 0;
    VITALIS_TRY(array_argument(counts, text_count, "counts"));
    if (counts) std::fill_n(counts, text_count, size_t{0});
    if (!tokenizer) return missing("tokenizer");
    VITALIS_TRY(array_argument(texts, text_count, "texts"));
    if (!tokens && capacity > 0) return missing("tokens");
    std::vector<std::string_view> views;
    views.reserve(std::min<size_t>(text_count, 1 << 20));
    for (size_t i = 0; i < text_count; ++i) {
      const auto view = bytes_argument(texts[i].data, texts[i].size, "");
      if (!view.ok())
        return error(view.status().code(), "texts[", i, "].data", view.status().message());
      views.push_back(*view);
    }
    const auto parallel_for = [&](size_t n, const std::function<void(size_t)>& body) {
      if (!engine) {
        for (size_t i = 0; i < n; ++i) body(i);
        return;
      }
      engine::Parallel& parallel = *engine->engine->parallel;
      parallel.enter([&] { parallel.run(n, engine::Parallel::Schedule::kDynamic, body); });
    };
    const auto batch = tokenizer->vocabulary->tokenizer().encode_batch(views, parallel_for);
    size_t total = 0;
    for (size_t i = 0; i < batch.size(); ++i) {
      counts[i] = batch[i].size();
      if (total < capacity) copy_out(batch[i], tokens + total, capacity - total);
      total += batch[i].size();
    }
    *count_out = total;
    return {};
  });
}

int32_t vitalis_tokenizer_decode(const vitalis_tokenizer* tokenizer, const uint32_t* tokens,
                                 size_t count, char* bytes, size_t capacity, size_t* size_out) {
  return guard([&]() -> Status {
    if (!size_out) return missing("size_out");
    *size_out = 0;
    if (!tokenizer) return missing("tokenizer");
    VITALIS_TRY(array_argument(tokens, count, "tokens"));
    if (!bytes && capacity > 0) return missing("bytes");
    std::string out;
    tokenizer->vocabulary->tokenizer().decode({tokens, count}, out);
    std::copy_n(out.begin(), std::min(out.size(), capacity), bytes);
    *size_out = out.size();
    return {};
  });
}

int32_t vitalis_tokenizer_token_bytes(const vitalis_tokenizer* tokenizer, uint32_t token,
                                      vitalis_text* bytes_out) {
  return guard([&]() -> Status {
    if (!bytes_out) return missing("bytes_out");
    *bytes_out = {nullptr, 0};
    if (!tokenizer) return missing("tokenizer");
    *bytes_out = borrowed(tokenizer->vocabulary->tokenizer().bytes(token));
    return {};
  });
}

int32_t vitalis_tokenizer_find(const vitalis_tokenizer* tokenizer, const char* bytes, size_t size,
                               uint32_t* token_out) {
  return guard([&]() -> Status {
    if (!token_out) return missing("token_out");
    *token_out = 0;
    if (!tokenizer) return missing("tokenizer");
    VITALIS_ASSIGN(const std::string_view wanted, bytes_argument(bytes, size, "bytes"));
    const auto token = tokenizer->vocabulary->tokenizer().find(wanted);
    if (!token)
      return error(Code::kNotFound, "no token stands for these ", wanted.size(), " bytes");
    *token_out = *token;
    return {};
  });
}

int32_t vitalis_tokenizer_special(const vitalis_tokenizer* tokenizer, const char* name, size_t size,
                                  uint32_t* token_out) {
  return guard([&]() -> Status {
    if (!token_out) return missing("token_out");
    *token_out = 0;
    if (!tokenizer) return missing("tokenizer");
    VITALIS_ASSIGN(const std::string_view wanted, text_argument(name, size, "name"));
    const auto token = tokenizer->vocabulary->tokenizer().special(wanted);
    if (!token) return error(Code::kNotFound, "there is no special token named ", wanted);
    *token_out = *token;
    return {};
  });
}

int32_t vitalis_decoder_create(vitalis_tokenizer* tokenizer, vitalis_decoder** decoder_out) {
  return guard([&]() -> Status {
    if (!decoder_out) return missing("decoder_out");
    *decoder_out = nullptr;
    if (!tokenizer) return missing("tokenizer");
    *decoder_out = new vitalis_decoder(tokenizer->vocabulary);
    return {};
  });
}

vitalis_decoder* vitalis_decoder_retain(vitalis_decoder* decoder) {
  return retain(decoder);
}
void vitalis_decoder_release(vitalis_decoder* decoder) {
  release(decoder);
}

int32_t vitalis_decoder_push(vitalis_decoder* decoder, uint32_t token, vitalis_text* text_out) {
  return with(decoder, text_out, [&](vitalis_decoder& of) { of.stream.push(token, of.text); });
}

int32_t vitalis_decoder_finish(vitalis_decoder* decoder, vitalis_text* text_out) {
  return with(decoder, text_out, [](vitalis_decoder& of) { of.stream.finish(of.text); });
}

}  // extern "C"
