// SPDX-License-Identifier: Apache-2.0
#include "hub/repo.h"

#include <algorithm>
#include <array>

#include "base/problems.h"
#include "base/utf8.h"

namespace vitalis::hub {
namespace {

constexpr size_t kLongestId = 96;
constexpr size_t kLongestRevision = 255;
constexpr size_t kLongestPath = 1024;
constexpr size_t kLongestPart = 255;

struct Alias {
  std::string_view name;
  std::string_view repo;
};
constexpr std::array kAliases = {
    Alias{"gpt-oss-20b", "openai/gpt-oss-20b"},
    Alias{"gpt-oss-120b", "openai/gpt-oss-120b"},
    Alias{"gpt-oss-safeguard-20b", "openai/gpt-oss-safeguard-20b"},
    Alias{"gpt-oss-safeguard-120b", "openai/gpt-oss-safeguard-120b"},
};

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_hex(std::string_view text, size_t size) {
  return text.size() == size && text.find_first_not_of("0123456789abcdef") == text.npos;
}

template <class... Pieces>
Status bad(std::string_view kind, std::string_view text, const Pieces&... pieces) {
  return error(Code::kInvalidArgument, kind, ' ', in_quotes(text), ' ', pieces...);
}

// Names that Windows gives to devices, whatever the extension.
bool is_device(std::string_view part) {
  std::string stem(part.substr(0, part.find('.')));
  for (char& c : stem) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  if (stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL") return true;
  return stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) &&
         stem[3] >= '1' && stem[3] <= '9';
}

Status check_id_part(std::string_view id, std::string_view part) {
  if (part.empty()) return bad("the repository id", id, "has an empty part");
  for (const char end : {part.front(), part.back()}) {
    if (end == '-' || end == '.') {
      return bad("the repository id", id, "has a part that begins or ends with '", end, "'");
    }
  }
  return {};
}

Status check_path_part(std::string_view path, std::string_view part) {
  constexpr std::string_view kKind = "the path";
  if (part.empty()) return bad(kKind, path, "has an empty part");
  if (part == "." || part == "..") return bad(kKind, path, "has the part \"", part, '"');
  if (part.size() > kLongestPart) return bad(kKind, path, "has a part beyond 255 bytes");
  if (part.ends_with('.') || part.ends_with(' ')) {
    return bad(kKind, path, "has a part that ends in a dot or a space");
  }
  if (is_device(part)) return bad(kKind, path, "has a part that names a device on Windows");
  return {};
}

}  // namespace

std::optional<std::string_view> repo_of_alias(std::string_view alias) {
  for (const Alias& known : kAliases) {
    if (known.name == alias) return known.repo;
  }
  return std::nullopt;
}

bool is_commit(std::string_view revision) {
  return is_hex(revision, 40);
}

bool is_sha256(std::string_view digest) {
  return is_hex(digest, 64);
}

Status check_repo_id(std::string_view id) {
  constexpr std::string_view kKind = "the repository id";
  if (id.empty()) return error(Code::kInvalidArgument, "the repository id is empty");
  if (id.size() > kLongestId) return bad(kKind, id, "has ", id.size(), " characters; at most 96");
  for (const char c : id) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-' || c == '/';
    if (!good) return bad(kKind, id, "holds a character other than A-Z a-z 0-9 . _ - /");
  }
  if (std::count(id.begin(), id.end(), '/') > 1) return bad(kKind, id, "has more than one '/'");
  if (id.find("--") != id.npos || id.find("..") != id.npos) {
    return bad(kKind, id, "holds \"--\" or \"..\"");
  }
  const size_t slash = id.find('/');
  if (slash != id.npos) VITALIS_TRY(check_id_part(id, id.substr(0, slash)));
  return check_id_part(id, slash == id.npos ? id : id.substr(slash + 1));
}

