// SPDX-License-Identifier: Apache-2.0
#include "bench_together.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>

#include "library.h"

namespace vitalis::cli {

namespace {

using Clock = std::chrono::steady_clock;
using Batch = std::unique_ptr<vitalis_batch, Releaser<vitalis_batch_release>>;

constexpr uint32_t kChunk = 2048;   // room for all prompts in one step
constexpr uint32_t kPrompt = 1024;  // more than any prompt here has tokens

class Together {
 public:
  Together(vitalis_model* model, uint32_t generate, Output& output)
      : model_(model), generate_(generate), output_(output) {}

  bool open(uint32_t count) {
    vitalis_batch_options batch = VITALIS_BATCH_OPTIONS_INIT;
    batch.sessions = count;
    batch.chunk = kChunk;
    vitalis_batch* made = nullptr;
    if (!succeeded(vitalis_batch_create(model_, &batch, &made), output_)) return false;
    batch_.reset(made);
    for (uint32_t i = 0; i < count; ++i) {
      vitalis_session_options options = VITALIS_SESSION_OPTIONS_INIT;
      options.context = kPrompt + generate_ + 1;
      vitalis_session* session = nullptr;
      if (!succeeded(vitalis_session_create(model_, &options, &session), output_)) return false;
      sessions_.emplace_back(session);
      given_.push_back(session);
    }
    events_.assign(count, VITALIS_EVENT_INIT);
    statuses_.resize(count);
    return find_ends();
  }

  // The time of `generate` tokens of each sequence, once all have their first.
  bool measure(double& seconds) {
    for (size_t i = 0; i < given_.size(); ++i) {
      if (!start(i)) return false;
    }
    bool over = false;
    while (!over && !all_answering()) {
      if (!step(over)) return false;
    }
    const uint64_t before = generated();
    const auto begin = Clock::now();
    while (!over) {
      if (!step(over)) return false;
    }
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    // One that began a step before the others has fewer tokens left: as if it had as many.
    const uint64_t made = std::max<uint64_t>(generated() - before, 1);
    seconds *= static_cast<double>(generate_ * given_.size()) / static_cast<double>(made);
    return true;
  }

 private:
  // Answers go on to the last token: what would end them is not drawn.
  bool find_ends() {
    vitalis_tokenizer* found = nullptr;
    if (!succeeded(vitalis_model_get_tokenizer(model_, &found), output_)) return false;
    const Tokenizer tokenizer(found);
    for (const char* name : {"<|return|>", "<|call|>"}) {
      vitalis_logit_bias ban = {0, -INFINITY};
      if (!succeeded(vitalis_tokenizer_special(found, name, VITALIS_NUL, &ban.token), output_)) {
        return false;
      }
      ends_.push_back(ban);
    }
    return true;
  }

  bool start(size_t i) {
    vitalis_conversation* made = nullptr;
    if (!succeeded(vitalis_conversation_create(&made), output_)) return false;
    const Conversation conversation(made);
    std::string text = "Count from " + std::to_string(i * 1000) + " to";
    for (size_t k = 0; k < 10 + 7 * i % 40; ++k) text += ' ' + std::to_string(k * (i + 3));
    if (!add_user_message(made, text, output_) ||
        !succeeded(vitalis_session_reset(given_[i]), output_)) {
      return false;
    }
    vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
    options.seed = i;
    options.flags = VITALIS_GENERATE_SEED;
    options.max_tokens = generate_ + 1;
    options.bias = ends_.data();
    options.bias_count = ends_.size();
    return succeeded(vitalis_session_start(given_[i], made, &options), output_);
  }

  bool step(bool& over) {
    const int32_t status = vitalis_batch_next(batch_.get(), given_.data(), given_.size(),
                                              events_.data(), statuses_.data());
    over = status == VITALIS_DONE;
    return over || succeeded(status, output_);
  }

  uint64_t generated_by(const vitalis_session* session) const {
    vitalis_usage usage{};
    usage.struct_size = sizeof usage;
    vitalis_session_get_usage(session, &usage);
    return usage.generated_tokens;
  }
  bool all_answering() const {
    return std::all_of(given_.begin(), given_.end(),
                       [&](const vitalis_session* session) { return generated_by(session) > 0; });
  }
  uint64_t generated() const {
    uint64_t sum = 0;
    for (const vitalis_session* session : given_) sum += generated_by(session);
    return sum;
  }

  vitalis_model* model_;
  uint32_t generate_;
  Output& output_;
  Batch batch_;
  std::vector<Session> sessions_;
  std::vector<vitalis_session*> given_;
  std::vector<vitalis_event> events_;
  std::vector<int32_t> statuses_;
  std::vector<vitalis_logit_bias> ends_;
};

}  // namespace

bool measure_together(vitalis_model* model, uint32_t count, uint32_t generate, uint32_t repeats,
                      std::vector<double>& seconds, Output& output) {
  Together together(model, generate, output);
  if (!together.open(count)) return false;
  for (uint32_t i = 0; i < repeats; ++i) {
    if (!together.measure(seconds.emplace_back())) return false;
  }
  return true;
}

}  // namespace vitalis::cli
