// SPDX-License-Identifier: Apache-2.0
// The library's handles as owners, and how the commands open them from the options. Whatever fails
// here has told so on standard error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"
#include "output.h"
#include <vitalis/vitalis.h>

namespace vitalis::cli {

template <auto release>
struct Releaser {
  void operator()(auto* handle) const { release(handle); }
};
using Engine = std::unique_ptr<vitalis_engine, Releaser<vitalis_engine_release>>;
using Tokenizer = std::unique_ptr<vitalis_tokenizer, Releaser<vitalis_tokenizer_release>>;
using Parser = std::unique_ptr<vitalis_parser, Releaser<vitalis_parser_release>>;
using Model = std::unique_ptr<vitalis_model, Releaser<vitalis_model_release>>;
using Conversation = std::unique_ptr<vitalis_conversation, Releaser<vitalis_conversation_release>>;
using Session = std::unique_ptr<vitalis_session, Releaser<vitalis_session_release>>;

inline std::string_view view(const vitalis_text& text) {
  return {text.data, text.size};
}

// True if `status`, which the library's last call in this thread gave, is no error; else says
// `what`, if any, and the library's sentence.
bool succeeded(int32_t status, Output& output, std::string_view what = "");

// Null on failure.
Engine open_engine(const Options& options, Output& output);
Model open_model(const Options& options, Output& output);
// The model's tokenizer alone: no weights are looked at.
Tokenizer open_tokenizer(const Options& options, Output& output);
Session open_session(vitalis_model* model, const Options& options, Output& output);
// With the options' system message, instructions and tools.
Conversation open_conversation(const Options& options, Output& output);
// auto, none, required, free, or the name of a function.
bool set_tool_choice(vitalis_conversation* conversation, const std::string& choice, Output& output);
bool set_system(vitalis_conversation* conversation, const Options& options, Output& output);

// Where a conversation is kept: a session with the conversation as its note.
bool save_session(vitalis_session* session, const vitalis_conversation* conversation,
                  const std::string& path, Output& output);
// Goes on with what is kept, of which nothing is changed.
bool restore_session(vitalis_session* session, vitalis_conversation* conversation,
                     const std::string& path, Output& output);

// Appends the tokens of a text, in which names of special tokens are taken for them if `special`.
bool encode(const vitalis_tokenizer* tokenizer, std::string_view text, bool special,
            std::vector<uint32_t>& ids, Output& output);

bool start_answer(vitalis_session* session, const vitalis_conversation* conversation,
                  const Options& options, Output& output);
bool add_user_message(vitalis_conversation* conversation, std::string_view text, Output& output);

}  // namespace vitalis::cli
