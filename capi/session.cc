// SPDX-License-Identifier: Apache-2.0
#include "session/session.h"

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

namespace {

constexpr size_t kMostBiases = size_t{1} << 20;

int32_t status_of(const Result<engine::Outcome>& outcome) {
  if (!outcome.ok()) return fail(outcome.status());
  return *outcome == engine::Outcome::kCancelled ? VITALIS_CANCELLED : VITALIS_OK;
}

template <class Handle, class Body>
int32_t with(Handle* handle, Body&& body) {
  return capi::with(handle, "session", [&](auto& of) { return body(*of.session); });
}

Result<session::SessionOptions> read_options(const vitalis_session_options* options) {
  VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
  return session::SessionOptions{.context = given.context,
                                 .chunk = given.chunk,
                                 .memory_budget = uint64_t{given.memory_budget_mib} << 20};
}

Result<session::GenerateOptions> read_generate(const vitalis_generate_options* options) {
  VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
  if (given.sampling != VITALIS_SAMPLE_DEFAULT && given.sampling != VITALIS_SAMPLE_GREEDY) {
    return error(Code::kInvalidArgument, "options.sampling: expected 0 or 1; found ",
                 given.sampling);
  }
  session::GenerateOptions out;
  out.sampling.greedy = given.sampling == VITALIS_SAMPLE_GREEDY;
  if (given.temperature != 0) out.sampling.temperature = given.temperature;
  if (given.top_p != 0) out.sampling.top_p = given.top_p;
  out.sampling.min_p = given.min_p;
  out.sampling.top_k = given.top_k;
  out.sampling.seed = given.seed;
  out.max_tokens = given.max_tokens;
  if ((given.flags & ~(VITALIS_GENERATE_SEED | VITALIS_GENERATE_LOGPROBS)) != 0) {
    return error(Code::kInvalidArgument, "options.flags: found unknown ones in ", given.flags);
  }
  out.seeded = (given.flags & VITALIS_GENERATE_SEED) != 0;
  out.logprobs = (given.flags & VITALIS_GENERATE_LOGPROBS) != 0;
  out.alternatives = given.alternatives;
  if (given.repetition_penalty != 0) out.sampling.repetition_penalty = given.repetition_penalty;
  out.sampling.presence_penalty = given.presence_penalty;
  out.sampling.frequency_penalty = given.frequency_penalty;
  VITALIS_TRY(array_argument(given.bias, given.bias_count, "options.bias"));
  if (given.bias_count > kMostBiases) {
    return error(Code::kInvalidArgument, "options.bias_count: expected at most ", kMostBiases,
                 "; found ", given.bias_count);
  }
  for (size_t i = 0; i < given.bias_count; ++i) {
    out.sampling.bias.push_back({given.bias[i].token, given.bias[i].value});
  }
  return out;
}

}  // namespace

