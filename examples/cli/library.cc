// SPDX-License-Identifier: Apache-2.0
#include "library.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace vitalis::cli {

namespace {

const char* null_if_empty(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// A request must have messages; a file of tools has none, and may hold the list alone. Of two
// members of one name the later one stands, so a whole request keeps its messages.
std::string as_request(const std::string& tools) {
  const std::string messages = "{\"messages\":[],";
  const size_t first = std::min(tools.find_first_not_of(" \t\r\n"), tools.size());
  if (tools.substr(first, 1) == "[") return messages + "\"tools\":" + tools + '}';
  if (tools.substr(first, 1) == "{") return messages + tools.substr(first + 1);
  return tools;
}

// Where compiled tokenizers are kept: $XDG_CACHE_HOME/vitalis, ~/.cache/vitalis, or nowhere.
std::string cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (cache && *cache == '/') {
    folder = cache;
  } else if (home && *home == '/') {
    folder = std::filesystem::path(home) / ".cache";
  } else {
    return "";
  }
  folder /= "vitalis";
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  return folder.string();
}

}  // namespace

bool succeeded(int32_t status, Output& output, std::string_view what) {
  if (status >= VITALIS_OK) return true;
  std::string sentence = vitalis_last_error();
  if (sentence.empty()) sentence = vitalis_status_name(status);
  output.error(what.empty() ? sentence : std::string(what) + ": " + sentence);
  return false;
}

Engine open_engine(const Options& options, Output& output) {
  vitalis_engine_options engine_options = VITALIS_ENGINE_OPTIONS_INIT;
  vitalis_engine* engine = nullptr;
  if (!succeeded(vitalis_config_engine_options(options.config.get(), &engine_options), output) ||
      !succeeded(vitalis_engine_create(&engine_options, &engine), output))
    return nullptr;
  return Engine(engine);
}

Model open_model(const Options& options, Output& output) {
  const Engine engine = open_engine(options, output);
  if (!engine) return nullptr;
  output.show_progress("opening " + options.model + " ...");
  vitalis_model* model = nullptr;
  const std::string cache = cache_folder();
  vitalis_model_options model_options = VITALIS_MODEL_OPTIONS_INIT;
  model_options.cache_folder = null_if_empty(cache);
  const int32_t status =
      vitalis_model_open(engine.get(), options.model.c_str(), &model_options, &model);
  if (!succeeded(status, output)) return nullptr;
  output.clear_progress();
  return Model(model);
}

Tokenizer open_tokenizer(const Options& options, Output& output) {
  const std::string cache = cache_folder();
  vitalis_tokenizer* tokenizer = nullptr;
  const int32_t status =
      vitalis_tokenizer_open(options.model.c_str(), null_if_empty(cache), &tokenizer);
  return Tokenizer(succeeded(status, output) ? tokenizer : nullptr);
}

bool encode(const vitalis_tokenizer* tokenizer, std::string_view text, bool special,
            std::vector<uint32_t>& ids, Output& output) {
  vitalis_encode_options encode_options = VITALIS_ENCODE_OPTIONS_INIT;
  encode_options.flags = special ? VITALIS_ENCODE_SPECIAL : 0;
  ids.resize(text.size());  // a token of UTF-8 text has one byte or more
  size_t count = 0;
  const int32_t status =
      vitalis_tokenizer_encode(tokenizer, text.data(), text.size(), &encode_options, ids.data(),
                               nullptr, ids.size(), &count);
  ids.resize(count);
  return succeeded(status, output);
}

Session open_session(vitalis_model* model, const Options& options, Output& output) {
  vitalis_session_options session_options = VITALIS_SESSION_OPTIONS_INIT;
  vitalis_session* session = nullptr;
  if (!succeeded(vitalis_config_session_options(options.config.get(), &session_options), output) ||
      !succeeded(vitalis_session_create(model, &session_options, &session), output))
    return nullptr;
  return Session(session);
}

bool save_session(vitalis_session* session, const vitalis_conversation* conversation,
                  const std::string& path, Output& output) {
  size_t size = 0;
  if (!succeeded(vitalis_conversation_to_json(conversation, nullptr, 0, &size), output)) {
    return false;
  }
  std::string json(size, '\0');
  return succeeded(vitalis_conversation_to_json(conversation, json.data(), json.size(), &size),
                   output) &&
         succeeded(vitalis_session_save(session, path.c_str(), json.data(), json.size()), output,
                   "--session");
}

