// SPDX-License-Identifier: Apache-2.0
// vitalis.hpp on the demonstration model: ownership, both ways to learn of errors, ranges,
// stopping.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <ranges>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <vitalis/vitalis.hpp>

namespace {

using namespace vitalis;  // NOLINT(google-build-using-namespace)

const char* const kModel = VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny";

static_assert(std::ranges::input_range<Answer>);
static_assert(std::is_nothrow_move_constructible_v<Engine> &&
              !std::is_copy_constructible_v<Engine>);
static_assert(std::is_nothrow_move_assignable_v<Model> && !std::is_copy_constructible_v<Model>);
static_assert(std::is_nothrow_move_constructible_v<Session> &&
              !std::is_copy_constructible_v<Session>);
static_assert(std::is_nothrow_move_constructible_v<Conversation> &&
              !std::is_copy_constructible_v<Conversation>);
static_assert(std::is_nothrow_copy_constructible_v<Error>);

class Wrapper : public testing::Test {
 protected:
  Model model{Engine({.threads = 2}), kModel};  // the engine lives on inside the model
  Session session{model, {.context = 1024}};
  Conversation conversation;

  std::string answer(const GenerateOptions& options = {.temperature = 0}) {
    std::string text;
    for (const Event& event : session.generate(conversation, options)) {
      if (event.is_answer()) text += event.text;
    }
    return text;
  }
};

TEST_F(Wrapper, AnswersAndRemembers) {
  conversation.user("What is the capital of France?");
  EXPECT_NE(answer().find("Paris"), std::string::npos);
  session.add_reply(conversation);
  const size_t before = conversation.size();
  EXPECT_GT(before, 1u);
  conversation.user("What is the capital of Italy?");
  EXPECT_NE(answer().find("Rome"), std::string::npos);
  EXPECT_GT(session.usage().reused_tokens, 0u);
  conversation.truncate(before);
  EXPECT_EQ(conversation.size(), before);
}

TEST_F(Wrapper, ModelsAreQuantized) {
  const std::string out = testing::TempDir() + "wrapper-quantized";
  std::filesystem::remove_all(out);
  const Engine engine;
  Quantization quantization(engine, kModel, out, {.compare = false});
  EXPECT_EQ(quantization.try_report().error().code(), Code::kInvalidArgument);
  vitalis_quantize_progress progress = {};
  while (quantization.next(progress)) EXPECT_LE(progress.done, progress.total);
  EXPECT_EQ(progress.stage, VITALIS_QUANTIZE_DONE);
  EXPECT_EQ(Model(engine, out).info().decode_bytes, quantization.report().decode_bytes_after);
  EXPECT_EQ(Quantization::try_create(engine, kModel, out).error().code(), Code::kInvalidArgument);
  std::filesystem::remove_all(out);
}

TEST_F(Wrapper, PlansAreMadeWithoutAModel) {
  const Engine engine;
  const vitalis_plan one = plan(engine, kModel, {.context = 1024});
  EXPECT_EQ(one.context, 1024U);
  EXPECT_EQ(one.peak_bytes, one.hot_bytes + one.kv_bytes + one.scratch_bytes);
  EXPECT_EQ(one.fit, VITALIS_FIT_WHOLE);
  EXPECT_EQ(one.mapped_bytes, model.info().mapped_bytes);
  EXPECT_EQ(plan(engine, kModel, {.context = 1024, .sequences = 2}).kv_bytes, 2 * one.kv_bytes);
  const auto small = plan(engine, kModel, {.context = 65536, .memory_budget_mib = 64});
  EXPECT_NE(small.fit, VITALIS_FIT_WHOLE);
  EXPECT_GT(small.largest_context, 1024U);
  EXPECT_LT(small.largest_context, 65536U);
  EXPECT_EQ(try_plan(engine, "/nowhere").error().code(), Code::kNotFound);
  const auto refused = Session::try_create(model, {.context = 65536, .memory_budget_mib = 64});
  EXPECT_EQ(refused.error().code(), Code::kOutOfMemory);
}

TEST_F(Wrapper, VerifiesAModelsFiles) {
  const std::string folder = testing::TempDir() + "vitalis-wrapper-verify";
  const std::string manifest = folder + "/manifest.json";
  std::filesystem::remove_all(folder);
  std::filesystem::copy(kModel, folder, std::filesystem::copy_options::recursive);
  const auto write = [&](uint64_t size) {
    std::ofstream(manifest) << R"({"schema": 1, "repo": "here/tiny", "commit": ")"
                            << std::string(40, 'a') << R"(", "files": [{"path": "config.json", )"
                            << "\"size\": " << size << R"(, "sha256": ")" << std::string(64, '0')
                            << "\"}]}";
  };

