// SPDX-License-Identifier: Apache-2.0
#include "session/batch.h"

#include <deque>

#include "handles.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

namespace {

constexpr size_t kMostSessions = 256;

int32_t status_of(session::Session::Step step) {
  switch (step) {
    case session::Session::Step::kEvent:
      return VITALIS_OK;
    case session::Session::Step::kDone:
      return VITALIS_DONE;
    case session::Session::Step::kCancelled:
      return VITALIS_CANCELLED;
    case session::Session::Step::kAgain:
      break;
  }
  return VITALIS_AGAIN;
}

// The sessions of one call, while no other thread has them.
struct Given {
  std::deque<Exclusive> held;
  std::vector<session::Session*> sessions;

  Status take(vitalis_session* const* from, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (!from[i]) return missing(text("sessions[", i, "]"));
      if (const Status status = held.emplace_back(from[i]->busy).status(); !status.ok()) {
        return error(status.code(), "sessions[", i, "] is in use by another call, or given twice");
      }
      sessions.push_back(from[i]->session.get());
    }
    return {};
  }
};

// The i-th of structs that are as long as their caller's header says.
vitalis_event* at(vitalis_event* events, size_t i) {
  return reinterpret_cast<vitalis_event*>(reinterpret_cast<char*>(events) +
                                          i * events->struct_size);
}

}  // namespace

extern "C" {

void vitalis_batch_options_init(vitalis_batch_options* options, size_t size) {
  init_struct(options, size);
}

int32_t vitalis_batch_create(vitalis_model* model, const vitalis_batch_options* options,
                             vitalis_batch** batch_out) {
  return guard([&]() -> Status {
    if (!batch_out) return missing("batch_out");
    *batch_out = nullptr;
    if (!model) return missing("model");
    VITALIS_ASSIGN(const auto given, read_struct(options, "options"));
    VITALIS_ASSIGN(auto batch, session::Batch::create(model->model, {given.sessions, given.chunk}));
    auto handle = std::make_unique<vitalis_batch>();
    handle->batch = std::move(batch);
    *batch_out = handle.release();
    return {};
  });
}

vitalis_batch* vitalis_batch_retain(vitalis_batch* batch) {
  return retain(batch);
}
void vitalis_batch_release(vitalis_batch* batch) {
  release(batch);
}

int32_t vitalis_batch_next(vitalis_batch* batch, vitalis_session* const* sessions, size_t count,
                           vitalis_event* events, int32_t* statuses) {
  return guard([&]() -> int32_t {
    if (!batch) return fail(missing("batch"));
    if (!statuses) return fail(missing("statuses"));
    if (!sessions) return fail(missing("sessions"));
    if (!events) return fail(missing("events"));
    if (count == 0 || count > kMostSessions) {
      return fail(
          error(Code::kInvalidArgument, "count: expected 1 to ", kMostSessions, "; found ", count));
    }
    std::fill_n(statuses, count, VITALIS_AGAIN);
    for (size_t i = 0; i < count; ++i) {
      const Status status = check_size<vitalis_event>(at(events, i)->struct_size, "events");
      if (!status.ok()) return fail(status);
      if (at(events, i)->struct_size != events->struct_size) {
        return fail(error(Code::kInvalidArgument, "events[", i, "].struct_size is ",
                          at(events, i)->struct_size, "; that of the first is ",
                          events->struct_size));
      }
      clear_struct(at(events, i));
    }
    const Exclusive exclusive(batch->busy);
    if (const Status status = exclusive.status(); !status.ok()) return fail(status);
    Given given;
    if (const Status status = given.take(sessions, count); !status.ok()) return fail(status);
    std::vector<session::Event> found(count);
    std::vector<session::Session::Step> steps(count);
    const auto more = batch->batch->next(given.sessions, found, steps);
    if (!more.ok()) return fail(more.status());
    for (size_t i = 0; i < count; ++i) {
      statuses[i] = status_of(steps[i]);
      if (steps[i] != session::Session::Step::kEvent) continue;
      const Status status = write_struct(translate(found[i]), at(events, i), "events");
      if (!status.ok()) return fail(status);
    }
    return *more ? VITALIS_OK : VITALIS_DONE;
  });
}

}  // extern "C"
