// SPDX-License-Identifier: Apache-2.0
// The header as openai/harmony reads it: one text, cut by a few rules whose oddities are kept.
#include "base/utf8.h"
#include "harmony/header.h"
#include "harmony/words.h"

namespace vitalis::harmony {
namespace {

constexpr std::string_view kChannel = "<|channel|>";
constexpr std::string_view kConstrain = "<|constrain|>";
constexpr std::string_view kTo = "to=";

bool decode(const Format& format, std::span<const Token> tokens, std::string& out) {
  for (const Token t : tokens) {
    if (!format.append_bytes(t, out)) return false;
  }
  return utf8::is_valid(out);
}

// Cuts the first channel marker and its value out of the text.
bool take_channel(std::string& text, std::optional<std::string>& channel) {
  const size_t at = text.find(kChannel);
  if (at == std::string::npos) return true;
  std::string_view value = first_word(std::string_view(text).substr(at + kChannel.size()));
  value = value.substr(0, value.find('<'));
  if (value.empty()) return false;
  channel = value;
  text.erase(at, kChannel.size() + value.size());
  return true;
}

std::vector<std::string> split_words(std::string_view text) {
  text = trim(text);
  std::string spaced;
  for (size_t at; (at = text.find(kConstrain)) != std::string_view::npos;) {
    spaced.append(text.substr(0, at)).append(" ").append(kConstrain);
    text.remove_prefix(at + kConstrain.size());
  }
  spaced += text;
  std::vector<std::string> words;
  bool in_word = false;
  for (const char c : trim(spaced)) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
    if (!space && !in_word) words.emplace_back();
    if (!space) words.back() += c;
    in_word = !space;
  }
  return words;
}

std::string without_to(std::string_view word) {
  return std::string(word.starts_with(kTo) ? word.substr(kTo.size()) : word);
}

// The author: the first word, unless the prompt named it.
ParseError take_role(std::vector<std::string>& words, std::optional<Role> role, Header& out) {
  if (role) {
    out.role = *role;
    if (!words.empty() && words.front() == role_name(*role)) words.erase(words.begin());
    return ParseError::kNone;
  }
  if (words.empty()) return ParseError::kHeaderNoRole;
  const std::string first = words.front();
  if (const auto known = role_named(first)) {
    out.role = *known;
  } else if (words.size() > 1 || first.starts_with(kTo)) {
    out.role = Role::kTool;
  } else {
    return ParseError::kHeaderUnknownRole;
  }
  if (out.role == Role::kTool) out.name = first;
  words.erase(words.begin());
  return ParseError::kNone;
}

}  // namespace

ParseError parse_compatible_header(const Format& format, std::span<const Token> tokens,
                                   std::optional<Role> role, Header& out) {
  out = Header();
  std::string text;
  if (!decode(format, tokens, text)) return ParseError::kHeaderDecode;
  if (!take_channel(text, out.channel)) return ParseError::kHeaderNoChannelValue;
  std::vector<std::string> words = split_words(text);
  if (const ParseError e = take_role(words, role, out); e != ParseError::kNone) return e;
  if (words.empty()) return ParseError::kNone;
  if (words.size() == 1) {
    out.recipient = without_to(words.back());
    return ParseError::kNone;
  }
  if (words.back().starts_with(kTo)) {
    out.recipient = without_to(words.back());
    words.pop_back();
  } else {
    out.content_type = words.back();
    words.pop_back();
    out.recipient = without_to(words.back());
    words.pop_back();
  }
  return words.empty() ? ParseError::kNone : ParseError::kHeaderExtra;
}

ParseError parse_lenient_text(const Format& format, std::span<const Token> tokens,
                              std::optional<std::string>& channel, std::string& out) {
  std::string text;
  if (!decode(format, tokens, text)) return ParseError::kHeaderDecode;
  if (!take_channel(text, channel)) return ParseError::kHeaderNoChannelValue;
  for (const std::string& word : split_words(text)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return ParseError::kNone;
}

}  // namespace vitalis::harmony
