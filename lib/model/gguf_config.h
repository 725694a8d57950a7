// SPDX-License-Identifier: Apache-2.0
// The config that a GGUF file's metadata state.
#pragma once

#include <string_view>

#include "formats/gguf.h"
#include "model/config.h"

namespace vitalis::model {

// kUnsupported if the file is of another architecture than gpt-oss; else as parse_config(). The
// metadata have no key for the rounding of the YaRN range nor for the SwiGLU limit: gpt-oss's own
// (none, and 7) are taken.
Result<Config> gguf_config(const formats::Gguf& gguf, std::string_view where);

}  // namespace vitalis::model
