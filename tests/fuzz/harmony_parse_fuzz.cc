// SPDX-License-Identifier: Apache-2.0
// Any tokens into each parser. The resilient one refuses nothing, leaves no gap between its
// messages, and lets no control token into a name; and what it read renders.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "harmony/parse.h"
#include "harmony/render.h"

namespace {

using namespace vitalis;           // NOLINT(google-build-using-namespace)
using namespace vitalis::harmony;  // NOLINT(google-build-using-namespace)

void check(bool good) {
  if (!good) __builtin_trap();
}

template <class T>
const T& required(const Result<T>& result) {
  if (result.ok()) return *result;
  std::fprintf(stderr, "%s\n", result.status().message().c_str());
  std::exit(1);
}

const Format& format() {
  static const auto tokenizer =
      Tokenizer::open(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json");
  static const auto format = Format::create(required(tokenizer), 2600);
  return required(format);
}

// A byte is a control token, a word of headers, or half of an id.
std::vector<Token> tokens_of(const uint8_t* data, size_t size) {
  const Format& f = format();
  const Token control[] = {f.start,     f.end,          f.message, f.channel,
                           f.constrain, f.return_token, f.call};
  const char* const words[] = {"assistant", "user", "tool", "analysis",    "commentary",
                               "final",     " to=", "to=",  "functions.f", "functions.",
                               "json",      " ",    "\n",   ":",           "{\"a\":[1,"};
  std::vector<Token> out;
  for (size_t i = 0; i < size; ++i) {
    if (data[i] < 7) {
      out.push_back(control[data[i]]);
    } else if (data[i] < 22) {
      f.tokenizer().encode(words[data[i] - 7], out);
    } else {
      const Token low = i + 1 < size ? data[i + 1] : 0;
      out.push_back(static_cast<Token>(data[i] - 22) * 12 + low);
      ++i;
    }
  }
  return out;
}

void check_message(const Message& message) {
  for (const auto& field : {message.name, message.recipient, message.channel}) {
    check(!field || field->find("<|") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ParserOptions options;
  options.policy = static_cast<Policy>(data[0] % 3);
  if (data[0] & 0x40) options.role.reset();
  if (data[0] & 0x80) options.functions = {"f", "g.h"};
  const std::vector<Token> tokens = tokens_of(data + 1, size - 1);
  Parser parser(format(), options);
  EventBuffer events;
  bool good = true;
  for (const Token t : tokens) good = parser.push(t, events).ok() && good;
  good = parser.finish(events).ok() && good;
  MessageCollector collector;
  collector.add(events);
  if (options.policy != Policy::kResilient) return 0;
  check(good && !collector.open());
  uint32_t end = 0;
  for (const TokenSpan& span : collector.spans()) {
    check(span.begin == end && span.end >= end && span.end <= tokens.size());
    end = span.end;
  }
  for (const Message& message : collector.messages()) check_message(message);
  Conversation conversation{collector.messages()};
  std::vector<Token> rendered;
  check(render(conversation, format(), {}, rendered).ok());
  return 0;
}
