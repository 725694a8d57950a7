// SPDX-License-Identifier: Apache-2.0
#include "handles.h"
#include "session/events.h"

namespace vitalis::capi {

vitalis_event translate(const session::Event& from) {
  vitalis_event to = VITALIS_EVENT_INIT;
  to.kind = static_cast<int32_t>(from.kind) + 1;
  to.channel = static_cast<int32_t>(from.channel);
  to.finish_reason = static_cast<int32_t>(from.finish);
  to.done = from.done;
  to.total = from.total;
  to.text = borrowed(from.text);
  to.recipient = borrowed(from.recipient);
  to.channel_name = borrowed(from.channel_name);
  to.content_type = borrowed(from.content_type);
  to.complete = from.complete ? 1 : 0;
  to.role = static_cast<int32_t>(from.role);
  to.name = borrowed(from.name);
  to.path = borrowed(from.path);
  to.json = static_cast<int32_t>(from.json);
  to.message = from.message;
  to.token_begin = from.tokens.begin;
  to.token_end = from.tokens.end;
  return to;
}

// The numbers of the interface follow the order of the enumerations inside.
static_assert(static_cast<int32_t>(session::Event::Kind::kPrefill) + 1 == VITALIS_EVENT_PREFILL);
static_assert(static_cast<int32_t>(session::Event::Kind::kFinished) + 1 == VITALIS_EVENT_FINISHED);
static_assert(static_cast<int32_t>(harmony::Channel::kOther) == VITALIS_CHANNEL_OTHER);
static_assert(static_cast<int32_t>(session::Finish::kLength) == VITALIS_FINISH_LENGTH);
static_assert(static_cast<int32_t>(harmony::Role::kTool) == VITALIS_ROLE_TOOL);
static_assert(static_cast<int32_t>(harmony::ArgumentState::kInvalid) == VITALIS_JSON_STATE_INVALID);

}  // namespace vitalis::capi
