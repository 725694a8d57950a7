// SPDX-License-Identifier: Apache-2.0
#include "cpu/threads.h"

#include <algorithm>
#include <thread>

#if defined(__linux__)
#include <charconv>
#include <cstddef>
#include <fstream>
#include <sched.h>
#include <set>
#include <string>
#include <string_view>
#endif

namespace vitalis::cpu {

#if defined(__linux__)
namespace {

// The first line of a small file of the system; empty if there is none.
std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

long number(std::string_view text, long otherwise) {
  long value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() ? value : otherwise;
}

// Each core is known by its list of sibling CPUs; a CPU without one counts as a core.
size_t allowed_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return std::max(1u, std::thread::hardware_concurrency());
  }
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string name = std::to_string(cpu);
    const std::string siblings =
        first_line("/sys/devices/system/cpu/cpu" + name + "/topology/thread_siblings_list");
    cores.insert(siblings.empty() ? name : siblings);
  }
  return std::max<size_t>(1, cores.size());
}

// Whole CPUs of a quota and its period in microseconds; no limit is a very large number.
constexpr size_t kNoLimit = size_t{1} << 20;
size_t quota_cpus(long quota, long period) {
  if (quota <= 0 || period <= 0) return kNoLimit;
  return static_cast<size_t>(std::max(1L, quota / period));
}

size_t quota_of(const std::string& folder) {
  const std::string line = first_line(folder + "/cpu.max");  // "max 100000" or "150000 100000"
  if (const size_t space = line.find(' '); space != std::string::npos) {
    return quota_cpus(number(line, 0), number(std::string_view(line).substr(space + 1), 0));
  }
  return quota_cpus(number(first_line(folder + "/cpu.cfs_quota_us"), 0),
                    number(first_line(folder + "/cpu.cfs_period_us"), 0));
}

// The least quota of this process's control group and those above it, in either hierarchy.
size_t control_group_cpus() {
  size_t least = std::min(quota_of("/sys/fs/cgroup"), quota_of("/sys/fs/cgroup/cpu"));
  std::ifstream groups("/proc/self/cgroup");  // "0::/path" or "4:cpu,cpuacct:/path"
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string_view controllers =
        std::string_view(line).substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && controllers.find("cpu") == std::string_view::npos) continue;
    const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    for (std::string path = line.substr(second + 1); path.size() > 1;
         path.erase(path.find_last_of('/'))) {
      least = std::min(least, quota_of(root + path));
      if (path.find('/') == std::string::npos) break;
    }
  }
  return least;
}

}  // namespace

int default_threads() {
  return static_cast<int>(std::min(allowed_cores(), control_group_cpus()));
}

#else

int default_threads() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

#endif

}  // namespace vitalis::cpu
