// SPDX-License-Identifier: Apache-2.0
// Tokens of the model to messages, one token at a time. The resilient policy never fails: it
// repairs what it can, keeps all text and reports each repair as a diagnostic. The compatible
// policies give what openai/harmony gives, its errors and oddities included. A Parser is a value: a
// copy is a snapshot. It borrows the Format. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/utf8.h"
#include "harmony/argument_path.h"
#include "harmony/conversation.h"
#include "harmony/format.h"
#include "harmony/render.h"

namespace vitalis::harmony {

enum class Policy : uint8_t { kResilient, kStrict, kLenient };

struct ParserOptions {
  Policy policy = Policy::kResilient;
  // The role that the prompt's end names (<|start|>assistant); none: the stream begins at
  // <|start|>.
  std::optional<Role> role = Role::kAssistant;
  // Declared functions, without namespace; empty: names are passed on as they are.
  std::vector<std::string> functions;
  // Whether calls are followed as JSON (Event::path, Event::json).
  bool follow_arguments = true;
};

// What a reader of the stream does with text: analysis is not for users.
enum class Channel : uint8_t { kNone, kAnalysis, kCommentary, kFinal, kOther };

enum class Diagnostic : uint8_t {
  kMissingStart,
  kMissingEnd,
  kMissingMessage,
  kDuplicateStart,
  kDuplicateChannel,
  kDuplicateRecipient,
  kExtraStop,
  kChannelMissing,
  kChannelUnknown,
  kChannelNormalized,
  kHeaderNormalized,
  kHeaderExtraText,
  kRoleNormalized,
  kRecipientNormalized,
  kRecipientVoid,
  kTypeWithoutRecipient,
  kUnknownTool,
  kTextBetweenMessages,
  kControlToken,  // a control token where text stands; it is left out of the text
  kInvalidToken,
  kInvalidUtf8,
  kTruncated,
};
// "missing_start_token", …
std::string_view diagnostic_name(Diagnostic diagnostic);

struct RepairedHeader;  // header.h

// A piece of the text of an EventBuffer.
struct TextRef {
  uint32_t offset = 0, size = 0;
};

struct Event {
  enum class Kind : uint8_t {
    kMessageBegin,    // role, name, recipient, channel, content_type
    kTextDelta,       // text: whole characters, never empty
    kCallBegin,       // follows kMessageBegin of a call
    kArgumentsDelta,  // text, path, json
    kMessageEnd,      // complete, stop, json; text: what is to be added without being a delta
    kDiagnostic,      // diagnostic; text: what was left out of names and contents
  };
  Kind kind = Kind::kTextDelta;
  Role role = Role::kAssistant;
  Channel channel = Channel::kNone;
  Diagnostic diagnostic = Diagnostic::kMissingStart;
  ArgumentState json = ArgumentState::kNone;
  bool complete = false;      // kMessageEnd: a stop token ended it
  std::optional<Token> stop;  // kMessageEnd: that token
  uint32_t message = 0;       // index among the messages of this stream
  TokenSpan tokens;           // kMessageEnd: the whole message; all of them leave no gap
  TextRef text;
  TextRef path;             // JSON Pointer (RFC 6901) of the value that the text belongs to
  uint32_t json_error = 0;  // kMessageEnd, json == kInvalid: offset of the first wrong byte
  // kMessageBegin; size 0 with the flag unset means absent.
  TextRef name, recipient, channel_name, content_type;
  bool has_name = false, has_recipient = false, has_channel = false, has_content_type = false;
};

// Receives events. Keep one and clear() it between tokens: its memory is reused.
class EventBuffer {
 public:
  const std::vector<Event>& events() const { return events_; }
  std::string_view view(TextRef ref) const {
    return std::string_view(text_).substr(ref.offset, ref.size);
  }
  void clear() {
    events_.clear();
    text_.clear();
  }

 private:
  friend class Parser;
  TextRef put(std::string_view text);

  std::vector<Event> events_;
  std::string text_;
};

// Why a compatible parser stopped.
enum class ParseError : uint8_t {
  kNone,
  kExpectStart,
  kHeaderEos,
  kHeaderExtra,
  kHeaderNoChannelValue,
  kHeaderNoRole,
  kHeaderUnknownRole,
  kHeaderDecode,
};
std::string_view parse_error_name(ParseError error);  // "expect_start", …

struct Header {
  Role role = Role::kAssistant;
  std::optional<std::string> name, recipient, channel, content_type;
};

class Parser {
 public:
  enum class State : uint8_t { kExpectStart, kHeader, kContent };

  Parser(const Format& format, ParserOptions options);

  // Appends what the token makes known to `out`. kMalformed under a compatible policy only; error()
  // then says why, and the parser goes on as the reference does.
  Status push(Token token, EventBuffer& out);
  // The end of the stream: closes what is open.
  Status finish(EventBuffer& out);

