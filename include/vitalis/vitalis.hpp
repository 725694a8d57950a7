// SPDX-License-Identifier: Apache-2.0
// Vitalis for C++20: a header over vitalis.h that owns its handles. Nothing of it is compiled into
// the library, so any compiler and standard library will do, and only the C interface has to fit.
//
//   vitalis::Model model(vitalis::Engine(), "gpt-oss-20b");
//   vitalis::Session session(model);
//   vitalis::Conversation conversation;
//   conversation.user("What is the capital of France?");
//   for (const vitalis::Event& event : session.generate(conversation, {.temperature = 0})) {
//     if (event.is_answer()) std::cout << event.text << std::flush;
//   }
//
// Errors: each call that can fail comes twice. `tokenize(…)` throws vitalis::Error;
// `try_tokenize(…)` returns vitalis::Result<T>, which holds a value or an Error, and throws nothing
// but std::bad_alloc. Ownership: objects are moved, not copied, and may go in any order, since each
// keeps what it needs. A moved-from object may only be assigned to or destroyed. Threads: as in
// vitalis.h, rule 6.
#ifndef VITALIS_VITALIS_HPP
#define VITALIS_VITALIS_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <vitalis/vitalis.h>

namespace vitalis {
// The inline namespace keeps these names apart from the library's own where it is linked
// statically.
inline namespace cpp {

enum class Code : int32_t {
  kInternal = VITALIS_ERROR_INTERNAL,
  kInvalidArgument = VITALIS_ERROR_INVALID_ARGUMENT,
  kNotFound = VITALIS_ERROR_NOT_FOUND,
  kIo = VITALIS_ERROR_IO,
  kMalformed = VITALIS_ERROR_MALFORMED,
  kUnsupported = VITALIS_ERROR_UNSUPPORTED,
  kOutOfMemory = VITALIS_ERROR_OUT_OF_MEMORY,
  kContextFull = VITALIS_ERROR_CONTEXT_FULL,
  kBusy = VITALIS_ERROR_BUSY,
  kNetwork = VITALIS_ERROR_NETWORK,
  kDenied = VITALIS_ERROR_DENIED,
  kIntegrity = VITALIS_ERROR_INTEGRITY,
};

class Error : public std::exception {
 public:
  Error(Code code, std::string message)
      : code_(code), message_(std::make_shared<const std::string>(std::move(message))) {}
  Code code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_->c_str(); }

  // The error of this thread's last call of the library, which returned `status`.
  static Error last(int32_t status) { return {static_cast<Code>(status), vitalis_last_error()}; }

 private:
  Code code_;
  std::shared_ptr<const std::string> message_;  // copies of an exception must not throw
};

// A value or an error. value() throws the error, or without exceptions ends the program.
template <class T>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const { return *std::get_if<1>(&held_); }
  T value() && {
    if (!ok()) raise();
    return std::move(*std::get_if<0>(&held_));
  }
  T& value() & {
    if (!ok()) raise();
    return *std::get_if<0>(&held_);
  }

 private:
  [[noreturn]] void raise() const {
#if defined(__cpp_exceptions)
    throw error();
#else
    std::terminate();
#endif
  }
  std::variant<T, Error> held_;
};

using Done = std::monostate;  // the value of a Result that has nothing to tell but success

enum class Numerics : int32_t { kFaithful, kFloat32 };                        // VITALIS_NUMERICS_*
enum class Effort : int32_t { kDefault, kLow, kMedium, kHigh };               // VITALIS_EFFORT_*
enum class Role : int32_t { kSystem, kDeveloper, kUser, kAssistant, kTool };  // VITALIS_ROLE_*
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
static_assert(int32_t(Effort::kHigh) == VITALIS_EFFORT_HIGH &&
              int32_t(Role::kTool) == VITALIS_ROLE_TOOL &&
              int32_t(Numerics::kFloat32) == VITALIS_NUMERICS_FLOAT32 &&
              int32_t(Channel::kOther) == VITALIS_CHANNEL_OTHER &&
              int32_t(EventKind::kFinished) == VITALIS_EVENT_FINISHED &&
              int32_t(FinishReason::kLength) == VITALIS_FINISH_LENGTH);

