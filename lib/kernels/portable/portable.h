// SPDX-License-Identifier: Apache-2.0
// The table that gives every entry its meaning, in plain loops: the oracle of the tiers and the
// fallback on any CPU. For correctness, not for speed.
#pragma once

#include "kernels/table.h"

namespace vitalis::kernels::portable {

extern const Table table;

}  // namespace vitalis::kernels::portable
