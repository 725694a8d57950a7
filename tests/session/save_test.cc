// SPDX-License-Identifier: Apache-2.0
// Sessions that are written to a file and go on elsewhere: all that follows is what would have
// followed without a pause. Files that are not what they should be leave a session as it was.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "session/tiny.h"
#include "tokenizer/fingerprint.h"

namespace vitalis::session {
namespace {

namespace fs = std::filesystem;
using engine::Outcome;

class Save : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) /
             (std::string("vitalis-save-") +
              testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder);
    fs::create_directories(folder);
    path = (folder / "session").string();
  }
  void TearDown() override { fs::remove_all(folder); }

  void save(Session& session, std::string_view note = {}) {
    const auto saved = session.save(path, note);
    ASSERT_TRUE(saved.ok()) << saved.status().message();
    ASSERT_EQ(*saved, Outcome::kDone);
  }
  void restore(Session& session) {
    const auto restored = session.restore(path);
    ASSERT_TRUE(restored.ok()) << restored.status().message();
    ASSERT_EQ(*restored, Outcome::kDone);
  }
  std::string bytes() { return read_file(path, size_t{1} << 30).take(); }
  void write(const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

  fs::path folder;
  std::string path;
};

std::vector<float> forward(Session& session, std::span<const Token> tokens) {
  std::vector<float> logits(tiny()->config().vocab);
  const auto outcome = session.forward(tokens, false, logits);
  EXPECT_TRUE(outcome.ok()) << outcome.status().message();
  return logits;
}

TEST_F(Save, ContinuesAtEveryLengthAsIfNothingHadBeen) {
  std::vector<Token> tokens(1400);
  for (Token i = 0; i < tokens.size(); ++i) tokens[i] = i * 7919 % tiny()->config().vocab;
  const std::span<const Token> all(tokens);
  for (const size_t length : {1, 31, 32, 33, 127, 128, 129, 191, 192, 193, 1000}) {
    auto first = open_session();
    forward(*first, all.first(length));
    save(*first);
    const auto expected = forward(*first, all.subspan(length, 350));
    // Into the same shape, into larger rings, and where nothing is a ring.
    for (const SessionOptions& options :
         {SessionOptions{2048, 64}, SessionOptions{1400, 400}, SessionOptions{1400, 1400}}) {
      auto second = open_session(options);
      forward(*second, all.subspan(700, 20));
      restore(*second);
      EXPECT_EQ(second->usage().context_used, length);
      EXPECT_EQ(forward(*second, all.subspan(length, 350)), expected) << length;
    }
  }
}

// Stops before every event of an answer, goes on in another session, and compares all that follows.
void expect_same_from_everywhere(const std::string& path, const harmony::Conversation& about,
                                 const GenerateOptions& options, size_t step,
                                 const std::function<void(Session&)>& at_pause = {}) {
  auto whole = open_session();
  ASSERT_TRUE(whole->start(about, options).ok());
  const std::vector<std::string> expected = lines(*whole);
  for (size_t pause = 0; pause <= expected.size(); pause += step) {
    auto first = open_session();
    ASSERT_TRUE(first->start(about, options).ok());
    lines(*first, pause);
    ASSERT_TRUE(first->save(path, "").ok());
    if (at_pause) at_pause(*first);
    auto second = open_session({.context = 2048, .chunk = 100});
    const auto restored = second->restore(path);
    ASSERT_TRUE(restored.ok()) << restored.status().message();
    // Prefill goes on in chunks of the session that does it.
    const auto is_prefill = [](const std::string& line) { return line.starts_with("0 "); };
    auto rest = lines(*second), wanted = std::vector(expected.begin() + pause, expected.end());
    std::erase_if(rest, is_prefill);
    std::erase_if(wanted, is_prefill);
    ASSERT_EQ(rest, wanted) << pause;
    EXPECT_EQ(second->reply(), whole->reply());
    EXPECT_EQ(second->usage().reasoning_tokens, whole->usage().reasoning_tokens);
    EXPECT_EQ(second->usage().seed, whole->usage().seed);
    EXPECT_GT(second->usage().first_token_seconds, 0);
    for (size_t i = 0; i < whole->usage().generated_tokens; ++i) {
      const auto a = whole->logprobs(i), b = second->logprobs(i);
      ASSERT_EQ(a.size(), b.size());
      for (size_t j = 0; j < a.size(); ++j) {
        EXPECT_EQ(a[j].token, b[j].token);
        EXPECT_EQ(a[j].before, b[j].before);
        EXPECT_EQ(a[j].after, b[j].after);
      }
    }
  }
}

TEST_F(Save, GoesOnInTheMiddleOfAnAnswer) {
  GenerateOptions options = {.sampling = {.temperature = 0.8f,
                                          .top_p = 0.95f,
                                          .repetition_penalty = 1.001f,
                                          .presence_penalty = 0.05f,
                                          .frequency_penalty = 0.01f,
                                          .bias = {{5, -1.f}},
                                          .seed = 3},
                             .logprobs = true,
                             .alternatives = 2};
  size_t past_window = 0;
  std::string past;  // longer than the window
  for (int i = 0; i < 12; ++i) past += "My name is Clara and I like foxes. ";
  expect_same_from_everywhere(
      path, asking(past + "Tell me a story about a fox named Mia."), options, 7,
      [&](const Session& at) { past_window += at.usage().context_used > 192 ? 1 : 0; });
  EXPECT_GT(past_window, 0u) << "the rings had not turned over";
}

