// SPDX-License-Identifier: Apache-2.0
#include "session/model.h"

#include <algorithm>

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

extern "C" {

void vitalis_model_options_init(vitalis_model_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_model_open(vitalis_engine* engine, const char* path,
                           const vitalis_model_options* options, vitalis_model** model_out) {
  return guard([&]() -> Status {
    if (!model_out) return missing("model_out");
    *model_out = nullptr;
    if (!engine) return missing("engine");
    if (!path) return missing("path");
    VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
    VITALIS_ASSIGN(auto model, session::Model::open(engine->engine, path,
                                                    given.cache_folder ? given.cache_folder : ""));
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

int32_t vitalis_model_get_tokenizer(const vitalis_model* model, vitalis_tokenizer** tokenizer_out) {
  return guard([&]() -> Status {
    if (!tokenizer_out) return missing("tokenizer_out");
    *tokenizer_out = nullptr;
    if (!model) return missing("model");
    auto handle = std::make_unique<vitalis_tokenizer>();
    handle->vocabulary = model->model->vocabulary();
    *tokenizer_out = handle.release();
    return {};
  });
}

}  // extern "C"
