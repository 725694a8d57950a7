// SPDX-License-Identifier: Apache-2.0
#include "kernels/dispatch.h"

#include <array>

#include "cpu/features.h"
#include "kernels/portable/portable.h"
#if defined(__x86_64__)
#include "kernels/x86/avx2.h"
#include "kernels/x86/avx512.h"
#include "kernels/x86/avx512bf16.h"
#endif

namespace vitalis::kernels {
namespace {

struct Available {
  std::array<const Table*, 4> tables = {&portable::table};
  size_t count = 1;

  Available() {
#if defined(__x86_64__)
    const cpu::Features features = cpu::detect();
    if (features.avx2) tables[count++] = &avx2::table;
    const bool slow = features.avx512_bf16 && !features.fast_avx512_bf16;
    if (slow) tables[count++] = &avx512bf16::table;
    if (features.avx512) tables[count++] = &avx512::table;
    if (features.fast_avx512_bf16) tables[count++] = &avx512bf16::table;
#endif
  }
};

}  // namespace

std::span<const Table* const> available() {
  static const Available kAvailable;
  return {kAvailable.tables.data(), kAvailable.count};
}

Result<const Table*> choose(std::string_view name) {
  const auto tables = available();
  if (name.empty()) return tables.back();
  std::string names;
  for (const Table* table : tables) {
    if (name == table->name) return table;
    names += names.empty() ? "" : ", ";
    names += table->name;
  }
  return error(Code::kUnsupported, "instruction set tier \"", name,
               "\" is not one that this CPU can run; it can run ", names);
}

}  // namespace vitalis::kernels
