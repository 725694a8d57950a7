/* SPDX-License-Identifier: Apache-2.0
 * Streams one answer of a model: chat MODEL "question"
 * Strict C99 over vitalis.h. The answer goes to stdout as it is made, complaints to stderr. */
#include <stdio.h>

#include <vitalis/vitalis.h>

static int failed(const char* what, int32_t status) {
  if (status >= 0) return 0;
  fprintf(stderr, "chat: cannot %s: %s\n", what, vitalis_last_error());
  return 1;
}

/* Pulls events until the answer is over; shows the final channel only. */
static int stream(vitalis_session* session) {
  vitalis_event event = VITALIS_EVENT_INIT;
  int32_t status;
  while ((status = vitalis_session_next(session, &event)) == VITALIS_OK) {
    if (event.kind == VITALIS_EVENT_TEXT && event.channel == VITALIS_CHANNEL_FINAL) {
      fwrite(event.text.data, 1, event.text.size, stdout);
      fflush(stdout);
    } else if (event.kind == VITALIS_EVENT_FINISHED) {
      putchar('\n');
      if (event.finish_reason == VITALIS_FINISH_LENGTH) fprintf(stderr, "chat: cut off\n");
    }
  }
  return failed("generate", status);
}

int main(int argc, char** argv) {
  vitalis_engine* engine = NULL;
  vitalis_model* model = NULL;
  vitalis_conversation* conversation = NULL;
  vitalis_session* session = NULL;
  vitalis_message question = VITALIS_MESSAGE_INIT;
  vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
  int result = 1;

  if (argc != 3) {
    fprintf(stderr, "usage: chat MODEL QUESTION\n");
    return 2;
  }
  if (vitalis_abi_version() != VITALIS_ABI_VERSION) {
    fprintf(stderr, "chat: the library is not the one this was built for\n");
    return 1;
  }
  question.text = argv[2];
  question.text_size = VITALIS_NUL;
  options.sampling = VITALIS_SAMPLE_GREEDY;

  if (!failed("start", vitalis_engine_create(NULL, &engine)) &&
      !failed("open the model", vitalis_model_open(engine, argv[1], NULL, &model)) &&
      !failed("converse", vitalis_conversation_create(&conversation)) &&
      !failed("ask", vitalis_conversation_add_message(conversation, &question)) &&
      !failed("make room", vitalis_session_create(model, NULL, &session)) &&
      !failed("begin", vitalis_session_start(session, conversation, &options))) {
    result = stream(session);
  }

  vitalis_session_release(session);
  vitalis_conversation_release(conversation);
  vitalis_model_release(model);
  vitalis_engine_release(engine);
  return result;
}
