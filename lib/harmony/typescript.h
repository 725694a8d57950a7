// SPDX-License-Identifier: Apache-2.0
// JSON Schemas as the TypeScript-like text that tools are shown to the model in, in the harmony
// dialect (template_types.h has the other). Total: every JSON value has a text; what the dialect
// does not know is `any`. Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "harmony/conversation.h"

namespace vitalis::harmony {

// Appends the type that a schema describes; lines after the first begin with `indent`.
void append_type(std::string& out, const Json& schema, const std::string& indent);

// Appends what stands for one tool in its namespace: comment, type, blank line.
void append_tool(std::string& out, const Tool& tool);

// The section "# Tools": namespaces sorted by name, of two with one name the later.
std::string tools_section(std::span<const ToolNamespace> namespaces);

}  // namespace vitalis::harmony
