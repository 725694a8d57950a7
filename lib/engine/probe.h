// SPDX-License-Identifier: Apache-2.0
// How fast this machine reads weights, measured by reading some.
#pragma once

#include "base/status.h"
#include "engine/engine.h"

namespace vitalis::engine {

// Bytes a second that products with one row of activations read of matrices of a type, over memory
// larger than the caches, with all threads of the engine. Takes about `seconds` and a quarter of a
// GiB, or less where less is free; kOutOfMemory if even a little is not.
Result<double> product_bandwidth(const Engine& engine, kernels::MatrixType type, double seconds);

}  // namespace vitalis::engine