  ParseError error() const { return error_; }
  State state() const { return state_; }
  uint32_t tokens() const { return position_; }    // pushed so far
  uint32_t messages() const { return finished_; }  // finished so far
  // The open message; null outside of content.
  const Header* header() const { return state_ == State::kContent ? &header_ : nullptr; }
  std::optional<Role> role() const;  // as the reference's current role

 private:
  Status push_compatible(Token token, EventBuffer& out);
  Status finish_compatible(EventBuffer& out);
  Status fail(ParseError error);
  void push_compatible_text(Token token, EventBuffer& out);
  void end_compatible(std::optional<Token> stop, EventBuffer& out);
  Status stop_in_lenient_header(Token stop, EventBuffer& out);

  // In these, `by` is what ended a header or a message: a stop token, <|start|> or <|channel|>
  // where an end is missing, none at the end of the stream.
  void push_resilient(Token token, EventBuffer& out);
  void finish_resilient(EventBuffer& out);
  void push_header(Token token, EventBuffer& out);
  void push_content(Token token, EventBuffer& out);
  void close_header(std::optional<Token> by, EventBuffer& out);
  void open_message(RepairedHeader& header, EventBuffer& out);
  void make_message(RepairedHeader& header, std::optional<Token> by, EventBuffer& out);
  void drop_header(const RepairedHeader& header, std::optional<Token> by, EventBuffer& out);
  void report(const RepairedHeader& header, EventBuffer& out) const;
  void flush_text(EventBuffer& out);
  void close_message(std::optional<Token> by, EventBuffer& out);

  void begin_header(bool after_start, uint32_t begin);
  void begin_message(EventBuffer& out);
  void add_text(std::string_view text, TokenSpan tokens, EventBuffer& out);
  void add_text_at(TextRef text, TokenSpan tokens, EventBuffer& out);
  void end_message(std::optional<Token> by, std::string_view tail, EventBuffer& out);
  void diagnose(Diagnostic diagnostic, TokenSpan tokens, EventBuffer& out,
                std::string_view text = {}) const;
  Event event(Event::Kind kind, TokenSpan tokens) const;
  TokenSpan header_span() const {
    return {header_begin_, header_begin_ + static_cast<uint32_t>(header_tokens_.size())};
  }

  const Format* format_;
  std::shared_ptr<const ParserOptions> options_;
  State state_ = State::kExpectStart;
  ParseError error_ = ParseError::kNone;
  uint32_t position_ = 0;           // tokens pushed
  uint32_t finished_ = 0;           // messages
  uint32_t covered_ = 0;            // where the span of the next message begins
  std::optional<Role> given_role_;  // named by the prompt, until the first header is read

  std::vector<Token> header_tokens_;
  uint32_t header_begin_ = 0;  // position of the first of them
  bool after_start_ = false;   // they follow <|start|>

  Header header_;
  Channel channel_ = Channel::kNone;
  bool call_ = false;
  bool silent_ = false;      // compatible: after an unknown id nothing of a message is kept
  bool held_ = false;        // the channel is decided by the end: held_text_ waits for it
  uint32_t text_begin_ = 0;  // position of the token that the undecoded bytes began with
  utf8::Stream decoder_;     // resilient
  std::string undecoded_;    // compatible
  std::string held_text_;
  ArgumentPath arguments_;
};

// Messages out of events: for callers that want the result and not the stream.
class MessageCollector {
 public:
  void add(const EventBuffer& events);
  const std::vector<Message>& messages() const { return messages_; }
  std::vector<Message> take() { return std::move(messages_); }
  struct Note {
    Diagnostic diagnostic;
    TokenSpan tokens;
    std::string text;
  };
  const std::vector<Note>& diagnostics() const { return diagnostics_; }
  const std::vector<TokenSpan>& spans() const { return spans_; }  // of each message
  bool open() const { return open_; }                             // the last message has not ended

 private:
  std::vector<Message> messages_;
  std::vector<Note> diagnostics_;
  std::vector<TokenSpan> spans_;
  bool open_ = false;
};

// Gives each message of a turn its tokens, except a last one that was cut off within its header.
// `turn` is what was sampled after a prompt that ends in <|start|>assistant, and all that the
// parser was given; `spans` are the collector's.
void attach_sampled(std::vector<Message>& messages, const std::vector<TokenSpan>& spans,
                    const std::vector<Token>& turn, const Format& format);

// The messages of a turn, with their tokens: append them to the conversation.
std::vector<Message> parse_turn(const std::vector<Token>& turn, const Format& format,
                                const std::vector<std::string>& functions = {});

}  // namespace vitalis::harmony
