// SPDX-License-Identifier: Apache-2.0
#include "session/events.h"

namespace vitalis::session {

harmony::EventBuffer& EventQueue::refill() {
  buffer_.clear();
  next_ = 0;
  return buffer_;
}

void EventQueue::clear() {
  refill();
  taken_ = 0;
  text_given_ = false;
  channel_ = harmony::Channel::kNone;
  call_ = false;
}

bool EventQueue::take(Event& event) {
  using From = harmony::Event::Kind;
  while (next_ < buffer_.events().size()) {
    const harmony::Event& from = buffer_.events()[next_];
    const std::string_view text = buffer_.view(from.text);
    // A message's end may bring text that was no delta: it goes out first, as one.
    text_given_ = from.kind == From::kMessageEnd && !text.empty() && !text_given_;
    if (!text_given_) ++next_;
    if (from.kind == From::kCallBegin) {
      call_ = true;
      continue;
    }
    event = {};
    event.text = text;
    if (from.kind == From::kMessageBegin) {
      event.kind = Event::Kind::kMessageBegin;
      call_ = false;
      channel_ = from.channel;
      role_ = from.role;
      name_ = buffer_.view(from.name);
      recipient_ = buffer_.view(from.recipient);
      channel_name_ = buffer_.view(from.channel_name);
      content_type_ = buffer_.view(from.content_type);
    } else if (from.kind == From::kDiagnostic) {
      event.kind = Event::Kind::kDiagnostic;
      event.text = harmony::diagnostic_name(from.diagnostic);
    } else if (from.kind == From::kMessageEnd && !text_given_) {
      event.kind = Event::Kind::kMessageEnd;
      event.text = {};
      event.complete = from.complete;
    } else {
      event.kind = call_ ? Event::Kind::kToolCall : Event::Kind::kText;
      event.path = buffer_.view(from.path);
    }
    event.role = role_;
    event.channel = channel_;
    event.message = from.message;
    event.name = name_;
    event.recipient = recipient_;
    event.channel_name = channel_name_;
    event.content_type = content_type_;
    event.json = from.json;
    event.tokens = from.tokens;
    if (event.kind == Event::Kind::kMessageEnd) channel_ = harmony::Channel::kNone;
    ++taken_;
    return true;
  }
  return false;
}

}  // namespace vitalis::session
