// SPDX-License-Identifier: Apache-2.0
#include "harmony/conversation.h"

#include <algorithm>
#include <iterator>

#include "handles.h"
#include "harmony/harmony_json.h"
#include "harmony/openai_json.h"
#include "harmony/render.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::string_view kFunctions = "functions";

// A name or sentence that may be absent.
Status optional_text(const char* from, std::string_view name, std::optional<std::string>& to) {
  if (!from) return {};
  VITALIS_ASSIGN(const std::string_view text, text_argument(from, VITALIS_NUL, name));
  to = text;
  return {};
}

harmony::ToolNamespace& functions(harmony::DeveloperContent& developer) {
  for (harmony::ToolNamespace& found : developer.tools) {
    if (found.name == kFunctions) return found;
  }
  return developer.tools.emplace_back(harmony::ToolNamespace{std::string(kFunctions), {}, {}});
}

// `place` names the argument that the tool comes from.
Status add_tool(harmony::DeveloperContent& developer, harmony::Tool tool, std::string_view place) {
  std::vector<harmony::Tool>& tools = functions(developer).tools;
  const bool taken = std::any_of(tools.begin(), tools.end(),
                                 [&](const harmony::Tool& t) { return t.name == tool.name; });
  if (taken) {
    return error(Code::kInvalidArgument, place, ": there is a tool named ", tool.name, " already");
  }
  tools.push_back(std::move(tool));
  return {};
}

// Takes the settings out of a whole conversation, and the messages after them.
Status absorb(harmony::Conversation from, vitalis_conversation& into) {
  std::optional<harmony::SystemContent> system = into.system;
  harmony::DeveloperContent developer = into.developer;
  std::vector<harmony::Message> messages = into.messages;
  for (harmony::Message& message : from.messages) {
    const bool sole = message.parts.size() == 1;
    const auto* new_system =
        sole ? std::get_if<harmony::SystemContent>(&message.parts[0]) : nullptr;
    auto* new_developer =
        sole ? std::get_if<harmony::DeveloperContent>(&message.parts[0]) : nullptr;
    if (new_system) {
      system = *new_system;
    } else if (new_developer && messages.size() == into.messages.size()) {
      if (new_developer->instructions) developer.instructions = new_developer->instructions;
      for (harmony::ToolNamespace& space : new_developer->tools) {
        if (space.name != kFunctions) {
          developer.tools.push_back(std::move(space));
          continue;
        }
        for (harmony::Tool& tool : space.tools)
          VITALIS_TRY(add_tool(developer, std::move(tool), "tools"));
      }
    } else {
      messages.push_back(std::move(message));
    }
  }
  into.system = std::move(system);
  into.developer = std::move(developer);
  into.messages = std::move(messages);
  return {};
}

// The one content of a message that is nothing more than that; null if it is not this kind.
template <class Content>
Content* sole_content(std::vector<harmony::Message>& messages, size_t index, harmony::Role role) {
  if (index >= messages.size()) return nullptr;
  harmony::Message& m = messages[index];
  const bool plain = m.role == role && m.parts.size() == 1 && !m.name && !m.recipient &&
                     !m.channel && !m.content_type && m.sampled.empty();
  return plain ? std::get_if<Content>(&m.parts[0]) : nullptr;
}

// The harmony form says all: what stands at its head replaces the settings, and what is not there
// is not set.
void take_whole(harmony::Conversation from, vitalis_conversation& into) {
  std::vector<harmony::Message>& messages = from.messages;
  size_t taken = 0;
  std::optional<harmony::SystemContent> system;
  harmony::DeveloperContent developer;
  if (auto* found = sole_content<harmony::SystemContent>(messages, 0, harmony::Role::kSystem)) {
    system = std::move(*found);
    taken = 1;
  }
  auto* found = sole_content<harmony::DeveloperContent>(messages, taken, harmony::Role::kDeveloper);
  if (found && (found->instructions || !found->tools.empty())) {
    developer = std::move(*found);
    ++taken;
  }
  into.messages.insert(into.messages.end(),
                       std::make_move_iterator(messages.begin() + static_cast<ptrdiff_t>(taken)),
                       std::make_move_iterator(messages.end()));
  into.system = std::move(system);
  into.developer = std::move(developer);
  into.constraint = {};
  into.response_name.clear();
}

