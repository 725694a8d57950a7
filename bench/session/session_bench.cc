// SPDX-License-Identifier: Apache-2.0
// session_bench [MODEL [FOLDER]]: what sessions save and cost, on vitalis-tiny unless told. FOLDER
// is where session files are written, by default the temporary one. Each figure is the best of a
// few runs. What a model answers does not matter: answers are kept from ending early.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <unistd.h>
#include <vector>

#include "session/batch.h"

namespace vitalis::session {
namespace {

constexpr size_t kPromptTokens = 4000;
constexpr size_t kAnswerTokens = 700;  // more than the rings keep besides their window
constexpr int kRepeats = 3;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
T value(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "session_bench: %s\n", result.status().message().c_str());
    std::exit(1);
  }
  return result.take();
}
void check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "session_bench: %s\n", status.message().c_str());
  std::exit(1);
}

double best_seconds(int repeats, const std::function<void()>& body) {
  double best = 1e300;
  for (int i = 0; i < repeats; ++i) {
    const double begin = now();
    body();
    best = std::min(best, now() - begin);
  }
  return best;
}

// Greedy, and without the tokens that would end a message or the answer.
GenerateOptions endless(const Model& model, size_t max_tokens) {
  GenerateOptions options = {
      .sampling = {.greedy = true}, .max_tokens = max_tokens, .logprobs = true};
  const harmony::Format& format = model.format();
  for (const Token token : {format.start, format.end, format.return_token, format.call,
                            format.channel, format.message, format.constrain}) {
    options.sampling.bias.push_back({token, -INFINITY});
  }
  return options;
}

void finish(Session& session) {
  Event event;
  while (value(session.next(event)) == Session::Step::kEvent) {
  }
}

harmony::Conversation with_prompt_of(const Model& model, size_t tokens) {
  harmony::Conversation chat;
  chat.messages.push_back(
      {.role = harmony::Role::kSystem, .parts = {harmony::default_system_content()}});
  const std::string line = "My name is Clara and I like foxes, owls and bears. ";
  const size_t each = model.tokenizer().count(line);
  std::string text;
  for (size_t n = 0; n < tokens; n += each) text += line;
  chat.messages.push_back(harmony::text_message(harmony::Role::kUser, text));
  return chat;
}

// The time to the first token of a second turn, as a share of the first's.
void turns(const std::shared_ptr<const Model>& model) {
  for (const bool dropped : {false, true}) {
    auto session = value(Session::create(model, {.context = 8192}));
    auto chat = with_prompt_of(*model, kPromptTokens);
    check(session->start(chat, endless(*model, kAnswerTokens)));
    finish(*session);
    const Usage first = session->usage();
    if (dropped) {  // as if the answer had been reasoning, and this what it came to
      harmony::Message final = harmony::text_message(harmony::Role::kAssistant, "Hello, Clara.");
      final.channel = "final";
      chat.messages.push_back(final);
    } else {
      const harmony::Format& format = model->format();
      harmony::Message reply;
      reply.role = harmony::Role::kAssistant;
      reply.sampled = {format.start, model->tokenizer().find("assistant").value_or(0)};
      for (size_t i = 0; i < first.generated_tokens; ++i) {
        reply.sampled.push_back(session->logprobs(i)[0].token);
      }
      reply.sampled.push_back(format.end);
      chat.messages.push_back(reply);
    }
    chat.messages.push_back(harmony::text_message(harmony::Role::kUser, "Who am I?"));
    check(session->start(chat, endless(*model, 1)));
    finish(*session);
    const Usage second = session->usage();
    std::printf("second turn%-28s %6.3f s after %6.3f s: %4.1f %%; %zu of %zu tokens reused\n",
                dropped ? ", the answer's tokens dropped" : "", second.first_token_seconds,
                first.first_token_seconds,
                100 * second.first_token_seconds / first.first_token_seconds, second.reused_tokens,
                second.prompt_tokens);
  }
}

