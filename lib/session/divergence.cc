// SPDX-License-Identifier: Apache-2.0
#include "session/divergence.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "harmony/render.h"
#include "session/vocabulary.h"

namespace vitalis::session {
namespace {

// Some prose, a list, code, figures and other languages: what models are asked for.
constexpr std::string_view kQuestion =
    "I am writing a page for new colleagues. Please explain what a lighthouse is for, how tides "
    "come about, and why bread rises. Then show a short Python function that counts the words of a "
    "text, and say hello in four languages.";

constexpr std::string_view kAnswer =
    R"(A lighthouse is a tower with a strong light on top. It stands where ships must be careful: on rocks, at the entrance of a harbour, at the end of a sandbank. Each has a rhythm of its own, for example two flashes every ten seconds, so that a captain who counts knows which one it is and where the ship must be.

Tides come about because the Moon pulls on the near side of the Earth a little more than on its centre, and on the far side a little less. The water bulges on both sides, and as the Earth turns below the bulges, most coasts see high water about twice a day, every 12 hours and 25 minutes. The Sun does the same, less than half as strongly. When both pull in one line, at new and full moon, the tides are large; in between they are small.

Why bread rises:

1. Yeast eats sugar from the flour and gives off carbon dioxide.
2. Kneading joins the proteins of the flour to gluten, which is elastic and holds the gas.
3. In the oven the gas expands, water turns to steam, and at about 70 °C the starch sets, so the loaf keeps its shape.

Counting words:

```python
from collections import Counter
import re

def count_words(text: str) -> Counter:
    """How often each word occurs, whatever its case."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return Counter(words)

if __name__ == "__main__":
    for word, count in count_words("The sea, the sea!").most_common(2):
        print(f"{word:>8} {count:3d}")
```

It prints `the` and `sea`, each with a 2. For a million words it takes less than a second; the regular expression does most of the work.

Hello: "Guten Tag" in German, "Bonjour" in French, "Buenos días" in Spanish, and "こんにちは" in Japanese.)";

constexpr size_t kMostTokens = 512;  // whose log-probabilities take 0.4 GB with 200,000 names

Result<std::vector<engine::Token>> built_in_tokens(const Vocabulary& vocabulary) {
  harmony::Conversation conversation;
  conversation.messages.push_back(
      {.role = harmony::Role::kSystem, .parts = {harmony::default_system_content()}});
  conversation.messages.push_back(
      harmony::text_message(harmony::Role::kUser, std::string(kQuestion)));
  harmony::Message answer = harmony::text_message(harmony::Role::kAssistant, std::string(kAnswer));
  answer.channel = "final";
  conversation.messages.push_back(std::move(answer));
  std::vector<engine::Token> out;
  VITALIS_TRY(harmony::render(conversation, vocabulary.format(), {}, out));
  out.resize(std::min(out.size(), kMostTokens));
  return out;
}

// log of the sum of the exponentials.
double log_sum(const float* x, size_t n) {
  const double max = *std::max_element(x, x + n);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += std::exp(x[i] - max);
  return max + std::log(sum);
}

}  // namespace

Result<std::unique_ptr<Comparison>> Comparison::create(std::shared_ptr<const engine::Engine> engine,
                                                       const std::string& reference,
                                                       const std::string& other) {
  VITALIS_ASSIGN(auto checkpoint, model::Checkpoint::open(reference));
  VITALIS_ASSIGN(auto compared, model::Checkpoint::open(other));
  if (compared.config().vocab != checkpoint.config().vocab) {
    return error(Code::kInvalidArgument, other, " has ", compared.config().vocab, " tokens, ",
                 reference, " ", checkpoint.config().vocab);
  }
  VITALIS_ASSIGN(const auto vocabulary, Vocabulary::open(reference, {}, checkpoint.config().vocab));
  std::unique_ptr<Comparison> out(
      new Comparison(std::move(engine), std::move(checkpoint), std::move(compared)));
  VITALIS_ASSIGN(out->tokens_, built_in_tokens(*vocabulary));
  out->named_ = vocabulary->tokenizer().size();
  out->expected_.resize(out->tokens_.size() * out->named_);
  VITALIS_TRY(out->prepare());
  return out;
}

Status Comparison::prepare() {
  const model::Config& config = current().config();
  forward_.reset();
  cache_.reset();
  VITALIS_ASSIGN(forward_, engine::Forward::create(*engine_, config, current().weights(), kChunk));
  VITALIS_ASSIGN(cache_,
                 engine::KvCache::create(config, tokens_.size(), kChunk, engine_->kv_type()));
  logits_.resize(kChunk * config.vocab);
  at_ = 0;
  return {};
}

Result<bool> Comparison::next(const std::atomic<bool>& cancel) {
  const size_t count = std::min(kChunk, tokens_.size() - at_);
  const engine::Part part{&*cache_, std::span(tokens_).subspan(at_, count), true};
  VITALIS_ASSIGN(const auto outcome, forward_->step({&part, 1}, logits_.data(), cancel));
  if (outcome == engine::Outcome::kCancelled) return false;
  judge(count);
  at_ += count;
  if (at_ < tokens_.size()) return false;
  if (judged_) return true;
  judged_ = true;
  VITALIS_TRY(prepare());
  return false;
}

void Comparison::judge(size_t count) {
  const size_t vocab = current().config().vocab;
  for (size_t i = 0; i < count; ++i) {
    const float* row = logits_.data() + i * vocab;
    float* expected = expected_.data() + (at_ + i) * named_;
    const double norm = log_sum(row, named_);
    if (!judged_) {
      for (size_t t = 0; t < named_; ++t) expected[t] = static_cast<float>(row[t] - norm);
      continue;
    }
    double divergence = 0;
    for (size_t t = 0; t < named_; ++t) {
      divergence += std::exp(double{expected[t]}) * (expected[t] - (row[t] - norm));
    }
    divergence = std::max(divergence, 0.0);  // rounding may leave a trace below
    sum_ += divergence;
    worst_ = std::max(worst_, divergence);
    same_ += std::max_element(expected, expected + named_) - expected ==
             std::max_element(row, row + named_) - row;
  }
}

Divergence Comparison::divergence() const {
  const auto n = static_cast<double>(tokens_.size());
  return {tokens_.size(), sum_ / n, worst_, static_cast<double>(same_) / n};
}

}  // namespace vitalis::session
