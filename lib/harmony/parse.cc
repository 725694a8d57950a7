// SPDX-License-Identifier: Apache-2.0
// What the parser's policies share: events, and messages made of them.
#include "harmony/parse.h"

#include <algorithm>
#include <array>

#include "harmony/header.h"

namespace vitalis::harmony {

std::string_view diagnostic_name(Diagnostic diagnostic) {
  constexpr std::array<std::string_view, 22> kNames = {
      "missing_start_token",   "missing_end_token",
      "missing_message_token", "duplicate_start",
      "duplicate_channel",     "duplicate_recipient",
      "extra_stop_token",      "channel_missing_value",
      "channel_unknown",       "channel_normalized",
      "header_normalized",     "header_extra_text",
      "role_normalized",       "recipient_normalized",
      "recipient_void",        "content_type_without_recipient",
      "unknown_tool",          "text_between_messages",
      "control_token",         "invalid_token",
      "invalid_utf8",          "truncated",
  };
  static_assert(kNames.size() == static_cast<size_t>(Diagnostic::kTruncated) + 1);
  return kNames[static_cast<size_t>(diagnostic)];
}

std::string_view parse_error_name(ParseError error) {
  constexpr std::array<std::string_view, 8> kNames = {
      "none",
      "expect_start",
      "header_eos",
      "header_extra",
      "header_no_channel_value",
      "header_no_role",
      "header_unknown_role",
      "header_decode",
  };
  static_assert(kNames.size() == static_cast<size_t>(ParseError::kHeaderDecode) + 1);
  return kNames[static_cast<size_t>(error)];
}

Channel channel_named(std::string_view name) {
  if (name == "analysis") return Channel::kAnalysis;
  if (name == "commentary") return Channel::kCommentary;
  if (name == "final") return Channel::kFinal;
  return Channel::kOther;
}

TextRef EventBuffer::put(std::string_view text) {
  if (text.empty()) return {};
  const TextRef ref{static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text.size())};
  text_ += text;
  return ref;
}

Parser::Parser(const Format& format, ParserOptions options)
    : format_(&format),
      options_(std::make_shared<const ParserOptions>(std::move(options))),
      given_role_(options_->role) {
  if (given_role_) begin_header(false, 0);
}

Status Parser::push(Token token, EventBuffer& out) {
  ++position_;
  if (options_->policy != Policy::kResilient) return push_compatible(token, out);
  push_resilient(token, out);
  return {};
}

Status Parser::finish(EventBuffer& out) {
  if (options_->policy != Policy::kResilient) return finish_compatible(out);
  finish_resilient(out);
  return {};
}

std::optional<Role> Parser::role() const {
  switch (state_) {
    case State::kContent:
      return header_.role;
    case State::kHeader:
      return given_role_;
    case State::kExpectStart:
      break;
  }
  return std::nullopt;
}

void Parser::begin_header(bool after_start, uint32_t begin) {
  state_ = State::kHeader;
  after_start_ = after_start;
  header_begin_ = begin;
  header_tokens_.clear();
}

Event Parser::event(Event::Kind kind, TokenSpan tokens) const {
  Event out;
  out.kind = kind;
  out.role = header_.role;
  out.channel = channel_;
  out.message = finished_;
  out.tokens = tokens;
  return out;
}

void Parser::begin_message(EventBuffer& out) {
  state_ = State::kContent;
  silent_ = false;
  channel_ = header_.channel ? channel_named(*header_.channel) : Channel::kNone;
  call_ = is_call(header_.role, header_.recipient);
  Event begin = event(Event::Kind::kMessageBegin, {covered_, position_});
  const auto put = [&out](const std::optional<std::string>& field, bool& has, TextRef& ref) {
    has = field.has_value();
    if (has) ref = out.put(*field);
  };
  put(header_.name, begin.has_name, begin.name);
  put(header_.recipient, begin.has_recipient, begin.recipient);
  put(header_.channel, begin.has_channel, begin.channel_name);
  put(header_.content_type, begin.has_content_type, begin.content_type);
  out.events_.push_back(begin);
  if (call_) {
    begin.kind = Event::Kind::kCallBegin;
    out.events_.push_back(begin);
    arguments_.reset();
  }
}

void Parser::add_text(std::string_view text, TokenSpan tokens, EventBuffer& out) {
  if (!text.empty()) add_text_at(out.put(text), tokens, out);
}

