// SPDX-License-Identifier: Apache-2.0
// The prompt as the model's chat_template.jinja makes it under transformers: for people who compare
// with programs that use it. It is defined on chat-completions JSON, so that is what it takes. Text
// that spells control tokens becomes control tokens when the result is encoded; the harmony
// renderer (render.h) has no such hole and is the one to use. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "harmony/format.h"
#include "harmony/json.h"

namespace vitalis::harmony {

struct TemplateOptions {
  std::string current_date;                 // YYYY-MM-DD; the template always shows it
  std::string reasoning_effort = "medium";  // any word
  std::string model_identity;               // empty: the template's own
  std::vector<std::string> builtin_tools;   // "browser", "python"
  bool add_generation_prompt = true;
};

// `request`: {"messages": […], "tools"?: […]}. Where the template raises, kInvalidArgument.
Result<std::string> render_template(const Json& request, const TemplateOptions& options);
Status render_template(const Json& request, const TemplateOptions& options, const Format& format,
                       std::vector<Token>& out);

}  // namespace vitalis::harmony
