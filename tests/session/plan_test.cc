// SPDX-License-Identifier: Apache-2.0
// Plans are what a run then takes. VITALIS_SYNTHETIC_DIR measures the checkpoint in that folder
// (docs/testing.md) in place of the demonstration model.
#include "session/plan.h"

#include <cmath>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/gguf_checkpoint.h"

namespace vitalis::session {
namespace {

const std::string kTiny = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

std::shared_ptr<const engine::Engine> make_engine() {
  return std::make_shared<const engine::Engine>(engine::make_engine({}).take());
}

// Bytes that lie in memory of this process: its own, and those of the files in a folder. The
// program and the libraries that it is made of are left out.
uint64_t resident(const std::string& folder) {
  std::ifstream maps("/proc/self/smaps");
  uint64_t kilobytes = 0;
  bool ours = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) ours = line.find(folder) != std::string::npos;
    if (line.starts_with(ours ? "Rss:" : "Anonymous:")) {
      kilobytes += std::stoull(line.substr(line.find(':') + 1));
    }
  }
  return kilobytes * 1024;
}

// Of a range of addresses, how much lies in memory.
uint64_t resident(const std::byte* begin, uint64_t bytes) {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t first = reinterpret_cast<uintptr_t>(begin) / page;
  const uint64_t last = (reinterpret_cast<uintptr_t>(begin) + bytes) / page;
  const int map = ::open("/proc/self/pagemap", O_RDONLY);
  uint64_t found = 0;
  for (uint64_t at = first, entry = 0; at < last; ++at) {
    if (::pread(map, &entry, sizeof entry, static_cast<off_t>(8 * at)) != sizeof entry) break;
    found += entry >> 63;
  }
  ::close(map);
  return found * page;
}

harmony::Message question(size_t words) {
  std::string text = "What is";
  for (size_t i = 0; i < words; ++i) text += " the " + std::to_string(i * 7919 % 1000) + " sea";
  return harmony::text_message(harmony::Role::kUser, text);
}

// Turns until every part of the session has been used, then tokens until the context is full.
void use_all(Session& session, size_t words) {
  harmony::Conversation conversation;
  conversation.messages.push_back(
      {.role = harmony::Role::kSystem, .parts = {harmony::default_system_content()}});
  Event event;
  for (size_t turn = 0; turn < 10; ++turn) {
    conversation.messages.push_back(question(words));
    const Status started =
        session.start(conversation, {.sampling = {.greedy = true}, .max_tokens = 4});
    ASSERT_TRUE(started.ok()) << started.message();
    while (true) {
      const auto step = session.next(event);
      ASSERT_TRUE(step.ok()) << step.status().message();
      if (*step != Session::Step::kEvent) break;
    }
    for (harmony::Message& message : session.reply()) conversation.messages.push_back(message);
  }
  std::vector<float> logits(session.model().config().vocab);
  for (size_t used = session.usage().context_used; used < session.context();
       used = session.usage().context_used) {
    std::vector<Token> tokens(std::min<size_t>(32, session.context() - used));
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<Token>((used + i) % 61);
    const auto outcome = session.forward(tokens, false, logits);
    ASSERT_TRUE(outcome.ok()) << outcome.status().message();
  }
}

// Plans and runs, and tells by how much the plan is greater than what the run took.
void measure(double& error) {
  const char* synthetic = std::getenv("VITALIS_SYNTHETIC_DIR");
  const auto engine = make_engine();
  const std::string folder = synthetic ? synthetic : kTiny;
  const auto model = Model::open(engine, folder);
  ASSERT_TRUE(model.ok()) << model.status().message();
  PlanOptions options{.session = {.context = synthetic ? 4096U : 8192U, .chunk = 32}};
  const auto plan = make_plan(*engine, (*model)->checkpoint(), options);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  const model::Dense& embedding = (*model)->checkpoint().weights().embed_tokens;
  // The tokenizer's memory is its own affair.
  const size_t words = synthetic ? 25 : 100;
  static_cast<void>((*model)->tokenizer().count(question(words).text()));
  const uint64_t before = resident(folder);
  const auto session = Session::create(*model, options.session);
  ASSERT_TRUE(session.ok()) << session.status().message();
  use_all(**session, words);
  const uint64_t rows = resident(embedding.data, model::stored_bytes(embedding));
  const uint64_t measured = resident(folder) - before - rows;
  error = static_cast<double>(plan->peak) / static_cast<double>(measured) - 1;
  std::printf("planned %.1f MB, measured %.1f MB (%+.2f %%), and %.1f MB of the embedding\n",
              static_cast<double>(plan->peak) / 1e6, static_cast<double>(measured) / 1e6,
              100 * error, static_cast<double>(rows) / 1e6);
}

