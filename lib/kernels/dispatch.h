// SPDX-License-Identifier: Apache-2.0
// Which table a machine runs. Chosen once per engine.
#pragma once

#include <span>
#include <string_view>

#include "base/status.h"
#include "kernels/table.h"

namespace vitalis::kernels {

// The tables that this CPU and its operating system can run, slowest first; portable is always one.
// Where there is AMX, the process asks the system for it (cpu::request_tiles); choosing another
// tier by its name does not.
std::span<const Table* const> available();

// The fastest if `name` is empty, else the one so called. kUnsupported names what there is: an
// unknown tier, or one that this CPU lacks or the system refuses, is never replaced quietly.
Result<const Table*> choose(std::string_view name);

}  // namespace vitalis::kernels
