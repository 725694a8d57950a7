// SPDX-License-Identifier: Apache-2.0
#include "cpu/features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace vitalis::cpu {

#if defined(__x86_64__)
namespace {

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// Zeros for a leaf that the CPU does not have.
Registers cpuid(unsigned leaf, unsigned part = 0) {
  Registers r;
  __get_cpuid_count(leaf, part, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

bool bit(unsigned value, unsigned place) {
  return (value >> place & 1) != 0;
}

// Which register states the system saves; asked only if it says that it may be asked.
uint64_t saved_states() {
  uint32_t low = 0, high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

bool made_by_amd() {
  const Registers vendor = cpuid(0);  // "AuthenticAMD" in ebx, edx, ecx
  return vendor.ebx == 0x68747541 && vendor.edx == 0x69746E65 && vendor.ecx == 0x444D4163;
}

constexpr uint64_t kYmmState = 0x06;      // xmm, ymm
constexpr uint64_t kZmmState = 0xE6;      // and masks, zmm
constexpr uint64_t kTileState = 0x60000;  // tile configuration and data

// Tiles and products of bf16 on them.
bool has_tiles() {
  const unsigned edx = cpuid(7).edx;
  return bit(edx, 22) && bit(edx, 24);
}

// Linux hands tiles out on request only; this asks whether it knows of such requests.
bool system_has_tiles() {
#if defined(__linux__)
  constexpr long kGetSupportedStates = 0x1021, kTileDataState = 18;
  uint64_t states = 0;
  return (saved_states() & kTileState) == kTileState &&
         syscall(SYS_arch_prctl, kGetSupportedStates, &states) == 0 &&
         (states >> kTileDataState & 1) != 0;
#else
  return false;
#endif
}

}  // namespace

Features detect() {
  const Registers basic = cpuid(1), extended = cpuid(7);
  constexpr unsigned kFma = 12, kOsXsave = 27, kF16c = 29, kAvx = 28;  // leaf 1, ecx
  if (!bit(basic.ecx, kOsXsave)) return {};
  const uint64_t saved = saved_states();
  const auto saves = [saved](uint64_t states) { return (saved & states) == states; };

  Features f;
  f.avx2 = saves(kYmmState) && bit(basic.ecx, kAvx) && bit(basic.ecx, kFma) &&
           bit(basic.ecx, kF16c) && bit(extended.ebx, 5);
  f.avx512 = f.avx2 && saves(kZmmState) && bit(extended.ebx, 16) && bit(extended.ebx, 17) &&
             bit(extended.ebx, 30) && bit(extended.ebx, 31);
  f.avx512_vbmi2 = f.avx512 && bit(extended.ecx, 6) && bit(extended.ebx, 3) && bit(extended.ebx, 8);
  f.avx512_bf16 = f.avx512 && bit(extended.ecx, 1) && bit(cpuid(7, 1).eax, 5);
  f.fast_avx512_bf16 = f.avx512_bf16 && made_by_amd();
  f.amx = f.avx512 && has_tiles() && system_has_tiles();
  return f;
}

Status request_tiles() {
  if (!detect().avx512 || !has_tiles()) {
    return error(Code::kUnsupported, "this CPU has no AMX tiles for bf16");
  }
  if (!system_has_tiles()) {
    return error(Code::kUnsupported,
                 "this CPU has AMX tiles, but the operating system does not support them");
  }
#if defined(__linux__)
  constexpr long kRequestState = 0x1023, kTileDataState = 18;
  if (syscall(SYS_arch_prctl, kRequestState, kTileDataState) != 0) {
    return error(Code::kUnsupported, "the operating system refused this process AMX tiles: ",
                 std::error_code(errno, std::generic_category()).message());
  }
#endif
  return {};
}

#else

Features detect() {
  return {};
}

Status request_tiles() {
  return error(Code::kUnsupported, "this CPU has no AMX tiles for bf16");
}

#endif

}  // namespace vitalis::cpu