Result<harmony::Message> read_message(const vitalis_message& given) {
  if (given.role < VITALIS_ROLE_SYSTEM || given.role > VITALIS_ROLE_TOOL) {
    return error(Code::kInvalidArgument, "message.role: expected 0 to 4; found ", given.role);
  }
  harmony::Message message;
  message.role = static_cast<harmony::Role>(given.role);
  VITALIS_TRY(optional_text(given.name, "message.name", message.name));
  VITALIS_TRY(optional_text(given.recipient, "message.recipient", message.recipient));
  VITALIS_TRY(optional_text(given.channel, "message.channel", message.channel));
  VITALIS_TRY(optional_text(given.content_type, "message.content_type", message.content_type));
  VITALIS_ASSIGN(const std::string_view text,
                 text_argument(given.text, given.text_size, "message.text"));
  if (message.role == harmony::Role::kTool && !message.name) {
    return error(Code::kInvalidArgument, "message.name: a tool's message needs the tool's name");
  }
  message.parts.emplace_back(std::string(text));
  return message;
}

}  // namespace

harmony::Conversation vitalis_conversation::whole() const {
  harmony::Conversation out;
  out.messages.reserve(messages.size() + 2);
  if (system) out.messages.push_back({.role = harmony::Role::kSystem, .parts = {*system}});
  harmony::DeveloperContent told = developer;
  if (constraint.response_schema && !response_name.empty()) {
    const std::string section =
        harmony::response_section(response_name, *constraint.response_schema);
    told.instructions = told.instructions ? *told.instructions + "\n\n" + section : section;
  }
  if (told.instructions || !told.tools.empty()) {
    out.messages.push_back({.role = harmony::Role::kDeveloper, .parts = {std::move(told)}});
  }
  out.messages.insert(out.messages.end(), messages.begin(), messages.end());
  return out;
}

extern "C" {

int32_t vitalis_conversation_create(vitalis_conversation** conversation_out) {
  return guard([&]() -> Status {
    if (!conversation_out) return missing("conversation_out");
    *conversation_out = nullptr;
    *conversation_out = new vitalis_conversation;
    return {};
  });
}

vitalis_conversation* vitalis_conversation_retain(vitalis_conversation* conversation) {
  return retain(conversation);
}
void vitalis_conversation_release(vitalis_conversation* conversation) {
  release(conversation);
}

void vitalis_system_init(vitalis_system* system, size_t size) {
  init_struct(system, size);
}

int32_t vitalis_conversation_set_system(vitalis_conversation* conversation,
                                        const vitalis_system* system) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    VITALIS_ASSIGN(const auto given, read_struct(system, "system"));
    harmony::SystemContent out = harmony::default_system_content();
    if (into.system) out.tools = into.system->tools;
    VITALIS_TRY(optional_text(given.identity, "system.identity", out.model_identity));
    VITALIS_TRY(
        optional_text(given.knowledge_cutoff, "system.knowledge_cutoff", out.knowledge_cutoff));
    VITALIS_TRY(optional_text(given.current_date, "system.current_date", out.current_date));
    switch (given.reasoning_effort) {
      case VITALIS_EFFORT_DEFAULT:
        break;
      case VITALIS_EFFORT_LOW:
        out.reasoning_effort = harmony::Effort::kLow;
        break;
      case VITALIS_EFFORT_MEDIUM:
        out.reasoning_effort = harmony::Effort::kMedium;
        break;
      case VITALIS_EFFORT_HIGH:
        out.reasoning_effort = harmony::Effort::kHigh;
        break;
      default:
        return error(Code::kInvalidArgument, "system.reasoning_effort: expected 0 to 3; found ",
                     given.reasoning_effort);
    }
    into.system = std::move(out);
    return {};
  });
}

