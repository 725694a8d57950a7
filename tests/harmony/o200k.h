// SPDX-License-Identifier: Apache-2.0
// The tokenizer of gpt-oss and its control tokens, loaded once for the test program.
#pragma once

#include "harmony/format.h"

namespace vitalis::harmony {

// Ends the program if build/test-data has no tokenizer: tests/fetch_data.sh puts it there.
const Format& o200k();

}  // namespace vitalis::harmony
