// SPDX-License-Identifier: Apache-2.0
// Memory that is refused: the n-th allocation of a whole session, from engine to reply, fails, for
// one n after the other. Each time the call says so, and the same call succeeds when it is made
// again. The operators below replace those that the library calls, since it is linked dynamically.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>
#include <vector>

#include <vitalis/vitalis.h>

namespace {

// Allocations that still succeed while armed; below zero: all do.
std::atomic<long> left = -1;
std::atomic<bool> armed = false;

void* take(size_t size, size_t alignment) {
  if (armed && left >= 0 && left.fetch_sub(1) == 0) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment + alignment);
}

void* take_or_throw(size_t size, size_t alignment) {
  void* memory = take(size, alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

constexpr size_t kPlain = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
void* operator new(size_t size) {
  return take_or_throw(size, kPlain);
}
void* operator new[](size_t size) {
  return take_or_throw(size, kPlain);
}
void* operator new(size_t size, std::align_val_t at) {
  return take_or_throw(size, size_t(at));
}
void* operator new[](size_t size, std::align_val_t at) {
  return take_or_throw(size, size_t(at));
}
void* operator new(size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return std::malloc(size + 1);
}
void* operator new[](size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return std::malloc(size + 1);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t /*size*/, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t /*size*/, std::align_val_t /*at*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}

namespace {

// Calls while allocations count. If memory was refused, says so and calls again, unrefused.
template <class Call>
void expect_survives(const char* what, long n, const Call& call) {
  armed = true;
  const int32_t status = call();
  armed = false;
  if (status >= 0) return;
  EXPECT_EQ(status, VITALIS_ERROR_OUT_OF_MEMORY)
      << what << ", allocation " << n << ": " << vitalis_last_error();
  EXPECT_STRNE(vitalis_last_error(), "") << what;
  EXPECT_LT(left, 0) << what << ": no memory was refused";
  EXPECT_GE(call(), 0) << what << ", again after allocation " << n << ": " << vitalis_last_error();
}

// Everything before the session; the model is opened by it or, to be quick, given.
struct Setting {
  vitalis_engine* engine = nullptr;
  vitalis_model* model = nullptr;

  void open(long n) {
    expect_survives("engine_create", n, [&] { return vitalis_engine_create(nullptr, &engine); });
    expect_survives("model_open", n, [&] {
      return vitalis_model_open(engine, VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny", nullptr,
                                &model);
    });
  }
  ~Setting() {
    vitalis_model_release(model);
    vitalis_engine_release(engine);
  }
};

void converse(vitalis_model* model, long n) {
  vitalis_conversation* conversation = nullptr;
  vitalis_session* session = nullptr;
  vitalis_tokenizer* tokenizer = nullptr;
  expect_survives("get_tokenizer", n,
                  [&] { return vitalis_model_get_tokenizer(model, &tokenizer); });
  expect_survives("conversation_create", n,
                  [&] { return vitalis_conversation_create(&conversation); });
  expect_survives("set_instructions", n, [&] {
    return vitalis_conversation_set_instructions(conversation, "Answer in capital letters.",
                                                 VITALIS_NUL);
  });
  vitalis_system system = VITALIS_SYSTEM_INIT;
  system.current_date = "2026-01-31";
  expect_survives("set_system", n,
                  [&] { return vitalis_conversation_set_system(conversation, &system); });
  expect_survives("load_json", n, [&] {
    return vitalis_conversation_load_json(
        conversation, VITALIS_JSON_CHAT,
        R"({"messages": [{"role": "user", "content": "What is the capital of Italy?"}],
            "tools": [{"type": "function", "function": {"name": "get_time", "description": "Time",
              "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]})",
        VITALIS_NUL);
  });
  std::vector<uint32_t> tokens(512);
  size_t count = 0;
  expect_survives("tokenize", n, [&] {
    return vitalis_tokenizer_encode(tokenizer, "Spelling, and 1234 words", VITALIS_NUL, nullptr,
                                    tokens.data(), nullptr, tokens.size(), &count);
  });
  expect_survives("render", n, [&] {
    return vitalis_conversation_render(conversation, tokenizer, nullptr, tokens.data(),
                                       tokens.size(), &count);
  });
  vitalis_session_options options = VITALIS_SESSION_OPTIONS_INIT;
  options.context = 512;
  expect_survives("session_create", n,
                  [&] { return vitalis_session_create(model, &options, &session); });
  vitalis_generate_options generate = VITALIS_GENERATE_OPTIONS_INIT;
  generate.sampling = VITALIS_SAMPLE_GREEDY;
  generate.max_tokens = 6;
  const auto start = [&] { return vitalis_session_start(session, conversation, &generate); };
  expect_survives("session_start", n, start);
  vitalis_event event = VITALIS_EVENT_INIT;
  int32_t status = VITALIS_OK;
  while (status == VITALIS_OK) {
    expect_survives("session_next", n, [&] {
      // An error ends the answer; the second time, a new one is begun.
      if (status < 0) status = start();
      if (status >= 0) status = vitalis_session_next(session, &event);
      return status;
    });
  }
  EXPECT_EQ(status, VITALIS_DONE);
  expect_survives("add_reply", n, [&] { return vitalis_session_add_reply(session, conversation); });
  EXPECT_GE(vitalis_conversation_size(conversation), 2u);
  const std::string file = testing::TempDir() + "vitalis-allocation-session";
  vitalis_session* forked = nullptr;
  expect_survives("save", n,
                  [&] { return vitalis_session_save(session, file.c_str(), "note", VITALIS_NUL); });
  expect_survives("restore", n, [&] { return vitalis_session_restore(session, file.c_str()); });
  expect_survives("fork", n, [&] { return vitalis_session_fork(session, &forked); });
  std::remove(file.c_str());
  vitalis_session_release(forked);
  vitalis_session_release(session);
  vitalis_conversation_release(conversation);
  vitalis_tokenizer_release(tokenizer);
}

// Runs body(n) with the n-th allocation refused, for n = 0, 1, 2 … (every n below `all`, then every
// step-th), until a run has none left to refuse. Gives that n.
template <class Body>
long refuse_each(long all, long step, const Body& body) {
  for (long n = 0;; n += n < all ? 1 : step) {
    left = n;
    body(n);
    const bool refused = left < 0;
    left = -1;
    if (!refused || testing::Test::HasFailure()) return n;
  }
}

TEST(Allocation, EachOneOfAConversationMayFail) {
  Setting setting;
  setting.open(-1);
  const long count = refuse_each(1000000, 1, [&](long n) { converse(setting.model, n); });
  EXPECT_GT(count, 100);
  RecordProperty("allocations", static_cast<int>(count));
  printf("%ld allocations were refused in turn\n", count);
}

// Opening takes thousands, most of them for the words of the vocabulary, one like the other.
TEST(Allocation, ManyOfOpeningMayFail) {
  const long count = refuse_each(400, 61, [](long n) { Setting().open(n); });
  EXPECT_GT(count, 400);
  RecordProperty("allocations", static_cast<int>(count));
  printf("opening took up to %ld allocations\n", count);
}

}  // namespace