int32_t vitalis_conversation_set_instructions(vitalis_conversation* conversation, const char* text,
                                              size_t size) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    VITALIS_ASSIGN(const std::string_view given, text_argument(text, size, "text"));
    if (given.empty()) {
      into.developer.instructions.reset();
    } else {
      into.developer.instructions = given;
    }
    return {};
  });
}

int32_t vitalis_conversation_add_tool(vitalis_conversation* conversation, const char* name,
                                      const char* description, const char* parameters) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    if (!name) return missing("name");
    harmony::Tool tool;
    VITALIS_ASSIGN(tool.name, text_argument(name, VITALIS_NUL, "name"));
    if (tool.name.empty()) return error(Code::kInvalidArgument, "name: a tool needs one");
    if (description) {
      VITALIS_ASSIGN(tool.description, text_argument(description, VITALIS_NUL, "description"));
    }
    if (parameters) {
      VITALIS_ASSIGN(const std::string_view json,
                     text_argument(parameters, VITALIS_NUL, "parameters"));
      VITALIS_ASSIGN(tool.parameters, harmony::Json::parse(json));
      if (!tool.parameters->is_object()) {
        return error(Code::kInvalidArgument, "parameters: expected a JSON Schema object; found ",
                     harmony::kind_name(tool.parameters->kind()));
      }
    }
    return add_tool(into.developer, std::move(tool), "name");
  });
}

int32_t vitalis_conversation_set_tool_choice(vitalis_conversation* conversation, int32_t choice,
                                             const char* name) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    using Kind = harmony::ToolChoice::Kind;
    constexpr Kind kKinds[] = {Kind::kAuto, Kind::kNone, Kind::kRequired, Kind::kFunction,
                               Kind::kFree};
    if (choice < VITALIS_TOOL_CHOICE_AUTO || choice > VITALIS_TOOL_CHOICE_FREE) {
      return error(Code::kInvalidArgument, "choice: expected 0 to 4; found ", choice);
    }
    const bool named = choice == VITALIS_TOOL_CHOICE_FUNCTION;
    if (named != (name != nullptr)) {
      return error(Code::kInvalidArgument,
                   "name: expected one with VITALIS_TOOL_CHOICE_FUNCTION, and only with it");
    }
    harmony::ToolChoice out;
    out.kind = kKinds[choice];
    if (named) {
      VITALIS_ASSIGN(out.function, text_argument(name, VITALIS_NUL, "name"));
    }
    into.constraint.tool_choice = std::move(out);
    return {};
  });
}

int32_t vitalis_conversation_set_response_schema(vitalis_conversation* conversation,
                                                 const char* name, const char* schema,
                                                 size_t size) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    if (!schema) {
      into.constraint.response_schema.reset();
      into.response_name.clear();
      return {};
    }
    std::string_view shown;
    if (name) {
      VITALIS_ASSIGN(shown, text_argument(name, VITALIS_NUL, "name"));
    }
    VITALIS_ASSIGN(const std::string_view json, text_argument(schema, size, "schema"));
    VITALIS_ASSIGN(auto read, harmony::Json::parse(json));
    if (!read.is_object() && !read.is_boolean()) {
      return error(Code::kInvalidArgument, "schema: expected a JSON Schema; found ",
                   harmony::kind_name(read.kind()));
    }
    into.constraint.response_schema = std::move(read);
    into.response_name = shown;
    return {};
  });
}

void vitalis_message_init(vitalis_message* message, size_t size) {
  if (init_struct(message, size)) message->role = VITALIS_ROLE_USER;
}

int32_t vitalis_conversation_add_message(vitalis_conversation* conversation,
                                         const vitalis_message* message) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    if (!message) return missing("message");
    VITALIS_ASSIGN(const auto given, read_struct(message, "message"));
    VITALIS_ASSIGN(auto out, read_message(given));
    into.messages.push_back(std::move(out));
    return {};
  });
}

int32_t vitalis_conversation_add_tool_result(vitalis_conversation* conversation, const char* name,
                                             const char* text, size_t size) {
  vitalis_message message = VITALIS_MESSAGE_INIT;
  message.role = VITALIS_ROLE_TOOL;
  message.name = name;
  message.recipient = "assistant";
  message.channel = "commentary";
  message.text = text;
  message.text_size = size;
  return vitalis_conversation_add_message(conversation, &message);
}