  vitalis::Verification structure(folder);  // of no known release
  EXPECT_EQ(structure.next(), std::nullopt);
  EXPECT_FALSE(structure.was_cancelled());
  EXPECT_TRUE(structure.files().empty());

  write(std::filesystem::file_size(folder + "/config.json"));
  vitalis::Verification other(folder, manifest);
  other.cancel();
  EXPECT_EQ(other.next(), std::nullopt);
  EXPECT_TRUE(other.was_cancelled());
  const auto begun = other.next();
  ASSERT_TRUE(begun.has_value());
  EXPECT_EQ(begun->files, 1u);
  EXPECT_EQ(begun->release, "here/tiny at aaaaaaa");
  const auto judged = other.try_next();
  ASSERT_FALSE(judged.ok());
  EXPECT_EQ(judged.error().code(), vitalis::Code::kIntegrity);
  ASSERT_EQ(other.files().size(), 1u);
  EXPECT_EQ(other.files()[0].outcome, VITALIS_FILE_WRONG_DIGEST);
  EXPECT_EQ(other.files()[0].path, "config.json");
  EXPECT_FALSE(other.files()[0].detail.empty());

  EXPECT_EQ(vitalis::Verification::try_create("/no/such/model").error().code(),
            vitalis::Code::kNotFound);
  std::filesystem::remove_all(folder);
}

TEST_F(Wrapper, EventsComeInOrder) {
  conversation.user("What is the capital of France?");
  std::vector<EventKind> kinds;
  FinishReason reason = FinishReason::kNone;
  for (const Event& event : session.generate(conversation, {.temperature = 0})) {
    kinds.push_back(event.kind);
    reason = event.finish_reason;
    EXPECT_LE(event.done, event.total);
  }
  ASSERT_GE(kinds.size(), 4u);
  EXPECT_EQ(kinds.front(), EventKind::kPrefill);
  EXPECT_EQ(kinds.back(), EventKind::kFinished);
  EXPECT_EQ(reason, FinishReason::kStop);
  EXPECT_EQ(std::ranges::count(kinds, EventKind::kFinished), 1);
}

TEST_F(Wrapper, SavesForksAndGoesOn) {
  conversation.user("Tell me a story about a fox named Mia.");
  const auto rest = [](Answer answer) {
    std::string text;
    for (const Event& event : answer) text += event.text;
    return text;
  };
  const std::string whole = rest(session.generate(conversation, {.seed = 3}));
  auto answer = session.generate(conversation, {.seed = 3});
  std::string begin;
  for (int i = 0; i < 9; ++i) begin += answer.next()->text;
  const std::string file = testing::TempDir() + "vitalis-wrapper-session";
  EXPECT_TRUE(session.save(file, std::string_view("any\0bytes", 9)));
  EXPECT_EQ(session.progress().done, session.progress().total);
  Session forked = session.fork();
  Session restored(model, {.context = 700});
  EXPECT_TRUE(restored.restore(file));
  EXPECT_EQ(restored.note(), std::string("any\0bytes", 9));
  for (const Session* each : {&session, &forked, &restored}) {
    EXPECT_EQ(begin + rest(each->answer()), whole);
  }
  const auto missing = restored.try_restore(file + "-none");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  std::remove(file.c_str());
}

TEST_F(Wrapper, LogprobsComeWithAlternatives) {
  conversation.user("What is the capital of France?");
  answer({.temperature = 0, .logprobs = 3});
  const size_t generated = session.usage().generated_tokens;
  for (size_t i = 0; i < generated; ++i) {
    const auto found = session.logprobs(i);
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].token, found[1].token) << "greedy takes the most probable";
    EXPECT_EQ(found[0].after, 0);
    EXPECT_LE(found[0].before, 0);
    EXPECT_GE(found[1].before, found[2].before);
    EXPECT_GE(found[2].before, found[3].before);
  }
  EXPECT_FALSE(session.try_logprobs(generated).ok());
  answer();
  EXPECT_FALSE(session.try_logprobs(0).ok());
}

