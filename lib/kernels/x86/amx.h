// SPDX-License-Identifier: Apache-2.0
// The table for CPUs with AMX tiles for bf16, whose use the process has been granted
// (cpu::request_tiles). Only kernels/dispatch.cc names it.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::amx {

extern const Table table;

}  // namespace vitalis::kernels::amx