Status check_revision(std::string_view revision) {
  constexpr std::string_view kKind = "the revision";
  if (revision.empty()) return error(Code::kInvalidArgument, "the revision is empty");
  if (revision.size() > kLongestRevision) return bad(kKind, revision, "is beyond 255 bytes");
  if (revision.front() == '-') return bad(kKind, revision, "begins with '-'");
  for (const char c : revision) {
    if (is_control(c) || std::string_view(" \\:?*[~^").find(c) != std::string_view::npos) {
      return bad(kKind, revision, "holds a character that no branch, tag or commit has");
    }
  }
  // It becomes a path below refs/.
  return check_repo_path(revision);
}

Status check_repo_path(std::string_view path) {
  constexpr std::string_view kKind = "the path";
  if (path.empty()) return error(Code::kInvalidArgument, "the path is empty");
  if (path.size() > kLongestPath) return bad(kKind, path, "is beyond 1024 bytes");
  if (!utf8::is_valid(path)) return bad(kKind, path, "is not UTF-8");
  if (path.front() == '/') return bad(kKind, path, "is absolute");
  for (const char c : path) {
    if (is_control(c)) return bad(kKind, path, "holds a control character");
    if (c == '\\' || c == ':') return bad(kKind, path, "holds '", c, "'");
  }
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    VITALIS_TRY(check_path_part(path, path.substr(begin, end - begin)));
    begin = end + 1;
  }
  const std::string_view top = path.substr(0, path.find('/'));
  if (top == ".cache" || top == ".git") {
    return bad(kKind, path, "lies where records are kept");
  }
  return {};
}

bool looks_like_repo(std::string_view text) {
  if (text.starts_with("hf://")) return true;
  const std::string_view name = text.substr(0, text.find('@'));
  if (repo_of_alias(name)) return true;
  return name.find('/') != name.npos && check_repo_id(name).ok();
}

Result<RepoRef> parse_repo(std::string_view text) {
  const std::string_view whole = text;
  RepoRef ref;
  const bool is_uri = text.starts_with("hf://");
  if (is_uri) text.remove_prefix(5);
  for (const std::string_view kind : {"datasets/", "spaces/", "buckets/"}) {
    if (is_uri && text.starts_with(kind)) {
      return error(Code::kUnsupported, in_quotes(whole), " is not a model: only models are for it");
    }
  }
  if (is_uri && text.starts_with("models/")) text.remove_prefix(7);

  const size_t at = text.find('@');
  std::string_view id = text.substr(0, at);
  std::string_view rest = at == text.npos ? std::string_view() : text.substr(at + 1);
  if (at != text.npos) {
    // In an address, what follows the revision's own name is the path; a commit or a branch has no
    // slash there, but refs/… and refs%2F… do.
    size_t slash = is_uri ? rest.find('/') : rest.npos;
    if (is_uri && rest.starts_with("refs/")) {
      slash = rest.find('/', 5);
      if (slash != rest.npos) slash = rest.find('/', slash + 1);
    }
    ref.revision = rest.substr(0, slash);
    if (slash != rest.npos) ref.path = rest.substr(slash + 1);
    for (size_t i; (i = ref.revision.find("%2F")) != std::string::npos;) {
      ref.revision[i] = '/';
      ref.revision.erase(i + 1, 2);
    }
  } else if (is_uri) {
    const size_t name = id.find('/');
    const size_t path = name == id.npos ? id.npos : id.find('/', name + 1);
    if (path != id.npos) {
      ref.path = id.substr(path + 1);
      id = id.substr(0, path);
    }
  }
  ref.id = repo_of_alias(id).value_or(id);
  VITALIS_TRY(check_repo_id(ref.id));
  if (ref.id.find('/') == std::string::npos) {
    return error(Code::kInvalidArgument, in_quotes(whole), " names no model: expected ORG/NAME, ",
                 "for example openai/gpt-oss-20b");
  }
  VITALIS_TRY(check_revision(ref.revision));
  if (ref.path.ends_with('/')) ref.path.pop_back();
  if (!ref.path.empty()) VITALIS_TRY(check_repo_path(ref.path));
  return ref;
}

}  // namespace vitalis::hub
