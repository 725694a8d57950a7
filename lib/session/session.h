// SPDX-License-Identifier: Apache-2.0
// One context and the answers given in it: conversation -> tokens -> logits -> token -> events.
// Memory is taken at creation; next() allocates nothing of weight. Belongs to one thread at a time,
// except cancel(), which any thread may call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/forward.h"
#include "engine/kv_cache.h"
#include "engine/sampler.h"
#include "harmony/conversation.h"
#include "harmony/grammar/matcher.h"
#include "harmony/parse.h"
#include "harmony/turn_grammar.h"
#include "session/events.h"
#include "session/model.h"

namespace vitalis::session {

struct SessionOptions {
  size_t context = 0;  // tokens; 0: 16384, or the model's limit if that is lower
  size_t chunk = 0;    // prompt tokens in one step; 0: 512
  // Bytes that the weights in use and the session may take together; 0: any number. Without a
  // context the largest that it holds is taken, where the default is too large (session/plan.h).
  uint64_t memory_budget = 0;
};

struct GenerateOptions {
  engine::Sampling sampling;
  bool seeded = false;      // sampling.seed counts even if it is 0; else 0 is a new one each time
  size_t max_tokens = 0;    // 0: as many as the context holds
  bool logprobs = false;    // keep the log-probabilities of each token
  size_t alternatives = 0;  // and of as many others, at most engine::Sampler::kMostAlternatives
  harmony::Constraint constraint;  // with the conversation's tools: what the answer is held to
};

struct Usage {
  size_t context_used = 0, prompt_tokens = 0, reused_tokens = 0, generated_tokens = 0,
         reasoning_tokens = 0;
  uint64_t seed = 0;
  double prefill_seconds = 0, first_token_seconds = 0, decode_seconds = 0;
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& options);
  // The options with their defaults filled in. kInvalidArgument for senseless ones.
  // kOutOfMemory if the budget does not hold them.
  static Result<SessionOptions> resolve(const Model& model, const SessionOptions& options);
  // The same, but for the budget.
  static Result<SessionOptions> resolve(const model::Config& config, const SessionOptions& options);
  // Bytes by name, for resolved options.
  struct Memory {
    size_t kv_cache;
    size_t scratch;
  };
  static Memory plan(const Model& model, const SessionOptions& options);
  static Memory plan(const model::Config& config, kernels::KvType type,
                     const SessionOptions& options);

  // Begins an answer; on failure the session is as before.
  Status start(const harmony::Conversation& conversation, const GenerateOptions& options);

  enum class Step : uint8_t { kEvent, kDone, kCancelled, kAgain };  // kAgain: of a Batch only
  Result<Step> next(Event& event);
  void cancel() { cancel_.store(true, std::memory_order_relaxed); }

  // The messages of the answer so far; those that are whole carry their tokens.
  std::vector<harmony::Message> reply() const;

  // Of token `index` of the answer: its log-probabilities, then its alternatives'. Empty if they
  // were not asked for, or there is no such token. Valid until the next answer.
  std::span<const engine::Candidate> logprobs(size_t index) const;

  // Forgets all tokens.
  void reset();

  // Another session that is all that this one is, an answer in progress included, with memory of
  // its own: only the keys and values in use are copied.
  Result<std::unique_ptr<Session>> fork() const;

  // Writes all that the session is to a file, which takes the place of an older one when it is
  // whole; an answer in progress too, and a note of the host's, which is any bytes. cancel() ends
  // it, and then there is no new file. kIo, kDenied, kNotFound for a folder that is not there.
  Result<engine::Outcome> save(const std::string& path, std::string_view note);
  // Becomes what a file holds: what is told next is what would have been told had there been no
  // pause. Context and chunk stay this session's own. If it fails or is cancelled, the session is
  // as before: kMalformed (no session file), kIntegrity (damaged, or of another model),
  // kUnsupported (another version or other numerics), kContextFull, and those of opening a file.
  Result<engine::Outcome> restore(const std::string& path);
  const std::string& note() const { return note_; }  // of the last save() or restore()
  // Bytes of the save() or restore() in progress, or of the last one. Any thread.
  struct Progress {
    uint64_t done, total;
  };
  Progress progress() const { return {progress_done_, progress_total_}; }

  // Appends tokens, and writes logits of all of them, or of the last, [rows][vocab].
  // Ends an answer in progress.
  Result<engine::Outcome> forward(std::span<const Token> tokens, bool all_logits,
                                  std::span<float> logits);

