// SPDX-License-Identifier: Apache-2.0
// How much memory there is for this process.
#pragma once

#include <cstdint>
#include <string>

namespace vitalis::cpu {

struct Memory {
  uint64_t total = 0;      // of the machine; 0: not known
  uint64_t limit = 0;      // of the control groups that the process is in; 0: none
  uint64_t available = 0;  // now, without pushing anybody's memory out but cached files
};

// Linux: /proc and both hierarchies of control groups, under `root` ("" but in tests). What is not
// told is 0.
Memory memory(const std::string& root = {});

}  // namespace vitalis::cpu