// `text` is the last piece of the buffer's text.
void Parser::add_text_at(TextRef text, TokenSpan tokens, EventBuffer& out) {
  if (held_) {
    held_text_.append(out.text_, text.offset);
    out.text_.resize(text.offset);
    return;
  }
  Event delta = event(call_ ? Event::Kind::kArgumentsDelta : Event::Kind::kTextDelta, tokens);
  delta.text = text;
  if (!call_ || !options_->follow_arguments) {
    out.events_.push_back(delta);
    return;
  }
  // One event for each value that the text belongs to.
  const uint32_t end = text.offset + text.size;
  while (delta.text.offset < end) {
    const std::string_view rest = std::string_view(out.text_).substr(delta.text.offset);
    delta.text.size =
        static_cast<uint32_t>(arguments_.take(rest.substr(0, end - delta.text.offset)));
    delta.path = out.put(arguments_.path());
    delta.json = arguments_.state();
    out.events_.push_back(delta);
    delta.text.offset += delta.text.size;
  }
}

void Parser::end_message(std::optional<Token> by, std::string_view tail, EventBuffer& out) {
  const bool stopped = by && format_->ends_message(*by);
  // A token that only implies the end belongs to the next message.
  Event end =
      event(Event::Kind::kMessageEnd, {covered_, by && !stopped ? position_ - 1 : position_});
  end.complete = stopped;
  if (stopped) end.stop = by;
  end.text = out.put(tail);
  if (call_ && options_->follow_arguments) {
    end.json = arguments_.state();
    if (end.json == ArgumentState::kInvalid) {
      end.json_error = static_cast<uint32_t>(arguments_.error_offset());
    }
  }
  out.events_.push_back(end);
  covered_ = end.tokens.end;
  ++finished_;
  call_ = false;
  channel_ = Channel::kNone;
  undecoded_.clear();
  state_ = State::kExpectStart;
}

void Parser::diagnose(Diagnostic diagnostic, TokenSpan tokens, EventBuffer& out,
                      std::string_view text) const {
  Event note = event(Event::Kind::kDiagnostic, tokens);
  note.diagnostic = diagnostic;
  note.text = out.put(text);
  out.events_.push_back(note);
}

void MessageCollector::add(const EventBuffer& buffer) {
  for (const Event& event : buffer.events()) {
    switch (event.kind) {
      case Event::Kind::kMessageBegin: {
        const auto field = [&](bool has, TextRef ref) {
          return has ? std::optional<std::string>(buffer.view(ref)) : std::nullopt;
        };
        Message& message = messages_.emplace_back(text_message(event.role, {}));
        message.name = field(event.has_name, event.name);
        message.recipient = field(event.has_recipient, event.recipient);
        message.channel = field(event.has_channel, event.channel_name);
        message.content_type = field(event.has_content_type, event.content_type);
        open_ = true;
        break;
      }
      case Event::Kind::kMessageEnd:
        spans_.push_back(event.tokens);
        open_ = false;
        [[fallthrough]];
      case Event::Kind::kTextDelta:
      case Event::Kind::kArgumentsDelta:
        if (messages_.empty()) break;
        std::get<std::string>(messages_.back().parts.front()) += buffer.view(event.text);
        break;
      case Event::Kind::kCallBegin:
        break;
      case Event::Kind::kDiagnostic:
        diagnostics_.push_back(
            {event.diagnostic, event.tokens, std::string(buffer.view(event.text))});
        break;
    }
  }
}

void attach_sampled(std::vector<Message>& messages, const std::vector<TokenSpan>& spans,
                    const std::vector<Token>& turn, const Format& format) {
  for (size_t i = 0; i < messages.size() && i < spans.size(); ++i) {
    std::vector<Token>& sampled = messages[i].sampled;
    sampled.clear();
    if (i == 0) {
      sampled.push_back(format.start);
      format.tokenizer().encode(role_name(Role::kAssistant), sampled);
    }
    const size_t end = std::min<size_t>(spans[i].end, turn.size());
    for (size_t t = spans[i].begin; t < end; ++t) sampled.push_back(turn[t]);
    const bool last = i + 1 == messages.size(), ended = format.ends_message(sampled.back());
    messages[i].sampled_open = !last && !ended;
    // Cut off within its header: repeated as it is, it would swallow the header of the next one.
    const bool opened = std::find(sampled.begin(), sampled.end(), format.message) != sampled.end();
    if (last && !ended && !opened) sampled.clear();
  }
}

std::vector<Message> parse_turn(const std::vector<Token>& turn, const Format& format,
                                const std::vector<std::string>& functions) {
  ParserOptions options;
  options.functions = functions;
  options.follow_arguments = false;
  Parser parser(format, std::move(options));
  EventBuffer events;
  // The resilient policy has no errors.
  for (const Token token : turn) (void)parser.push(token, events);
  (void)parser.finish(events);
  MessageCollector collector;
  collector.add(events);
  const std::vector<TokenSpan> spans = collector.spans();
  std::vector<Message> messages = collector.take();
  attach_sampled(messages, spans, turn, format);
  return messages;
}

}  // namespace vitalis::harmony