void files(const std::shared_ptr<const Model>& model, const std::string& folder) {
  // A small model is quick to fill, and its tokens' keys and values are few bytes.
  const size_t context = model->decode_bytes() < 100'000'000 ? 4 * kPromptTokens : kPromptTokens;
  auto session = value(Session::create(model, {.context = context}));
  std::vector<Token> tokens(context);
  for (Token i = 0; i < tokens.size(); ++i) tokens[i] = i * 7919 % 2000;
  std::vector<float> logits(model->config().vocab);
  value(session->forward(tokens, false, logits));
  const std::string path = folder + "/session_bench." + std::to_string(::getpid());
  const double save = best_seconds(5, [&] { value(session->save(path, "")); });
  auto other = value(Session::create(model, {.context = context}));
  const double restore = best_seconds(5, [&] { value(other->restore(path)); });
  std::unique_ptr<Session> forked;
  const double fork = best_seconds(5, [&] { forked = value(session->fork()); });
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  std::filesystem::remove(path);
  std::printf("file of %zu tokens, %.1f MB: saved at %.2f GB/s, restored at %.2f GB/s\n",
              tokens.size(), bytes / 1e6, bytes / save / 1e9, bytes / restore / 1e9);
  std::printf("fork of %zu tokens: %.1f ms\n", tokens.size(), fork * 1e3);
}

// Against the time of a decoded token with little before it.
void sampling(const std::shared_ptr<const Model>& model) {
  auto session = value(Session::create(model, {.context = 1024}));
  check(session->start(with_prompt_of(*model, 100), endless(*model, 64)));
  finish(*session);
  const Usage usage = session->usage();
  const double decode = usage.decode_seconds / static_cast<double>(usage.generated_tokens - 1);
  std::vector<float> logits(model->config().vocab);
  value(session->forward(std::vector<Token>{100}, false, logits));
  std::printf("decode: %.2f ms a token; of a vocabulary of %zu tokens\n", decode * 1e3,
              model->tokenizer().size());
  engine::Sampler sampler(model->tokenizer().size());
  const std::vector<Token> prompt(1000, 5);
  const auto measure = [&](const char* what, const engine::Sampling& how, bool logprobs) {
    sampler.begin(prompt);
    const double seconds = best_seconds(50, [&] {
      const Token token = sampler.sample(logits, how, 0);
      if (logprobs) sampler.candidates(logits, token, engine::Sampler::kMostAlternatives);
    });
    std::printf("  sampling, %-28s %.3f ms: %.2f %%\n", what, seconds * 1e3,
                100 * seconds / decode);
  };
  measure("greedy", {.greedy = true}, false);
  measure("temperature alone", {}, false);
  measure("with penalties", {.repetition_penalty = 1.1f, .presence_penalty = 0.1f}, false);
  measure("top-k 40", {.top_k = 40}, false);
  measure("top-p 0.9", {.top_p = 0.9f}, false);
  measure("min-p 0.05", {.min_p = 0.05f}, false);
  measure("20 log-probabilities", {}, true);
}

void together(const std::shared_ptr<const Model>& model) {
  constexpr size_t kTokens = 48;
  double alone = 0;
  for (const size_t count : {1, 2, 4, 8}) {
    std::vector<std::unique_ptr<Session>> sessions;
    std::vector<Session*> given;
    for (size_t i = 0; i < count; ++i) {
      sessions.push_back(value(Session::create(model, {.context = 512})));
      given.push_back(sessions.back().get());
    }
    auto batch = value(Batch::create(model, {.sessions = count}));
    double best = 0;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      for (size_t i = 0; i < count; ++i) {
        sessions[i]->reset();
        check(sessions[i]->start(with_prompt_of(*model, 20 + 7 * i), endless(*model, kTokens)));
      }
      std::vector<Event> events(count);
      std::vector<Session::Step> steps(count);
      const auto is_answering = [](const Session* s) { return s->usage().generated_tokens > 0; };
      while (!std::all_of(given.begin(), given.end(), is_answering)) {
        value(batch->next(given, events, steps));
      }
      const auto generated = [&] {
        size_t sum = 0;
        for (const Session* session : given) sum += session->usage().generated_tokens;
        return sum;
      };
      const double begin = now();
      const size_t before = generated();
      while (value(batch->next(given, events, steps))) {
      }
      best = std::max(best, static_cast<double>(generated() - before) / (now() - begin));
    }
    if (count == 1) alone = best;
    std::printf("%zu sequence%s together: %7.1f tokens/s in sum, %.2f times one's\n", count,
                count == 1 ? " " : "s", best, best / alone);
  }
}

}  // namespace
}  // namespace vitalis::session

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  using namespace vitalis;  // NOLINT(google-build-using-namespace)
  const std::string path = argc > 1 ? argv[1] : VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";
  const std::string folder = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
  auto engine = session::value(engine::make_engine({}));
  const auto model = session::value(
      session::Model::open(std::make_shared<const engine::Engine>(std::move(engine)), path));
  session::together(model);
  session::sampling(model);
  session::files(model, folder);
  session::turns(model);
  return 0;
}
