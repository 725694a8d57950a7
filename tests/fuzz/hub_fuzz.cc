// SPDX-License-Identifier: Apache-2.0
// Any bytes as whatever the hub's layer reads from outside: the first byte says as what. What is
// accepted must keep its promises: paths that stay below their folder, digests of the right form,
// sizes that can be added up, and a text that reads back as itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hub/layout.h"
#include "hub/manifest.h"
#include "hub/piece_journal.h"
#include "hub/protocol.h"
#include "hub/repo.h"
#include "hub/token_store.h"

namespace {

using namespace vitalis;       // NOLINT(google-build-using-namespace)
using namespace vitalis::hub;  // NOLINT(google-build-using-namespace)

void check(bool good) {
  if (!good) __builtin_trap();
}

bool stays_below(std::string_view path) {
  return !path.empty() && path[0] != '/' && path.find('\\') == path.npos &&
         path.find('\0') == path.npos && path != ".." && !path.starts_with("../") &&
         !path.ends_with("/..") && path.find("/../") == path.npos;
}

void check_files(const std::vector<File>& files) {
  uint64_t total = 0;
  for (const File& file : files) {
    check(stays_below(file.path));
    check(is_sha256(file.etag()) || is_commit(file.etag()));
    check(file.size <= uint64_t{1} << 50);
    total += file.size;
  }
  check(files.empty() || total <= files.size() << 50);
}

void listings(std::string_view text) {
  Listing listing{.repo = "a/b", .revision = "main", .commit = std::string(40, 'a')};
  if (parse_tree_page(text, "fuzz", listing.files).ok()) {
    check_files(listing.files);
    if (finish_listing(listing).ok()) {
      const auto again = listing_from_json(listing_to_json(listing), "fuzz");
      check(again.ok() && again->files == listing.files);
      const auto chosen = select_files(listing, {});
      check(!chosen.ok() || !chosen->empty());
    }
  }
  if (const auto kept = listing_from_json(text, "fuzz"); kept.ok()) check_files(kept->files);
  if (const auto info = parse_repo_info(text, "fuzz"); info.ok()) {
    check(is_commit(info->commit) && check_repo_id(info->repo).ok());
  }
}

void records(std::string_view text) {
  if (const auto state = parse_repo_state(text, "fuzz"); state.ok()) {
    const auto again = parse_repo_state(repo_state_to_json(*state), "fuzz");
    check(again.ok() && again->history.size() == state->history.size());
  }
  if (const auto manifest = parse_manifest(text, "fuzz"); manifest.ok()) {
    for (const ManifestFile& file : manifest->files) {
      check(stays_below(file.path) && is_sha256(file.sha256));
    }
    const auto again = parse_manifest(manifest_to_json(*manifest), "fuzz");
    check(again.ok() && again->files.size() == manifest->files.size());
  }
}

void tokens(std::string_view text) {
  const auto stored = parse_stored_tokens(text, "fuzz");
  if (stored.ok()) {
    for (const StoredToken& token : *stored) {
      check(token.token.reveal().find_first_of(" \r\n\t") == std::string::npos);
    }
  }
  if (const auto token = Token::parse(text); token.ok()) check(token->masked().size() < 20);
}

void journals(std::string_view text) {
  const File file{.path = "x", .size = 100 * kPieceBytes + 7, .sha256 = std::string(64, 'a')};
  const std::string whole =
      piece_journal_text(file, std::vector<bool>(piece_count(file.size))).append(text);
  const auto landed = parse_piece_journal(whole, file);
  check(landed.size() == 101);
  check(parse_piece_journal(piece_journal_text(file, landed), file) == landed);
  (void)parse_piece_journal(text, file);
}

void heads(std::string_view text) {
  ResponseHead head;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    head.add_line(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (const auto range = parse_content_range(head.field("content-range"))) {
    check(range->first <= range->last && (!range->total || *range->total > range->last));
  }
  if (const auto delay = told_delay(head, 0)) check(*delay >= 0 && *delay <= 24 * 3600);
  (void)next_link(text);
  (void)unquoted_etag(text);
  const auto base = parse_url("https://hub.example/a");
  const Verdict verdict = judge(head, {.what = "x", .url = *base}, 0);
  check(verdict.kind == Verdict::Kind::kGood || verdict.kind == Verdict::Kind::kRedirect ||
        !verdict.status.message().empty());
  if (const auto next = follow(*base, head.field("location")); next.ok()) {
    check(next->scheme == "https" && !next->host.empty());
  }
}

void names(std::string_view text) {
  if (check_repo_path(text).ok()) check(stays_below(text));
  if (const auto ref = parse_repo(text); ref.ok()) {
    check(check_repo_id(ref->id).ok() && check_revision(ref->revision).ok());
    check(ref->path.empty() || stays_below(ref->path));
    check(repo_of_cache_folder(cache_folder_name(ref->id)) == ref->id);
  }
  const size_t half = text.size() / 2;
  (void)glob_matches(text.substr(0, half), text.substr(half));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      listings(text);
      break;
    case 1:
      records(text);
      break;
    case 2:
      tokens(text);
      break;
    case 3:
      journals(text);
      break;
    case 4:
      heads(text);
      break;
    default:
      names(text);
  }
  return 0;
}