TEST_F(Wrapper, PenaltiesAndBiasReachTheSampler) {
  conversation.user("What is the capital of France?");
  answer({.temperature = 0, .logprobs = 0});
  const uint32_t first = session.logprobs(0)[0].token;
  answer({.temperature = 0, .max_tokens = 1, .bias = {{first, -1000}}, .logprobs = 0});
  EXPECT_NE(session.logprobs(0)[0].token, first);
  const GenerateOptions often = {.temperature = 0, .max_tokens = 20, .frequency_penalty = -2};
  const GenerateOptions seldom = {.temperature = 0, .max_tokens = 20, .repetition_penalty = 50};
  EXPECT_NE(answer(often), answer(seldom));
}

TEST_F(Wrapper, ABatchTellsWhatEachTellsAlone) {
  const char* const questions[] = {"What is the capital of France?", "What is 17 + 25?",
                                   "Tell me a story about a fox named Mia."};
  std::vector<Session> sessions;
  std::vector<Session*> given;
  std::vector<std::string> alone(3), together(3);
  for (size_t i = 0; i < 3; ++i) {
    Conversation about;
    about.user(questions[i]);
    for (const Event& event : session.generate(about, {.seed = i})) alone[i] += event.text;
    sessions.emplace_back(model, SessionOptions{.context = 512});
    static_cast<void>(sessions.back().generate(about, {.seed = i}));
  }
  for (Session& each : sessions) given.push_back(&each);
  Batch batch(model, {.sessions = 3});
  size_t finished = 0;
  while (const auto told = batch.next(given)) {
    for (const auto& [i, event] : *told) {
      together[i] += event.text;
      finished += event.kind == EventKind::kFinished ? 1 : 0;
    }
  }
  EXPECT_EQ(finished, 3u);
  EXPECT_EQ(together, alone);
  given.push_back(given[0]);
  EXPECT_FALSE(batch.try_next(given).ok());
}

TEST_F(Wrapper, SeedsRepeatAndZeroIsOne) {
  conversation.user("Tell me a story.");
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7}}) {
    const GenerateOptions options = {.seed = seed, .max_tokens = 40};
    std::vector<std::string> texts(2);
    for (std::string& text : texts) {
      for (const Event& event : session.generate(conversation, options)) text += event.text;
    }
    EXPECT_EQ(texts[0], texts[1]);
    EXPECT_FALSE(texts[0].empty());
  }
}

TEST_F(Wrapper, ErrorsAreThrownOrReturned) {
  const auto failed = Model::try_open(Engine(), "/no/such/model");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::kNotFound);
  EXPECT_NE(std::string(failed.error().what()).find("/no/such/model"), std::string::npos);
  try {
    const Model missing(Engine(), "/no/such/model");
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_STREQ(error.what(), failed.error().what());
  }
  EXPECT_THROW(Engine({.tier = "abacus"}), Error);
  EXPECT_TRUE(model.tokenizer().token_bytes(~0u).empty());
  EXPECT_THROW(conversation.load_json("{"), Error);
  EXPECT_EQ(model.tokenizer().try_special("<|nothing|>").error().code(), Code::kNotFound);
  conversation.user(std::string(20000, 'x'));
  EXPECT_EQ(session.try_generate(conversation).error().code(), Code::kContextFull);
}

TEST_F(Wrapper, AStopTokenEndsTheAnswer) {
  conversation.user("Tell me a story.");
  std::stop_source stop;
  size_t events = 0;
  FinishReason reason = FinishReason::kNone;
  for (const Event& event : session.generate(conversation, {.seed = 1}, stop.get_token())) {
    if (++events == 5) stop.request_stop();
    reason = event.finish_reason;
  }
  EXPECT_EQ(reason, FinishReason::kCancelled);
  EXPECT_EQ(events, 6u);
  // Requested before the start: nothing but the end.
  auto answer = session.generate(conversation, {}, stop.get_token());
  const auto event = answer.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->finish_reason, FinishReason::kCancelled);
  EXPECT_FALSE(answer.next());
}

TEST_F(Wrapper, AnotherThreadMayCancelAndABreakIsFine) {
  conversation.user("Tell me a story.");
  for (const Event& event : session.generate(conversation, {.seed = 1})) {
    if (event.kind == EventKind::kText) break;
  }
  auto answer = session.generate(conversation, {.seed = 1});
  ASSERT_TRUE(answer.next());
  std::jthread([&] { session.cancel(); }).join();
  EXPECT_EQ(answer.next()->finish_reason, FinishReason::kCancelled);
}

TEST_F(Wrapper, AnAnswerOutlivesItsSession) {
  conversation.user("What is the capital of France?");
  std::optional<Session> other(std::in_place, model);
  auto answer = other->generate(conversation, {.temperature = 0});
  other.reset();
  size_t events = 0;
  while (answer.next()) ++events;
  EXPECT_GT(events, 4u);
}

