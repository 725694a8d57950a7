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
    Setting{"runtime.threads", Type::kInteger, "", "the cores that may be used", 1, 1024, "",
            "--threads", "", kAnyFile, "threads"},
    Setting{"runtime.tier", Type::kText, "", "the fastest here", 0, 0, "", "--tier", "VITALIS_ISA",
            kAnyFile, "kernels: portable, avx2, avx512, avx512bf16, amx"},
    Setting{"runtime.context", Type::kInteger, "", "16384, or the model's limit", 1,
            std::numeric_limits<uint32_t>::max(), "", "--context", "", kAnyFile,
            "tokens of prompt and answers"},
    Setting{"runtime.memory_budget", Type::kSize, "", "any; plan: what is free", 1 << 20, 0, "",
            "--memory-budget", "", kAnyFile, "the most memory to take for weights and context"},
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
    Setting{"sampling.seed", Type::kInteger, "", "a new one each time", 0, kNoLimit, "", "--seed",
            "", kAnyFile, "makes sampling repeatable"},
    Setting{"sampling.repetition_penalty", Type::kReal, "1", "", kAboveZero, 100, "",
            "--repetition-penalty", "", kAnyFile, "divides the logits of tokens that were there"},
    Setting{"sampling.presence_penalty", Type::kReal, "0", "", -2, 2, "", "--presence-penalty", "",
            kAnyFile, "taken from the logits of tokens in the answer"},
    Setting{"sampling.frequency_penalty", Type::kReal, "0", "", -2, 2, "", "--frequency-penalty",
            "", kAnyFile, "taken from them for each time that they came"},
    Setting{"sampling.max_tokens", Type::kInteger, "", "what the context holds", 1,
            std::numeric_limits<uint32_t>::max(), "", "--max-tokens", "", kAnyFile,
            "longest answer, reasoning included"},
    Setting{"hub.endpoint", Type::kText, "https://huggingface.co", "", 0, 0, "", "--endpoint",
            "HF_ENDPOINT", kTrusted, "the hub, or a mirror of it"},
    Setting{"hub.offline", Type::kBoolean, "false", "", 0, 0, "", "--offline", "HF_HUB_OFFLINE",
            kTrusted, "use no network"},
    Setting{"hub.cache_dir", Type::kText, "", "hub in the Hugging Face home", 0, 0, "",
            "--cache-dir", "HF_HUB_CACHE HUGGINGFACE_HUB_CACHE", kTrusted, "where models are kept"},
    Setting{"hub.token_path", Type::kText, "", "token in the Hugging Face home", 0, 0, "", "",
            "HF_TOKEN_PATH", kTrusted, "file of the token that is signed in with"},
    Setting{"hub.client_id", Type::kText, "", "none", 0, 0, "", "--client-id",
            "HF_DEVICE_CODE_OAUTH_CLIENT_ID", kTrusted,
            "application that the hub knows, for signing in by a code"},
    Setting{"hub.connections", Type::kInteger, "4", "", 1, 16, "", "--connections", "", kTrusted,
            "connections of a download"},
    Setting{"hub.rate_limit", Type::kSize, "0", "0, none", 0, 0, "", "--rate-limit", "", kTrusted,
            "the most that a download takes in a second"},
    Setting{"hub.proxy", Type::kText, "", "none", 0, 0, "", "--proxy",
            "HTTPS_PROXY https_proxy ALL_PROXY all_proxy", kTrusted,
            "http, https or socks5 address of a proxy"},
    Setting{"hub.no_proxy", Type::kText, "", "none", 0, 0, "", "", "NO_PROXY no_proxy", kTrusted,
            "hosts that go without it, between commas"},
    Setting{"hub.ca_file", Type::kText, "", "the system's", 0, 0, "", "--ca-file", "SSL_CERT_FILE",
            kTrusted, "certificates to trust, PEM"},
    Setting{"hub.ca_dir", Type::kText, "", "the system's", 0, 0, "", "", "SSL_CERT_DIR", kTrusted,
            "folder of certificates to trust, hashed"},
    Setting{"hub.connect_timeout", Type::kInteger, "10", "", 1, 3600, "", "", "HF_HUB_ETAG_TIMEOUT",
            kTrusted, "seconds until a connection must stand"},
    Setting{"hub.stall_timeout", Type::kInteger, "10", "", 1, 3600, "", "",
            "HF_HUB_DOWNLOAD_TIMEOUT", kTrusted, "seconds without a byte before a new try"},
    Setting{"hub.retries", Type::kInteger, "5", "", 1, 1000, "", "", "", kTrusted,
            "tries in a row without progress before a download gives up"},
    Setting{"update.policy", Type::kChoice, "notify", "", 0, 0, "pinned|notify|config-only|auto",
            "--policy", "", kTrusted,
            "what an update may install: nothing (pinned, notify), all but weights (config-only), "
            "all (auto)"},
    Setting{"update.keep", Type::kInteger, "2", "", 0, 1000, "", "--keep", "", kTrusted,
            "earlier versions of a model that prune leaves"},
};

}  // namespace

std::span<const Setting> settings_table() {
  return kTable;
}

}  // namespace vitalis::session
