// SPDX-License-Identifier: Apache-2.0
// Names: repositories, revisions and the paths in them, as the hub spells them, and which of these
// may ever become part of a path on this machine.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace vitalis::hub {

struct RepoRef {
  std::string id;                 // "openai/gpt-oss-20b"
  std::string revision = "main";  // a branch, a tag, "refs/pr/1" or a commit
  std::string path;               // of a file or a folder inside; mostly empty
};

// "ORG/NAME", "ORG/NAME@REVISION", "hf://[models/]ORG/NAME[@REVISION][/PATH]", and an alias of a
// known model with or without "@REVISION". kInvalidArgument says which rule is broken; datasets and
// spaces are kUnsupported.
Result<RepoRef> parse_repo(std::string_view text);

// Whether parse_repo would take `text` for a name of the hub's rather than for a path: it has the
// form "hf://…", or is an alias, or has the form ORG/NAME. It is for the caller to look first
// whether such a path exists.
bool looks_like_repo(std::string_view text);

// "gpt-oss-20b" -> "openai/gpt-oss-20b".
std::optional<std::string_view> repo_of_alias(std::string_view alias);

// At most 96 characters, [A-Za-z0-9._-] with at most one slash between, no part that is empty or
// begins or ends with '-' or '.', no "--" and no "..".
Status check_repo_id(std::string_view id);
// No empty part, no space, control character, backslash, "..", leading '-' or more than 255 bytes.
Status check_revision(std::string_view revision);
// A path as a hub may list it and as it may be made below a folder here: relative, of parts between
// single slashes, none of them ".", ".." or longer than 255 bytes; no backslash, colon, control
// character or ill-formed UTF-8; none that Windows reserves. At most 1024 bytes. Nothing below
// ".cache/" and ".git/", which are ours and git's.
Status check_repo_path(std::string_view path);

bool is_commit(std::string_view revision);  // 40 lower-case hexadecimal digits
bool is_sha256(std::string_view digest);    // 64 of them

}  // namespace vitalis::hub
