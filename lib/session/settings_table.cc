// SPDX-License-Identifier: Apache-2.0
// The table of settings. A new one is a row here, and code that reads its value: flags, help texts,
// docs/configuration.md and the checks follow.
#include <array>
#include <limits>

#include "session/settings.h"

namespace vitalis::session {

namespace {

using Type = Setting::Type;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr double kAboveZero = std::numeric_limits<float>::min();
constexpr bool kAnyFile = false;
constexpr bool kTrusted = true;

constexpr std::array kTable = {
    Setting{"runtime.threads", Type::kInteger, "", "the cores that may be used", 1, 4096, "",
            "--threads", "", kAnyFile, "threads"},
    Setting{"runtime.tier", Type::kText, "", "the fastest here", 0, 0, "", "--tier", "VITALIS_ISA",
            kAnyFile, "kernels: portable, avx2, avx512"},
    Setting{"runtime.context", Type::kInteger, "", "16384, or the model's limit", 1,
            std::numeric_limits<uint32_t>::max(), "", "--context", "", kAnyFile,
            "tokens of prompt and answers"},
    Setting{"reasoning.effort", Type::kChoice, "medium", "", 0, 0, "low|medium|high", "--effort",
            "", kAnyFile, "how much the model reasons: low, medium or high"},
    Setting{"reasoning.show", Type::kBoolean, "false", "", 0, 0, "", "--show-reasoning", "",
            kAnyFile, "print the reasoning too"},
    Setting{"sampling.temperature", Type::kReal, "1", "", 0, 100, "", "--temperature", "", kAnyFile,
            "0 takes the most probable token each time"},
    Setting{"sampling.top_p", Type::kReal, "1", "", kAboveZero, 1, "", "--top-p", "", kAnyFile,
            "sample from the most probable tokens of this sum"},
    Setting{"sampling.min_p", Type::kReal, "0", "", 0, 1, "", "--min-p", "", kAnyFile,
            "drop tokens below this share of the most probable one"},
    Setting{"sampling.top_k", Type::kInteger, "0", "0, all", 0,
            std::numeric_limits<uint32_t>::max(), "", "--top-k", "", kAnyFile,
            "sample from this many tokens"},
    Setting{"sampling.seed", Type::kInteger, "", "a new one each time", 1, kNoLimit, "", "--seed",
            "", kAnyFile, "makes sampling repeatable"},
    Setting{"sampling.max_tokens", Type::kInteger, "", "what the context holds", 1,
            std::numeric_limits<uint32_t>::max(), "", "--max-tokens", "", kAnyFile,
            "longest answer, reasoning included"},
};

}  // namespace

std::span<const Setting> settings_table() {
  return kTable;
}

}  // namespace vitalis::session
