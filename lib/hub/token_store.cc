// SPDX-License-Identifier: Apache-2.0
#include "hub/token_store.h"

#include <algorithm>
#include <charconv>
#include <sys/stat.h>

#include "base/mapped_file.h"
#include "base/problems.h"
#include "hub/disk.h"
#include "hub/file_lock.h"

namespace vitalis::hub {
namespace {

constexpr size_t kLargestFile = 1 << 20;
constexpr size_t kLongestName = 128;
constexpr uint32_t kPrivate = 0600;
constexpr double kLockSeconds = 10;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

Status check_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= kLongestName && trimmed(name) == name;
  for (const char c : name) {
    good &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            std::string_view(" ._-@").find(c) != std::string_view::npos;
  }
  if (good) return {};
  return error(Code::kInvalidArgument, "the token's name ", in_quotes(name),
               " can't be kept; expected 1 to 128 letters, digits or \" ._-@\"");
}

// Empty if it is not there.
Result<std::string> read_if_there(const std::string& path) {
  auto content = read_file(path, kLargestFile);
  if (!content.ok() && content.status().code() == Code::kNotFound) return std::string();
  return content;
}

std::string names_of(const std::vector<StoredToken>& tokens) {
  std::string out;
  for (const StoredToken& token : tokens) {
    if (token.name.empty()) continue;
    if (!out.empty()) out += ", ";
    out += token.name;
  }
  return out.empty() ? "none" : out;
}

}  // namespace

Result<std::vector<StoredToken>> parse_stored_tokens(std::string_view content,
                                                     std::string_view what) {
  struct Section {
    std::string name, token, refresh;
    int64_t expires_at = 0;
  };
  std::vector<Section> sections;
  size_t number = 0;
  while (!content.empty()) {
    const size_t end = content.find('\n');
    const std::string_view line = trimmed(content.substr(0, end));
    content = end == content.npos ? std::string_view() : content.substr(end + 1);
    ++number;
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      if (line.back() != ']') {
        return error(Code::kMalformed, what, ": line ", number, ": a section without its ']'");
      }
      sections.push_back({.name = std::string(trimmed(line.substr(1, line.size() - 2)))});
      continue;
    }
    const size_t sign = line.find_first_of("=:");
    if (sign == line.npos || sections.empty()) {
      // The line itself may be a secret.
      return error(Code::kMalformed, what, ": line ", number, ": expected ",
                   sections.empty() ? "a section [NAME]" : "KEY = VALUE");
    }
    const std::string_view key = trimmed(line.substr(0, sign));
    const std::string_view value = trimmed(line.substr(sign + 1));
    Section& section = sections.back();
    if (key == "hf_token") section.token = value;
    if (key == "refresh_token") section.refresh = value;
    if (key == "expires_at") {
      std::from_chars(value.data(), value.data() + value.size(), section.expires_at);
    }
  }
  std::vector<StoredToken> out;
  for (Section& section : sections) {
    auto token = Token::parse(section.token);
    if (!token.ok()) {
      return error(Code::kMalformed, what, ": section ", in_quotes(section.name), ": ",
                   token.status().message());
    }
    const auto same = [&](const StoredToken& other) { return other.name == section.name; };
    if (const auto at = std::find_if(out.begin(), out.end(), same); at != out.end()) out.erase(at);
    out.push_back({.name = std::move(section.name),
                   .token = token.take(),
                   .refresh = std::move(section.refresh),
                   .expires_at = section.expires_at});
  }
  return out;
}

std::string stored_tokens_text(const std::vector<StoredToken>& tokens) {
  Text out;
  for (const StoredToken& token : tokens) {
    if (token.name.empty()) continue;
    out << '[' << token.name << "]\nhf_token = " << token.token.reveal() << '\n';
    if (!token.refresh.empty()) out << "refresh_token = " << token.refresh << '\n';
    if (token.expires_at != 0) out << "expires_at = " << token.expires_at << '\n';
    out << '\n';
  }
  return out.take();
}

