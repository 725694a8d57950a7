// SPDX-License-Identifier: Apache-2.0
// Counts what the program takes from the heap. Linking count_allocations.cc replaces operator new.
#pragma once

#include <cstddef>

// Calls of operator new so far, on all threads.
size_t allocation_count();
