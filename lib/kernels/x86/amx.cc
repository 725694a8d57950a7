// SPDX-License-Identifier: Apache-2.0
// The amx tier. One external symbol, the table; closed (see kernels/table.h).
#include "kernels/x86/amx.h"

#include "kernels/x86/amx_table-inl.h"
#include "kernels/x86/tiles-inl.h"

namespace vitalis::kernels::amx {

constinit const Table table = amx_table<NativeTiles>("amx");

}  // namespace vitalis::kernels::amx
