// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <string>
#include <sys/resource.h>
#include <utility>

#include "json_writer.h"
#include "text.h"

namespace vitalis::cli {

namespace {

class AnswerPrinter {
 public:
  AnswerPrinter(bool show_reasoning, Output& output)
      : output_(output), show_reasoning_(show_reasoning) {}

  // False if there is no use in going on.
  bool show(const vitalis_event& event);
  // Ends the last line; for an answer that stops anywhere.
  void end() { end_line(); }
  // Whether the user was told anything but reasoning.
  bool said_something() const { return said_something_; }

 private:
  bool show_prefill(const vitalis_event& event);
  bool begin_message(const vitalis_event& event);
  bool show_call(const vitalis_event& event);
  bool show_text(const vitalis_event& event);
  bool end_message();
  bool print(std::string_view text, bool dimmed);
  bool end_line();

  Output& output_;
  bool show_reasoning_;
  bool said_something_ = false;
  bool in_call_ = false;
  bool line_open_ = false;
};

bool is_reasoning(int32_t channel) {
  return channel == VITALIS_CHANNEL_ANALYSIS || channel == VITALIS_CHANNEL_OTHER;
}

bool AnswerPrinter::show(const vitalis_event& event) {
  switch (event.kind) {
    case VITALIS_EVENT_PREFILL:
      return show_prefill(event);
    case VITALIS_EVENT_MESSAGE_BEGIN:
      return begin_message(event);
    case VITALIS_EVENT_TEXT:
      return show_text(event);
    case VITALIS_EVENT_TOOL_CALL:
      return show_call(event);
    case VITALIS_EVENT_MESSAGE_END:
      return end_message();
    default:  // DIAGNOSTIC is for developers; FINISHED is the caller's; later kinds are unknown
              // here
      return true;
  }
}

bool AnswerPrinter::show_prefill(const vitalis_event& event) {
  if (event.done < event.total) {
    output_.show_progress("reading the prompt: " + std::to_string(event.done) + " of " +
                          std::to_string(event.total) + " tokens");
  } else {
    output_.clear_progress();
  }
  return true;
}

bool AnswerPrinter::begin_message(const vitalis_event& event) {
  // Where nothing can be dimmed, a label tells reasoning from the answer. A call has its own.
  if (event.recipient.size > 0 || !is_reasoning(event.channel)) return true;
  if (!show_reasoning_ || output_.dims()) return true;
  return print('[' + std::string(view(event.channel_name)) + "] ", true);
}

// A recipient alone makes no call: a message to the user has one too.
bool AnswerPrinter::show_call(const vitalis_event& event) {
  said_something_ = true;
  if (!std::exchange(in_call_, true) &&
      !print("[calls " + std::string(view(event.recipient)) + ' ', false)) {
    return false;
  }
  return print(view(event.text), false);
}

bool AnswerPrinter::show_text(const vitalis_event& event) {
  const bool reasoning = is_reasoning(event.channel);
  if (reasoning && !show_reasoning_) return true;
  if (!reasoning && event.text.size > 0) said_something_ = true;
  return print(view(event.text), reasoning);
}

bool AnswerPrinter::end_message() {
  if (in_call_ && !print("]", false)) return false;
  in_call_ = false;
  return end_line();
}

bool AnswerPrinter::print(std::string_view text, bool dimmed) {
  if (text.empty()) return true;
  line_open_ = text.back() != '\n';
  return dimmed ? output_.print_dimmed(text) : output_.print(text);
}

bool AnswerPrinter::end_line() {
  if (!line_open_) return true;
  line_open_ = false;
  return output_.print("\n");
}

int tell_incomplete(std::string_view why, Output& output) {
  output.error("the answer is not complete: " + std::string(why));
  return kExitIncomplete;
}

}  // namespace

int show_answer(vitalis_session* session, const Options& options, Interrupt& interrupt,
                Output& output, std::string* called) {
  if (called) called->clear();
  AnswerPrinter printer(options.show_reasoning, output);
  vitalis_event event = VITALIS_EVENT_INIT;
  int32_t finish_reason = 0;
  bool complete = true;
  interrupt.watch([session] { vitalis_session_cancel(session); });
  int32_t status = VITALIS_OK;
  bool heard = true;
  while (heard && (status = vitalis_session_next(session, &event)) == VITALIS_OK) {
    if (event.kind == VITALIS_EVENT_FINISHED) finish_reason = event.finish_reason;
    if (event.kind == VITALIS_EVENT_TOOL_CALL && called) *called = view(event.recipient);
    if (event.kind == VITALIS_EVENT_MESSAGE_END) complete = event.complete != 0;
    heard = printer.show(event);
  }
  interrupt.watch(nullptr);
  if (!heard) return output.exit_code(kExitError);
  if (status == VITALIS_CANCELLED) {
    printer.end();
    output.error("the answer is not complete: stopped by Ctrl-C");
    return kExitInterrupted;
  }
  if (status < VITALIS_OK) {
    const std::string sentence = vitalis_last_error();
    printer.end();
    output.error("the answer is not complete: " + sentence);
    return kExitError;
  }
  printer.end();
  if (finish_reason == VITALIS_FINISH_LENGTH) {
    const bool limited = find_setting(options.config.get(), "sampling.max_tokens").is_set != 0;
    return tell_incomplete(
        limited ? "--max-tokens or the context's end was reached" : "the context is full", output);
  }
  if (!complete) return tell_incomplete("the model broke off a message", output);
  if (!printer.said_something()) return tell_incomplete("the model only reasoned", output);
  return output.exit_code(kExitOk);
}

void show_stats(const vitalis_session* session, const vitalis_model* model, Output& output) {
  vitalis_usage usage{};
  usage.struct_size = sizeof usage;
  vitalis_model_info info{};
  info.struct_size = sizeof info;
  if (!succeeded(vitalis_session_get_usage(session, &usage), output, "--stats") ||
      !succeeded(vitalis_model_get_info(model, &info), output, "--stats")) {
    return;
  }
  const auto rate = [](uint32_t tokens, double seconds) {
    return tokens > 0 && seconds > 0 ? tokens / seconds : 0.0;
  };
  const uint32_t computed = usage.prompt_tokens - usage.reused_tokens;
  const uint32_t decoded = usage.generated_tokens > 0 ? usage.generated_tokens - 1 : 0;
  const double decode_rate = rate(decoded, usage.decode_seconds);
  output.note("prompt       " + std::to_string(usage.prompt_tokens) + " tokens, " +
              std::to_string(usage.reused_tokens) + " of them reused, " +
              fixed(rate(computed, usage.prefill_seconds), 1) + " tokens/s");
  output.note("answer       " + std::to_string(usage.generated_tokens) + " tokens, " +
              std::to_string(usage.reasoning_tokens) + " of them reasoning, " +
              fixed(decode_rate, 1) + " tokens/s");
  output.note("first token  " + fixed(usage.first_token_seconds, 3) + " s");
  output.note("weights read " +
              fixed(decode_rate * static_cast<double>(info.decode_bytes) / 1e9, 2) + " GB/s");
  struct rusage process {};
  if (getrusage(RUSAGE_SELF, &process) == 0) {
    output.note("peak memory  " + size_for_people(static_cast<uint64_t>(process.ru_maxrss) * 1024) +
                " resident, weights included");
  }
  output.note("seed         " + std::to_string(usage.seed));
}

void show_logprobs(const vitalis_session* session, const vitalis_model* model, Output& output) {
  vitalis_tokenizer* handle = nullptr;
  vitalis_usage usage{};
  usage.struct_size = sizeof usage;
  if (!succeeded(vitalis_session_get_usage(session, &usage), output, "--logprobs") ||
      !succeeded(vitalis_model_get_tokenizer(model, &handle), output)) {
    return;
  }
  const Tokenizer tokenizer(handle);
  vitalis_logprob entries[1 + 20];
  for (size_t index = 0; index < usage.generated_tokens; ++index) {
    size_t count = 0;
    const int32_t status =
        vitalis_session_get_logprobs(session, index, entries, std::size(entries), &count);
    if (status < 0) continue;  // it was not sampled
    std::string line;
    for (size_t i = 0; i < std::min(count, std::size(entries)); ++i) {
      vitalis_text bytes{};
      if (vitalis_tokenizer_token_bytes(handle, entries[i].token, &bytes) < 0) bytes = {};
      if (i > 0) line += '\t';
      line += spell_token(view(bytes));
      for (const float logprob : {entries[i].before, entries[i].after}) {
        line += '\t';
        line += fixed(logprob > -5e-5f ? 0.0 : static_cast<double>(logprob), 4);  // never -0.0000
      }
    }
    output.note(line);
  }
}

}  // namespace vitalis::cli
