// SPDX-License-Identifier: Apache-2.0
// What a host pays for the C interface: the time that vitalis_session_next() takes beyond the work
// that the session itself counts as decoding.
//   next_overhead MODEL [QUESTION]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <vitalis/vitalis.hpp>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 15;

struct Cost {
  size_t calls;
  double outside_us;  // a call, beyond what usage() counts
  double decode_us;   // a token
};

Cost measure(vitalis::Session& session, const vitalis::Conversation& conversation) {
  session.reset();
  vitalis::Answer answer = session.generate(conversation, {.temperature = 0});
  vitalis_event event = VITALIS_EVENT_INIT;
  size_t calls = 0;
  const auto begin = Clock::now();
  while (vitalis_session_next(answer.native_handle(), &event) == VITALIS_OK) ++calls;
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  const vitalis_usage usage = session.usage();
  // usage counts the first token's time from start() on, and the others' by themselves.
  const double inside = usage.first_token_seconds + usage.decode_seconds;
  return {calls, (wall - inside) * 1e6 / static_cast<double>(calls),
          usage.decode_seconds * 1e6 / static_cast<double>(usage.generated_tokens - 1)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: next_overhead MODEL [QUESTION]\n");
    return 2;
  }
  try {
    const vitalis::Model model(vitalis::Engine(), argv[1]);
    vitalis::Session session(model);
    vitalis::Conversation conversation;
    conversation.user(argc == 3 ? argv[2] : "Tell me a story about a fox named Mia.");
    std::vector<Cost> costs;
    for (int i = 0; i < kRounds; ++i) costs.push_back(measure(session, conversation));
    std::sort(costs.begin(), costs.end(),
              [](const Cost& a, const Cost& b) { return a.outside_us < b.outside_us; });
    const Cost& median = costs[costs.size() / 2];
    std::printf(
        "next(): %.3f us a call beyond the decoding (%.3f to %.3f in %d rounds), "
        "%zu calls; decoding %.1f us a token\n",
        median.outside_us, costs.front().outside_us, costs.back().outside_us, kRounds, median.calls,
        median.decode_us);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "next_overhead: %s\n", error.what());
    return 1;
  }
  return 0;
}