TEST_F(Save, GoesOnInTheMiddleOfAToolCall) {
  expect_same_from_everywhere(path, asking_for_weather(), {.sampling = {.greedy = true, .seed = 1}},
                              1);
}

TEST_F(Save, GoesOnInTheMiddleOfACharacter) {
  // Tokens that end inside a character are made likely.
  const auto ends_inside = [](Token token) {
    const auto bytes = tiny()->tokenizer().bytes(token);
    return !bytes.empty() && static_cast<unsigned char>(bytes.back()) >= 0xC0;
  };
  GenerateOptions options = {
      .sampling = {.temperature = 2, .seed = 1}, .max_tokens = 30, .logprobs = true};
  for (Token token = 0; token < tiny()->tokenizer().size(); ++token) {
    if (ends_inside(token)) options.sampling.bias.push_back({token, 14.f});
  }
  size_t inside = 0;
  expect_same_from_everywhere(path, asking("Hello!"), options, 1, [&](const Session& at) {
    const size_t count = at.usage().generated_tokens;
    if (count > 0 && ends_inside(at.logprobs(count - 1)[0].token)) ++inside;
  });
  EXPECT_GT(inside, 0u);
}

TEST_F(Save, TheNextTurnReusesWhatTheOneBeforeWouldHave) {
  auto chat = asking("Tell me a story about a fox named Mia.");
  const GenerateOptions greedy = {.sampling = {.greedy = true}};
  auto first = open_session();
  ASSERT_TRUE(first->start(chat, greedy).ok());
  lines(*first);
  for (const harmony::Message& message : first->reply()) chat.messages.push_back(message);
  save(*first, "a note\0with a zero");
  auto second = open_session({.context = 1024, .chunk = 32});
  restore(*second);
  EXPECT_EQ(second->note(), "a note");
  chat.messages.push_back(harmony::text_message(harmony::Role::kUser, "What is 17 + 25?"));
  for (Session* session : {first.get(), second.get()}) {
    ASSERT_TRUE(session->start(chat, greedy).ok());
    lines(*session);
  }
  EXPECT_EQ(first->reply(), second->reply());
  EXPECT_GT(second->usage().reused_tokens, 0u);
  // Windows are at the ends of prompts; the rings that the first still has reach a little further.
  EXPECT_GE(second->usage().reused_tokens + 2, first->usage().reused_tokens);
}

TEST_F(Save, AFileIsReplacedWholeAndIsItsOwners) {
  auto session = open_session();
  forward(*session, std::vector<Token>(300, 7));
  save(*session, "older");
  const std::string older = bytes();
  session->reset();
  save(*session, "newer");
  EXPECT_TRUE(bytes() != older);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
  EXPECT_EQ(session->save((folder / "none" / "session").string(), "").status().code(),
            Code::kNotFound);
  EXPECT_EQ(session->restore((folder / "none").string()).status().code(), Code::kNotFound);
  EXPECT_EQ(session->restore(folder.string()).status().code(), Code::kIo);
}

// cancel() is about what was going on then, not about what is restored later.
TEST_F(Save, AnEarlierCancelDoesNotReachARestoredAnswer) {
  auto first = open_session();
  ASSERT_TRUE(first->start(asking("Hello!"), {.sampling = {.greedy = true, .seed = 1}}).ok());
  lines(*first, 4);
  save(*first);
  const auto expected = lines(*first);
  auto second = open_session();
  second->cancel();
  restore(*second);
  EXPECT_EQ(lines(*second), expected);
  // And a save in between does not undo the cancelling of an answer.
  restore(*second);
  second->cancel();
  save(*second);
  Event event;
  EXPECT_EQ(*second->next(event), Session::Step::kCancelled);
}

// A cancelled save leaves the older file, a cancelled restore the session, whenever it comes.
TEST_F(Save, CancelLeavesAllAsItWas) {
  auto session = open_session({.context = 16384, .chunk = 512});
  std::vector<Token> tokens(12000);
  for (Token i = 0; i < tokens.size(); ++i) tokens[i] = i % 2000;
  forward(*session, tokens);
  size_t cancelled = 0;
  auto other = open_session({.context = 16384, .chunk = 512});
  for (int i = 0; i < 30; ++i) {
    const bool saving = i % 2 == 0;
    save(*session, "older");
    const std::string older = bytes();
    other->reset();
    std::atomic<bool> begun = false;
    std::thread thread([&] {
      while (!begun) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
      (saving ? session : other)->cancel();
    });
    begun = true;
    const auto outcome = saving ? session->save(path, "newer") : other->restore(path);
    thread.join();
    ASSERT_TRUE(outcome.ok());
    if (*outcome == Outcome::kDone) continue;
    ++cancelled;
    const auto progress = (saving ? session : other)->progress();
    EXPECT_LT(progress.done, progress.total);
    EXPECT_TRUE(bytes() == older);  // not EXPECT_EQ: it would look for the difference
    EXPECT_EQ(other->usage().context_used, 0u);
  }
  save(*session, "older");
  EXPECT_GT(cancelled, 0u);
  restore(*other);
  EXPECT_EQ(other->progress().done, other->progress().total);
  EXPECT_EQ(forward(*other, std::vector<Token>(3, 1)), forward(*session, std::vector<Token>(3, 1)));
}