std::string TokenStore::stored_path() const {
  return folder_of(token_path_) + "/stored_tokens";
}

Result<std::optional<Token>> TokenStore::active() const {
  VITALIS_ASSIGN(const std::string content, read_if_there(token_path_));
  if (trimmed(content).empty()) return std::optional<Token>();
  auto token = Token::parse(content);
  if (!token.ok()) {
    return error(Code::kMalformed, token_path_, ": ", token.status().message());
  }
  return std::optional<Token>(token.take());
}

Result<std::vector<StoredToken>> TokenStore::list() const {
  VITALIS_ASSIGN(const std::string content, read_if_there(stored_path()));
  VITALIS_ASSIGN(auto tokens, parse_stored_tokens(content, stored_path()));
  VITALIS_ASSIGN(const auto now, active());
  if (!now) return tokens;
  bool is_known = false;
  for (StoredToken& token : tokens) {
    token.active = !is_known && token.token == *now;
    is_known |= token.active;
  }
  if (!is_known) tokens.push_back({.name = "", .token = *now, .active = true});
  return tokens;
}

namespace {

// Holds the lock of the token files while it lives.
Result<FileLock> lock_tokens(const std::string& token_path) {
  const std::string folder = folder_of(token_path);
  if (!examine(folder)) VITALIS_TRY(make_folders(folder, 0700));
  return FileLock::take(folder + "/.vitalis-tokens.lock", kLockSeconds);
}

}  // namespace

Status TokenStore::save(const std::string& name, const Token& token, const std::string& refresh,
                        int64_t expires_at) {
  VITALIS_TRY(check_name(name));
  if (refresh.find_first_of("\r\n") != refresh.npos) {
    return error(Code::kInvalidArgument, "the refresh token holds a line break");
  }
  VITALIS_ASSIGN(const FileLock lock, lock_tokens(token_path_));
  VITALIS_ASSIGN(auto tokens, list());
  std::erase_if(tokens, [&](const StoredToken& other) { return other.name == name; });
  tokens.push_back(
      {.name = name, .token = token, .refresh = refresh, .expires_at = expires_at, .active = true});
  VITALIS_TRY(write_atomically(Disk::real(), stored_path(), stored_tokens_text(tokens), kPrivate));
  return write_atomically(Disk::real(), token_path_, token.reveal(), kPrivate);
}

Status TokenStore::use(const std::string& name) {
  VITALIS_ASSIGN(const FileLock lock, lock_tokens(token_path_));
  VITALIS_ASSIGN(const auto tokens, list());
  for (const StoredToken& token : tokens) {
    if (token.name != name || name.empty()) continue;
    return write_atomically(Disk::real(), token_path_, token.token.reveal(), kPrivate);
  }
  return error(Code::kNotFound, stored_path(), ": no token named ", in_quotes(name), "; there are ",
               names_of(tokens));
}

Status TokenStore::remove(const std::string& name) {
  VITALIS_ASSIGN(const FileLock lock, lock_tokens(token_path_));
  VITALIS_ASSIGN(auto tokens, list());
  const auto at = std::find_if(tokens.begin(), tokens.end(),
                               [&](const StoredToken& token) { return token.name == name; });
  if (at == tokens.end()) {
    return error(Code::kNotFound, stored_path(), ": no token named ", in_quotes(name),
                 "; there are ", names_of(tokens));
  }
  const bool was_active = at->active;
  tokens.erase(at);
  VITALIS_TRY(write_atomically(Disk::real(), stored_path(), stored_tokens_text(tokens), kPrivate));
  return was_active ? remove_file(token_path_) : Status();
}

Status TokenStore::clear() {
  VITALIS_ASSIGN(const FileLock lock, lock_tokens(token_path_));
  VITALIS_TRY(remove_file(token_path_));
  return remove_file(stored_path());
}

}  // namespace vitalis::hub
