// SPDX-License-Identifier: Apache-2.0
// A session in a file: header, state, keys and values, their checksum. The state is the list of
// Session::fields(); keys and values are the full layers' used part, the window at the end, and the
// windows kept. A new list is a new version. A session is restored into one of its own, and takes
// its place when it is whole.
#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "session/session.h"
#include "session/state_archive.h"
#include "tokenizer/fingerprint.h"

namespace vitalis::session {
namespace {

constexpr char kMagic[8] = {'V', 'I', 'T', 'A', 'S', 'E', 'S', 'S'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kMostStateBytes = uint64_t{1} << 30;
constexpr size_t kPiece = size_t{1} << 20;  // summed together, and then cancel is looked at

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
template <class T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t kv_type;
  uint64_t model;
  uint64_t state_bytes, kv_bytes;
  uint64_t state_sum;
  uint64_t sum;  // of the fields above

  uint64_t expected_sum() const {
    return tokenizer::fingerprint({reinterpret_cast<const char*>(this), offsetof(Header, sum)});
  }
};
static_assert(sizeof(Header) == 56);

// A checksum of what goes by, in pieces of one size.
class Sum {
 public:
  void add(std::span<const std::byte> piece) {
    const uint64_t both[2] = {value_, tokenizer::fingerprint(text_of(piece))};
    value_ = tokenizer::fingerprint(text_of(std::as_bytes(std::span(both))));
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0;
};

Status damaged(const std::string& path, std::string_view what) {
  return error(Code::kIntegrity, path, " is damaged: ", what);
}

}  // namespace

// All that outlives a pause but the keys and values.
template <class Archive>
void Session::fields(Archive& archive) {
  archive(held_);
  archive(note_);
  archive(uses_);
  for (Window& window : windows_) {
    archive(window.kept.size);
    archive(window.used);
  }
  archive(state_);
  archive(prefilled_);
  engine::Sampling& sampling = options_.sampling;
  archive(sampling.greedy);
  archive(sampling.temperature);
  archive(sampling.top_k);
  archive(sampling.top_p);
  archive(sampling.min_p);
  archive(sampling.repetition_penalty);
  archive(sampling.presence_penalty);
  archive(sampling.frequency_penalty);
  archive(sampling.bias);
  archive(sampling.seed);
  archive(options_.max_tokens);
  archive(options_.logprobs);
  archive(options_.alternatives);
  archive(prompt_);
  archive(returns_);
  archive(sampled_);
  archive(candidates_);
  archive(candidates_end_);
  archive(functions_);
  archive(finish_);
  archive(reused_);
  archive(reasoning_);
  archive(prefill_time_);
  archive(first_token_time_);
  archive(decode_time_);
}

// What fields() read makes sense: nothing below has to ask again.
Status Session::check_restored(const std::string& path) const {
  const size_t context = cache_.context(), vocab = model_->config().vocab;
  // The last token of an answer needs no room.
  const size_t answer = state_ == State::kIdle ? 0 : prompt_.size() + sampled_.size();
  const size_t needed = std::max({held_.size(), prompt_.size(), answer > 0 ? answer - 1 : 0});
  if (needed > context) {
    return error(Code::kContextFull, path, " holds ", needed,
                 " tokens, and this session's context ", context);
  }
  const auto known = [&](const std::vector<Token>& tokens) {
    return std::all_of(tokens.begin(), tokens.end(), [&](Token t) { return t < vocab; });
  };
  const auto begins_with = [](std::span<const Token> whole, std::span<const Token> part) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
  };
  bool sound = known(held_) && known(prompt_) && known(sampled_) &&
               sampled_.size() <= context + 1 && options_.sampling.check(vocab).ok() &&
               options_.alternatives <= engine::Sampler::kMostAlternatives &&
               candidates_end_.size() <= sampled_.size() &&
               std::is_sorted(candidates_end_.begin(), candidates_end_.end()) &&
               (candidates_end_.empty() ? 0 : candidates_end_.back()) == candidates_.size() &&
               finish_ <= Finish::kLength;
  for (const Window& window : windows_) sound = sound && window.kept.size <= held_.size();
  const std::span<const Token> held(held_);
  switch (state_) {
    case State::kIdle:
      break;
    case State::kPrefill:
      sound = sound && held.size() < prompt_.size() && begins_with(prompt_, held);
      break;
    case State::kDecode:
    case State::kFinished:
      sound = sound && begins_with(held, prompt_) &&
              begins_with(sampled_, held.subspan(std::min(prompt_.size(), held.size())));
      break;
    default:
      sound = false;
  }
  return sound ? Status() : error(Code::kMalformed, path, " holds a state that no session has");
}

// Where keys and values lie, in the file's order.
std::vector<std::span<std::byte>> Session::kv_pieces(engine::KvCache::Window& last) {
  std::vector<std::span<std::byte>> pieces = cache_.full(held_.size());
  last.bytes.resize(cache_.window_bytes(held_.size()));
  pieces.push_back(last.bytes);
  for (Window& window : windows_) {
    if (window.kept.size == 0) continue;
    window.kept.bytes.resize(cache_.window_bytes(window.kept.size));
    pieces.push_back(window.kept.bytes);
  }
  if (has_logits()) pieces.push_back(std::as_writable_bytes(std::span(logits_)));
  return pieces;
}

// Calls move(piece) -> Status for pieces of at most kPiece, telling progress and minding cancel.
template <class Move>
Result<engine::Outcome> Session::each_piece(std::span<const std::span<std::byte>> pieces,
                                            Move&& move) {
  for (std::span<std::byte> whole : pieces) {
    while (!whole.empty()) {
      if (cancel_.load(std::memory_order_relaxed)) return engine::Outcome::kCancelled;
      const auto piece = whole.first(std::min(kPiece, whole.size()));
      VITALIS_TRY(move(piece));
      progress_done_.fetch_add(piece.size(), std::memory_order_relaxed);
      whole = whole.subspan(piece.size());
    }
  }
  return engine::Outcome::kDone;
}

namespace {

uint64_t total(std::span<const std::span<std::byte>> pieces) {
  uint64_t sum = 0;
  for (const auto piece : pieces) sum += piece.size();
  return sum;
}

}  // namespace

Result<engine::Outcome> Session::save(const std::string& path, std::string_view note) {
  const Pause pause(*this);
  std::string older = std::exchange(note_, std::string(note));
  auto outcome = write_file(path);
  if (!outcome.ok() || *outcome == engine::Outcome::kCancelled) note_ = std::move(older);
  return outcome;
}

Result<engine::Outcome> Session::write_file(const std::string& path) {
  StateWriter state;
  fields(state);
  state(events_.taken());
  state(grammar_ ? harmony::to_json(rules_).dump(harmony::Json::Style::kPython) : std::string());
  state(state_ == State::kIdle ? Clock::duration{} : Clock::now() - started_);
  engine::KvCache::Window last;
  cache_.save(held_.size(), last);
  const auto pieces = kv_pieces(last);
  progress_total_.store(total(pieces), std::memory_order_relaxed);

  Header header{{},
                kVersion,
                static_cast<uint32_t>(model_->engine().kv_type()),
                model_->fingerprint(),
                state.bytes().size(),
                total(pieces),
                tokenizer::fingerprint(state.bytes()),
                0};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.sum = header.expected_sum();
  VITALIS_ASSIGN(ReplacingFile file, ReplacingFile::create(path));
  VITALIS_TRY(file.write(bytes_of(header)));
  VITALIS_TRY(file.write(std::as_bytes(std::span(state.bytes()))));
  Sum sum;
  VITALIS_ASSIGN(const auto outcome, each_piece(pieces, [&](std::span<std::byte> piece) {
                   sum.add(piece);
                   return file.write(piece);
                 }));
  if (outcome == engine::Outcome::kCancelled) return outcome;
  uint64_t value = sum.value();
  VITALIS_TRY(file.write(bytes_of(value)));
  VITALIS_TRY(file.commit());
  return outcome;
}

Result<engine::Outcome> Session::restore(const std::string& path) {
  Pause pause(*this);
  VITALIS_ASSIGN(InputFile file, InputFile::open(path));
  VITALIS_ASSIGN(auto into, create(model_, {.context = context(), .chunk = cache_.chunk()}));
  Header header;
  if (file.size() < sizeof header) {
    return error(Code::kMalformed, path, " is no session file: it is too short");
  }
  VITALIS_TRY(file.read(bytes_of(header)));
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    return error(Code::kMalformed, path, " is no session file");
  }
  if (header.version != kVersion) {
    return error(Code::kUnsupported, path, " is a session file of version ", header.version,
                 "; this library reads version ", kVersion);
  }
  if (header.sum != header.expected_sum()) return damaged(path, "its header has another checksum");
  if (header.model != model_->fingerprint()) {
    return error(Code::kIntegrity, path, " was saved with another model");
  }
  if (header.kv_type != static_cast<uint32_t>(model_->engine().kv_type())) {
    return error(Code::kUnsupported, path, " was saved by an engine with other numerics");
  }
  const uint64_t rest = file.size() - sizeof header;
  if (header.state_bytes > kMostStateBytes || header.state_bytes > rest || header.kv_bytes > rest ||
      header.state_bytes + header.kv_bytes + sizeof(uint64_t) != rest) {
    return damaged(path, text("it has ", file.size(), " bytes, other than were written"));
  }
  std::string state(header.state_bytes, '\0');
  VITALIS_TRY(file.read(std::as_writable_bytes(std::span(state))));
  if (header.state_sum != tokenizer::fingerprint(state)) {
    return damaged(path, "its state has another checksum");
  }
  VITALIS_TRY(into->read_state(state, path));

