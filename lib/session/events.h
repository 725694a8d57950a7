// SPDX-License-Identifier: Apache-2.0
// What a host is told while an answer is made: the parser's events, each complete in itself, and
// the session's own. Text is borrowed from the queue until it is filled again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "harmony/parse.h"

namespace vitalis::session {

enum class Finish : uint8_t { kNone, kStop, kToolCall, kLength };

struct Event {
  enum class Kind : uint8_t {
    kPrefill,  // done of total
    kMessageBegin,
    kText,
    kToolCall,  // a part of the arguments
    kMessageEnd,
    kDiagnostic,
    kFinished,
  };
  Kind kind = Kind::kPrefill;
  Finish finish = Finish::kNone;
  size_t done = 0, total = 0;

  // Of the message that the event belongs to.
  harmony::Role role = harmony::Role::kAssistant;
  harmony::Channel channel = harmony::Channel::kNone;
  uint32_t message = 0;
  std::string_view name, recipient, channel_name, content_type;

  std::string_view text;
  std::string_view path;  // kToolCall: JSON Pointer of the value that the text belongs to
  harmony::ArgumentState json = harmony::ArgumentState::kNone;
  harmony::TokenSpan tokens;  // of the sampled or pushed tokens
  bool complete = false;      // kMessageEnd
};

class EventQueue {
 public:
  // Where the parser puts its events. Take them all before the buffer is filled again.
  harmony::EventBuffer& refill();
  // The next event; false if there is none.
  bool take(Event& event);
  void clear();
  size_t taken() const { return taken_; }  // events since clear()
  // Of the open message.
  harmony::Channel channel() const { return channel_; }
  bool is_call() const { return call_; }

 private:
  harmony::EventBuffer buffer_;
  size_t next_ = 0;
  size_t taken_ = 0;
  bool text_given_ = false;  // the text of a message's end went out, its end follows
  bool call_ = false;
  harmony::Channel channel_ = harmony::Channel::kNone;
  harmony::Role role_ = harmony::Role::kAssistant;
  std::string name_, recipient_, channel_name_, content_type_;
};

}  // namespace vitalis::session