// For designated initialisers. What is left out has the library's default.
struct EngineOptions {
  int32_t threads = 0;         // 0: the cores that this process may use
  const char* tier = nullptr;  // "portable", "avx2", "avx512"
  Numerics numerics = Numerics::kFaithful;
};
struct SessionOptions {
  uint32_t context = 0;
  uint32_t chunk = 0;
};
struct GenerateOptions {
  float temperature = 1;  // 0: always the most probable token
  float top_p = 1;
  float min_p = 0;
  uint32_t top_k = 0;  // 0: all
  std::optional<uint64_t> seed = {};
  uint32_t max_tokens = 0;  // 0: what the context holds
};
struct SystemOptions {
  Effort reasoning_effort = Effort::kDefault;
  const char* identity = nullptr;
  const char* knowledge_cutoff = nullptr;
  const char* current_date = nullptr;  // "2026-01-31"; the library has no clock
};
struct Message {
  Role role = Role::kUser;
  std::string_view text = {};
  const char* name = nullptr;
  const char* recipient = nullptr;
  const char* channel = nullptr;
  const char* content_type = nullptr;
};

// What next() tells. The views are valid until the session is used again.
struct Event {
  EventKind kind = EventKind::kPrefill;
  Channel channel = Channel::kNone;
  FinishReason finish_reason = FinishReason::kNone;
  uint64_t done = 0;
  uint64_t total = 0;
  std::string_view text = {};
  std::string_view recipient = {};
  std::string_view channel_name = {};
  std::string_view content_type = {};
  bool complete = false;
  bool is_answer() const { return kind == EventKind::kText && channel == Channel::kFinal; }
};

struct TensorInfo {
  std::string_view name;
  std::string_view dtype;
  std::string_view file;
  std::vector<uint64_t> shape;
  uint64_t bytes = 0;
};

namespace detail {

template <class T>
T sized() {
  T value = {};
  value.struct_size = static_cast<uint32_t>(sizeof(T));
  return value;
}

inline std::string_view view(const vitalis_text& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

inline vitalis_session_options c_options(const SessionOptions& options) {
  return {static_cast<uint32_t>(sizeof(vitalis_session_options)), options.context, options.chunk};
}

inline Result<Done> done(int32_t status) {
  if (status < 0) return Error::last(status);
  return Done();
}

// What the call that gave the status has filled. By pointer, since arguments have no order.
template <class T>
Result<T> filled(int32_t status, const T* value) {
  if (status < 0) return Error::last(status);
  return *value;
}

template <class Object, class T>
Result<Object> made(int32_t status, T* const* handle) {
  if (status < 0) return Error::last(status);
  return Object(*handle);
}

// function(buffer, capacity, count), again with a larger buffer if that was too small.
template <class Function>
Result<std::vector<uint32_t>> tokens(size_t guess, Function function) {
  std::vector<uint32_t> tokens(guess);
  for (;;) {
    size_t count = 0;
    const int32_t status = function(tokens.data(), tokens.size(), &count);
    if (status < 0) return Error::last(status);
    const bool fits = count <= tokens.size();
    tokens.resize(count);
    if (fits) return tokens;
  }
}

// Owns one reference to an object of the C interface.
template <class T, void (*Release)(T*)>
class Owner {
 public:
  T* native_handle() const { return handle_.get(); }

 protected:
  explicit Owner(T* handle) : handle_(handle) {}

 private:
  struct Releaser {
    void operator()(T* handle) const { Release(handle); }
  };
  std::unique_ptr<T, Releaser> handle_;
};

}  // namespace detail

// ---- engine: threads and kernels ----

class Engine : public detail::Owner<vitalis_engine, vitalis_engine_release> {
 public:
  explicit Engine(vitalis_engine* handle) : Owner(handle) {}  // takes over one reference
  explicit Engine(const EngineOptions& options = {}) : Engine(try_create(options).value()) {}
  static Result<Engine> try_create(const EngineOptions& options = {}) {
    auto c = detail::sized<vitalis_engine_options>();
    c.threads = options.threads;
    c.tier = options.tier;
    c.numerics = static_cast<int32_t>(options.numerics);
    vitalis_engine* engine = nullptr;
    return detail::made<Engine>(vitalis_engine_create(&c, &engine), &engine);
  }

