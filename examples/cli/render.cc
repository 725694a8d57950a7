// SPDX-License-Identifier: Apache-2.0
// vitalis render: the prompt that a conversation in JSON makes, as text or as token ids.
#include <string>
#include <vector>

#include "commands.h"
#include "library.h"

namespace vitalis::cli {

namespace {

bool render_harmony(const Options& options, const vitalis_tokenizer* tokenizer,
                    std::vector<uint32_t>& ids, Output& output) {
  vitalis_conversation* handle = nullptr;
  if (!succeeded(vitalis_conversation_create(&handle), output)) return false;
  const Conversation conversation(handle);
  // The request may say otherwise: what it says comes later.
  if (options.form != VITALIS_JSON_HARMONY && !set_system(handle, options, output)) return false;
  const std::string& json = options.text;
  if (!succeeded(vitalis_conversation_load_json(handle, options.form, json.data(), json.size()),
                 output)) {
    return false;
  }
  vitalis_render_options render_options = VITALIS_RENDER_OPTIONS_INIT;
  render_options.mode = options.mode;
  render_options.keep_analysis = options.keep_analysis ? 1 : 0;
  size_t count = 0;
  for (int pass = 0; pass < 2; ++pass) {  // the first tells how many there are
    ids.resize(count);
    if (!succeeded(vitalis_conversation_render(handle, tokenizer, &render_options, ids.data(),
                                               ids.size(), &count),
                   output)) {
      return false;
    }
  }
  return true;
}

bool render_template(const Options& options, std::string& text, Output& output) {
  vitalis_template_options template_options = VITALIS_TEMPLATE_OPTIONS_INIT;
  template_options.current_date = options.date.c_str();
  template_options.no_generation_prompt = options.mode == VITALIS_RENDER_COMPLETION ? 0 : 1;
  size_t size = 0;
  for (int pass = 0; pass < 2; ++pass) {
    text.resize(size);
    if (!succeeded(vitalis_template_render(options.text.data(), options.text.size(),
                                           &template_options, text.data(), text.size(), &size),
                   output)) {
      return false;
    }
  }
  return true;
}

}  // namespace

int render(const Options& options, Output& output) {
  const Tokenizer tokenizer = open_tokenizer(options, output);
  if (!tokenizer) return kExitError;
  std::vector<uint32_t> ids;
  std::string text;
  if (options.as_template) {
    if (!render_template(options, text, output)) return kExitError;
    if (options.ids && !encode(tokenizer.get(), text, true, ids, output)) return kExitError;
  } else {
    if (!render_harmony(options, tokenizer.get(), ids, output)) return kExitError;
    for (const uint32_t id : ids) {
      vitalis_text bytes{};
      if (!succeeded(vitalis_tokenizer_token_bytes(tokenizer.get(), id, &bytes), output)) {
        return kExitError;
      }
      text += view(bytes);
    }
  }
  if (options.ids) {
    text.clear();
    for (const uint32_t id : ids) text += (text.empty() ? "" : " ") + std::to_string(id);
  }
  output.print(text + '\n');
  return output.exit_code(kExitOk);
}

}  // namespace vitalis::cli
