// SPDX-License-Identifier: Apache-2.0
// The record of what was done to the models here: JSON lines, only ever appended, one file beside
// each repository's state (vitalis/audit.jsonl; in a local folder .cache/vitalis/audit.jsonl).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/listing.h"

namespace vitalis::hub {

struct AuditEntry {
  int64_t time = 0;    // Unix time; 0: now
  std::string action;  // "download", "update", "activate", "rollback", "remove", "pin"
  std::string repo;
  std::string revision;
  std::string from;  // commits
  std::string to;
  std::vector<File> files;
  std::string result;  // "ok", or the sentence of the failure
};
std::string audit_line(const AuditEntry& entry);  // ends in '\n'
Status append_audit(const std::string& path, const AuditEntry& entry);

}  // namespace vitalis::hub
