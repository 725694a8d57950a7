// SPDX-License-Identifier: Apache-2.0
#include "cpu/memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

namespace vitalis::cpu {
namespace {

constexpr uint64_t kNone = UINT64_MAX;

uint64_t number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  uint64_t value = kNone;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() ? value : kNone;  // "max" is no number
}

uint64_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) ? number(line) : kNone;
}

// The number after `key` at the beginning of a line.
uint64_t field(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return number(std::string_view(line).substr(key.size()));
  }
  return kNone;
}

struct Group {
  uint64_t limit = kNone;
  uint64_t left = kNone;
};

// Cached files count as used by a group, but make room.
Group group_in(const std::string& folder) {
  Group group;
  uint64_t used = kNone, files = kNone;
  group.limit = number_in(folder + "/memory.max");
  if (group.limit != kNone) {
    used = number_in(folder + "/memory.current");
    files = field(folder + "/memory.stat", "file ");
  } else {
    group.limit = number_in(folder + "/memory.limit_in_bytes");
    if (group.limit >= uint64_t{1} << 62) group.limit = kNone;  // what "unlimited" reads as
    used = number_in(folder + "/memory.usage_in_bytes");
    files = field(folder + "/memory.stat", "total_cache ");
  }
  if (group.limit == kNone || used == kNone) return group;
  used -= files == kNone ? 0 : std::min(files, used);
  group.left = group.limit - std::min(used, group.limit);
  return group;
}

}  // namespace

Memory memory(const std::string& root) {
  Memory out;
  const auto known = [](uint64_t value, uint64_t unit) {
    return value == kNone ? 0 : value * unit;
  };
  out.total = known(field(root + "/proc/meminfo", "MemTotal:"), 1024);
  out.available = known(field(root + "/proc/meminfo", "MemAvailable:"), 1024);
  Group least;
  const auto look = [&](const std::string& folder) {
    const Group group = group_in(root + folder);
    least.limit = std::min(least.limit, group.limit);
    least.left = std::min(least.left, group.left);
  };
  look("/sys/fs/cgroup");
  look("/sys/fs/cgroup/memory");
  std::ifstream groups(root + "/proc/self/cgroup");  // "0::/path" or "9:memory:/path"
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    const std::string hierarchy = controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    for (std::string path = line.substr(second + 1); path.size() > 1;
         path.erase(path.find_last_of('/'))) {
      look(hierarchy + path);
      if (path.find('/') == std::string::npos) break;
    }
  }
  out.limit = least.limit == kNone ? 0 : least.limit;
  if (least.left != kNone) {
    out.available = out.available == 0 ? least.left : std::min(out.available, least.left);
  }
  return out;
}

}  // namespace vitalis::cpu