  engine::KvCache::Window last;
  const auto pieces = into->kv_pieces(last);
  if (total(pieces) != header.kv_bytes) {
    return error(Code::kMalformed, path, " holds ", header.kv_bytes,
                 " bytes of keys and values; its tokens have ", total(pieces));
  }
  progress_total_.store(total(pieces), std::memory_order_relaxed);
  Sum sum;
  VITALIS_ASSIGN(const auto outcome, each_piece(pieces, [&](std::span<std::byte> piece) {
                   VITALIS_TRY(file.read(piece));
                   sum.add(piece);
                   return Status();
                 }));
  if (outcome == engine::Outcome::kCancelled) return outcome;
  uint64_t value = 0;
  VITALIS_TRY(file.read(bytes_of(value)));
  if (value != sum.value()) return damaged(path, "its keys and values have another checksum");
  last.size = into->held_.size();
  into->cache_.restore(last);
  become(std::move(*into));
  pause.forget();
  return outcome;
}

// Reads what save() wrote into this fresh session, and brings parser, grammar and sampler to where
// they were by giving them the answer's tokens again.
Status Session::read_state(std::string_view state, const std::string& path) {
  StateReader reader(state);
  fields(reader);
  size_t events = 0;
  Clock::duration since_start{};
  std::string rules;
  reader(events);
  reader(rules);
  reader(since_start);
  if (!reader.is_whole()) {
    return error(Code::kMalformed, path, " holds a state that cannot be read");
  }
  VITALIS_TRY(check_restored(path));
  started_ = Clock::now() - since_start;
  sampler_.begin(prompt_);
  for (const Token token : sampled_) sampler_.take(token);
  if (!rules.empty()) {
    VITALIS_ASSIGN(const harmony::Json json, harmony::Json::parse(rules));
    VITALIS_ASSIGN(harmony::TurnRules read, harmony::turn_rules_from_json(json));
    VITALIS_ASSIGN(grammar_, grammar_of(read));
    rules_ = std::move(read);
    options_.constraint = rules_.constraint;
  }
  if (state_ == State::kIdle) return {};
  begin_matching();
  for (const Token token : sampled_) {
    if (!matcher_ || state_ == State::kFinished || matcher_->accept(token)) continue;
    return error(Code::kMalformed, path, " holds an answer that its rules do not allow");
  }
  parser_.emplace(model_->format(), harmony::ParserOptions{.functions = functions_});
  harmony::EventBuffer& parsed = events_.refill();
  for (const Token token : sampled_) VITALIS_TRY(parser_->push(token, parsed));
  if (state_ == State::kFinished) VITALIS_TRY(parser_->finish(parsed));
  Event event;
  while (events_.taken() < events && events_.take(event)) {
  }
  return {};
}

}  // namespace vitalis::session
