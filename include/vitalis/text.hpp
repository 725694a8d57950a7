// SPDX-License-Identifier: Apache-2.0
// Text, tokens and messages, for which no weights are needed: the tokenizer, conversations and the
// prompts that they become, and the parser of what a model answers. A part of vitalis/vitalis.hpp,
// whose rules on errors, ownership and threads hold here too; useful alone for hosts with an engine
// of their own.
#ifndef VITALIS_TEXT_HPP
#define VITALIS_TEXT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vitalis/base.hpp>

namespace vitalis {
inline namespace cpp {

// ---- tokenizer: text to tokens and back; immutable, useful without weights ----

// What encode() does with special tokens and ill-formed text.
struct EncodeOptions {
  bool special = false;  // every special token that the text spells becomes one
  bool strict = false;   // ill-formed UTF-8 is an error, with its offset, and not U+FFFD
  std::vector<uint32_t> allowed = {};  // special tokens that become tokens where they are spelt
  std::vector<uint32_t> refused = {};  // those whose spelling is an error, less the allowed
};
// Offsets count bytes of the text; `ends` says where each token ends.
struct Encoding {
  std::vector<uint32_t> tokens;  // of the whole text
  std::vector<size_t> ends;      // as many
};
// The first `bytes` of a text.
struct Prefix {
  std::vector<uint32_t> tokens;  // of these bytes
  size_t bytes = 0;              // of whole words
};

// Text to tokens and back; for any number of threads.
class Tokenizer : public detail::Owner<vitalis_tokenizer, vitalis_tokenizer_release> {
 public:
  explicit Tokenizer(vitalis_tokenizer* handle) : Owner(handle) {}  // takes over one reference
  // `path`: a tokenizer.json, or a folder with one. `cache_folder` keeps a compiled form; or null.
  explicit Tokenizer(const std::string& path, const char* cache_folder = nullptr)
      : Tokenizer(try_open(path, cache_folder).value()) {}
  static Result<Tokenizer> try_open(const std::string& path, const char* cache_folder = nullptr) {
    vitalis_tokenizer* tokenizer = nullptr;
    return detail::made<Tokenizer>(vitalis_tokenizer_open(path.c_str(), cache_folder, &tokenizer),
                                   &tokenizer);
  }

  // One more than the highest id.
  uint32_t size() const { return vitalis_tokenizer_size(native_handle()); }

  // Text may be any bytes. What spells a special token stays text, unless the options say
  // otherwise.
  std::vector<uint32_t> encode(std::string_view text, const EncodeOptions& options = {}) const {
    return try_encode(text, options).value();
  }
  Result<std::vector<uint32_t>> try_encode(std::string_view text,
                                           const EncodeOptions& options = {}) const {
    auto c = detail::sized<vitalis_encode_options>();
    c.flags = (options.special ? VITALIS_ENCODE_SPECIAL : 0u) |
              (options.strict ? VITALIS_ENCODE_STRICT : 0u);
    c.allowed = options.allowed.data();
    c.allowed_count = options.allowed.size();
    c.refused = options.refused.data();
    c.refused_count = options.refused.size();
    const auto encode = [&](uint32_t* tokens, size_t capacity, size_t* count) {
      return vitalis_tokenizer_encode(native_handle(), text.data(), text.size(), &c, tokens,
                                      nullptr, capacity, count);
    };
    return detail::written<std::vector<uint32_t>>(guess(text.size()), encode);
  }

  // As encode() without options, with offsets.
  Encoding encode_with_offsets(std::string_view text) const {
    return try_encode_with_offsets(text).value();
  }
  Result<Encoding> try_encode_with_offsets(std::string_view text) const {
    Encoding out;
    const auto encode = [&](uint32_t* tokens, size_t capacity, size_t* count) {
      out.ends.resize(capacity);
      return vitalis_tokenizer_encode(native_handle(), text.data(), text.size(), nullptr, tokens,
                                      out.ends.data(), capacity, count);
    };
    auto tokens = detail::written<std::vector<uint32_t>>(guess(text.size()), encode);
    if (!tokens) return tokens.error();
    out.tokens = std::move(tokens).value();
    out.ends.resize(out.tokens.size());
    return out;
  }

  // How many tokens encode(text) gives; none is stored.
  size_t count(std::string_view text) const { return try_count(text).value(); }
  Result<size_t> try_count(std::string_view text) const {
    size_t count = 0;
    return detail::filled(
        vitalis_tokenizer_count(native_handle(), text.data(), text.size(), &count), &count);
  }

  // Whole words from the front of the text, as long as they make at most `limit` tokens.
  Prefix encode_up_to(std::string_view text, size_t limit) const {
    return try_encode_up_to(text, limit).value();
  }
  Result<Prefix> try_encode_up_to(std::string_view text, size_t limit) const {
    Prefix out;
    // A byte makes three tokens at most: those of U+FFFD where it is ill-formed.
    out.tokens.resize(std::min(limit, 3 * text.size()));
    size_t count = 0;
    const int32_t status =
        vitalis_tokenizer_encode_up_to(native_handle(), text.data(), text.size(), out.tokens.data(),
                                       out.tokens.size(), &count, &out.bytes);
    if (status < 0) return Error::last(status);
    out.tokens.resize(count);
    return out;
  }

  // As encode() of each, by the engine's threads, or by this thread alone.
  std::vector<std::vector<uint32_t>> encode_batch(std::span<const std::string_view> texts,
                                                  const Engine* engine = nullptr) const {
    return try_encode_batch(texts, engine).value();
  }
  Result<std::vector<std::vector<uint32_t>>> try_encode_batch(
      std::span<const std::string_view> texts, const Engine* engine = nullptr) const {
    std::vector<vitalis_text> from;
    size_t bytes = 0;
    for (const std::string_view text : texts) {
      from.push_back({text.data(), text.size()});
      bytes += text.size();
    }
    std::vector<size_t> counts(texts.size());
    const auto encode = [&](uint32_t* tokens, size_t capacity, size_t* count) {
      return vitalis_tokenizer_encode_batch(
          native_handle(), engine != nullptr ? engine->native_handle() : nullptr, from.data(),
          from.size(), tokens, capacity, counts.data(), count);
    };
    auto tokens = detail::written<std::vector<uint32_t>>(guess(bytes), encode);
    if (!tokens) return tokens.error();
    std::vector<std::vector<uint32_t>> out;
    const uint32_t* next = tokens.value().data();
    for (const size_t count : counts) {
      out.emplace_back(next, next + count);
      next += count;
    }
    return out;
  }

  // The bytes of tokens, which need not be UTF-8: a Decoder gives text.
  std::string decode(std::span<const uint32_t> tokens) const { return try_decode(tokens).value(); }
  Result<std::string> try_decode(std::span<const uint32_t> tokens) const {
    const auto decode = [&](char* bytes, size_t capacity, size_t* size) {
      return vitalis_tokenizer_decode(native_handle(), tokens.data(), tokens.size(), bytes,
                                      capacity, size);
    };
    return detail::written<std::string>(8 * tokens.size(), decode);
  }

  // The bytes of one token; the view lives as long as the tokenizer.
  std::string_view token_bytes(uint32_t token) const { return try_token_bytes(token).value(); }
  Result<std::string_view> try_token_bytes(uint32_t token) const {
    vitalis_text text = {};
    const int32_t status = vitalis_tokenizer_token_bytes(native_handle(), token, &text);
    if (status < 0) return Error::last(status);
    return detail::view(text);
  }

  // The ordinary token that stands for exactly these bytes; kNotFound if there is none.
  uint32_t find(std::string_view bytes) const { return try_find(bytes).value(); }
  Result<uint32_t> try_find(std::string_view bytes) const {
    uint32_t token = 0;
    return detail::filled(
        vitalis_tokenizer_find(native_handle(), bytes.data(), bytes.size(), &token), &token);
  }

  // The id of a special token such as "<|start|>"; kNotFound if there is none.
  uint32_t special(std::string_view name) const { return try_special(name).value(); }
  Result<uint32_t> try_special(std::string_view name) const {
    uint32_t token = 0;
    return detail::filled(
        vitalis_tokenizer_special(native_handle(), name.data(), name.size(), &token), &token);
  }

 private:
  static size_t guess(size_t bytes) { return bytes / 2 + 16; }
};

// Tokens to text one at a time: whole characters come out, and each ill-formed part is one U+FFFD.
class Decoder : public detail::Owner<vitalis_decoder, vitalis_decoder_release> {
 public:
  explicit Decoder(vitalis_decoder* handle) : Owner(handle) {}  // takes over one reference
  // Keeps the tokenizer.
  explicit Decoder(const Tokenizer& tokenizer) : Decoder(try_create(tokenizer).value()) {}
  static Result<Decoder> try_create(const Tokenizer& tokenizer) {
    vitalis_decoder* decoder = nullptr;
    return detail::made<Decoder>(vitalis_decoder_create(tokenizer.native_handle(), &decoder),
                                 &decoder);
  }

  // What became known, often nothing. The view is valid until the decoder is used again.
  std::string_view push(uint32_t token) { return try_push(token).value(); }
  Result<std::string_view> try_push(uint32_t token) {
    vitalis_text text = {};
    const int32_t status = vitalis_decoder_push(native_handle(), token, &text);
    if (status < 0) return Error::last(status);
    return detail::view(text);
  }

  // The end: what was held back. The decoder may be used again.
  std::string_view finish() { return try_finish().value(); }
  Result<std::string_view> try_finish() {
    vitalis_text text = {};
    const int32_t status = vitalis_decoder_finish(native_handle(), &text);
    if (status < 0) return Error::last(status);
    return detail::view(text);
  }
};

// ---- conversation: who said what; text only ----

// VITALIS_EFFORT_*
enum class Effort : int32_t { kDefault, kLow, kMedium, kHigh };
// VITALIS_ROLE_*
enum class Role : int32_t { kSystem, kDeveloper, kUser, kAssistant, kTool };
// VITALIS_JSON_*
enum class JsonForm : int32_t { kChat, kResponses, kHarmony };
// VITALIS_RENDER_*
enum class RenderMode : int32_t { kCompletion, kConversation, kTraining };
// VITALIS_TOOL_CHOICE_*
enum class ToolChoice : int32_t { kAuto, kNone, kRequired, kFunction, kFree };
static_assert(int32_t(ToolChoice::kFree) == VITALIS_TOOL_CHOICE_FREE);
static_assert(int32_t(Effort::kHigh) == VITALIS_EFFORT_HIGH &&
              int32_t(Role::kTool) == VITALIS_ROLE_TOOL &&
              int32_t(JsonForm::kHarmony) == VITALIS_JSON_HARMONY &&
              int32_t(RenderMode::kTraining) == VITALIS_RENDER_TRAINING);

// The system message; see vitalis_system. Null: the default.
struct SystemOptions {
  Effort reasoning_effort = Effort::kDefault;  // how much the model reasons
  const char* identity = nullptr;              // the first sentence
  const char* knowledge_cutoff = nullptr;      // "2024-06"
  const char* current_date = nullptr;          // "2026-01-31"; the library has no clock
};
// See vitalis_message; what is null is not in the header.
struct Message {
  Role role = Role::kUser;             // whose it is
  std::string_view text = {};          // what spells control tokens in it stays text
  const char* name = nullptr;          // of a tool, "functions.get_weather", or an author
  const char* recipient = nullptr;     // whom an assistant calls
  const char* channel = nullptr;       // "analysis", "commentary", "final"
  const char* content_type = nullptr;  // "<|constrain|>json"
};
// How render() renders.
struct RenderOptions {
  RenderMode mode = RenderMode::kCompletion;  // ends in the start of the assistant's message
  bool keep_analysis = false;                 // also the reasoning of finished turns
  bool retokenize = false;  // replies from their fields, not from their sampled tokens
};
// What the template shows besides the messages.
struct TemplateOptions {
  bool generation_prompt = true;           // ends in the start of the assistant's message
  const char* current_date = nullptr;      // "2026-01-31"; the template always shows one
  const char* reasoning_effort = nullptr;  // any word; default "medium"
  const char* model_identity = nullptr;    // default: the template's
};

// The functions that add return the conversation.
class Conversation : public detail::Owner<vitalis_conversation, vitalis_conversation_release> {
 public:
  explicit Conversation(vitalis_conversation* handle)
      : Owner(handle) {}  // takes over one reference
  Conversation() : Conversation(try_create().value()) {}
  static Result<Conversation> try_create() {
    vitalis_conversation* conversation = nullptr;
    return detail::made<Conversation>(vitalis_conversation_create(&conversation), &conversation);
  }

  // Replaces the system message.
  Conversation& set_system(const SystemOptions& system) { return self(try_set_system(system)); }
  Result<Done> try_set_system(const SystemOptions& system) {
    auto c = detail::sized<vitalis_system>();
    c.reasoning_effort = static_cast<int32_t>(system.reasoning_effort);
    c.identity = system.identity;
    c.knowledge_cutoff = system.knowledge_cutoff;
    c.current_date = system.current_date;
    return detail::done(vitalis_conversation_set_system(native_handle(), &c));
  }

  // The developer's instructions; empty text takes them away.
  Conversation& set_instructions(std::string_view text) { return self(try_set_instructions(text)); }
  Result<Done> try_set_instructions(std::string_view text) {
    return detail::done(
        vitalis_conversation_set_instructions(native_handle(), text.data(), text.size()));
  }

  // Declares a function; `parameters` is a JSON Schema, or null for none.
  Conversation& add_tool(const char* name, const char* description, const char* parameters) {
    return self(try_add_tool(name, description, parameters));
  }
  Result<Done> try_add_tool(const char* name, const char* description, const char* parameters) {
    return detail::done(
        vitalis_conversation_add_tool(native_handle(), name, description, parameters));
  }

  // What answers are held to; `name` is of kFunction.
  Conversation& set_tool_choice(ToolChoice choice, const char* name = nullptr) {
    return self(try_set_tool_choice(choice, name));
  }
  Result<Done> try_set_tool_choice(ToolChoice choice, const char* name = nullptr) {
    return detail::done(
        vitalis_conversation_set_tool_choice(native_handle(), static_cast<int32_t>(choice), name));
  }

  // Holds the final message to a JSON Schema, which the instructions show under `name` unless that
  // is null; clear_response_schema() takes it away.
  Conversation& set_response_schema(const char* name, std::string_view schema) {
    return self(try_set_response_schema(name, schema));
  }
  Result<Done> try_set_response_schema(const char* name, std::string_view schema) {
    return detail::done(vitalis_conversation_set_response_schema(native_handle(), name,
                                                                 schema.data(), schema.size()));
  }
  // The final message is free again.
  Conversation& clear_response_schema() {
    return self(detail::done(
        vitalis_conversation_set_response_schema(native_handle(), nullptr, nullptr, 0)));
  }

  // A person's message.
  Conversation& user(std::string_view text) { return add({.role = Role::kUser, .text = text}); }
  // Any message.
  Conversation& add(const Message& message) { return self(try_add(message)); }
  Result<Done> try_add(const Message& message) {
    auto c = detail::sized<vitalis_message>();
    c.role = static_cast<int32_t>(message.role);
    c.name = message.name;
    c.recipient = message.recipient;
    c.channel = message.channel;
    c.content_type = message.content_type;
    c.text = message.text.data();
    c.text_size = message.text.size();
    return detail::done(vitalis_conversation_add_message(native_handle(), &c));
  }

  // The answer to the call of `name`, such as "functions.get_weather".
  Conversation& add_tool_result(const char* name, std::string_view text) {
    return self(try_add_tool_result(name, text));
  }
  Result<Done> try_add_tool_result(const char* name, std::string_view text) {
    return detail::done(
        vitalis_conversation_add_tool_result(native_handle(), name, text.data(), text.size()));
  }

  // Adds messages, tools and settings from JSON; the settings and tools of kHarmony take the place
  // of those that are there. An error begins with the place, messages[3].tool_calls[0], and changes
  // nothing.
  Conversation& load_json(std::string_view json, JsonForm form = JsonForm::kChat) {
    return self(try_load_json(json, form));
  }
  Result<Done> try_load_json(std::string_view json, JsonForm form = JsonForm::kChat) {
    return detail::done(vitalis_conversation_load_json(native_handle(), static_cast<int32_t>(form),
                                                       json.data(), json.size()));
  }

  // As JsonForm::kHarmony, without loss.
  std::string to_json() const { return try_to_json().value(); }
  Result<std::string> try_to_json() const {
    return detail::written<std::string>(1024, [&](char* json, size_t capacity, size_t* size) {
      return vitalis_conversation_to_json(native_handle(), json, capacity, size);
    });
  }

  // Messages after the system's and the developer's.
  size_t size() const { return vitalis_conversation_size(native_handle()); }

  // Leaves the first `size` messages; settings and tools stay.
  Conversation& truncate(size_t size) { return self(try_truncate(size)); }
  Result<Done> try_truncate(size_t size) {
    return detail::done(vitalis_conversation_truncate(native_handle(), size));
  }

  // As tokens; by default the prompt that makes the model answer.
  std::vector<uint32_t> render(const Tokenizer& tokenizer,
                               const RenderOptions& options = {}) const {
    return try_render(tokenizer, options).value();
  }
  Result<std::vector<uint32_t>> try_render(const Tokenizer& tokenizer,
                                           const RenderOptions& options = {}) const {
    auto c = detail::sized<vitalis_render_options>();
    c.mode = static_cast<int32_t>(options.mode);
    c.keep_analysis = options.keep_analysis ? 1 : 0;
    c.retokenize = options.retokenize ? 1 : 0;
    const auto render = [&](uint32_t* tokens, size_t capacity, size_t* count) {
      return vitalis_conversation_render(native_handle(), tokenizer.native_handle(), &c, tokens,
                                         capacity, count);
    };
    return detail::written<std::vector<uint32_t>>(1024, render);
  }

 private:
  Conversation& self(Result<Done> done) { return done.value(), *this; }
};

inline Result<std::string> try_render_template(std::string_view json,
                                               const TemplateOptions& options = {}) {
  auto c = detail::sized<vitalis_template_options>();
  c.no_generation_prompt = options.generation_prompt ? 0 : 1;
  c.current_date = options.current_date;
  c.reasoning_effort = options.reasoning_effort;
  c.model_identity = options.model_identity;
  return detail::written<std::string>(4096, [&](char* text, size_t capacity, size_t* size) {
    return vitalis_template_render(json.data(), json.size(), &c, text, capacity, size);
  });
}
// The prompt as the model's chat_template.jinja makes it, from chat-completions JSON: to compare
// with programs that use it. What spells control tokens in it becomes control tokens when it is
// encoded as special; Conversation::render has no such hole.
inline std::string render_template(std::string_view json, const TemplateOptions& options = {}) {
  return try_render_template(json, options).value();
}

// ---- events: what an answer is made of, from a session or a parser ----

// VITALIS_EVENT_*
enum class EventKind : int32_t {
  kPrefill = 1,
  kMessageBegin,
  kText,
  kToolCall,
  kMessageEnd,
  kDiagnostic,
  kFinished
};
// VITALIS_CHANNEL_*
enum class Channel : int32_t { kNone, kAnalysis, kCommentary, kFinal, kOther };
// VITALIS_FINISH_*; cancelled by cancel() or a stop token, for which C has a status.
enum class FinishReason : int32_t { kNone, kStop, kToolCall, kLength, kCancelled = -1 };
// VITALIS_JSON_STATE_*
enum class JsonState : int32_t { kNone, kIncomplete, kComplete, kInvalid };
static_assert(int32_t(EventKind::kFinished) == VITALIS_EVENT_FINISHED &&
              int32_t(Channel::kOther) == VITALIS_CHANNEL_OTHER &&
              int32_t(FinishReason::kLength) == VITALIS_FINISH_LENGTH &&
              int32_t(JsonState::kInvalid) == VITALIS_JSON_STATE_INVALID);

// What next() tells. The views are valid until the session or the parser is used again.
struct Event {
  EventKind kind = EventKind::kPrefill;              // which fields count, see VITALIS_EVENT_*
  Channel channel = Channel::kNone;                  // of the message
  FinishReason finish_reason = FinishReason::kNone;  // kFinished
  uint64_t done = 0;                                 // kPrefill: prompt tokens in the cache
  uint64_t total = 0;                                // kPrefill: prompt tokens
  std::string_view text = {};                        // whole characters
  std::string_view recipient = {};                   // whom the message calls
  std::string_view channel_name = {};                // as the model wrote it
  std::string_view content_type = {};                // "<|constrain|>json"
  bool complete = false;                             // kMessageEnd: it was not cut off
  Role role = Role::kAssistant;                      // of the message
  std::string_view name = {};                        // of a tool or a named author
  std::string_view path = {};         // kToolCall: JSON Pointer of what the text is part of
  JsonState json = JsonState::kNone;  // of a call's arguments so far
  uint32_t message = 0;               // which message of the answer, from 0
  uint32_t token_begin = 0;  // the tokens that this is about, counted from the answer's first
  uint32_t token_end = 0;    // one past the last
  // A piece of what users are to see.
  bool is_answer() const { return kind == EventKind::kText && channel == Channel::kFinal; }
};

namespace detail {

inline Event event(const vitalis_event& from) {
  return {.kind = static_cast<EventKind>(from.kind),
          .channel = static_cast<Channel>(from.channel),
          .finish_reason = static_cast<FinishReason>(from.finish_reason),
          .done = from.done,
          .total = from.total,
          .text = view(from.text),
          .recipient = view(from.recipient),
          .channel_name = view(from.channel_name),
          .content_type = view(from.content_type),
          .complete = from.complete != 0,
          .role = static_cast<Role>(from.role),
          .name = view(from.name),
          .path = view(from.path),
          .json = static_cast<JsonState>(from.json),
          .message = from.message,
          .token_begin = from.token_begin,
          .token_end = from.token_end};
}

}  // namespace detail

// ---- parser: a model's tokens to events, for hosts with an engine of their own ----

enum class Policy : int32_t { kResilient, kStrict, kLenient };  // VITALIS_PARSE_*
static_assert(int32_t(Policy::kLenient) == VITALIS_PARSE_LENIENT);

// How a parser reads.
struct ParserOptions {
  Policy policy = Policy::kResilient;  // toward output that breaks the format
  bool from_start = false;  // the tokens begin with <|start|>, not with what follows the prompt
  std::vector<std::string> functions = {};  // declared functions, to repair names with
};

// push() or finish(), then next() until it gives nothing.
class Parser : public detail::Owner<vitalis_parser, vitalis_parser_release> {
 public:
  explicit Parser(vitalis_parser* handle) : Owner(handle) {}  // takes over one reference
  // Keeps the tokenizer.
  explicit Parser(const Tokenizer& tokenizer, const ParserOptions& options = {})
      : Parser(try_create(tokenizer, options).value()) {}
  static Result<Parser> try_create(const Tokenizer& tokenizer, const ParserOptions& options = {}) {
    std::vector<const char*> functions;
    for (const std::string& name : options.functions) functions.push_back(name.c_str());
    auto c = detail::sized<vitalis_parser_options>();
    c.policy = static_cast<int32_t>(options.policy);
    c.from_start = options.from_start ? 1 : 0;
    c.functions = functions.data();
    c.function_count = functions.size();
    vitalis_parser* parser = nullptr;
    return detail::made<Parser>(vitalis_parser_create(tokenizer.native_handle(), &c, &parser),
                                &parser);
  }

  // A snapshot: a second parser in the same state.
  Parser clone() const { return try_clone().value(); }
  Result<Parser> try_clone() const {
    vitalis_parser* parser = nullptr;
    return detail::made<Parser>(vitalis_parser_clone(native_handle(), &parser), &parser);
  }

  // Events that were not taken are dropped. kMalformed, under kStrict and kLenient
  // only, says the reference's kind of error and the token's index.
  void push(uint32_t token) { try_push(token).value(); }
  Result<Done> try_push(uint32_t token) {
    return detail::done(vitalis_parser_push(native_handle(), token));
  }

  // The end of the tokens: closes what is open.
  void finish() { try_finish().value(); }
  Result<Done> try_finish() { return detail::done(vitalis_parser_finish(native_handle())); }

  // What the last push() or finish() made known; none when all is told.
  std::optional<Event> next() { return try_next().value(); }
  Result<std::optional<Event>> try_next() {
    auto c = detail::sized<vitalis_event>();
    const int32_t status = vitalis_parser_next(native_handle(), &c);
    if (status < 0) return Error::last(status);
    if (status == VITALIS_DONE) return std::optional<Event>();
    return std::optional<Event>(detail::event(c));
  }
};

}  // namespace cpp
}  // namespace vitalis

#endif  // VITALIS_TEXT_HPP
