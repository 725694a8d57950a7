// SPDX-License-Identifier: Apache-2.0
#include "session/batch.h"

#include <algorithm>

namespace vitalis::session {
namespace {

constexpr size_t kDefaultSessions = 8;
constexpr size_t kMostSessions = 256;
constexpr size_t kDefaultChunk = 512;
constexpr size_t kMostChunk = 8192;

}  // namespace

Batch::Batch(std::shared_ptr<const Model> model, engine::Forward forward, size_t sessions)
    : model_(std::move(model)),
      forward_(std::move(forward)),
      most_(sessions),
      logits_(sessions * model_->config().vocab) {
  active_.reserve(sessions);
  parts_.reserve(sessions);
}

Result<std::unique_ptr<Batch>> Batch::create(std::shared_ptr<const Model> model,
                                             const BatchOptions& options) {
  const size_t sessions = options.sessions == 0 ? kDefaultSessions : options.sessions;
  if (sessions > kMostSessions) {
    return error(Code::kInvalidArgument, "sessions: expected at most ", kMostSessions, "; found ",
                 sessions);
  }
  if (options.chunk > kMostChunk) {
    return error(Code::kInvalidArgument, "chunk: expected at most ", kMostChunk, "; found ",
                 options.chunk);
  }
  const size_t rows = std::max(options.chunk == 0 ? kDefaultChunk : options.chunk, sessions);
  VITALIS_ASSIGN(auto forward, engine::Forward::create(model->engine(), model->config(),
                                                       model->checkpoint().weights(), rows));
  return std::unique_ptr<Batch>(new Batch(std::move(model), std::move(forward), sessions));
}

Status Batch::check(std::span<Session* const> sessions) const {
  if (sessions.size() > most_) {
    return error(Code::kInvalidArgument, "the batch was made for at most ", most_,
                 " sessions; found ", sessions.size());
  }
  for (size_t i = 0; i < sessions.size(); ++i) {
    if (&sessions[i]->model() != model_.get()) {
      return error(Code::kInvalidArgument, "sessions[", i, "] is of another model");
    }
    const auto before = sessions.first(i);
    if (std::find(before.begin(), before.end(), sessions[i]) != before.end()) {
      return error(Code::kInvalidArgument, "sessions[", i, "] is given twice");
    }
  }
  return {};
}

Result<bool> Batch::next(std::span<Session* const> sessions, std::span<Event> events,
                         std::span<Session::Step> steps) {
  using Step = Session::Step;
  VITALIS_TRY(check(sessions));
  const auto tell = [&] {
    bool any = false;
    for (size_t i = 0; i < sessions.size(); ++i) {
      if (steps[i] == Step::kCancelled) continue;
      steps[i] = sessions[i]->tell(events[i]).value_or(Step::kAgain);
      any = any || steps[i] == Step::kEvent;
    }
    return any;
  };
  std::fill(steps.begin(), steps.end(), Step::kAgain);
  if (tell()) return true;
  if (std::count(steps.begin(), steps.end(), Step::kDone) == std::ssize(steps)) return false;
  VITALIS_TRY(compute(sessions, steps));
  tell();
  return true;
}

// One step for the sessions that wait for one.
Status Batch::compute(std::span<Session* const> sessions, std::span<Session::Step> steps) {
  const auto drop_cancelled = [&] {
    for (size_t i = 0; i < sessions.size(); ++i) {
      if (steps[i] != Session::Step::kAgain || !sessions[i]->cancel_) continue;
      sessions[i]->end_answer();
      steps[i] = Session::Step::kCancelled;
    }
  };
  drop_cancelled();
  const auto begin = Session::Clock::now();
  gather(sessions, steps);
  if (!parts_.empty()) {
    const std::atomic<bool> never = false;
    VITALIS_ASSIGN(const auto outcome, forward_.step(parts_, logits_.data(), never));
    if (outcome == engine::Outcome::kCancelled) {
      drop_cancelled();
      return {};
    }
  }
  const size_t vocab = model_->config().vocab;
  for (size_t i = 0; i < active_.size(); ++i) {
    Session& session = *active_[i];
    const auto tokens = parts_[i].tokens;
    std::copy_n(logits_.begin() + static_cast<std::ptrdiff_t>(i * vocab), vocab,
                session.logits_.begin());
    session.held_.insert(session.held_.end(), tokens.begin(), tokens.end());
    VITALIS_TRY(session.advance(tokens.size(), begin));
  }
  // Those whose logits were there need no more than a draw.
  for (size_t i = 0; i < sessions.size(); ++i) {
    const bool took_part = std::find(active_.begin(), active_.end(), sessions[i]) != active_.end();
    if (steps[i] != Session::Step::kAgain || took_part) continue;
    if (sessions[i]->has_logits()) VITALIS_TRY(sessions[i]->advance(0, begin));
  }
  return {};
}

// Answers first, so that no prompt holds them up; each has room for a token at least.
void Batch::gather(std::span<Session* const> sessions, std::span<const Session::Step> steps) {
  active_.clear();
  parts_.clear();
  size_t left = forward_.rows();
  const auto add = [&](Session& session, size_t room) {
    const auto tokens = session.pending(std::min(room, session.cache_.chunk()));
    if (tokens.empty()) return;
    left -= tokens.size();
    active_.push_back(&session);
    parts_.push_back({&session.cache_, tokens, false, &session.cancel_});
  };
  const auto is_in = [&](size_t i, Session::State state) {
    return steps[i] == Session::Step::kAgain && sessions[i]->state_ == state;
  };
  size_t answers = 0;
  for (size_t i = 0; i < sessions.size(); ++i) {
    if (is_in(i, Session::State::kDecode)) ++answers;
  }
  for (size_t i = 0; i < sessions.size(); ++i) {
    if (is_in(i, Session::State::kDecode)) add(*sessions[i], left - --answers);
  }
  for (size_t i = 0; i < sessions.size() && left > 0; ++i) {
    if (is_in(i, Session::State::kPrefill)) add(*sessions[i], left);
  }
}

}  // namespace vitalis::session
