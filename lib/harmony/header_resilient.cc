// SPDX-License-Identifier: Apache-2.0
// The header as it was meant. It is cut at control tokens first, so that none can land in a name;
// then each segment is read for a role, a channel, a recipient (to=…) and a type, and what is none
// of them is kept as leftover text.
#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "harmony/header.h"
#include "harmony/words.h"

namespace vitalis::harmony {
namespace {

constexpr std::array<std::string_view, 3> kChannels = {"analysis", "commentary", "final"};
constexpr std::array<std::string_view, 5> kRoles = {"system", "developer", "user", "assistant",
                                                    "tool"};
constexpr std::string_view kTo = "to=";
constexpr std::string_view kFunctions = "functions.";

struct Segment {
  enum class Kind : uint8_t { kAuthor, kChannel, kConstrain } kind;
  TokenSpan tokens;
  std::string text;
  std::vector<size_t> token_ends;  // offsets in text, ascending
  bool superseded = false;         // a channel segment before the last one
};

// A word of a segment that is neither role nor channel nor recipient.
struct PlainWord {
  const Segment* segment;
  std::string_view word;
};

bool is_type_character(char c) {
  return is_alphanumeric(c) || c == '_' || c == '-' || c == '.' || c == '+' || c == '/';
}

std::string_view type_prefix(std::string_view word) {
  size_t size = 0;
  while (size < word.size() && is_type_character(word[size])) ++size;
  return word.substr(0, size);
}

bool is_type(std::string_view word) {
  return !word.empty() && is_alphanumeric(word.front()) && type_prefix(word).size() == word.size();
}

// A name with a dot inside it, as tools have.
bool is_dotted_name(std::string_view word) {
  const size_t dot = word.find('.');
  return is_type(word) && dot != std::string_view::npos && dot + 1 < word.size() &&
         word.back() != '.';
}

// A word ends where a control token is spelled out.
std::string_view without_markup(std::string_view word) {
  return word.substr(0, word.find("<|"));
}

class HeaderReader {
 public:
  HeaderReader(const Format& format, const HeaderContext& context)
      : format_(format), context_(context) {}

  RepairedHeader read(std::span<const Token> tokens) {
    all_ = {0, static_cast<uint32_t>(tokens.size())};
    cut(tokens);
    for (Segment& segment : segments_) read_segment(segment);
    settle_recipient();
    settle_type();
    if (normalized_) repair(Diagnostic::kHeaderNormalized, *normalized_);
    if (!dropped_.empty()) repair(Diagnostic::kHeaderExtraText, all_, dropped_);
    out_.marked = segments_.size() > 1 || out_.fields.recipient || out_.fields.channel;
    return std::move(out_);
  }

 private:
  void repair(Diagnostic diagnostic, TokenSpan tokens, std::string_view text = {}) {
    out_.repairs.push_back({diagnostic, tokens, std::string(text)});
  }

  void cut(std::span<const Token> tokens) {
    segments_.push_back({Segment::Kind::kAuthor, {0, 0}, {}, {}});
    for (uint32_t i = 0; i < tokens.size(); ++i) {
      const Token t = tokens[i];
      if (t == format_.channel || t == format_.constrain) {
        segments_.push_back(
            {t == format_.channel ? Segment::Kind::kChannel : Segment::Kind::kConstrain,
             {i, i},
             {},
             {}});
      } else if (format_.is_control(t)) {
        std::string name;
        format_.append_bytes(t, name);
        repair(Diagnostic::kControlToken, {i, i + 1}, name);
      } else if (!format_.append_bytes(t, segments_.back().text)) {
        repair(Diagnostic::kInvalidToken, {i, i + 1});
      }
      segments_.back().tokens.end = i + 1;
      segments_.back().token_ends.push_back(segments_.back().text.size());
    }
    Segment* last_channel = nullptr;
    for (Segment& segment : segments_) {
      if (!utf8::is_valid(segment.text)) {
        repair(Diagnostic::kInvalidUtf8, segment.tokens);
        segment.text = utf8::replace_ill_formed(segment.text);
        segment.token_ends.clear();
      }
      if (segment.kind != Segment::Kind::kChannel) continue;
      if (last_channel) last_channel->superseded = true;
      last_channel = &segment;
    }
    has_channel_segment_ = last_channel != nullptr;
    has_recipient_ = std::any_of(segments_.begin(), segments_.end(), begins_with_recipient);
  }

  // Whether the segment names a recipient among its first words; further on it may be prose.
  static bool begins_with_recipient(const Segment& segment) {
    std::string_view rest = segment.text;
    for (int words = 0; words < 3; ++words) {
      rest = trim_front(rest);
      if (rest.starts_with(kTo)) return true;
      rest.remove_prefix(first_word(rest).size());
    }
    return false;
  }

