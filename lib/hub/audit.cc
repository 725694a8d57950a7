// SPDX-License-Identifier: Apache-2.0
#include "hub/audit.h"

#include <ctime>
#include <fcntl.h>

#include "hub/disk.h"
#include "hub/json_text.h"

namespace vitalis::hub {

std::string audit_line(const AuditEntry& entry) {
  char when[32] = "";
  const auto seconds = static_cast<time_t>(entry.time != 0 ? entry.time : std::time(nullptr));
  tm utc = {};
  if (gmtime_r(&seconds, &utc)) std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
  std::vector<std::string> files;
  for (const File& file : entry.files) {
    files.push_back(JsonObject()
                        .add("path", file.path)
                        .add("size", file.size)
                        .add(file.sha256.empty() ? "git_sha1" : "sha256", file.etag())
                        .take());
  }
  JsonObject line;
  line.add("time", when).add("action", entry.action).add("repo", entry.repo);
  if (!entry.revision.empty()) line.add("revision", entry.revision);
  if (!entry.from.empty()) line.add("from", entry.from);
  if (!entry.to.empty()) line.add("to", entry.to);
  if (!files.empty()) line.raw("files", json_array(files));
  return line.add("result", entry.result.empty() ? "ok" : entry.result).take() + '\n';
}

Status append_audit(const std::string& path, const AuditEntry& entry) {
  VITALIS_TRY(make_folders(folder_of(path)));
  VITALIS_ASSIGN(const OpenFile file, open_to_write(path, false));
  VITALIS_TRY(Disk::real().append(file, audit_line(entry)));
  return Disk::real().sync(file);
}

}  // namespace vitalis::hub
