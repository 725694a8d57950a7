// SPDX-License-Identifier: Apache-2.0
// The parser's resilient policy: every stream of tokens is some sequence of messages. Structure
// that is missing is supplied, structure that is doubled is dropped, text is kept, and each such
// step is a diagnostic.
#include "harmony/header.h"
#include "harmony/parse.h"
#include "harmony/words.h"

namespace vitalis::harmony {
namespace {

// Where the channel cannot be read, what ended the message decides: an answer that ends the turn is
// shown, for a turn must not come out empty; anything else may be reasoning and is not.
std::string_view channel_by_ending(const Format& format, std::optional<Token> by) {
  return !by || *by == format.return_token ? "final" : "analysis";
}

}  // namespace

void Parser::push_resilient(Token token, EventBuffer& out) {
  switch (state_) {
    case State::kExpectStart:
      if (token == format_->start) {
        begin_header(true, position_);
      } else if (format_->ends_message(token)) {
        diagnose(Diagnostic::kExtraStop, {position_ - 1, position_}, out);
      } else {
        begin_header(false, position_ - 1);
        push_header(token, out);
      }
      return;
    case State::kHeader:
      push_header(token, out);
      return;
    case State::kContent:
      push_content(token, out);
      return;
  }
}

void Parser::push_header(Token token, EventBuffer& out) {
  if (token == format_->start) {
    close_header(token, out);
    begin_header(true, position_);
  } else if (token == format_->message || format_->ends_message(token)) {
    close_header(token, out);
  } else {
    header_tokens_.push_back(token);
  }
}

void Parser::push_content(Token token, EventBuffer& out) {
  const TokenSpan here{position_ - 1, position_};
  if (format_->ends_message(token)) {
    close_message(token, out);
    return;
  }
  // A channel marker means nothing inside a text: here an end and a start are missing.
  const bool channel = token == format_->channel && header_.role == Role::kAssistant;
  if (token == format_->start || channel) {
    diagnose(Diagnostic::kMissingEnd, here, out);
    close_message(token, out);
    begin_header(!channel, channel ? here.begin : here.end);
    if (channel) header_tokens_.push_back(token);
    return;
  }
  if (format_->is_control(token)) {
    flush_text(out);
    std::string name;
    format_->append_bytes(token, name);
    diagnose(Diagnostic::kControlToken, here, out, name);
    return;
  }
  const std::string_view bytes = format_->tokenizer().bytes(token);
  if (bytes.empty()) {
    flush_text(out);
    diagnose(Diagnostic::kInvalidToken, here, out);
    add_text(utf8::kReplacement, here, out);
    return;
  }
  if (decoder_.held() == 0) text_begin_ = here.begin;
  const auto offset = static_cast<uint32_t>(out.text_.size());
  const size_t ill_formed = decoder_.push(bytes, out.text_);
  const auto size = static_cast<uint32_t>(out.text_.size() - offset);
  const TokenSpan span{text_begin_, here.end};
  if (decoder_.held() > 0 && decoder_.held() <= bytes.size()) text_begin_ = here.begin;
  if (ill_formed > 0) diagnose(Diagnostic::kInvalidUtf8, span, out);
  if (size > 0) add_text_at({offset, size}, span, out);
}

// What is left of a character that never became whole.
void Parser::flush_text(EventBuffer& out) {
  if (decoder_.held() == 0) return;
  std::string text;
  decoder_.finish(text);
  const TokenSpan span{text_begin_, position_};
  diagnose(Diagnostic::kInvalidUtf8, span, out);
  add_text(text, span, out);
}

void Parser::close_message(std::optional<Token> by, EventBuffer& out) {
  flush_text(out);
  if (held_) {
    held_ = false;
    header_.channel = channel_by_ending(*format_, by);
    const std::string text = std::move(held_text_);
    held_text_.clear();
    begin_message(out);
    add_text(text, {covered_, position_}, out);
  }
  end_message(by, {}, out);
}

void Parser::report(const RepairedHeader& header, EventBuffer& out) const {
  for (const Repair& repair : header.repairs) {
    diagnose(repair.diagnostic,
             {header_begin_ + repair.tokens.begin, header_begin_ + repair.tokens.end}, out,
             repair.text);
  }
}

void Parser::close_header(std::optional<Token> by, EventBuffer& out) {
  HeaderContext context;
  context.role = given_role_;
  context.fallback = options_->role.value_or(Role::kAssistant);
  context.after_start = after_start_;
  context.before_message = by == format_->message;
  context.functions = options_->functions;
  RepairedHeader header = parse_resilient_header(*format_, header_tokens_, context);
  if (context.before_message) {
    open_message(header, out);
  } else if (trim(header.leftover).empty() && !header.fields.recipient) {
    drop_header(header, by, out);
  } else {
    make_message(header, by, out);
  }
  given_role_.reset();
}

void Parser::open_message(RepairedHeader& header, EventBuffer& out) {
  if (!after_start_ && !given_role_) diagnose(Diagnostic::kMissingStart, header_span(), out);
  report(header, out);
  if (!header.leftover.empty()) {
    diagnose(Diagnostic::kHeaderExtraText, header_span(), out, header.leftover);
    header.leftover += '\n';
  }
  header_ = std::move(header.fields);
  held_ = header_.role == Role::kAssistant && !header_.recipient &&
          (header.channel == RepairedHeader::ChannelState::kEmpty ||
           header.channel == RepairedHeader::ChannelState::kUnknown);
  if (held_) {
    state_ = State::kContent;
  } else {
    begin_message(out);
  }
  if (!header.leftover.empty()) add_text(header.leftover, header_span(), out);
}

// A header that was no header: its text is the content, or it is a call without arguments.
void Parser::make_message(RepairedHeader& header, std::optional<Token> by, EventBuffer& out) {
  const bool implicit = !after_start_ && !given_role_;
  if (implicit && !header.marked && by == format_->start) {
    diagnose(Diagnostic::kTextBetweenMessages, header_span(), out, format_->decode(header_tokens_));
    state_ = State::kExpectStart;
    return;
  }
  if (implicit) diagnose(Diagnostic::kMissingStart, header_span(), out);
  report(header, out);
  diagnose(Diagnostic::kMissingMessage, header_span(), out);
  header_ = std::move(header.fields);
  if (header_.role == Role::kAssistant && !header_.recipient &&
      header.channel != RepairedHeader::ChannelState::kKnown) {
    header_.channel = channel_by_ending(*format_, by);
  }
  begin_message(out);
  if (!header.leftover.empty()) add_text(header.leftover, header_span(), out);
  if (by == format_->start) {
    diagnose(Diagnostic::kMissingEnd, {position_ - 1, position_}, out);
  } else if (!by) {
    diagnose(Diagnostic::kTruncated, {position_, position_}, out);
  }
  end_message(by, {}, out);
}

// A header with nothing to keep. At the very beginning that is an empty answer and no fault.
void Parser::drop_header(const RepairedHeader& header, std::optional<Token> by, EventBuffer& out) {
  state_ = State::kExpectStart;
  const TokenSpan span = header_span();
  report(header, out);
  const std::string text = format_->decode(header_tokens_);
  const bool between = !after_start_ && !given_role_ && !header.marked;
  if (between) {
    diagnose(Diagnostic::kTextBetweenMessages, span, out, text);
    if (by && *by != format_->start) {
      diagnose(Diagnostic::kExtraStop, {position_ - 1, position_}, out);
    }
  } else if (by == format_->start) {
    diagnose(Diagnostic::kDuplicateStart, {span.begin, position_}, out, text);
  } else if (header_tokens_.empty() && !after_start_) {
    return;
  } else if (by) {
    diagnose(Diagnostic::kMissingMessage, {span.begin, position_}, out, text);
  } else {
    diagnose(Diagnostic::kTruncated, span, out, text);
  }
}

void Parser::finish_resilient(EventBuffer& out) {
  if (state_ == State::kHeader) {
    close_header(std::nullopt, out);
  } else if (state_ == State::kContent) {
    diagnose(Diagnostic::kTruncated, {position_, position_}, out);
    close_message(std::nullopt, out);
  }
}

}  // namespace vitalis::harmony