TEST_F(Wrapper, TokensAndLogits) {
  const std::string text = "Grüße aus Łódź, 北京 🙂";
  const Tokenizer tokenizer = model.tokenizer();
  const auto tokens = tokenizer.encode(text);
  std::string bytes;
  for (const uint32_t token : tokens) bytes += tokenizer.token_bytes(token);
  EXPECT_EQ(bytes, text);
  const auto info = model.info();
  const auto begin = tokenizer.encode("<|start|>", {.special = true});
  ASSERT_EQ(begin.size(), 1u);
  EXPECT_EQ(begin[0], tokenizer.special("<|start|>"));
  EXPECT_GT(tokenizer.encode("<|start|>").size(), 1u);

  std::vector<float> all(tokens.size() * info.vocab);
  std::vector<float> last(info.vocab);
  ASSERT_TRUE(session.forward(tokens, all, true));
  session.reset();
  ASSERT_TRUE(session.forward(tokens, last));
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.end() - info.vocab));
  EXPECT_THROW(session.forward(tokens, std::span(last).first(1)), Error);
}

TEST_F(Wrapper, FactsAboutTheModel) {
  const auto info = model.info();
  EXPECT_GT(info.layers, 0u);
  EXPECT_EQ(std::string(info.format), "safetensors");
  uint64_t bytes = 0;
  for (size_t i = 0; i < info.tensors; ++i) bytes += model.tensor(i).bytes;
  EXPECT_GT(bytes, 0u);
  EXPECT_LE(bytes, info.mapped_bytes);
  EXPECT_THROW(model.tensor(info.tensors), Error);
  EXPECT_EQ(model.plan({.context = 256}).context, 256u);
  EXPECT_GT(model.plan({.context = 512}).kv_bytes, model.plan({.context = 256}).kv_bytes);
}

TEST_F(Wrapper, AnswersAreHeldToToolsAndSchemas) {
  conversation
      .add_tool(
          "get_time", "The time",
          R"({"type": "object", "properties": {"zone": {"type": "integer"}}, "required": ["zone"]})")
      .user("Hello");
  Session session(model);
  const auto answer = [&](uint64_t seed) {
    std::string call, final;
    for (const Event& event :
         session.generate(conversation, {.temperature = 2, .seed = seed, .max_tokens = 80})) {
      if (event.kind == EventKind::kToolCall) call += event.text;
      if (event.kind == EventKind::kText && event.channel == Channel::kFinal) final += event.text;
    }
    return std::pair(call, final);
  };
  conversation.set_tool_choice(ToolChoice::kFunction, "get_time");
  const std::string call = answer(1).first;
  EXPECT_EQ(call.front(), '{');
  EXPECT_NE(call.find("\"zone\":"), std::string::npos) << call;
  EXPECT_EQ(call.back(), '}');
  conversation.set_tool_choice(ToolChoice::kNone)
      .set_response_schema("mood", R"({"enum": ["up"]})");
  EXPECT_EQ(answer(2), std::pair(std::string(), std::string("\"up\"")));
  conversation.set_tool_choice(ToolChoice::kRequired);
  EXPECT_TRUE(answer(3).second.empty());
  conversation.clear_response_schema().set_tool_choice(ToolChoice::kFree);

  EXPECT_EQ(conversation.try_set_tool_choice(ToolChoice::kFunction).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(conversation.try_set_tool_choice(ToolChoice::kNone, "f").error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(conversation.try_set_response_schema("x", "{").error().code(), Code::kMalformed);
  conversation.set_tool_choice(ToolChoice::kAuto).set_response_schema(nullptr, R"({"not": {}})");
  EXPECT_EQ(session.try_generate(conversation).error().code(), Code::kUnsupported);
}

TEST_F(Wrapper, ConversationsRender) {
  conversation.set_system({.reasoning_effort = Effort::kLow, .current_date = "2026-01-31"})
      .set_instructions("Answer briefly.")
      .add_tool("get_weather", "The weather", R"({"type": "object", "properties": {}})")
      .user("Hello");
  const Tokenizer tokenizer(kModel);
  const auto tokens = conversation.render(tokenizer);
  std::string text;
  for (const uint32_t token : tokens) text += tokenizer.token_bytes(token);
  for (const char* part :
       {"2026-01-31", "Reasoning: low", "Answer briefly.", "get_weather", "Hello"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

}  // namespace
