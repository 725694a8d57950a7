// SPDX-License-Identifier: Apache-2.0
// JSON Schemas as the model's chat_template.jinja writes them (typescript.h has the harmony
// dialect). A schema that makes the template raise is an error that names its place. Pure
// functions.
#pragma once

#include <string>

#include "base/status.h"
#include "harmony/json.h"

namespace vitalis::harmony {

// Python's idea of truth: not null, false, zero or empty. Absent is false too.
bool is_truthy(const Json* value);

// Appends one entry of "tools", {"function": {…}}; `where` is its place, for messages.
Status append_template_tool(std::string& out, const Json& tool, const std::string& where);

}  // namespace vitalis::harmony
