// SPDX-License-Identifier: Apache-2.0
// vitalis info: what a checkpoint holds and what a session on it would take.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "json_writer.h"
#include "library.h"
#include "text.h"

namespace vitalis::cli {

namespace {

struct Tensor {
  std::string name;
  std::string dtype;
  std::string file;
  std::vector<uint64_t> shape;
  uint64_t bytes = 0;
  uint64_t count = 1;  // of a group: tensors alike but for the number of their layer

  friend bool alike(const Tensor& a, const Tensor& b) {
    return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape;
  }
};

struct Description {
  vitalis_model_info model{};
  vitalis_session_memory memory{};
  std::vector<Tensor> tensors;
  bool grouped = false;
};

// "model.layers.12.mlp.router.bias" -> "model.layers.*.mlp.router.bias"
std::string without_numbers(std::string_view name) {
  std::string result;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    const bool number = !part.empty() && part.find_first_not_of("0123456789") == part.npos;
    if (at > 0) result += '.';
    result += number ? "*" : part;
    at = end + 1;
  }
  return result;
}

bool read_tensors(const vitalis_model* model, size_t count, std::vector<Tensor>& tensors,
                  Output& output) {
  for (size_t i = 0; i < count; ++i) {
    vitalis_tensor_info info{};
    info.struct_size = sizeof info;
    if (!succeeded(vitalis_model_get_tensor(model, i, &info), output)) return false;
    tensors.push_back({.name = std::string(view(info.name)),
                       .dtype = std::string(view(info.dtype)),
                       .file = std::string(view(info.file)),
                       .shape = {info.shape, info.shape + std::min(info.dimensions, 8u)},
                       .bytes = info.bytes});
  }
  return true;
}

// In the order of each group's first tensor.
std::vector<Tensor> group(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> groups;
  for (Tensor tensor : tensors) {
    tensor.name = without_numbers(tensor.name);
    const auto same = std::find_if(groups.begin(), groups.end(),
                                   [&](const Tensor& group) { return alike(group, tensor); });
    if (same == groups.end()) {
      groups.push_back(std::move(tensor));
    } else {
      same->bytes += tensor.bytes;
      ++same->count;
    }
  }
  return groups;
}

bool describe(const Options& options, Description& description, Output& output) {
  const Model model = open_model(options, output);
  if (!model) return false;
  description.model.struct_size = sizeof description.model;
  description.memory.struct_size = sizeof description.memory;
  vitalis_session_options session_options = VITALIS_SESSION_OPTIONS_INIT;
  if (!succeeded(vitalis_config_session_options(options.config.get(), &session_options), output) ||
      !succeeded(vitalis_model_get_info(model.get(), &description.model), output) ||
      !succeeded(vitalis_session_plan(model.get(), &session_options, &description.memory),
                 output) ||
      !read_tensors(model.get(), description.model.tensors, description.tensors, output)) {
    return false;
  }
  description.grouped = !options.list_tensors;
  if (description.grouped) description.tensors = group(description.tensors);
  return true;
}

std::string shape_text(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (const uint64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + ']';
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string table(const Description& description) {
  const auto count_text = [](const Tensor& tensor) { return std::to_string(tensor.count) + " x "; };
  size_t name_width = 0;
  size_t shape_width = 0;
  size_t count_width = 0;
  for (const Tensor& tensor : description.tensors) {
    name_width = std::max(name_width, tensor.name.size());
    shape_width = std::max(shape_width, shape_text(tensor.shape).size());
    count_width = std::max(count_width, count_text(tensor).size());
  }
  std::string text;
  for (const Tensor& tensor : description.tensors) {
    text += "  ";
    if (description.grouped) {
      const std::string count = count_text(tensor);
      text += std::string(count_width - count.size(), ' ') + count;
    }
    text += padded(tensor.name, name_width + 2) + padded(tensor.dtype, 6) +
            padded(shape_text(tensor.shape), shape_width + 2) + size_for_people(tensor.bytes);
    text += description.grouped ? "\n" : "  " + tensor.file + '\n';
  }
  return text;
}

std::string for_people(const Options& options, const Description& description) {
  const vitalis_model_info& model = description.model;
  const vitalis_session_memory& memory = description.memory;
  const auto number = [](uint64_t value) { return with_separators(value); };
  std::string text;
  const auto line = [&text](std::string name, const std::string& value) {
    text += padded(std::move(name), 14) + value + '\n';
  };
  line("model", options.model);
  line("format", std::string(model.format) + ", " + number(model.tensors) + " tensors, " +
                     size_for_people(model.mapped_bytes) + " mapped");
  line("parameters", number(model.parameters));
  line("layers", number(model.layers) + ", hidden size " + number(model.hidden));
  line("attention", number(model.heads) + " heads of " + number(model.head_dim) + ", " +
                        number(model.kv_heads) + " key and value heads, window " +
                        number(model.sliding_window) + " on every other layer");
  line("experts", number(model.experts) + " of size " + number(model.intermediate) + ", " +
                      number(model.experts_per_token) + " for each token");
  line("vocabulary", number(model.vocab));
  line("context", "up to " + number(model.context) + " tokens");
  line("one token", "reads " + size_for_people(model.decode_bytes) + " of weights");
  line("memory", size_for_people(memory.kv_bytes) + " keys and values, " +
                     size_for_people(memory.scratch_bytes) + " scratch, for a context of " +
                     number(memory.context) + " tokens");
  return text + "tensors\n" + table(description);
}

std::string as_json(const Options& options, const Description& description) {
  const vitalis_model_info& model = description.model;
  JsonWriter json;
  json.begin_object().key("path").value(options.model).key("format").value(model.format);
  json.key("architecture").begin_object();
  const std::pair<const char*, uint64_t> architecture[] = {
      {"layers", model.layers},
      {"hidden", model.hidden},
      {"intermediate", model.intermediate},
      {"heads", model.heads},
      {"kv_heads", model.kv_heads},
      {"head_dim", model.head_dim},
      {"experts", model.experts},
      {"experts_per_token", model.experts_per_token},
      {"vocab", model.vocab},
      {"sliding_window", model.sliding_window},
      {"context", model.context},
      {"parameters", model.parameters}};
  for (const auto& [name, value] : architecture) json.key(name).value(value);
  json.end_object();
  json.key("mapped_bytes").value(model.mapped_bytes);
  json.key("decode_bytes").value(model.decode_bytes);
  json.key("memory").begin_object();
  json.key("context").value(uint64_t{description.memory.context});
  json.key("kv_bytes").value(description.memory.kv_bytes);
  json.key("scratch_bytes").value(description.memory.scratch_bytes).end_object();
  json.key(description.grouped ? "tensor_groups" : "tensors").begin_array();
  for (const Tensor& tensor : description.tensors) {
    json.begin_object().key("name").value(tensor.name).key("dtype").value(tensor.dtype);
    json.key("shape").begin_array();
    for (const uint64_t extent : tensor.shape) json.value(extent);
    json.end_array().key("bytes").value(tensor.bytes);
    if (description.grouped) {
      json.key("count").value(tensor.count);
    } else {
      json.key("file").value(tensor.file);
    }
    json.end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace

int info(const Options& options, Output& output) {
  Description description;
  if (!describe(options, description, output)) return kExitError;
  output.print(options.json ? as_json(options, description) : for_people(options, description));
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
