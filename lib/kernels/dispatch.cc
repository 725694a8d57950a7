// SPDX-License-Identifier: Apache-2.0
#include "kernels/dispatch.h"

#include <array>
#include <cstring>
#include <vector>

#include "cpu/features.h"
#include "kernels/math-inl.h"
#include "kernels/portable/portable.h"
#if defined(__x86_64__)
#include "kernels/x86/amx.h"
#include "kernels/x86/avx2.h"
#include "kernels/x86/avx512.h"
#include "kernels/x86/avx512bf16.h"
#endif

namespace vitalis::kernels {
namespace {

#if defined(__x86_64__)
// A product on tiles beside portable's: machines have claimed tiles that they did not have.
bool agrees_with_portable(const Table& table) {
  constexpr size_t kRows = 17, kColumns = 33, kTerms = 64;
  std::vector<float> x(kRows * kTerms);
  std::vector<uint16_t> w(kColumns * kTerms);
  const auto tame = [](size_t i) { return static_cast<float>(i * 7919 % 255) / 64 - 2; };
  for (size_t i = 0; i < x.size(); ++i) x[i] = tame(i);
  for (size_t i = 0; i < w.size(); ++i) w[i] = f32_to_bf16(tame(i + 5));
  const auto product = [&](const Table& t) {
    std::vector<char> packed(t.packed_bytes(kRows, kTerms));
    std::vector<float> out(kRows * kColumns);
    t.pack(x.data(), kTerms, nullptr, kRows, kTerms, Round::kBf16, packed.data());
    t.matmul(packed.data(), kRows, kTerms, {MatrixType::kBf16, w.data(), nullptr}, 0, kColumns, {},
             out.data(), kColumns);
    return out;
  };
  const std::vector<float> expected = product(portable::table), found = product(table);
  return std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float)) == 0;
}
#endif

// Whether the amx tier may run; the process asks for tiles when this is first called.
const Status& amx_status() {
  static const Status kStatus = [] {
    Status status = cpu::request_tiles();
#if defined(__x86_64__)
    if (status.ok() && !agrees_with_portable(amx::table)) {
      status = error(Code::kUnsupported, "AMX tiles compute something else than they should");
    }
#endif
    return status;
  }();
  return kStatus;
}

struct Available {
  std::array<const Table*, 5> tables = {&portable::table};
  size_t count = 1;  // without amx
  bool amx = false;

  Available() {
#if defined(__x86_64__)
    const cpu::Features features = cpu::detect();
    if (features.avx2) tables[count++] = &avx2::table;
    const bool slow = features.avx512_bf16 && !features.fast_avx512_bf16;
    if (slow) tables[count++] = &avx512bf16::table;
    if (features.avx512) tables[count++] = &avx512::table;
    if (features.fast_avx512_bf16) tables[count++] = &avx512bf16::table;
    tables[count] = &amx::table;
    amx = features.amx;
#endif
  }

  std::span<const Table* const> up_to(bool with_amx) const {
    return {tables.data(), count + (with_amx ? 1 : 0)};
  }
};

const Available& known() {
  static const Available kAvailable;
  return kAvailable;
}

}  // namespace

std::span<const Table* const> available() {
  return known().up_to(known().amx && amx_status().ok());
}

Result<const Table*> choose(std::string_view name) {
  if (name.empty()) return available().back();
  std::string names;
  for (const Table* table : known().up_to(false)) {
    if (name == table->name) return table;
    names += names.empty() ? "" : ", ";
    names += table->name;
  }
  if (name == "amx") {
    if (amx_status().ok()) return available().back();
    return error(Code::kUnsupported, "instruction set tier \"amx\": ", amx_status().message(),
                 "; this CPU can run ", names);
  }
  return error(Code::kUnsupported, "instruction set tier \"", name,
               "\" is not one that this CPU can run; it can run ", names,
               known().amx ? ", amx" : "");
}

}  // namespace vitalis::kernels