  const Model& model() const { return *model_; }
  size_t context() const { return cache_.context(); }
  Usage usage() const;

 private:
  friend class Batch;
  using Clock = std::chrono::steady_clock;
  enum class State : uint8_t { kIdle, kPrefill, kDecode, kFinished };

  Session(std::shared_ptr<const Model> model, engine::Forward forward, engine::KvCache cache);

  void rewind(size_t common);
  void keep_windows(size_t from);
  void touch(size_t first, size_t last);
  void end_answer();
  Result<engine::Outcome> run(std::span<const Token> tokens, bool all_logits, float* logits);

  // The parts of next(). An answer is a loop of them: what can be told is told; then the pending
  // tokens are computed, whose last logits go to logits_; then advance() draws a token.
  std::optional<Step> tell(Event& event);
  // At most `room` tokens of the prompt or the answer that the cache lacks; none right after the
  // prompt, whose last logits are there.
  std::span<const Token> pending(size_t room) const;
  // `count` pending tokens are in the cache; `begin` is when that work began.
  Status advance(size_t count, Clock::time_point begin);
  Status draw();
  Status add(Token token, harmony::EventBuffer& parsed);
  size_t tokens_left() const;
  Result<std::shared_ptr<const harmony::grammar::TokenGrammar>> grammar_of(
      const harmony::TurnRules& rules) const;
  void begin_matching();
  Status finish(Finish reason, harmony::EventBuffer& parsed);

  // Of a saved session.
  template <class Archive>
  void fields(Archive& archive);
  Result<engine::Outcome> write_file(const std::string& path);
  Status read_state(std::string_view state, const std::string& path);
  Status check_restored(const std::string& path) const;
  std::vector<std::span<std::byte>> kv_pieces(engine::KvCache::Window& last);
  template <class Move>
  Result<engine::Outcome> each_piece(std::span<const std::span<std::byte>> pieces, Move&& move);
  // The logits of the last token in the cache are needed to go on.
  bool has_logits() const {
    return state_ == State::kDecode && held_.size() == prompt_.size() + sampled_.size();
  }
  template <class From>
  void take(From&& from);
  void become(Session&& from);

  // While a session is written or read, cancel() stops that, and the answer in progress stays as it
  // was.
  class Pause {
   public:
    explicit Pause(Session& of) : of_(of), cancelled_(of.cancel_.exchange(false)) {
      of_.progress_done_ = of_.progress_total_ = 0;
    }
    ~Pause() { of_.cancel_ = cancelled_ && of_.state_ != State::kIdle; }
    void forget() { cancelled_ = false; }  // the answer is another
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Session& of_;
    bool cancelled_;
  };

  std::shared_ptr<const Model> model_;
  engine::Forward forward_;
  engine::KvCache cache_;
  engine::Sampler sampler_;
  std::vector<float> logits_;  // of the last token in the cache
  std::vector<Token> held_;    // the tokens in the cache

  // Sliding windows where a later prompt may part from what is held: see places_to_return(). The
  // one that was of use the longest ago gives way.
  static constexpr size_t kWindows = 8;
  struct Window {
    engine::KvCache::Window kept;
    uint64_t used = 0;
  };
  Window windows_[kWindows];
  uint64_t uses_ = 0;

  // The answer in progress.
  State state_ = State::kIdle;
  bool prefilled_ = false;  // a chunk of the prompt was computed, and not told yet
  GenerateOptions options_;
  std::vector<Token> prompt_;
  std::vector<size_t> returns_;  // places in the prompt where a window is worth its memory
  std::vector<Token> sampled_;
  std::vector<engine::Candidate> candidates_;  // of all tokens in sampled_, if asked for
  std::vector<size_t> candidates_end_;         // of each token: where its own end
  std::vector<std::string> functions_;
  std::optional<harmony::Parser> parser_;
  EventQueue events_;
  harmony::TurnRules rules_;
  std::shared_ptr<const harmony::grammar::TokenGrammar> grammar_;  // of rules_; null: hold nothing
  std::optional<harmony::grammar::Matcher> matcher_;
  harmony::grammar::Mask mask_;
  std::vector<Token> forced_;
  Finish finish_ = Finish::kNone;
  size_t reused_ = 0, reasoning_ = 0;
  Clock::time_point started_;
  Clock::duration prefill_time_{}, first_token_time_{}, decode_time_{};
  std::string note_;
  std::atomic<uint64_t> progress_done_ = 0, progress_total_ = 0;
  std::atomic<bool> cancel_ = false;
};

}  // namespace vitalis::session
