// SPDX-License-Identifier: Apache-2.0
// The parser's compatible policies: what openai/harmony's streaming parser does, token by token.
#include "harmony/header.h"
#include "harmony/parse.h"

namespace vitalis::harmony {

Status Parser::fail(ParseError error_kind) {
  error_ = error_kind;
  return vitalis::error(Code::kMalformed, "token ", position_ == 0 ? 0 : position_ - 1, ": ",
                        parse_error_name(error_kind));
}

Status Parser::push_compatible(Token token, EventBuffer& out) {
  const bool stop = format_->ends_message(token);
  switch (state_) {
    case State::kExpectStart:
      if (token != format_->start) return fail(ParseError::kExpectStart);
      begin_header(true, position_);
      return {};
    case State::kHeader:
      if (token == format_->message) {
        const ParseError error =
            parse_compatible_header(*format_, header_tokens_, given_role_, header_);
        given_role_.reset();
        state_ = State::kExpectStart;
        if (error != ParseError::kNone) return fail(error);
        begin_message(out);
      } else if (stop && options_->policy == Policy::kLenient) {
        return stop_in_lenient_header(token, out);
      } else {
        header_tokens_.push_back(token);
      }
      return {};
    case State::kContent:
      if (stop) {
        end_compatible(token, out);
      } else {
        push_compatible_text(token, out);
      }
      return {};
  }
  return {};
}

// A message that ended before its <|message|>: its words are its text, if the prompt named its
// role.
Status Parser::stop_in_lenient_header(Token stop, EventBuffer& out) {
  std::string words;
  if (given_role_ && !header_tokens_.empty()) {
    header_ = Header();
    const ParseError error = parse_lenient_text(*format_, header_tokens_, header_.channel, words);
    if (error != ParseError::kNone) return fail(error);
    header_.role = *given_role_;
    begin_message(out);
    end_message(stop, words, out);
  }
  given_role_.reset();
  state_ = State::kExpectStart;
  return {};
}

// At most one ill-formed sequence is replaced for each token; what follows it waits.
void Parser::push_compatible_text(Token token, EventBuffer& out) {
  if (silent_) return;
  if (undecoded_.empty()) text_begin_ = position_ - 1;
  if (!format_->append_bytes(token, undecoded_)) {
    silent_ = true;
    return;
  }
  const size_t good = utf8::valid_prefix(undecoded_);
  size_t used = good;
  const TextRef text{static_cast<uint32_t>(out.text_.size()), 0};
  out.text_.append(undecoded_, 0, good);
  if (good < undecoded_.size()) {
    const utf8::Piece piece = utf8::next(std::string_view(undecoded_).substr(good));
    if (piece.kind == utf8::Piece::kIllFormed) {
      out.text_ += utf8::kReplacement;
      used += piece.size;
    }
  }
  undecoded_.erase(0, used);
  const auto size = static_cast<uint32_t>(out.text_.size() - text.offset);
  if (size > 0) add_text_at({text.offset, size}, {text_begin_, position_}, out);
}

void Parser::end_compatible(std::optional<Token> stop, EventBuffer& out) {
  std::string tail = utf8::replace_ill_formed(undecoded_);
  if (silent_) tail += utf8::kReplacement;
  end_message(stop, tail, out);
}

Status Parser::finish_compatible(EventBuffer& out) {
  if (state_ == State::kHeader) return fail(ParseError::kHeaderEos);
  if (state_ == State::kContent) end_compatible(std::nullopt, out);
  return {};
}

}  // namespace vitalis::harmony
