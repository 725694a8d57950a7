// SPDX-License-Identifier: Apache-2.0
// How many threads of arithmetic this process should run by default.
#pragma once

namespace vitalis::cpu {

// The physical cores among the CPUs this thread may run on (sibling hyperthreads share the units
// and the caches that products need), but no more than the control group's quota of CPU time, and
// at least 1. What the system does not tell limits nothing.
int default_threads();

}  // namespace vitalis::cpu
