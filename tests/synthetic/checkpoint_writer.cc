// SPDX-License-Identifier: Apache-2.0
#include "synthetic/checkpoint_writer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "model/name_tables.h"
#include "synthetic/values.h"

namespace vitalis::synthetic {
namespace {

using formats::DType;
using formats::TensorRange;

constexpr size_t kBufferBytes = 4 << 20;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct Bounds {
  double low;
  double high;
};
// By name alone, so that a tensor can be made without its model.
Bounds bounds(std::string_view name, uint64_t fan_in) {
  if (contains(name, "layernorm") || name == "model.norm.weight") return {0.75, 1.25};
  if (name.ends_with("sinks") || contains(name, "embed_tokens")) return {-1, 1};
  if (name.ends_with("bias")) return {-0.125, 0.125};
  const double a = std::sqrt(3.0 / static_cast<double>(fan_in));
  return {-a, a};
}

class OutputFile {
 public:
  explicit OutputFile(std::string path)
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wb")) {}

  Status write(const void* data, size_t bytes) {
    if (!file_ || std::fwrite(data, 1, bytes, file_.get()) != bytes) {
      return error(Code::kIo, "cannot write ", path_);
    }
    return {};
  }
  // What the system holds back shows up only here.
  Status close() {
    if (!file_ || std::fclose(file_.release()) != 0) {
      return error(Code::kIo, "cannot write ", path_);
    }
    return {};
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

Status write_text(const std::string& path, const std::string& content) {
  OutputFile file(path);
  VITALIS_TRY(file.write(content.data(), content.size()));
  return file.close();
}

Status write_shard(const std::string& path, std::span<const TensorRange> tensors) {
  OutputFile file(path);
  const std::string header = safetensors_header(tensors);
  VITALIS_TRY(file.write(header.data(), header.size()));
  std::vector<std::byte> buffer(kBufferBytes);
  for (const TensorRange& tensor : tensors) {
    for (uint64_t begin = 0; begin < tensor.bytes; begin += kBufferBytes) {
      const auto part = std::span(buffer).first(std::min(kBufferBytes, tensor.bytes - begin));
      fill(tensor, begin, part);
      VITALIS_TRY(file.write(part.data(), part.size()));
    }
  }
  return file.close();
}

std::string shard_name(size_t shard, size_t shards) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", shard, shards - 1);
  return name;
}

// Cuts the list where a shard's share of the bytes is reached, wherever in a layer that is.
std::vector<std::span<TensorRange>> cut(std::vector<TensorRange>& tensors, size_t shards) {
  uint64_t total = 0;
  for (const TensorRange& tensor : tensors) total += tensor.bytes;
  std::vector<std::span<TensorRange>> out;
  size_t first = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    bytes += tensors[i].bytes;
    if (i + 1 == tensors.size() || bytes * shards >= total * (out.size() + 1)) {
      out.push_back(std::span(tensors).subspan(first, i + 1 - first));
      first = i + 1;
    }
  }
  return out;
}

}  // namespace

model::Config gpt_oss_20b(uint32_t layers) {
  model::Config c;
  c.layers = layers;
  c.hidden = c.intermediate = 2880;
  c.heads = 64;
  c.kv_heads = 8;
  c.head_dim = 64;
  c.experts = 32;
  c.experts_per_token = 4;
  c.vocab = 201088;
  c.context = 131072;
  c.sliding_window = 128;
  for (uint32_t i = 0; i < layers; ++i) c.sliding.push_back(i % 2 == 0);
  c.rope_theta = 150000;
  c.yarn.factor = 32;
  c.rms_norm_eps = 1e-5F;
  c.swiglu_limit = 7;
  return c;
}

std::string config_json(const model::Config& c) {
  std::string types;
  for (const bool sliding : c.sliding) {
    types +=
        text(types.empty() ? "" : ", ", sliding ? "\"sliding_attention\"" : "\"full_attention\"");
  }
  return text(
      "{\n  \"model_type\": \"gpt_oss\",\n  \"num_hidden_layers\": ", c.layers,
      ",\n  \"hidden_size\": ", c.hidden, ",\n  \"intermediate_size\": ", c.intermediate,
      ",\n  \"num_attention_heads\": ", c.heads, ",\n  \"num_key_value_heads\": ", c.kv_heads,
      ",\n  \"head_dim\": ", c.head_dim, ",\n  \"num_local_experts\": ", c.experts,
      ",\n  \"num_experts_per_tok\": ", c.experts_per_token, ",\n  \"vocab_size\": ", c.vocab,
      ",\n  \"max_position_embeddings\": ", c.context,
      ",\n  \"sliding_window\": ", c.sliding_window, ",\n  \"layer_types\": [", types,
      "],\n  \"rms_norm_eps\": 1e-05,\n  \"swiglu_limit\": ", c.swiglu_limit,
      ",\n  \"rope_theta\": ", c.rope_theta,
      ",\n  \"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": ", c.yarn.factor,
      ", \"beta_fast\": ", c.yarn.beta_fast, ", \"beta_slow\": ", c.yarn.beta_slow,
      ", \"original_max_position_embeddings\": ", static_cast<uint64_t>(c.yarn.original_context),
      ", \"truncate\": ", c.yarn.truncate ? "true" : "false", "}\n}\n");
}

std::string safetensors_header(std::span<const TensorRange> tensors) {
  std::string json = "{\"__metadata__\":{\"format\":\"pt\"}";
  uint64_t offset = 0;
  for (const TensorRange& tensor : tensors) {
    json += text(",\"", tensor.name, "\":{\"dtype\":\"", formats::info(tensor.dtype).name,
                 "\",\"shape\":", formats::shape_text(tensor.shape), ",\"data_offsets\":[", offset,
                 ',', offset + tensor.bytes, "]}");
    offset += tensor.bytes;
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string length;
  for (int byte = 0; byte < 8; ++byte) length += static_cast<char>(json.size() >> 8 * byte);
  return length + json;
}

std::vector<TensorRange> hugging_face_tensors(const model::Config& config) {
  const model::NameTable& table = model::safetensors_tables()[0];
  std::vector<TensorRange> out;
  for (const model::NameRow& row : table.rows) {
    const size_t times = model::schema(row.id).per_layer() ? config.layers : 1;
    const DType type = model::stored_types(row, table).front();
    const std::vector<uint64_t> shape = model::stored_shape({&row, 1}, table, config);
    const uint64_t bytes = formats::tensor_bytes(type, shape).value_or(0);
    for (size_t layer = 0; layer < times; ++layer) {
      out.push_back({model::expand_name(row.name, layer), type, shape, 0, bytes});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const TensorRange& a, const TensorRange& b) { return a.name < b.name; });
  return out;
}

void fill(const TensorRange& tensor, uint64_t begin, std::span<std::byte> out) {
  auto* bytes = reinterpret_cast<uint8_t*>(out.data());
  if (tensor.dtype == DType::kBf16) {
    const auto [low, high] = bounds(tensor.name, tensor.shape.back());
    fill_uniform(tensor.name, low, high, begin / 2,
                 {reinterpret_cast<uint16_t*>(bytes), out.size() / 2});
  } else if (tensor.name.ends_with("scales")) {
    fill_scales(tensor.name, begin, {bytes, out.size()});
  } else {
    fill_bytes(tensor.name, begin, {bytes, out.size()});
  }
}

Status write_checkpoint(const model::Config& config, const std::string& folder, size_t shards) {
  VITALIS_TRY(write_text(folder + "/config.json", config_json(config)));
  std::vector<TensorRange> tensors = hugging_face_tensors(config);
  const auto parts = cut(tensors, shards);
  std::string map;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string name = shards == 1 ? "model.safetensors" : shard_name(i, parts.size());
    // Wide types first, so that an odd number of bytes never misaligns what follows.
    std::stable_sort(parts[i].begin(), parts[i].end(),
                     [](const TensorRange& a, const TensorRange& b) {
                       return formats::info(a.dtype).alignment > formats::info(b.dtype).alignment;
                     });
    VITALIS_TRY(write_shard(text(folder, '/', name), parts[i]));
    for (const TensorRange& tensor : parts[i]) {
      map += text(map.empty() ? "" : ",", "\n    \"", tensor.name, "\": \"", name, '"');
    }
  }
  if (shards == 1) return {};
  return write_text(folder + "/model.safetensors.index.json",
                    text("{\n  \"weight_map\": {", map, "\n  }\n}\n"));
}

}  // namespace vitalis::synthetic