  void read_segment(const Segment& segment) {
    std::string_view rest = segment.text;
    switch (segment.kind) {
      case Segment::Kind::kAuthor:
        rest = read_author(segment);
        break;
      case Segment::Kind::kChannel:
        rest = read_channel(segment);
        break;
      case Segment::Kind::kConstrain:
        rest = read_constrain(segment);
        break;
    }
    read_words(segment, rest);
  }

  static size_t offset(const Segment& segment, std::string_view rest) {
    return static_cast<size_t>(rest.data() - segment.text.data());
  }

  // Whether a name may end there: at the end of a token, or before what is no part of a name.
  static bool ends_name(const Segment& segment, std::string_view rest) {
    if (rest.empty() || (!is_alphanumeric(rest.front()) && rest.front() != '_')) return true;
    return std::binary_search(segment.token_ends.begin(), segment.token_ends.end(),
                              offset(segment, rest));
  }

  template <class Names>
  static std::string_view name_at(const Segment& segment, std::string_view rest,
                                  const Names& names) {
    for (const std::string_view name : names) {
      if (rest.starts_with(name) && ends_name(segment, rest.substr(name.size()))) return name;
    }
    return {};
  }
  static std::string_view channel_at(const Segment& segment, std::string_view rest) {
    return name_at(segment, rest, kChannels);
  }
  static std::string_view role_at(const Segment& segment, std::string_view rest) {
    const std::string_view role = name_at(segment, rest, kRoles);
    if (role.empty()) return {};
    const std::string_view next = rest.substr(role.size());
    const bool ends = next.empty() || space_size(next) > 0 || next.front() == ':' ||
                      next.starts_with(kTo) || !channel_at(segment, next).empty() ||
                      !name_at(segment, next, kRoles).empty();
    return ends ? role : std::string_view();
  }

  // The author, and what of the segment comes after it.
  std::string_view read_author(const Segment& segment) {
    std::string_view rest = trim_front(segment.text);
    std::string_view role = role_at(segment, rest);
    if (context_.role) {
      out_.fields.role = *context_.role;
      if (role == role_name(*context_.role)) {
        repair(Diagnostic::kRoleNormalized, segment.tokens, role);
        rest.remove_prefix(role.size());
      }
    } else if (!role.empty()) {
      out_.fields.role = *role_named(role);
      rest.remove_prefix(role.size());
      rest = read_name(segment, rest);
    } else if (is_tool_author(rest)) {
      out_.fields.role = Role::kTool;
      const std::string_view name = without_markup(first_word(rest));
      out_.fields.name = name;
      rest.remove_prefix(name.size());
    } else {
      out_.fields.role = context_.fallback;
      if (context_.after_start && all_.size() > 0) {
        repair(Diagnostic::kRoleNormalized, segment.tokens);
      }
    }
    return read_unmarked_channel(segment, rest);
  }

  // After a role: the name, once more the role.
  std::string_view read_name(const Segment& segment, std::string_view rest) {
    if (out_.fields.role == Role::kTool) out_.fields.name = "tool";
    for (std::string_view again; !(again = role_at(segment, rest)).empty();) {
      repair(Diagnostic::kRoleNormalized, segment.tokens, again);
      rest.remove_prefix(again.size());
    }
    if (rest.starts_with(':')) {
      const std::string_view name = without_markup(first_word(rest.substr(1)));
      out_.fields.name = name;
      rest.remove_prefix(1 + name.size());
    }
    return rest;
  }

  // A tool's message begins with the tool's name, and nothing but its recipient may follow.
  bool is_tool_author(std::string_view rest) const {
    if (!context_.after_start || !context_.before_message) return false;
    const std::string_view name = without_markup(first_word(rest));
    if (name.empty() || name.starts_with(kTo)) return false;
    const std::string_view next = trim_front(rest.substr(name.size()));
    return next.empty() || next.starts_with(kTo);
  }

  // A channel's name whose <|channel|> was lost.
  std::string_view read_unmarked_channel(const Segment& segment, std::string_view rest) {
    if (out_.fields.role != Role::kAssistant) return rest;
    if (!context_.before_message && !has_channel_segment_) return rest;
    const std::string_view at = skip_to_channel(segment, rest);
    if (at.empty()) return rest;
    const std::string_view name = channel_at(segment, at);
    if (has_channel_segment_) {
      repair(Diagnostic::kDuplicateChannel, segment.tokens, name);
    } else {
      out_.fields.channel = name;
      out_.channel = RepairedHeader::ChannelState::kKnown;
      normalize(segment);
    }
    return at.substr(name.size());
  }

