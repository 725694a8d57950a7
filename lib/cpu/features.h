// SPDX-License-Identifier: Apache-2.0
// What this CPU and its operating system can run. The only place that executes CPUID.
#pragma once

#include "base/status.h"

namespace vitalis::cpu {

struct Features {
  // Bundles that tiers of kernels/ need: the instructions, and the system saving their registers.
  bool avx2 = false;          // AVX2, FMA, F16C: x86-64-v3 servers
  bool avx512 = false;        // AVX-512 F, BW, VL, DQ on top
  bool avx512_vbmi2 = false;  // AVX-512 F, BW, VL, DQ, VBMI2; BMI1 and BMI2
  bool avx512_bf16 = false;   // avx512 and VBMI, and products of pairs of bf16
  // Whether these are faster than fused multiply-adds: twice on Zen 4, half on Emerald Rapids.
  bool fast_avx512_bf16 = false;
  bool amx = false;  // tiles and bf16 products, which the process may request
};

Features detect();

// Asks the system for tiles, for the whole process and for good: Linux takes larger signal stacks
// from then on. kUnsupported says whether the CPU lacks them, the system does not know them, or it
// refused. May be called again.
Status request_tiles();

}  // namespace vitalis::cpu