int32_t vitalis_conversation_load_json(vitalis_conversation* conversation, int32_t form,
                                       const char* json, size_t size) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    if (!json) return missing("json");
    VITALIS_ASSIGN(const std::string_view text, text_argument(json, size, "json"));
    if (form == VITALIS_JSON_HARMONY) {
      VITALIS_ASSIGN(auto whole, harmony::conversation_from_json(text));
      take_whole(std::move(whole), into);
      return {};
    }
    if (form != VITALIS_JSON_CHAT && form != VITALIS_JSON_RESPONSES) {
      return error(Code::kInvalidArgument, "form: expected 0 to 2; found ", form);
    }
    const harmony::SystemContent system = into.system.value_or(harmony::default_system_content());
    VITALIS_ASSIGN(auto request, form == VITALIS_JSON_CHAT
                                     ? harmony::chat_from_json(text, system)
                                     : harmony::responses_from_json(text, system));
    VITALIS_TRY(absorb(std::move(request.conversation), into));
    if (request.tool_choice) into.constraint.tool_choice = *request.tool_choice;
    if (request.response_schema) {
      // The instructions have the section already.
      into.constraint.response_schema = std::move(request.response_schema);
      into.response_name.clear();
    }
    return {};
  });
}

int32_t vitalis_conversation_to_json(const vitalis_conversation* conversation, char* json,
                                     size_t capacity, size_t* size_out) {
  if (size_out) *size_out = 0;
  return with(conversation, "conversation", [&](const vitalis_conversation& from) -> Status {
    if (!size_out) return missing("size_out");
    if (!json && capacity > 0) return missing("json");
    const std::string text = harmony::conversation_to_json(from.whole()).dump();
    std::copy_n(text.begin(), std::min(text.size(), capacity), json);
    *size_out = text.size();
    return {};
  });
}

size_t vitalis_conversation_size(const vitalis_conversation* conversation) {
  if (!conversation) return 0;
  const Exclusive exclusive(conversation->busy);
  return exclusive.status().ok() ? conversation->messages.size() : 0;
}

int32_t vitalis_conversation_truncate(vitalis_conversation* conversation, size_t size) {
  return with(conversation, "conversation", [&](vitalis_conversation& into) -> Status {
    if (size > into.messages.size()) {
      return error(Code::kInvalidArgument, "size: the conversation has ", into.messages.size(),
                   " messages; found ", size);
    }
    into.messages.resize(size);
    return {};
  });
}

void vitalis_render_options_init(vitalis_render_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_conversation_render(const vitalis_conversation* conversation,
                                    const vitalis_tokenizer* tokenizer,
                                    const vitalis_render_options* options, uint32_t* tokens,
                                    size_t capacity, size_t* count_out) {
  if (count_out) *count_out = 0;
  return with(conversation, "conversation", [&](const vitalis_conversation& from) -> Status {
    using Mode = harmony::RenderOptions::Mode;
    if (!count_out) return missing("count_out");
    if (!tokenizer) return missing("tokenizer");
    if (!tokens && capacity > 0) return missing("tokens");
    VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
    if (given.mode < VITALIS_RENDER_COMPLETION || given.mode > VITALIS_RENDER_TRAINING) {
      return error(Code::kInvalidArgument, "options.mode: expected 0 to 2; found ", given.mode);
    }
    constexpr Mode kModes[] = {Mode::kCompletion, Mode::kConversation, Mode::kTraining};
    harmony::RenderOptions out;
    out.mode = kModes[given.mode];
    out.auto_drop_analysis = given.keep_analysis == 0;
    out.replay_sampled = given.retokenize == 0;
    std::vector<Token> ids;
    VITALIS_TRY(harmony::render(from.whole(), tokenizer->vocabulary->format(), out, ids));
    std::copy_n(ids.begin(), std::min(ids.size(), capacity), tokens);
    *count_out = ids.size();
    return {};
  });
}

}  // extern "C"
