// SPDX-License-Identifier: Apache-2.0
// The same model as OpenAI's folder original/: made from a checkpoint in Hugging Face's layout.
#pragma once

#include <string>

#include "model/checkpoint.h"

namespace vitalis::model {

struct OriginalFiles {
  std::string config;   // config.json
  std::string weights;  // model.safetensors
};
OriginalFiles original_of(const Checkpoint& checkpoint);

}  // namespace vitalis::model