  // The text from a known channel's name on, if only white space and punctuation come before it.
  static std::string_view skip_to_channel(const Segment& segment, std::string_view rest) {
    while (!rest.empty()) {
      if (!channel_at(segment, rest).empty()) return rest;
      const utf8::Piece piece = utf8::next(rest);
      const bool dash = piece.code_point >= 0x2010 && piece.code_point <= 0x2027;
      if (is_alphanumeric(rest.front()) && !dash && space_size(rest) == 0) return {};
      rest.remove_prefix(piece.size);
    }
    return {};
  }

  std::string_view read_channel(const Segment& segment) {
    const std::string_view at = skip_to_channel(segment, segment.text);
    if (at.empty()) return read_unknown_channel(segment);
    const std::string_view name = channel_at(segment, at);
    if (offset(segment, at) > 0) normalize(segment);
    if (segment.superseded) {
      repair(Diagnostic::kDuplicateChannel, segment.tokens, name);
    } else {
      out_.fields.channel = name;
      out_.channel = RepairedHeader::ChannelState::kKnown;
    }
    const std::string_view rest = at.substr(name.size());
    const std::string_view glued = first_word(rest);
    if (glued.empty() || !context_.before_message) return rest;
    if (std::none_of(glued.begin(), glued.end(), is_alphanumeric)) {
      repair(Diagnostic::kChannelNormalized, segment.tokens, glued);
      return rest.substr(glued.size());
    }
    if (glued.starts_with(kTo) || glued == "json" || glued == "code") normalize(segment);
    return rest;
  }

  std::string_view read_unknown_channel(const Segment& segment) {
    const std::string_view rest = trim_front(segment.text);
    const std::string_view name = without_markup(first_word(rest));
    const bool empty = name.empty() || name.starts_with(kTo);
    if (segment.superseded) {
      repair(Diagnostic::kDuplicateChannel, segment.tokens, empty ? std::string_view() : name);
      return empty ? rest : rest.substr(name.size());
    }
    if (empty) {
      out_.channel = RepairedHeader::ChannelState::kEmpty;
      repair(Diagnostic::kChannelMissing, segment.tokens);
      return rest;
    }
    // Where no <|message|> follows, this is more likely to be the text than a channel.
    if (!context_.before_message && !has_recipient_) return rest;
    out_.fields.channel = name;
    out_.channel = RepairedHeader::ChannelState::kUnknown;
    if (out_.fields.role == Role::kAssistant) {
      repair(Diagnostic::kChannelUnknown, segment.tokens, name);
    }
    return rest.substr(name.size());
  }

  std::string_view read_constrain(const Segment& segment) {
    const std::string_view rest = trim_front(segment.text);
    const std::string_view type = type_prefix(without_markup(first_word(rest)));
    if (rest.size() != segment.text.size() || type.empty()) normalize(segment);
    if (type.empty()) return rest;
    if (constrained_type_.empty()) {
      constrained_type_ = type;
    } else {
      add_dropped(type);
    }
    return rest.substr(type.size());
  }

  void read_words(const Segment& segment, std::string_view rest) {
    bool may_be_type = segment.kind != Segment::Kind::kConstrain;
    while (!(rest = trim_front(rest)).empty()) {
      const std::string_view word = first_word(rest);
      if (word.starts_with(kTo)) {
        rest = read_recipient(segment, rest);
      } else if (context_.before_message) {
        plain_.push_back({&segment, word});
        rest.remove_prefix(word.size());
      } else if (may_be_type && !recipients_.empty() && is_type(word)) {
        plain_.push_back({&segment, word});
        rest.remove_prefix(word.size());
        may_be_type = false;
      } else {
        // The text of the message has begun.
        add_leftover(segment, rest);
        return;
      }
    }
  }

  std::string_view read_recipient(const Segment& segment, std::string_view rest) {
    rest.remove_prefix(kTo.size());
    std::string_view name = without_markup(first_word(rest));
    if (name.empty()) {
      normalize(segment);
      const std::string_view next = trim_front(rest);
      name = without_markup(first_word(next));
      if (name.starts_with(kTo)) return next;
      rest = next;
    }
    if (name.empty()) {
      const std::string_view spelled_markup = first_word(rest);
      if (!spelled_markup.empty()) add_dropped(spelled_markup);
      return rest.substr(spelled_markup.size());
    }
    if (out_.fields.role == Role::kAssistant && name == role_name(Role::kAssistant)) {
      // From the assistant to itself: with an earlier channel it is a known slip.
      to_itself_ = to_itself_ || !segment.superseded;
    } else {
      if (!recipients_.empty()) {
        repair(Diagnostic::kDuplicateRecipient, segment.tokens, recipients_.back());
      }
      recipients_.emplace_back(name);
    }
    return rest.substr(name.size());
  }

  void normalize(const Segment& segment) {
    if (!normalized_) normalized_ = segment.tokens;
  }

