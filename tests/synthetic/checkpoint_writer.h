// SPDX-License-Identifier: Apache-2.0
// Writes whole checkpoints of synthetic weights, of any gpt-oss shape, as Hugging Face shards.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "formats/tensor.h"
#include "model/config.h"

namespace vitalis::synthetic {

// The shape of gpt-oss-20b with another number of layers.
model::Config gpt_oss_20b(uint32_t layers);

// A config.json that parse_config() reads back.
std::string config_json(const model::Config& config);

// Length and JSON header of a safetensors file whose data are these tensors one after another
// (their offsets are ignored), padded to a multiple of 8 bytes.
std::string safetensors_header(std::span<const formats::TensorRange> tensors);

// Every tensor of the schema under its Hugging Face name, in the order of names.
std::vector<formats::TensorRange> hugging_face_tensors(const model::Config& config);

// Bytes `begin` to begin + out.size() of a tensor; `begin` is a multiple of 8.
void fill(const formats::TensorRange& tensor, uint64_t begin, std::span<std::byte> out);

// config.json, the shards and their index in an existing folder. The shards are named as in the
// published checkpoint: counted from 0 to N, "of N". A single shard is model.safetensors alone.
Status write_checkpoint(const model::Config& config, const std::string& folder, size_t shards);

}  // namespace vitalis::synthetic