bool restore_session(vitalis_session* session, vitalis_conversation* conversation,
                     const std::string& path, Output& output) {
  vitalis_text note{};
  if (!succeeded(vitalis_session_restore(session, path.c_str()), output, "--session") ||
      !succeeded(vitalis_session_get_note(session, &note), output)) {
    return false;
  }
  return succeeded(vitalis_conversation_truncate(conversation, 0), output) &&
         succeeded(vitalis_conversation_load_json(conversation, VITALIS_JSON_HARMONY, note.data,
                                                  note.size),
                   output, "--session: the note in " + path);
}

bool set_system(vitalis_conversation* conversation, const Options& options, Output& output) {
  vitalis_system system = VITALIS_SYSTEM_INIT;
  system.identity = null_if_empty(options.identity);
  system.current_date = null_if_empty(options.date);
  const bool known =
      !options.config || succeeded(vitalis_config_system(options.config.get(), &system), output);
  return known && succeeded(vitalis_conversation_set_system(conversation, &system), output);
}

bool set_tool_choice(vitalis_conversation* conversation, const std::string& choice,
                     Output& output) {
  constexpr std::pair<std::string_view, int32_t> kChoices[] = {
      {"auto", VITALIS_TOOL_CHOICE_AUTO},
      {"none", VITALIS_TOOL_CHOICE_NONE},
      {"required", VITALIS_TOOL_CHOICE_REQUIRED},
      {"free", VITALIS_TOOL_CHOICE_FREE}};
  for (const auto& [name, value] : kChoices) {
    if (name != choice) continue;
    return succeeded(vitalis_conversation_set_tool_choice(conversation, value, nullptr), output,
                     "--tool-choice");
  }
  return succeeded(vitalis_conversation_set_tool_choice(conversation, VITALIS_TOOL_CHOICE_FUNCTION,
                                                        choice.c_str()),
                   output, "--tool-choice");
}

Conversation open_conversation(const Options& options, Output& output) {
  vitalis_conversation* handle = nullptr;
  if (!succeeded(vitalis_conversation_create(&handle), output)) return nullptr;
  Conversation conversation(handle);
  if (options.tools) {
    const std::string request = as_request(*options.tools);
    const int32_t status =
        vitalis_conversation_load_json(handle, VITALIS_JSON_CHAT, request.data(), request.size());
    if (!succeeded(status, output, "--tools")) return nullptr;
  }
  if (!options.tool_choice.empty() && !set_tool_choice(handle, options.tool_choice, output)) {
    return nullptr;
  }
  if (options.schema) {
    const int32_t status = vitalis_conversation_set_response_schema(
        handle, "answer", options.schema->data(), options.schema->size());
    if (!succeeded(status, output, "--schema")) return nullptr;
  }
  if (!set_system(handle, options, output)) return nullptr;
  const std::string& instructions = options.instructions;
  if (!instructions.empty()) {
    const int32_t status =
        vitalis_conversation_set_instructions(handle, instructions.data(), instructions.size());
    if (!succeeded(status, output, "the instructions")) return nullptr;
  }
  return conversation;
}

bool add_user_message(vitalis_conversation* conversation, std::string_view text, Output& output) {
  vitalis_message message = VITALIS_MESSAGE_INIT;
  message.role = VITALIS_ROLE_USER;
  message.text = text.data();
  message.text_size = text.size();
  return succeeded(vitalis_conversation_add_message(conversation, &message), output, "the prompt");
}

bool start_answer(vitalis_session* session, const vitalis_conversation* conversation,
                  const Options& options, Output& output) {
  vitalis_generate_options generate = VITALIS_GENERATE_OPTIONS_INIT;
  if (!succeeded(vitalis_config_generate_options(options.config.get(), &generate), output)) {
    return false;
  }
  if (options.logprobs) {
    generate.flags |= VITALIS_GENERATE_LOGPROBS;
    generate.alternatives = *options.logprobs;
  }
  return succeeded(vitalis_session_start(session, conversation, &generate), output);
}

}  // namespace vitalis::cli