  void add_leftover(const Segment& segment, std::string_view text) {
    // What stands behind an earlier channel may be reasoning: never put it on a later one.
    if (segment.superseded) return add_dropped(text);
    if (!out_.leftover.empty()) out_.leftover += '\n';
    out_.leftover += text;
  }

  void add_dropped(std::string_view text) {
    if (!dropped_.empty()) dropped_ += ' ';
    dropped_ += text;
  }

  bool is_declared(std::string_view name) const {
    return std::find(context_.functions.begin(), context_.functions.end(), name) !=
           context_.functions.end();
  }

  void settle_recipient() {
    if (!recipients_.empty()) {
      out_.fields.recipient = recipients_.back();
      if (to_itself_) repair(Diagnostic::kRecipientVoid, all_, role_name(Role::kAssistant));
    } else if (to_itself_) {
      out_.fields.recipient = role_name(Role::kAssistant);
    } else if (context_.before_message && out_.fields.role == Role::kAssistant &&
               plain_.size() <= 2) {
      const auto named = std::find_if(plain_.begin(), plain_.end(), [this](const PlainWord& plain) {
        return is_dotted_name(plain.word) || is_declared(plain.word);
      });
      if (named == plain_.end()) return;
      out_.fields.recipient = named->word;
      repair(Diagnostic::kRecipientNormalized, named->segment->tokens, named->word);
      plain_.erase(named);
    }
    if (out_.fields.role == Role::kAssistant && !context_.functions.empty() &&
        out_.fields.recipient) {
      settle_function(*out_.fields.recipient);
    }
  }

  // Holds the name against the declared ones.
  void settle_function(std::string& recipient) {
    if (recipient == "all" || recipient == "user" || recipient == "assistant" ||
        recipient.starts_with("browser.") || recipient == "browser" || recipient == "python") {
      return;
    }
    const std::string before = recipient;
    std::string_view name = recipient;
    while (name.starts_with(kFunctions) && !is_declared(name)) {
      name.remove_prefix(kFunctions.size());
    }
    std::string_view glued_type;
    for (const std::string_view type : {"json", "code"}) {
      if (is_declared(name) || !name.ends_with(type)) continue;
      const std::string_view shorter = name.substr(0, name.size() - type.size());
      if (!is_declared(shorter)) continue;
      name = shorter;
      glued_type = type;
    }
    if (!is_declared(name)) {
      repair(Diagnostic::kUnknownTool, all_, before);
      return;
    }
    if (!glued_type.empty() && constrained_type_.empty()) out_.fields.content_type = glued_type;
    recipient = std::string(kFunctions).append(name);
    if (recipient != before) repair(Diagnostic::kRecipientNormalized, all_, before);
  }

  void settle_type() {
    if (!constrained_type_.empty()) {
      out_.fields.content_type = std::string("<|constrain|>").append(constrained_type_);
    }
    const bool typed = out_.fields.content_type.has_value();
    const bool lone = plain_.size() == 1 && is_type(plain_.front().word);
    size_t first_extra = 0;
    if (!typed && !plain_.empty() && is_type(plain_.front().word) &&
        (out_.fields.recipient || lone)) {
      out_.fields.content_type = plain_.front().word;
      first_extra = 1;
    }
    if (out_.fields.content_type && !out_.fields.recipient) {
      repair(Diagnostic::kTypeWithoutRecipient, all_);
    }
    for (size_t i = first_extra; i < plain_.size(); ++i) keep_extra(i, i == first_extra);
  }

  // Words that are no field: text of the message, unless they would spoil a call's arguments.
  void keep_extra(size_t i, bool first) {
    const PlainWord& plain = plain_[i];
    if (out_.fields.recipient || plain.segment->superseded) {
      add_dropped(plain.word);
      return;
    }
    // Words of one segment keep the white space between them.
    if (!first && plain_[i - 1].segment == plain.segment) {
      const std::string_view before = plain_[i - 1].word;
      const char* gap = before.data() + before.size();
      out_.leftover.append(gap, static_cast<size_t>(plain.word.data() - gap));
    } else if (!out_.leftover.empty()) {
      out_.leftover += '\n';
    }
    out_.leftover += plain.word;
  }

  const Format& format_;
  const HeaderContext& context_;
  RepairedHeader out_;
  std::vector<Segment> segments_;
  TokenSpan all_;
  bool has_channel_segment_ = false;
  bool has_recipient_ = false;
  std::vector<std::string> recipients_;
  bool to_itself_ = false;
  std::vector<PlainWord> plain_;
  std::string constrained_type_;
  std::string dropped_;
  std::optional<TokenSpan> normalized_;
};

}  // namespace

RepairedHeader parse_resilient_header(const Format& format, std::span<const Token> tokens,
                                      const HeaderContext& context) {
  return HeaderReader(format, context).read(tokens);
}

}  // namespace vitalis::harmony
