// SPDX-License-Identifier: Apache-2.0
#include "model/weights.h"

namespace vitalis::model {

uint64_t stored_bytes(const Dense& w) {
  const uint64_t n = elements(w);
  if (w.type == DenseType::kQ8_0) return n / 32 * 34;
  return n * (w.type == DenseType::kF32 ? 4 : 2);
}

uint64_t stored_bytes(const Mxfp4& w) {
  return elements(w) / kMxfp4Group * (kMxfp4Group / 2 + 1);
}

}  // namespace vitalis::model
