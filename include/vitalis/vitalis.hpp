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
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vitalis/base.hpp>
#include <vitalis/text.hpp>

namespace vitalis {
inline namespace cpp {

// How much memory a session takes; see vitalis_session_options.
struct SessionOptions {
  uint32_t context = 0;            // tokens; 0: 16384, or the model's own limit
  uint32_t chunk = 0;              // prompt tokens in one step; 0: 512
  uint32_t memory_budget_mib = 0;  // 0: none
};
// What plan() plans for.
struct PlanOptions {
  uint32_t context = 0;            // as in SessionOptions
  uint32_t chunk = 0;              // as in SessionOptions
  uint32_t sequences = 1;          // sessions at once
  uint32_t memory_budget_mib = 0;  // 0: what the machine has free
  bool probe = false;              // measure its speed, for two seconds
};
// What is told of a quantized model; see vitalis_quantize_options.
struct QuantizeOptions {
  bool compare = true;  // run both models on a built-in text
  bool probe = false;   // measure this machine's speed, for four seconds
};
// How an answer is sampled; see vitalis_generate_options.
struct GenerateOptions {
  float temperature = 1;                      // 0: always the most probable token
  float top_p = 1;                            // sample from the fewest tokens that have it together
  float min_p = 0;                            // and none below this part of the most probable one's
  uint32_t top_k = 0;                         // 0: all
  std::optional<uint64_t> seed = {};          // none: a new one each time
  uint32_t max_tokens = 0;                    // 0: what the context holds
  float repetition_penalty = 1;               // of tokens in the prompt or the answer
  float presence_penalty = 0;                 // of tokens in the answer, once
  float frequency_penalty = 0;                // of tokens in the answer, each time
  std::vector<vitalis_logit_bias> bias = {};  // added to logits
  std::optional<uint32_t> logprobs = {};      // keep them, with so many alternatives (at most 20)
};
// How much a batch takes on.
struct BatchOptions {
  uint32_t sessions = 0;  // the most in one call; 0: 8
  uint32_t chunk = 0;     // tokens in one step; 0: 512
};

// A tensor as its file has it.
struct TensorInfo {
  std::string_view name;        // in the file
  std::string_view dtype;       // in the words of the file's format
  std::string_view file;        // its name
  std::vector<uint64_t> shape;  // outermost first
  uint64_t bytes = 0;           // in the file
};

namespace detail {

inline vitalis_session_options c_options(const SessionOptions& options) {
  return {static_cast<uint32_t>(sizeof(vitalis_session_options)), options.context, options.chunk,
          options.memory_budget_mib};
}

}  // namespace detail

inline Result<vitalis_plan> try_plan(const Engine& engine, const std::string& path,
                                     const PlanOptions& options = {}) {
  const vitalis_plan_options c = {static_cast<uint32_t>(sizeof c),
                                  options.context,
                                  options.chunk,
                                  options.sequences,
                                  options.probe ? VITALIS_PLAN_PROBE : 0,
                                  options.memory_budget_mib};
  auto plan = detail::sized<vitalis_plan>();
  return detail::filled(vitalis_engine_plan(engine.native_handle(), path.c_str(), &c, &plan),
                        &plan);
}
// What sessions on the model at `path` would take; no weight is read.
inline vitalis_plan plan(const Engine& engine, const std::string& path,
                         const PlanOptions& options = {}) {
  return try_plan(engine, path, options).value();
}

// Writes the model in `path` again into the folder `out`, its dense part in eight bits. next()
// works until there is news, and is false when `out` is there or after cancel(), which any thread
// may call; see vitalis_quantization_create.
class Quantization : public detail::Owner<vitalis_quantization, vitalis_quantization_release> {
 public:
  // Takes over one reference.
  explicit Quantization(vitalis_quantization* handle) : Owner(handle) {}
  // Begins to write `out`.
  Quantization(const Engine& engine, const std::string& path, const std::string& out,
               const QuantizeOptions& options = {})
      : Quantization(try_create(engine, path, out, options).value()) {}
  // Begins to write `out`.
  static Result<Quantization> try_create(const Engine& engine, const std::string& path,
                                         const std::string& out,
                                         const QuantizeOptions& options = {}) {
    auto c = detail::sized<vitalis_quantize_options>();
    c.flags = (options.compare ? 0 : VITALIS_QUANTIZE_NO_COMPARISON) |
              (options.probe ? VITALIS_QUANTIZE_PROBE : 0);
    vitalis_quantization* quantization = nullptr;
    return detail::made<Quantization>(
        vitalis_quantization_create(engine.native_handle(), path.c_str(), out.c_str(), &c,
                                    &quantization),
        &quantization);
  }

  // False when all is done, or cancelled.
  bool next(vitalis_quantize_progress& progress) { return try_next(progress).value(); }
  // False when all is done, or cancelled.
  Result<bool> try_next(vitalis_quantize_progress& progress) {
    progress = detail::sized<vitalis_quantize_progress>();
    const int32_t status = vitalis_quantization_next(native_handle(), &progress);
    if (status < 0) return Error::last(status);
    return status == VITALIS_OK;
  }
  // From any thread; a later next() goes on.
  void cancel() { vitalis_quantization_cancel(native_handle()); }

  // What came of it, when all is done.
  vitalis_quantize_report report() const { return try_report().value(); }
  // What came of it, when all is done.
  Result<vitalis_quantize_report> try_report() const {
    auto report = detail::sized<vitalis_quantize_report>();
    return detail::filled(vitalis_quantization_get_report(native_handle(), &report), &report);
  }
};

// ---- model: mapped weights and tokenizer, immutable ----

// A checkpoint's mapped files; for any number of threads and sessions.
class Model : public detail::Owner<vitalis_model, vitalis_model_release> {
 public:
  explicit Model(vitalis_model* handle) : Owner(handle) {}  // takes over one reference
  // `cache_folder` keeps the compiled tokenizer, see Tokenizer; or null.
  Model(const Engine& engine, const std::string& path, const char* cache_folder = nullptr)
      : Model(try_open(engine, path, cache_folder).value()) {}
  static Result<Model> try_open(const Engine& engine, const std::string& path,
                                const char* cache_folder = nullptr) {
    auto c = detail::sized<vitalis_model_options>();
    c.cache_folder = cache_folder;
    vitalis_model* model = nullptr;
    return detail::made<Model>(vitalis_model_open(engine.native_handle(), path.c_str(), &c, &model),
                               &model);
  }

  // The model's shape and size.
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

  // The model's own.
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

// ---- verification: whether a model's files are whole ----

// How far a verification is.
struct VerifyProgress {
  uint32_t files = 0;        // that are compared; 0: no release is known, the structure is all
  uint64_t bytes_done = 0;   // hashed so far
  uint64_t bytes_total = 0;  // to be hashed
  std::string file;          // being hashed
  std::string release;       // "openai/gpt-oss-20b at 6cee5e8"; empty if none is known
};
// A file that is compared.
struct VerifiedFile {
  std::string path;                        // below the model's folder
  int32_t outcome = VITALIS_FILE_PENDING;  // VITALIS_FILE_PENDING to VITALIS_FILE_UNREADABLE
  uint64_t size = 0;                       // as it should be
  std::string detail;                      // what is wrong; empty if nothing is
};

// A check of a model's files, pulled as an answer is.
class Verification : public detail::Owner<vitalis_verification, vitalis_verification_release> {
 public:
  explicit Verification(vitalis_verification* handle)
      : Owner(handle) {}  // takes over one reference
  // Checks the structure. `manifest` is the path of a JSON file, see vitalis_verification_create;
  // empty: the release that the files are from, if it is known.
  explicit Verification(const std::string& path, const std::string& manifest = {})
      : Verification(try_create(path, manifest).value()) {}
  static Result<Verification> try_create(const std::string& path,
                                         const std::string& manifest = {}) {
    vitalis_verification* handle = nullptr;
    const int32_t status = vitalis_verification_create(
        path.c_str(), manifest.empty() ? nullptr : manifest.c_str(), &handle);
    return detail::made<Verification>(status, &handle);
  }

  // Hashes for about a tenth of a second; none when all is as it should be, or after cancel(),
  // which was_cancelled() tells. At the end kIntegrity, or kNotFound if files are only missing.
  std::optional<VerifyProgress> next() { return try_next().value(); }
  Result<std::optional<VerifyProgress>> try_next() {
    auto c = detail::sized<vitalis_verify_progress>();
    const int32_t status = vitalis_verification_next(native_handle(), &c);
    if (status < 0) return Error::last(status);
    cancelled_ = status == VITALIS_CANCELLED;
    if (status != VITALIS_OK) return std::optional<VerifyProgress>();
    return std::optional(VerifyProgress{c.files, c.bytes_done, c.bytes_total,
                                        std::string(detail::view(c.file)),
                                        std::string(detail::view(c.release))});
  }
  bool was_cancelled() const { return cancelled_; }  // of the last next()

  // The files that are compared, as far as that is done.
  std::vector<VerifiedFile> files() const { return try_files().value(); }
  Result<std::vector<VerifiedFile>> try_files() const {
    std::vector<VerifiedFile> files;
    for (;;) {
      auto c = detail::sized<vitalis_verified_file>();
      const int32_t status = vitalis_verification_get_file(native_handle(), files.size(), &c);
      if (status == VITALIS_ERROR_NOT_FOUND) return files;
      if (status < 0) return Error::last(status);
      files.push_back({std::string(detail::view(c.path)), c.outcome, c.size,
                       std::string(detail::view(c.detail))});
    }
  }

  // Any thread.
  void cancel() const { vitalis_verification_cancel(native_handle()); }

 private:
  bool cancelled_ = false;
};

// ---- session: a context's memory, and generation ----

// An answer in progress: a range to be gone through once. Tokens are computed as events are asked
// for; leave the loop and nothing more is. The last event is always FINISHED, also after cancel().
class Answer : public detail::Owner<vitalis_session, vitalis_session_release> {
 public:
  // What is to be told next, computed until there is something; none after FINISHED.
  std::optional<Event> next() { return try_next().value(); }
  Result<std::optional<Event>> try_next() {
    if (over_) return std::optional<Event>();
    auto c = detail::sized<vitalis_event>();
    const int32_t status = vitalis_session_next(native_handle(), &c);
    over_ = status != VITALIS_OK;
    if (status < 0) return Error::last(status);
    if (status == VITALIS_DONE) return std::optional<Event>();
    if (status == VITALIS_CANCELLED) {
      return std::optional<Event>(
          {.kind = EventKind::kFinished, .finish_reason = FinishReason::kCancelled});
    }
    return std::optional<Event>(detail::event(c));
  }

  // An input iterator: going on takes the next event.
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
  // Takes the first event.
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }  // where no event is left

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

// A context's memory, and the answers given in it; see vitalis_session.
class Session : public detail::Owner<vitalis_session, vitalis_session_release> {
 public:
  explicit Session(vitalis_session* handle) : Owner(handle) {}  // takes over one reference
  // Takes all of its memory. kOutOfMemory, with the plan, beyond a budget.
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
    if (options.seed) {
      c.seed = *options.seed;
      c.flags |= VITALIS_GENERATE_SEED;
    }
    c.max_tokens = options.max_tokens;
    c.repetition_penalty = options.repetition_penalty;
    c.presence_penalty = options.presence_penalty;
    c.frequency_penalty = options.frequency_penalty;
    c.bias = options.bias.data();
    c.bias_count = options.bias.size();
    if (options.logprobs) {
      c.flags |= VITALIS_GENERATE_LOGPROBS;
      c.alternatives = *options.logprobs;
    }
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

  // Counts and times of the answer in progress or the last one.
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

  // Of token `index` of the answer: itself, then its alternatives.
  std::vector<vitalis_logprob> logprobs(size_t index) const { return try_logprobs(index).value(); }
  Result<std::vector<vitalis_logprob>> try_logprobs(size_t index) const {
    std::vector<vitalis_logprob> entries(1 + 20);
    size_t count = 0;
    const int32_t status = vitalis_session_get_logprobs(native_handle(), index, entries.data(),
                                                        entries.size(), &count);
    if (status < 0) return Error::last(status);
    entries.resize(count);
    return entries;
  }

  // All that the session is, to a file and back; the note is any bytes of yours. False if cancel()
  // came between: then the older file, or the session, is as it was.
  bool save(const std::string& path, std::string_view kept_note = {}) {
    return try_save(path, kept_note).value();
  }
  Result<bool> try_save(const std::string& path, std::string_view kept_note = {}) {
    return finished(
        vitalis_session_save(native_handle(), path.c_str(), kept_note.data(), kept_note.size()));
  }
  // As save(); an answer in progress goes on with answer().
  bool restore(const std::string& path) { return try_restore(path).value(); }
  Result<bool> try_restore(const std::string& path) {
    return finished(vitalis_session_restore(native_handle(), path.c_str()));
  }
  // Of the last save() or restore().
  std::string note() const { return try_note().value(); }
  Result<std::string> try_note() const {
    vitalis_text text = {};
    const int32_t status = vitalis_session_get_note(native_handle(), &text);
    if (status < 0) return Error::last(status);
    return std::string(detail::view(text));
  }
  // Of save() or restore() in another thread.
  vitalis_progress progress() const {
    auto progress = detail::sized<vitalis_progress>();
    return detail::filled(vitalis_session_get_progress(native_handle(), &progress), &progress)
        .value();
  }

  // Another session that is all that this one is.
  Session fork() const { return try_fork().value(); }
  Result<Session> try_fork() const {
    vitalis_session* session = nullptr;
    return detail::made<Session>(vitalis_session_fork(native_handle(), &session), &session);
  }

  // The answer in progress, for example of a restored or forked session.
  Answer answer(const std::stop_token& stop = {}) const { return {native_handle(), stop}; }

 private:
  static Result<bool> finished(int32_t status) {
    if (status < 0) return Error::last(status);
    return status == VITALIS_OK;
  }
};

// ---- batch: answers of several sessions made together ----

// Answers of several sessions, each with the tokens that it gets alone; see vitalis_batch.
class Batch : public detail::Owner<vitalis_batch, vitalis_batch_release> {
 public:
  explicit Batch(vitalis_batch* handle) : Owner(handle) {}  // takes over one reference
  // With scratch memory of its own.
  explicit Batch(const Model& model, const BatchOptions& options = {})
      : Batch(try_create(model, options).value()) {}
  static Result<Batch> try_create(const Model& model, const BatchOptions& options = {}) {
    auto c = detail::sized<vitalis_batch_options>();
    c.sessions = options.sessions;
    c.chunk = options.chunk;
    vitalis_batch* batch = nullptr;
    return detail::made<Batch>(vitalis_batch_create(model.native_handle(), &c, &batch), &batch);
  }

  // An event, and whose.
  struct Told {
    size_t session;  // its place in `sessions`
    Event event;     // borrowed from that session
  };
  // What the sessions, each with an answer in progress, tell next: possibly nothing yet. None if
  // all answers are over. A cancelled one ends with FINISHED, of reason kCancelled.
  std::optional<std::vector<Told>> next(std::span<Session* const> sessions) {
    return try_next(sessions).value();
  }
  Result<std::optional<std::vector<Told>>> try_next(std::span<Session* const> sessions) {
    using Result = Result<std::optional<std::vector<Told>>>;
    std::vector<vitalis_session*> handles;
    for (const Session* session : sessions) handles.push_back(session->native_handle());
    std::vector<vitalis_event> events(sessions.size(), detail::sized<vitalis_event>());
    std::vector<int32_t> statuses(sessions.size());
    const int32_t status = vitalis_batch_next(native_handle(), handles.data(), handles.size(),
                                              events.data(), statuses.data());
    if (status < 0) return Result(Error::last(status));
    if (status == VITALIS_DONE) return Result(std::optional<std::vector<Told>>());
    std::vector<Told> told;
    for (size_t i = 0; i < sessions.size(); ++i) {
      if (statuses[i] == VITALIS_OK) told.push_back({i, detail::event(events[i])});
      if (statuses[i] == VITALIS_CANCELLED) {
        told.push_back(
            {i, {.kind = EventKind::kFinished, .finish_reason = FinishReason::kCancelled}});
      }
    }
    return Result(std::optional(std::move(told)));
  }
};

}  // namespace cpp
}  // namespace vitalis

#endif  // VITALIS_VITALIS_HPP
