// SPDX-License-Identifier: Apache-2.0
// The start of a download, which naming a model that is absent leads to as well.
#pragma once

#include <string>
#include <string_view>

#include "hub_connection.h"
#include "options.h"
#include "output.h"

namespace vitalis::cli {

// Asks the hub and plans; null after telling what is wrong. By options.hub.
Transfer plan_download(vitalis_hub* hub, const Options& options, Output& output);

// A line {"event": EVENT, NAME: JSON}; without the second member if NAME is empty.
std::string json_event(std::string_view event, std::string_view name, std::string_view json);

}  // namespace vitalis::cli