// In a process of its own, so that each measurement begins with nothing resident.
double measured_error() {
  int ends[2];
  if (::pipe(ends) != 0) return INFINITY;
  const pid_t child = ::fork();
  if (child == 0) {
    double error = INFINITY;
    measure(error);
    std::fflush(stdout);
    ::_exit(::write(ends[1], &error, sizeof error) == sizeof error ? 0 : 1);
  }
  ::close(ends[1]);
  double error = INFINITY;
  if (::read(ends[0], &error, sizeof error) != sizeof error) error = INFINITY;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return error;
}

// A system that is short of memory takes pages back while they are counted: then once more.
TEST(Plan, IsWhatARunThenTakes) {
  double error = INFINITY;
  for (int i = 0; i < 4 && std::abs(error) > 0.01; ++i) error = measured_error();
  EXPECT_LE(std::abs(error), 0.01);
}

class Budget : public testing::Test {
 protected:
  const std::shared_ptr<const engine::Engine> engine = make_engine();
  const std::shared_ptr<const Model> model = Model::open(engine, kTiny).take();

  uint64_t peak(size_t context) const {
    const PlanOptions options{.session = {.context = context}};
    return make_plan(*engine, model->checkpoint(), options)->peak;
  }
};

TEST_F(Budget, IsHonouredByTheLargestContextThatFits) {
  const uint64_t budget = peak(4000);
  const auto session = Session::create(model, {.memory_budget = budget});
  ASSERT_TRUE(session.ok()) << session.status().message();
  const size_t context = (*session)->context();
  EXPECT_GE(context, 4000U);
  EXPECT_LT(context, 4100U);
  EXPECT_LE(peak(context), budget);
  EXPECT_GT(peak(context + 32), budget);
  // The default is taken where it fits.
  EXPECT_EQ((*Session::create(model, {.memory_budget = peak(20000)}))->context(), 16384U);
}

TEST_F(Budget, RefusesWithThePlan) {
  const auto session = Session::create(model, {.context = 16384, .memory_budget = peak(8192)});
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.status().code(), Code::kOutOfMemory);
  const std::string& message = session.status().message();
  EXPECT_TRUE(message.starts_with("a context of 16384 tokens takes ")) << message;
  EXPECT_NE(message.find(" (weights 9."), std::string::npos) << message;
  EXPECT_NE(message.find("; the largest context that fits is 8"), std::string::npos) << message;
  const auto none = Session::create(model, {.memory_budget = 1'000'000});
  ASSERT_FALSE(none.ok());
  EXPECT_TRUE(none.status().message().ends_with("the memory budget is 1.0 MB; no context fits"))
      << none.status().message();
}

TEST_F(Budget, ThePlanSaysWhatFits) {
  PlanOptions options{.session = {.context = 8192}, .sequences = 3};
  const auto plan = make_plan(*engine, model->checkpoint(), options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->mapped, model->checkpoint().mapped_bytes());
  EXPECT_EQ(plan->peak, plan->hot + plan->kv + plan->scratch);
  EXPECT_EQ(plan->peak - plan->hot, 3 * (peak(8192) - plan->hot));
  EXPECT_EQ(plan->decode, model->decode_bytes());
  EXPECT_EQ(plan->fit, Fit::kFits);
  EXPECT_EQ(plan->largest_context, model->config().context);
  EXPECT_EQ(plan->tokens_per_second, 0);
  options.session.memory_budget = plan->peak - 1;
  EXPECT_EQ(make_plan(*engine, model->checkpoint(), options)->fit, Fit::kReadsAgain);
  options.session.memory_budget = plan->kv;
  EXPECT_EQ(make_plan(*engine, model->checkpoint(), options)->fit, Fit::kDoesNotFit);
  options.sequences = 0;
  EXPECT_EQ(make_plan(*engine, model->checkpoint(), options).status().message(),
            "sequences: expected 1 to 65536; found 0");
}

// A form that stores more takes more.
TEST_F(Budget, FollowsTheForm) {
  const auto path = std::filesystem::path(testing::TempDir()) / "plan.gguf";
  const auto spelled = model::read_tokenizer(kTiny + "/tokenizer.json");
  std::ofstream(path, std::ios::binary)
      << model::gguf_of(model->checkpoint(), model::GgufMatrices::kF32, false, &spelled).file();
  const auto f32 = model::Checkpoint::open(path.string());
  ASSERT_TRUE(f32.ok()) << f32.status().message();
  const model::Dense& head = model->checkpoint().weights().lm_head;
  EXPECT_GT(hot_bytes(*f32), hot_bytes(model->checkpoint()) + 2 * model::elements(head));
  std::filesystem::remove(path);
}

TEST_F(Budget, ProbesTheMachine) {
  const auto plan = make_plan(*engine, model->checkpoint(), {.probe = true});
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_GT(plan->tokens_per_second, plan->tokens_per_second_full);
  EXPECT_GT(plan->tokens_per_second_full, 1);
}

}  // namespace
}  // namespace vitalis::session
