// SPDX-License-Identifier: Apache-2.0
// The hub as the settings say, with what Hugging Face's tools read from the environment: their home
// folder and their token.
#pragma once

#include <memory>
#include <string>

#include "json_reader.h"
#include "library.h"
#include "options.h"
#include "output.h"

namespace vitalis::cli {

using Hub = std::unique_ptr<vitalis_hub, Releaser<vitalis_hub_release>>;
using Transfer = std::unique_ptr<vitalis_transfer, Releaser<vitalis_transfer_release>>;

// Null after telling what is wrong.
Hub open_hub(const Options& options, Output& output);

// What the hub wants people to hear, on standard error.
void tell_notices(vitalis_hub* hub, Output& output);

const char* null_if_empty(const std::string& text);
// "6cee5e81ee83"
std::string short_commit(const std::string& commit);

}  // namespace vitalis::cli
