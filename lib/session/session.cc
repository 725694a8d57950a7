// SPDX-License-Identifier: Apache-2.0
#include "session/session.h"

#include <algorithm>
#include <random>

#include "harmony/render.h"
#include "session/plan.h"

namespace vitalis::session {
namespace {

constexpr size_t kDefaultContext = 16384;
constexpr size_t kDefaultChunk = 512;
constexpr size_t kMostChunk = 8192;

double seconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

// Where the next prompt may part from this one: at the first message of the conversation proper, if
// only the settings are shared; at the user's last message, if that is another; and at the end,
// where an answer begins whose reasoning is dropped once it is finished.
struct Places {
  size_t first = 0, last_user = 0;
  size_t answer = 0;  // where the last user's message ends
};
Places places_to_return(const harmony::Conversation& conversation,
                        std::span<const harmony::MessageSpan> spans) {
  Places places;
  for (const harmony::MessageSpan& span : spans) {
    const harmony::Role role = conversation.messages[span.message].role;
    const bool settings = role == harmony::Role::kSystem || role == harmony::Role::kDeveloper;
    if (!settings && places.first == 0) places.first = span.tokens.begin;
    if (role != harmony::Role::kUser) continue;
    places.last_user = span.tokens.begin;
    places.answer = span.tokens.end;
  }
  return places;
}

// An answer that is begun can be brought to its end.
Status check_room(const harmony::grammar::TokenGrammar* grammar, size_t room, bool asked_for) {
  if (!grammar) return {};
  const uint32_t needed = harmony::grammar::Matcher(*grammar).cost();
  if (needed <= room) return {};
  return error(asked_for ? Code::kInvalidArgument : Code::kContextFull,
               asked_for ? "max_tokens" : "the context",
               ": the shortest answer that tool choice "
               "and response format allow may take ",
               needed, " tokens; there is room for ", room);
}

uint64_t fresh_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

Result<SessionOptions> Session::resolve(const Model& model, const SessionOptions& options) {
  return within_budget(model.engine(), model.checkpoint(), options);
}

Result<SessionOptions> Session::resolve(const model::Config& config,
                                        const SessionOptions& options) {
  SessionOptions out = options;
  const size_t limit = config.context;
  if (out.context == 0) out.context = std::min(kDefaultContext, limit);
  if (out.context > limit) {
    return error(Code::kInvalidArgument, "context: the model was made for at most ", limit,
                 " tokens; found ", out.context);
  }
  if (out.chunk > kMostChunk) {
    return error(Code::kInvalidArgument, "chunk: expected at most ", kMostChunk, "; found ",
                 out.chunk);
  }
  if (out.chunk == 0) out.chunk = kDefaultChunk;
  out.chunk = std::min(out.chunk, out.context);
  return out;
}

Session::Memory Session::plan(const Model& model, const SessionOptions& options) {
  return plan(model.config(), model.engine().kv_type(), options);
}

Session::Memory Session::plan(const model::Config& config, kernels::KvType type,
                              const SessionOptions& options) {
  ArenaPlan scratch;
  engine::Forward::plan(config, options.chunk, scratch);
  return {engine::KvCache::bytes(config, options.context, options.chunk, type) +
              kWindows * engine::KvCache::window_bytes(config, type),
          scratch.bytes()};
}

Session::Session(std::shared_ptr<const Model> model, engine::Forward forward, engine::KvCache cache)
    : model_(std::move(model)),
      forward_(std::move(forward)),
      cache_(std::move(cache)),
      sampler_(model_->tokenizer().size()),
      logits_(model_->config().vocab) {
  held_.reserve(cache_.context());
  sampled_.reserve(cache_.context());
  for (Window& window : windows_) {
    window.kept.bytes.reserve(
        engine::KvCache::window_bytes(model_->config(), model_->engine().kv_type()));
  }
}

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& options) {
  VITALIS_TRY(model->checkpoint().unchanged());
  VITALIS_ASSIGN(const SessionOptions resolved, resolve(*model, options));
  VITALIS_ASSIGN(auto forward,
                 engine::Forward::create(model->engine(), model->config(),
                                         model->checkpoint().weights(), resolved.chunk));
  VITALIS_ASSIGN(auto cache, engine::KvCache::create(model->config(), resolved.context,
                                                     resolved.chunk, model->engine().kv_type()));
  return std::unique_ptr<Session>(
      new Session(std::move(model), std::move(forward), std::move(cache)));
}

Status Session::start(const harmony::Conversation& conversation, const GenerateOptions& options) {
  VITALIS_TRY(options.sampling.check(model_->tokenizer().size()));
  if (options.alternatives > engine::Sampler::kMostAlternatives) {
    return error(Code::kInvalidArgument, "alternatives: expected at most ",
                 engine::Sampler::kMostAlternatives, "; found ", options.alternatives);
  }
  std::vector<Token> prompt;
  std::vector<harmony::MessageSpan> spans;
  VITALIS_TRY(harmony::render(conversation, model_->format(), {}, prompt, &spans));
  if (prompt.size() >= cache_.context()) {
    return error(Code::kContextFull, "the prompt has ", prompt.size(),
                 " tokens, and the context holds ", cache_.context(), " with the answer");
  }
  harmony::TurnRules rules = {harmony::callable_tools(conversation), options.constraint};
  VITALIS_ASSIGN(auto grammar, grammar_of(rules));
  const size_t room = cache_.context() + 1 - prompt.size();
  const size_t most = options.max_tokens > 0 ? std::min(options.max_tokens, room) : room;
  VITALIS_TRY(check_room(grammar.get(), most, options.max_tokens == most));
  rules_ = std::move(rules);
  grammar_ = std::move(grammar);
  prompt_ = std::move(prompt);
  options_ = options;
  if (options_.sampling.seed == 0 && !options_.seeded) options_.sampling.seed = fresh_seed();

  // The last token is always computed again: its logits begin the answer.
  const auto parted = std::mismatch(prompt_.begin(), prompt_.end() - 1, held_.begin(), held_.end());
  rewind(static_cast<size_t>(parted.first - prompt_.begin()));
  const Places places = places_to_return(conversation, spans);
  returns_ = {places.first, places.last_user, prompt_.size()};
  for (const size_t place : returns_) touch(place, place);
  const size_t begun = spans.empty() ? 0 : spans.back().tokens.end;  // then the answer's start
  touch(places.answer, places.answer + (prompt_.size() - begun));

  functions_ = conversation.function_names();
  parser_.emplace(model_->format(), harmony::ParserOptions{.functions = functions_});
  sampler_.begin(prompt_);
  sampled_.clear();
  candidates_.clear();
  candidates_end_.clear();
  begin_matching();
  if (options_.logprobs) {
    candidates_.reserve(most * (1 + options_.alternatives));
    candidates_end_.reserve(most);
  }
  events_.clear();
  prefilled_ = false;
  finish_ = Finish::kNone;
  reused_ = cache_.size();
  reasoning_ = 0;
  prefill_time_ = first_token_time_ = decode_time_ = {};
  started_ = Clock::now();
  cancel_.store(false, std::memory_order_relaxed);
  state_ = State::kPrefill;
  return {};
}

// Tools seldom change from answer to answer: their grammar is kept.
Result<std::shared_ptr<const harmony::grammar::TokenGrammar>> Session::grammar_of(
    const harmony::TurnRules& rules) const {
  if (rules == rules_) return grammar_;
  VITALIS_ASSIGN(const auto index, model_->vocabulary()->token_index());
  return harmony::turn_grammar(rules, model_->format(), index);
}

void Session::begin_matching() {
  matcher_.reset();
  if (!grammar_) return;
  matcher_.emplace(*grammar_);
  mask_.resize(grammar_->index().mask_words());
}

// Cuts the cache back to at most `common` tokens, as few below as the sliding layers allow.
void Session::rewind(size_t common) {
  if (common < cache_.size() && cache_.can_truncate(common)) {
    cache_.truncate(common);
  } else if (common < cache_.size()) {
    Window* best = nullptr;
    for (Window& window : windows_) {
      const size_t size = window.kept.size;
      if (size > 0 && size <= common && (!best || size > best->kept.size)) best = &window;
    }
    if (best) {
      cache_.restore(best->kept);
    } else {
      cache_.truncate(0);
    }
  }
  held_.resize(cache_.size());
  for (Window& window : windows_) {
    if (window.kept.size > held_.size()) window.kept.size = 0;
  }
}

// Keeps the windows of the prompt's places behind `from` that are held now.
void Session::keep_windows(size_t from) {
  for (const size_t place : returns_) {
    if (place <= from || place > held_.size() || !cache_.can_truncate(place)) continue;
    Window* into = &windows_[0];
    for (Window& window : windows_) {
      if (window.kept.size == place) return touch(place, place);
      const bool is_free = window.kept.size == 0;
      if (into->kept.size != 0 && (is_free || window.used < into->used)) into = &window;
    }
    cache_.save(place, into->kept);
    into->used = ++uses_;
  }
}

// Windows from place `first` to `last` are of use.
void Session::touch(size_t first, size_t last) {
  for (Window& window : windows_) {
    const size_t size = window.kept.size;
    if (size > 0 && size >= first && size <= last) window.used = ++uses_;
  }
}

Result<engine::Outcome> Session::run(std::span<const Token> tokens, bool all_logits,
                                     float* logits) {
  const engine::Part part{&cache_, tokens, all_logits};
  VITALIS_ASSIGN(const engine::Outcome outcome, forward_.step({&part, 1}, logits, cancel_));
  if (outcome == engine::Outcome::kDone) held_.insert(held_.end(), tokens.begin(), tokens.end());
  return outcome;
}

Result<Session::Step> Session::next(Event& event) {
  while (true) {
    if (const auto told = tell(event)) return *told;
    const auto begin = Clock::now();
    const std::span<const Token> tokens = pending(forward_.rows());
    if (!tokens.empty()) {
      const auto outcome = run(tokens, false, logits_.data());
      if (!outcome.ok() || *outcome == engine::Outcome::kCancelled) {
        end_answer();
        if (!outcome.ok()) return outcome.status();
        return Step::kCancelled;
      }
    }
    if (const Status status = advance(tokens.size(), begin); !status.ok()) {
      end_answer();
      return status;
    }
  }
}

std::optional<Session::Step> Session::tell(Event& event) {
  event = {};
  if (events_.take(event)) return Step::kEvent;
  if (state_ == State::kIdle) return Step::kDone;
  if (state_ == State::kFinished) {
    state_ = State::kIdle;
    event.kind = Event::Kind::kFinished;
    event.finish = finish_;
    return Step::kEvent;
  }
  if (!prefilled_) return std::nullopt;
  prefilled_ = false;
  event.kind = Event::Kind::kPrefill;
  event.done = held_.size();
  event.total = prompt_.size();
  return Step::kEvent;
}

std::span<const Token> Session::pending(size_t room) const {
  const auto left = state_ == State::kPrefill
                        ? std::span(prompt_).subspan(held_.size())
                        : std::span(sampled_).subspan(held_.size() - prompt_.size());
  return left.first(std::min(room, left.size()));
}

Status Session::advance(size_t count, Clock::time_point begin) {
  if (state_ == State::kPrefill) {
    prefill_time_ += Clock::now() - begin;
    prefilled_ = true;
    keep_windows(held_.size() - count);
    if (held_.size() == prompt_.size()) state_ = State::kDecode;
    return {};
  }
  if (held_.size() == prompt_.size() + sampled_.size()) VITALIS_TRY(draw());
  const auto now = Clock::now();
  if (count == 0) {
    first_token_time_ = now - started_;
  } else {
    decode_time_ += now - begin;
  }
  return {};
}

// Tokens that the answer may still have.
size_t Session::tokens_left() const {
  const size_t room = cache_.context() + 1 - prompt_.size() - sampled_.size();
  return options_.max_tokens > 0 ? std::min(options_.max_tokens - sampled_.size(), room) : room;
}

// One token, from the logits of the one before it, and those that must follow it.
Status Session::draw() {
  engine::TokenMask allowed;
  if (matcher_) {
    matcher_->allowed(tokens_left(), mask_);
    allowed = mask_;
  }
  const Token token = sampler_.sample(logits_, options_.sampling, held_.size(), allowed);
  if (options_.logprobs) {
    const auto found = sampler_.candidates(logits_, token, options_.alternatives);
    candidates_.insert(candidates_.end(), found.begin(), found.end());
    candidates_end_.push_back(candidates_.size());
  }
  if (events_.channel() == harmony::Channel::kAnalysis) ++reasoning_;
  harmony::EventBuffer& parsed = events_.refill();
  VITALIS_TRY(add(token, parsed));
  if (!matcher_ || state_ == State::kFinished) return {};
  if (!matcher_->accept(token)) return error(Code::kInternal, "a token was drawn past its mask");
  // Without logits there are no log-probabilities.
  if (options_.logprobs) return {};
  forced_.clear();
  matcher_->take_forced(tokens_left(), forced_);
  for (const Token next : forced_) {
    if (state_ != State::kFinished) VITALIS_TRY(add(next, parsed));
  }
  return {};
}

// A token of the answer.
Status Session::add(Token token, harmony::EventBuffer& parsed) {
  sampler_.take(token);
  sampled_.push_back(token);
  VITALIS_TRY(parser_->push(token, parsed));
  const harmony::Format& format = model_->format();
  // The final message is the turn's last. A model may close it as messages of the past are closed,
  // and would go on with words for the user.
  const bool ends_final =
      token == format.end && events_.channel() == harmony::Channel::kFinal && !events_.is_call();
  if (ends_final || format.ends_turn(token)) {
    return finish(token == format.call ? Finish::kToolCall : Finish::kStop, parsed);
  }
  return tokens_left() == 0 ? finish(Finish::kLength, parsed) : Status();
}

Status Session::finish(Finish reason, harmony::EventBuffer& parsed) {
  finish_ = reason;
  state_ = State::kFinished;
  return parser_->finish(parsed);
}

std::vector<harmony::Message> Session::reply() const {
  return harmony::parse_turn(sampled_, model_->format(), functions_);
}

void Session::end_answer() {
  state_ = State::kIdle;
  prefilled_ = false;
  events_.clear();
}

std::span<const engine::Candidate> Session::logprobs(size_t index) const {
  if (index >= candidates_end_.size()) return {};
  const size_t begin = index == 0 ? 0 : candidates_end_[index - 1];
  return std::span(candidates_).subspan(begin, candidates_end_[index] - begin);
}

void Session::reset() {
  end_answer();
  sampled_.clear();
  rewind(0);
}

Result<engine::Outcome> Session::forward(std::span<const Token> tokens, bool all_logits,
                                         std::span<float> logits) {
  const size_t vocab = model_->config().vocab;
  const size_t wanted = all_logits ? tokens.size() : 1;
  if (tokens.empty()) return error(Code::kInvalidArgument, "tokens: expected at least one");
  if (logits.size() / vocab < wanted) {
    return error(Code::kInvalidArgument, "logits: ", wanted, " rows of ", vocab,
                 " floats are needed; the buffer holds ", logits.size());
  }
  if (tokens.size() > cache_.context() - cache_.size()) {
    return error(Code::kContextFull, "the context holds ", cache_.context(), " tokens; ",
                 cache_.size(), " are used and ", tokens.size(), " more were asked for");
  }
  const auto wrong =
      std::find_if(tokens.begin(), tokens.end(), [&](Token t) { return t >= vocab; });
  if (wrong != tokens.end()) {
    return error(Code::kInvalidArgument, "token ", *wrong, " is outside the vocabulary of ", vocab);
  }
  end_answer();
  cancel_.store(false, std::memory_order_relaxed);
  float* out = logits.data();
  for (size_t at = 0; at < tokens.size(); at += forward_.rows()) {
    const auto part = tokens.subspan(at, std::min(forward_.rows(), tokens.size() - at));
    VITALIS_ASSIGN(const auto outcome, run(part, all_logits, out));
    if (outcome == engine::Outcome::kCancelled) return outcome;
    if (all_logits) out += part.size() * vocab;
  }
  return engine::Outcome::kDone;
}

// Takes all that `from` is, but its cache: moves if it is given as an rvalue.
template <class From>
void Session::take(From&& from) {
  sampler_ = std::forward<From>(from).sampler_;
  logits_ = std::forward<From>(from).logits_;
  held_ = std::forward<From>(from).held_;
  for (size_t i = 0; i < kWindows; ++i) windows_[i] = std::forward<From>(from).windows_[i];
  uses_ = std::forward<From>(from).uses_;
  state_ = std::forward<From>(from).state_;
  prefilled_ = std::forward<From>(from).prefilled_;
  options_ = std::forward<From>(from).options_;
  prompt_ = std::forward<From>(from).prompt_;
  returns_ = std::forward<From>(from).returns_;
  sampled_ = std::forward<From>(from).sampled_;
  candidates_ = std::forward<From>(from).candidates_;
  candidates_end_ = std::forward<From>(from).candidates_end_;
  functions_ = std::forward<From>(from).functions_;
  parser_ = std::forward<From>(from).parser_;
  events_ = std::forward<From>(from).events_;
  rules_ = std::forward<From>(from).rules_;
  grammar_ = std::forward<From>(from).grammar_;
  matcher_ = std::forward<From>(from).matcher_;
  mask_ = std::forward<From>(from).mask_;
  finish_ = std::forward<From>(from).finish_;
  reused_ = std::forward<From>(from).reused_;
  reasoning_ = std::forward<From>(from).reasoning_;
  started_ = std::forward<From>(from).started_;
  prefill_time_ = std::forward<From>(from).prefill_time_;
  first_token_time_ = std::forward<From>(from).first_token_time_;
  decode_time_ = std::forward<From>(from).decode_time_;
  note_ = std::forward<From>(from).note_;
}

Result<std::unique_ptr<Session>> Session::fork() const {
  VITALIS_ASSIGN(auto other, create(model_, {.context = context(), .chunk = cache_.chunk()}));
  other->cache_.copy(cache_);
  other->take(*this);
  return other;
}

void Session::become(Session&& from) {
  cache_ = std::move(from.cache_);
  take(std::move(from));
}

Usage Session::usage() const {
  return {.context_used = held_.size(),
          .prompt_tokens = prompt_.size(),
          .reused_tokens = reused_,
          .generated_tokens = sampled_.size(),
          .reasoning_tokens = reasoning_,
          .seed = options_.sampling.seed,
          .prefill_seconds = seconds(prefill_time_),
          .first_token_seconds = seconds(first_token_time_),
          .decode_seconds = seconds(decode_time_)};
}

}  // namespace vitalis::session