extern "C" {

void vitalis_session_options_init(vitalis_session_options* options, size_t size) {
  init_struct(options, size);
}
void vitalis_generate_options_init(vitalis_generate_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_session_plan(const vitalis_model* model, const vitalis_session_options* options,
                             vitalis_session_memory* memory) {
  clear_struct(memory);
  return guard([&]() -> Status {
    if (!model) return missing("model");
    VITALIS_ASSIGN(const auto given, read_options(options));
    VITALIS_ASSIGN(const auto resolved, session::Session::resolve(*model->model, given));
    const auto plan = session::Session::plan(*model->model, resolved);
    vitalis_session_memory out = {};
    out.context = static_cast<uint32_t>(resolved.context);
    out.kv_bytes = plan.kv_cache;
    out.scratch_bytes = plan.scratch;
    return write_struct(out, memory, "memory");
  });
}

int32_t vitalis_session_create(vitalis_model* model, const vitalis_session_options* options,
                               vitalis_session** session_out) {
  return guard([&]() -> Status {
    if (!session_out) return missing("session_out");
    *session_out = nullptr;
    if (!model) return missing("model");
    VITALIS_ASSIGN(const auto given, read_options(options));
    VITALIS_ASSIGN(auto session, session::Session::create(model->model, given));
    auto handle = std::make_unique<vitalis_session>();
    handle->session = std::move(session);
    *session_out = handle.release();
    return {};
  });
}

vitalis_session* vitalis_session_retain(vitalis_session* session) {
  return retain(session);
}
void vitalis_session_release(vitalis_session* session) {
  release(session);
}

int32_t vitalis_session_start(vitalis_session* session, const vitalis_conversation* conversation,
                              const vitalis_generate_options* options) {
  return with(session, [&](session::Session& into) -> Status {
    if (!conversation) return missing("conversation");
    VITALIS_ASSIGN(auto given, read_generate(options));
    const Exclusive exclusive(conversation->busy);
    VITALIS_TRY(exclusive.status());
    given.constraint = conversation->constraint;
    return into.start(conversation->whole(), given);
  });
}

int32_t vitalis_session_next(vitalis_session* session, vitalis_event* event) {
  clear_struct(event);
  return with(session, [&](session::Session& from) -> int32_t {
    session::Event found;
    if (!event) return fail(missing("event"));
    if (const Status status = check_size<vitalis_event>(event->struct_size, "event");
        !status.ok()) {
      return fail(status);
    }
    const auto step = from.next(found);
    if (!step.ok()) return fail(step.status());
    if (*step == session::Session::Step::kDone) return VITALIS_DONE;
    if (*step == session::Session::Step::kCancelled) return VITALIS_CANCELLED;
    const Status status = write_struct(translate(found), event, "event");
    return status.ok() ? VITALIS_OK : fail(status);
  });
}

void vitalis_session_cancel(vitalis_session* session) {
  if (session) session->session->cancel();
}

int32_t vitalis_session_add_reply(const vitalis_session* session,
                                  vitalis_conversation* conversation) {
  return with(session, [&](const session::Session& from) -> Status {
    if (!conversation) return missing("conversation");
    const Exclusive exclusive(conversation->busy);
    VITALIS_TRY(exclusive.status());
    auto messages = from.reply();
    conversation->messages.insert(conversation->messages.end(),
                                  std::make_move_iterator(messages.begin()),
                                  std::make_move_iterator(messages.end()));
    return {};
  });
}

int32_t vitalis_session_reset(vitalis_session* session) {
  return with(session, [](session::Session& of) -> Status {
    of.reset();
    return {};
  });
}

int32_t vitalis_session_get_usage(const vitalis_session* session, vitalis_usage* usage) {
  clear_struct(usage);
  return with(session, [&](const session::Session& of) -> Status {
    const session::Usage from = of.usage();
    vitalis_usage out = {};
    out.context_used = static_cast<uint32_t>(from.context_used);
    out.prompt_tokens = static_cast<uint32_t>(from.prompt_tokens);
    out.reused_tokens = static_cast<uint32_t>(from.reused_tokens);
    out.generated_tokens = static_cast<uint32_t>(from.generated_tokens);
    out.reasoning_tokens = static_cast<uint32_t>(from.reasoning_tokens);
    out.seed = from.seed;
    out.prefill_seconds = from.prefill_seconds;
    out.first_token_seconds = from.first_token_seconds;
    out.decode_seconds = from.decode_seconds;
    return write_struct(out, usage, "usage");
  });
}

int32_t vitalis_session_forward(vitalis_session* session, const uint32_t* tokens, size_t count,
                                uint32_t flags, float* logits, size_t capacity) {
  return with(session, [&](session::Session& of) -> int32_t {
    if (!tokens) return fail(missing("tokens"));
    if (const Status s = array_argument(tokens, count, "tokens"); !s.ok()) return fail(s);
    if (!logits) return fail(missing("logits"));
    if ((flags & ~VITALIS_FORWARD_ALL) != 0) {
      return fail(error(Code::kInvalidArgument, "flags: found unknown ones in ", flags));
    }
    return status_of(
        of.forward({tokens, count}, (flags & VITALIS_FORWARD_ALL) != 0, {logits, capacity}));
  });
}

int32_t vitalis_session_get_logprobs(const vitalis_session* session, size_t index,
                                     vitalis_logprob* entries, size_t capacity, size_t* count_out) {
  if (count_out) *count_out = 0;
  return with(session, [&](const session::Session& of) -> Status {
    if (!count_out) return missing("count_out");
    if (!entries && capacity > 0) return missing("entries");
    const auto found = of.logprobs(index);
    if (found.empty()) {
      return error(Code::kNotFound, "there are no log-probabilities of token ", index);
    }
    for (size_t i = 0; i < std::min(capacity, found.size()); ++i) {
      entries[i] = {found[i].token, found[i].before, found[i].after};
    }
    *count_out = found.size();
    return {};
  });
}

int32_t vitalis_session_save(vitalis_session* session, const char* path, const char* note,
                             size_t note_size) {
  return with(session, [&](session::Session& of) -> int32_t {
    if (!path) return fail(missing("path"));
    const auto bytes = note ? bytes_argument(note, note_size, "note")
                            : Result<std::string_view>(std::string_view());
    if (!bytes.ok()) return fail(bytes.status());
    return status_of(of.save(path, *bytes));
  });
}

int32_t vitalis_session_restore(vitalis_session* session, const char* path) {
  return with(session, [&](session::Session& of) -> int32_t {
    if (!path) return fail(missing("path"));
    return status_of(of.restore(path));
  });
}

int32_t vitalis_session_get_note(const vitalis_session* session, vitalis_text* note_out) {
  if (note_out) *note_out = {};
  return with(session, [&](const session::Session& of) -> Status {
    if (!note_out) return missing("note_out");
    *note_out = borrowed(of.note());
    return {};
  });
}

int32_t vitalis_session_get_progress(const vitalis_session* session, vitalis_progress* progress) {
  clear_struct(progress);
  return guard([&]() -> Status {
    if (!session) return missing("session");
    const auto found = session->session->progress();
    vitalis_progress out = {};
    out.done = found.done;
    out.total = found.total;
    return write_struct(out, progress, "progress");
  });
}

int32_t vitalis_session_fork(const vitalis_session* session, vitalis_session** session_out) {
  if (session_out) *session_out = nullptr;
  return with(session, [&](const session::Session& of) -> Status {
    if (!session_out) return missing("session_out");
    VITALIS_ASSIGN(auto forked, of.fork());
    auto handle = std::make_unique<vitalis_session>();
    handle->session = std::move(forked);
    *session_out = handle.release();
    return {};
  });
}

}  // extern "C"
