// SPDX-License-Identifier: Apache-2.0
// A session file whose state has been changed at will, past its checksums: it is refused and the
// session is as it was, or what it holds can be gone on with. The input is a list of changes to a
// good file (place, eight bytes), or if its first byte is odd, the file itself.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <unistd.h>

#include "base/mapped_file.h"
#include "session/session.h"
#include "tokenizer/fingerprint.h"

namespace {

using namespace vitalis;           // NOLINT(google-build-using-namespace)
using namespace vitalis::session;  // NOLINT(google-build-using-namespace)

constexpr size_t kHeader = 56, kStateBytesAt = 24, kStateSumAt = 40, kSumAt = 48;

struct Setting {
  std::shared_ptr<const Model> model;
  std::unique_ptr<Session> session;
  std::string good;
  std::string path = "/tmp/session_file_fuzz." + std::to_string(::getpid());

  Setting() {
    auto engine = engine::make_engine({.threads = 1});
    auto opened = Model::open(std::make_shared<const engine::Engine>(engine.take()),
                              VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny");
    if (!opened.ok()) std::abort();
    model = opened.take();
    session = Session::create(model, {.context = 256, .chunk = 64}).take();
    harmony::Conversation chat;
    chat.messages.push_back(harmony::text_message(harmony::Role::kUser, "Hello!"));
    const GenerateOptions options = {
        .sampling = {.bias = {{1, 2.f}}, .seed = 7}, .logprobs = true, .alternatives = 1};
    if (!session->start(chat, options).ok()) std::abort();
    go_on(8);
    if (!session->save(path, "note").ok()) std::abort();
    good = read_file(path, size_t{1} << 30).take();
  }
  ~Setting() { ::unlink(path.c_str()); }
  void go_on(int events) {
    Event event;
    for (int i = 0; i < events; ++i) {
      const auto step = session->next(event);
      if (!step.ok() || *step != Session::Step::kEvent) break;
    }
  }
};

uint64_t number_at(const std::string& file, size_t at) {
  uint64_t number;
  std::memcpy(&number, file.data() + at, sizeof number);
  return number;
}
void put(std::string& file, size_t at, uint64_t number) {
  std::memcpy(file.data() + at, &number, sizeof number);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Setting setting;
  if (size == 0) return 0;
  std::string file;
  if (data[0] % 2 == 1) {
    file.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  } else {
    file = setting.good;
    const uint64_t state = number_at(file, kStateBytesAt);
    for (++data, --size; size >= 10; data += 10, size -= 10) {
      uint16_t at;
      uint64_t value;
      std::memcpy(&at, data, 2);
      std::memcpy(&value, data + 2, 8);
      put(file, kHeader + at % (state - 8), value);
    }
    put(file, kStateSumAt, tokenizer::fingerprint(std::string_view(file).substr(kHeader, state)));
    put(file, kSumAt, tokenizer::fingerprint(std::string_view(file).substr(0, kSumAt)));
  }
  std::ofstream(setting.path, std::ios::binary) << file;
  const size_t before = setting.session->usage().context_used;
  const auto restored = setting.session->restore(setting.path);
  if (restored.ok()) {
    setting.go_on(3);
    setting.session->reply();
    setting.session->reset();
  } else if (setting.session->usage().context_used != before) {
    std::abort();
  }
  return 0;
}
