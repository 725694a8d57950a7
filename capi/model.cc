// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

#include <algorithm>

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

extern "C" {

int32_t vitalis_model_open(vitalis_engine* engine, const char* path, vitalis_model** model_out) {
  return guard([&]() -> Status {
    if (!model_out) return missing("model_out");
    *model_out = nullptr;
    if (!engine) return missing("engine");
    if (!path) return missing("path");
    VITALIS_ASSIGN(auto model, session::Model::open(engine->engine, path));
    auto handle = std::make_unique<vitalis_model>();
    handle->model = std::move(model);
    *model_out = handle.release();
    return {};
  });
}

vitalis_model* vitalis_model_retain(vitalis_model* model) {
  return retain(model);
}
void vitalis_model_release(vitalis_model* model) {
  release(model);
}

int32_t vitalis_model_get_info(const vitalis_model* model, vitalis_model_info* info) {
  clear_struct(info);
  return guard([&]() -> Status {
    if (!model) return missing("model");
    const model::Config& c = model->model->config();
    const model::Checkpoint& checkpoint = model->model->checkpoint();
    vitalis_model_info out = {};
    out.layers = c.layers;
    out.hidden = c.hidden;
    out.intermediate = c.intermediate;
    out.heads = c.heads;
    out.kv_heads = c.kv_heads;
    out.head_dim = c.head_dim;
    out.experts = c.experts;
    out.experts_per_token = c.experts_per_token;
    out.vocab = c.vocab;
    out.sliding_window = c.sliding_window;
    out.context = c.context;
    out.parameters = model->model->parameters();
    out.mapped_bytes = checkpoint.mapped_bytes();
    out.decode_bytes = model->model->decode_bytes();
    out.tensors = checkpoint.tensors().size();
    out.format = checkpoint.format().data();
    return write_struct(out, info, "info");
  });
}

int32_t vitalis_model_get_tensor(const vitalis_model* model, size_t index,
                                 vitalis_tensor_info* info) {
  clear_struct(info);
  return guard([&]() -> Status {
    if (!model) return missing("model");
    const auto& tensors = model->model->checkpoint().tensors();
    if (index >= tensors.size()) {
      return error(Code::kNotFound, "the model has ", tensors.size(), " tensors; there is no ",
                   index);
    }
    const auto& tensor = tensors[index];
    vitalis_tensor_info out = {};
    out.dimensions = static_cast<uint32_t>(std::min(tensor.shape.size(), std::size(out.shape)));
    std::copy_n(tensor.shape.begin(), out.dimensions, out.shape);
    out.bytes = tensor.bytes;
    out.name = borrowed(tensor.name);
    out.dtype = borrowed(tensor.dtype);
    out.file = borrowed(tensor.file);
    return write_struct(out, info, "info");
  });
}

int32_t vitalis_model_tokenize(const vitalis_model* model, const char* text, size_t size,
                               uint32_t flags, uint32_t* tokens, size_t capacity,
                               size_t* count_out) {
  return guard([&]() -> Status {
    if (!count_out) return missing("count_out");
    *count_out = 0;
    if (!model) return missing("model");
    if (!tokens && capacity > 0) return missing("tokens");
    if ((flags & ~VITALIS_TOKENIZE_SPECIAL) != 0) {
      return error(Code::kInvalidArgument, "flags: found unknown ones in ", flags);
    }
    VITALIS_ASSIGN(const std::string_view bytes, bytes_argument(text, size, "text"));
    std::vector<Token> ids;
    const Tokenizer& tokenizer = model->model->tokenizer();
    if (flags & VITALIS_TOKENIZE_SPECIAL) {
      const auto all = tokenizer.specials();
      VITALIS_TRY(
          tokenizer.encode(bytes, {.allowed = {all.begin(), all.end()}, .refused = {}}, ids));
    } else {
      tokenizer.encode(bytes, ids);
    }
    std::copy_n(ids.begin(), std::min(ids.size(), capacity), tokens);
    *count_out = ids.size();
    return {};
  });
}

int32_t vitalis_model_token_bytes(const vitalis_model* model, uint32_t token,
                                  vitalis_text* bytes_out) {
  return guard([&]() -> Status {
    if (!bytes_out) return missing("bytes_out");
    *bytes_out = {nullptr, 0};
    if (!model) return missing("model");
    if (token >= model->model->config().vocab) {
      return error(Code::kInvalidArgument, "token ", token, " is outside the vocabulary of ",
                   model->model->config().vocab);
    }
    *bytes_out = borrowed(model->model->tokenizer().bytes(token));
    return {};
  });
}

int32_t vitalis_model_special_token(const vitalis_model* model, const char* name, size_t size,
                                    uint32_t* token_out) {
  return guard([&]() -> Status {
    if (!token_out) return missing("token_out");
    *token_out = 0;
    if (!model) return missing("model");
    VITALIS_ASSIGN(const std::string_view text, text_argument(name, size, "name"));
    const auto token = model->model->tokenizer().special(text);
    if (!token) return error(Code::kNotFound, "there is no special token named ", text);
    *token_out = *token;
    return {};
  });
}

}  // extern "C"