  vitalis_engine_info info() const {
    auto info = detail::sized<vitalis_engine_info>();
    return detail::filled(vitalis_engine_get_info(native_handle(), &info), &info).value();
  }
};

// ---- tokenizer: text to tokens and back; immutable, useful without weights ----

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

  // What spells a special token stays text, unless `special`.
  std::vector<uint32_t> encode(std::string_view text, bool special = false) const {
    return try_encode(text, special).value();
  }
  Result<std::vector<uint32_t>> try_encode(std::string_view text, bool special = false) const {
    auto c = detail::sized<vitalis_encode_options>();
    c.flags = special ? VITALIS_ENCODE_SPECIAL : 0;
    return detail::tokens(text.size() / 2 + 16, [&](uint32_t* to, size_t capacity, size_t* count) {
      return vitalis_tokenizer_encode(native_handle(), text.data(), text.size(), &c, to, nullptr,
                                      capacity, count);
    });
  }

  // The bytes of one token; the view lives as long as the tokenizer.
  std::string_view token_bytes(uint32_t token) const { return try_token_bytes(token).value(); }
  Result<std::string_view> try_token_bytes(uint32_t token) const {
    vitalis_text text = {};
    const int32_t status = vitalis_tokenizer_token_bytes(native_handle(), token, &text);
    if (status < 0) return Error::last(status);
    return detail::view(text);
  }

  // The id of a token such as "<|start|>".
  uint32_t special(std::string_view name) const { return try_special(name).value(); }
  Result<uint32_t> try_special(std::string_view name) const {
    uint32_t token = 0;
    return detail::filled(
        vitalis_tokenizer_special(native_handle(), name.data(), name.size(), &token), &token);
  }
};

// ---- model: mapped weights and tokenizer, immutable ----

class Model : public detail::Owner<vitalis_model, vitalis_model_release> {
 public:
  explicit Model(vitalis_model* handle) : Owner(handle) {}  // takes over one reference
  Model(const Engine& engine, const std::string& path) : Model(try_open(engine, path).value()) {}
  static Result<Model> try_open(const Engine& engine, const std::string& path) {
    vitalis_model* model = nullptr;
    return detail::made<Model>(
        vitalis_model_open(engine.native_handle(), path.c_str(), nullptr, &model), &model);
  }

  vitalis_model_info info() const {
    auto info = detail::sized<vitalis_model_info>();
    return detail::filled(vitalis_model_get_info(native_handle(), &info), &info).value();
  }

  // The views live as long as the model.
  TensorInfo tensor(size_t index) const { return try_tensor(index).value(); }
  Result<TensorInfo> try_tensor(size_t index) const {
    auto info = detail::sized<vitalis_tensor_info>();
    const int32_t status = vitalis_model_get_tensor(native_handle(), index, &info);
    if (status < 0) return Error::last(status);
    TensorInfo tensor{
        detail::view(info.name), detail::view(info.dtype), detail::view(info.file), {}, info.bytes};
    tensor.shape.assign(info.shape, info.shape + info.dimensions);
    return tensor;
  }