// Every file that is not whole and right is refused, and the session goes on as if it had not been
// asked.
class BadFile : public Save {
 protected:
  void SetUp() override {
    Save::SetUp();
    auto saved = open_session();
    ASSERT_TRUE(saved->start(asking("Hello!"), {.sampling = {.seed = 5}}).ok());
    lines(*saved, 12);
    save(*saved, "note");
    good = bytes();
    session = open_session();
    ASSERT_TRUE(session->start(asking("What is 2 + 3?"), {.sampling = {.greedy = true}}).ok());
    lines(*session, 5);
    auto same = open_session();
    ASSERT_TRUE(same->start(asking("What is 2 + 3?"), {.sampling = {.greedy = true}}).ok());
    expected = lines(*same);
  }
  // The code; the message names the file.
  Code refused(const std::string& content) {
    write(content);
    const auto outcome = session->restore(path);
    EXPECT_FALSE(outcome.ok());
    EXPECT_TRUE(outcome.status().message().starts_with(path)) << outcome.status().message();
    return outcome.status().code();
  }
  void expect_untouched() {
    auto all = expected;
    const auto rest = lines(*session);
    EXPECT_EQ(rest, std::vector(all.begin() + 5, all.end()));
  }
  // With fields of the header changed and its checksum made right again.
  std::string with_header(size_t offset, const void* value, size_t size) {
    std::string out = good;
    std::memcpy(out.data() + offset, value, size);
    const uint64_t sum = tokenizer::fingerprint(std::string_view(out).substr(0, 48));
    std::memcpy(out.data() + 48, &sum, sizeof sum);
    return out;
  }

  std::string good;
  std::unique_ptr<Session> session;
  std::vector<std::string> expected;
};

TEST_F(BadFile, CutShortAnywhere) {
  for (size_t size = 0; size < good.size(); size += size < 2000 ? 13 : 40013) {
    const Code code = refused(good.substr(0, size));
    EXPECT_TRUE(code == Code::kMalformed || code == Code::kIntegrity) << size;
  }
  EXPECT_EQ(refused(good + "x"), Code::kIntegrity);
  expect_untouched();
}

TEST_F(BadFile, DamagedAnywhere) {
  for (size_t at = 0; at < good.size(); at += at < 4000 ? 7 : 40013) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1 << at % 8);
    refused(bad);
  }
  expect_untouched();
}

TEST_F(BadFile, ForeignOrOfAnotherTime) {
  EXPECT_EQ(refused(""), Code::kMalformed);
  EXPECT_EQ(refused(std::string(10000, 'x')), Code::kMalformed);
  const uint32_t later = 2;
  EXPECT_EQ(refused(with_header(8, &later, sizeof later)), Code::kUnsupported);
  const uint64_t model = 12345;
  EXPECT_EQ(refused(with_header(16, &model, sizeof model)), Code::kIntegrity);
  const uint64_t huge = UINT64_MAX - 7;
  EXPECT_EQ(refused(with_header(24, &huge, sizeof huge)), Code::kIntegrity);
  EXPECT_EQ(refused(with_header(32, &huge, sizeof huge)), Code::kIntegrity);
  write(good);
  auto small = open_session({.context = 32, .chunk = 32});
  EXPECT_EQ(small->restore(path).status().code(), Code::kContextFull);
  auto exact = open_session({.context = 512}, open_tiny({.numerics = engine::Numerics::kFloat32}));
  EXPECT_EQ(exact->restore(path).status().code(), Code::kUnsupported);
  expect_untouched();
}

// A state that no session has, under a right checksum.
TEST_F(BadFile, ForgedState) {
  uint64_t state_bytes;
  std::memcpy(&state_bytes, good.data() + 24, sizeof state_bytes);
  size_t refusals = 0;
  for (size_t at = 56; at < 56 + state_bytes; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    const uint64_t state_sum =
        tokenizer::fingerprint(std::string_view(bad).substr(56, state_bytes));
    std::memcpy(bad.data() + 40, &state_sum, sizeof state_sum);
    const uint64_t sum = tokenizer::fingerprint(std::string_view(bad).substr(0, 48));
    std::memcpy(bad.data() + 48, &sum, sizeof sum);
    write(bad);
    auto other = open_session({.context = 512, .chunk = 64});
    const auto outcome = other->restore(path);
    refusals += outcome.ok() ? 0 : 1;
    if (outcome.ok()) lines(*other, 20);  // whatever it says, it runs
  }
  EXPECT_GT(refusals, 0u);
  expect_untouched();
}

}  // namespace
}  // namespace vitalis::session
