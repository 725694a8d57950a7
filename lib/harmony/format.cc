// SPDX-License-Identifier: Apache-2.0
#include "harmony/format.h"

#include <array>

#include "base/utf8.h"

namespace vitalis::harmony {

Result<Format> Format::create(const Tokenizer& tokenizer, Token named_end) {
  Format out(tokenizer);
  out.named_end_ = named_end;
  const std::array<std::pair<std::string_view, Token*>, 7> wanted = {{
      {"<|start|>", &out.start},
      {"<|end|>", &out.end},
      {"<|message|>", &out.message},
      {"<|channel|>", &out.channel},
      {"<|constrain|>", &out.constrain},
      {"<|return|>", &out.return_token},
      {"<|call|>", &out.call},
  }};
  std::string missing;
  for (const auto& [name, id] : wanted) {
    if (const auto found = tokenizer.special(name)) {
      *id = *found;
    } else {
      missing.append(missing.empty() ? "" : ", ").append(name);
    }
  }
  if (!missing.empty()) {
    return error(Code::kNotFound, "the tokenizer has no token named ", missing,
                 ", which the harmony format needs");
  }
  return out;
}

bool Format::is_control(Token t) const {
  return t >= tokenizer_->size() ? t < named_end_ : tokenizer_->is_special(t);
}

bool Format::exists(Token t) const {
  return t >= tokenizer_->size() ? t < named_end_ : !tokenizer_->bytes(t).empty();
}

bool Format::append_bytes(Token t, std::string& out) const {
  const std::string_view bytes = tokenizer_->bytes(t);
  if (!bytes.empty()) {
    out += bytes;
    return true;
  }
  if (t < tokenizer_->size() || t >= named_end_) return false;
  out.append("<|reserved_").append(std::to_string(t)).append("|>");
  return true;
}

void Format::encode_rendered(std::string_view text, std::vector<Token>& out) const {
  size_t plain = 0;
  for (size_t at = text.find("<|"); at != std::string_view::npos; at = text.find("<|", at + 1)) {
    const size_t close = text.find("|>", at + 2);
    if (close == std::string_view::npos) break;
    const auto id = tokenizer_->special(text.substr(at, close + 2 - at));
    if (!id) continue;
    tokenizer_->encode(text.substr(plain, at - plain), out);
    out.push_back(*id);
    plain = close + 2;
    at = close + 1;
  }
  tokenizer_->encode(text.substr(plain), out);
}

std::string Format::decode(const std::vector<Token>& tokens) const {
  std::string bytes;
  for (const Token t : tokens) {
    if (!append_bytes(t, bytes)) bytes += utf8::kReplacement;
  }
  return utf8::replace_ill_formed(bytes);
}

}  // namespace vitalis::harmony