  Tokenizer tokenizer() const { return try_tokenizer().value(); }
  Result<Tokenizer> try_tokenizer() const {
    vitalis_tokenizer* tokenizer = nullptr;
    return detail::made<Tokenizer>(vitalis_model_get_tokenizer(native_handle(), &tokenizer),
                                   &tokenizer);
  }

  // What a session with these options would take.
  vitalis_session_memory plan(const SessionOptions& options = {}) const {
    return try_plan(options).value();
  }
  Result<vitalis_session_memory> try_plan(const SessionOptions& options = {}) const {
    const vitalis_session_options c = detail::c_options(options);
    auto memory = detail::sized<vitalis_session_memory>();
    return detail::filled(vitalis_session_plan(native_handle(), &c, &memory), &memory);
  }
};

// ---- conversation: who said what; text only ----

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

  Conversation& user(std::string_view text) { return add({.role = Role::kUser, .text = text}); }
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

  // {"messages": …, "tools": …} as in OpenAI's chat completions.
  Conversation& load_json(std::string_view json) { return self(try_load_json(json)); }
  Result<Done> try_load_json(std::string_view json) {
    return detail::done(vitalis_conversation_load_json(native_handle(), VITALIS_JSON_CHAT,
                                                       json.data(), json.size()));
  }

  size_t size() const { return vitalis_conversation_size(native_handle()); }

  // Leaves the first `size` messages; settings and tools stay.
  Conversation& truncate(size_t size) { return self(try_truncate(size)); }
  Result<Done> try_truncate(size_t size) {
    return detail::done(vitalis_conversation_truncate(native_handle(), size));
  }

  // The prompt that makes the model answer.
  std::vector<uint32_t> render(const Tokenizer& tokenizer) const {
    return try_render(tokenizer).value();
  }
  Result<std::vector<uint32_t>> try_render(const Tokenizer& tokenizer) const {
    return detail::tokens(1024, [&](uint32_t* to, size_t capacity, size_t* count) {
      return vitalis_conversation_render(native_handle(), tokenizer.native_handle(), nullptr, to,
                                         capacity, count);
    });
  }

 private:
  Conversation& self(Result<Done> done) { return done.value(), *this; }
};

// ---- session: a context's memory, and generation ----

// An answer in progress: a range to be gone through once. Tokens are computed as events are asked
// for; leave the loop and nothing more is. The last event is always FINISHED, also after cancel().
class Answer : public detail::Owner<vitalis_session, vitalis_session_release> {
 public:
  std::optional<Event> next() { return try_next().value(); }
  Result<std::optional<Event>> try_next() {
    if (over_) return std::optional<Event>();
    auto c = detail::sized<vitalis_event>();
    const int32_t status = vitalis_session_next(native_handle(), &c);
    over_ = status != VITALIS_OK;
    if (status < 0) return Error::last(status);
    if (status == VITALIS_DONE) return std::optional<Event>();
    Event event{.kind = EventKind::kFinished, .finish_reason = FinishReason::kCancelled};
    if (status == VITALIS_CANCELLED) return std::optional<Event>(event);
    event.kind = static_cast<EventKind>(c.kind);
    event.channel = static_cast<Channel>(c.channel);
    event.finish_reason = static_cast<FinishReason>(c.finish_reason);
    event.done = c.done;
    event.total = c.total;
    event.text = detail::view(c.text);
    event.recipient = detail::view(c.recipient);
    event.channel_name = detail::view(c.channel_name);
    event.content_type = detail::view(c.content_type);
    event.complete = c.complete != 0;
    return std::optional<Event>(event);
  }

  class Iterator {
   public:
    using value_type = Event;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    const Event& operator*() const { return *event_; }
    const Event* operator->() const { return &*event_; }
    Iterator& operator++() {
      event_ = answer_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return !it.event_; }

   private:
    friend Answer;
    explicit Iterator(Answer* answer) : answer_(answer), event_(answer->next()) {}
    Answer* answer_;
    std::optional<Event> event_;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Session;
  using StopCallback = std::stop_callback<std::function<void()>>;

