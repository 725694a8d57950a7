// SPDX-License-Identifier: Apache-2.0
// The tables that tests hold to one another.
#pragma once

#include <vector>

#include "kernels/dispatch.h"
#if defined(__x86_64__)
#include "cpu/features.h"
#include "kernels/amx_emulated.h"
#endif

namespace vitalis::kernels {

// Those of this machine, and the amx tier on emulated tiles.
inline std::vector<const Table*> tested_tables() {
  const auto tables = available();
  std::vector<const Table*> tested(tables.begin(), tables.end());
#if defined(__x86_64__)
  if (cpu::detect().avx512) tested.push_back(&amx_emulated::table);
#endif
  return tested;
}

}  // namespace vitalis::kernels
