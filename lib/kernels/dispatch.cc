// SPDX-License-Identifier: Apache-2.0
#include "kernels/dispatch.h"

#include "kernels/portable/portable.h"

namespace vitalis::kernels {

std::span<const Table* const> available() {
  static constexpr const Table* kTables[] = {&portable::table};
  return kTables;
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