  Answer(vitalis_session* session, const std::stop_token& stop)
      : Owner(vitalis_session_retain(session)) {
    if (stop.stop_possible()) {
      stop_ = std::make_unique<StopCallback>(stop, [session] { vitalis_session_cancel(session); });
    }
  }

  std::unique_ptr<StopCallback> stop_;  // goes before the reference does
  bool over_ = false;
};

class Session : public detail::Owner<vitalis_session, vitalis_session_release> {
 public:
  explicit Session(vitalis_session* handle) : Owner(handle) {}  // takes over one reference
  explicit Session(const Model& model, const SessionOptions& options = {})
      : Session(try_create(model, options).value()) {}
  static Result<Session> try_create(const Model& model, const SessionOptions& options = {}) {
    const vitalis_session_options c = detail::c_options(options);
    vitalis_session* session = nullptr;
    return detail::made<Session>(vitalis_session_create(model.native_handle(), &c, &session),
                                 &session);
  }

  // Begins an answer; what was in progress is over. A request to stop cancels it within a layer's
  // time.
  Answer generate(const Conversation& conversation, const GenerateOptions& options = {},
                  const std::stop_token& stop = {}) {
    return try_generate(conversation, options, stop).value();
  }
  Result<Answer> try_generate(const Conversation& conversation, const GenerateOptions& options = {},
                              const std::stop_token& stop = {}) {
    auto c = detail::sized<vitalis_generate_options>();
    if (options.temperature == 0) c.sampling = VITALIS_SAMPLE_GREEDY;
    c.temperature = options.temperature;
    c.top_p = options.top_p;
    c.min_p = options.min_p;
    c.top_k = options.top_k;
    // In C 0 asks for a new seed; here it is a seed like any other.
    if (options.seed) c.seed = *options.seed != 0 ? *options.seed : UINT64_MAX;
    c.max_tokens = options.max_tokens;
    const int32_t status = vitalis_session_start(native_handle(), conversation.native_handle(), &c);
    if (status < 0) return Error::last(status);
    return Answer(native_handle(), stop);
  }

  // Stops the answer in progress, if there is one. Any thread, any time.
  void cancel() const { vitalis_session_cancel(native_handle()); }

  // Adds the answer so far to a conversation, exactly as it was generated.
  void add_reply(Conversation& conversation) const { try_add_reply(conversation).value(); }
  Result<Done> try_add_reply(Conversation& conversation) const {
    return detail::done(vitalis_session_add_reply(native_handle(), conversation.native_handle()));
  }

  // Forgets all tokens; the memory is kept.
  void reset() { try_reset().value(); }
  Result<Done> try_reset() { return detail::done(vitalis_session_reset(native_handle())); }

  vitalis_usage usage() const { return try_usage().value(); }
  Result<vitalis_usage> try_usage() const {
    auto usage = detail::sized<vitalis_usage>();
    return detail::filled(vitalis_session_get_usage(native_handle(), &usage), &usage);
  }

  // Appends tokens and writes raw logits: a row for the last token, or with `every` for each. The
  // span holds as many rows of info().vocab. False if cancel() came between, and the logits are not
  // there.
  bool forward(std::span<const uint32_t> tokens, std::span<float> logits, bool every = false) {
    return try_forward(tokens, logits, every).value();
  }
  Result<bool> try_forward(std::span<const uint32_t> tokens, std::span<float> logits,
                           bool every = false) {
    const int32_t status =
        vitalis_session_forward(native_handle(), tokens.data(), tokens.size(),
                                every ? VITALIS_FORWARD_ALL : 0, logits.data(), logits.size());
    if (status < 0) return Error::last(status);
    return status == VITALIS_OK;
  }
};

}  // namespace cpp
}  // namespace vitalis

#endif  // VITALIS_VITALIS_HPP
