// SPDX-License-Identifier: Apache-2.0
// A model on disk: its config, its mapped files and the weights bound to them.
// Immutable after open; the views in `weights` live as long as the object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "model/config.h"
#include "model/weights.h"

namespace vitalis::model {

class Checkpoint {
 public:
  // `path` is a folder with config.json and model.safetensors, or shards by
  // model.safetensors.index.json (if there is an index, it alone decides which files are opened),
  // under Hugging Face's names or OpenAI's (the folder original/ of a published checkpoint); or a
  // GGUF file, the first if there are several parts; or the model.bin of a folder metal/.
  // kNotFound, kIo, kMalformed, kUnsupported: one message lists every missing, unexpected,
  // misshapen or misplaced tensor, with file, tensor, expected and found.
  static Result<Checkpoint> open(const std::string& path);

  // A tensor as it is stored, for listings.
  struct Tensor {
    std::string name;
    std::string dtype;
    std::vector<uint64_t> shape;
    uint64_t bytes;
    std::string file;
  };

  const Config& config() const { return config_; }
  const Weights& weights() const { return weights_; }
  std::string_view format() const { return format_; }              // "safetensors", "GGUF", …
  const std::vector<Tensor>& tensors() const { return tensors_; }  // by file and place in it
  uint64_t mapped_bytes() const;
  // kIntegrity with the file that was changed, or replaced, since it was opened.
  Status unchanged() const;

 private:
  Checkpoint() = default;
  Config config_;
  Weights weights_;
  std::string_view format_;
  std::vector<Tensor> tensors_;
  std::vector<MappedFile> files_;
};

}  // namespace vitalis::model
