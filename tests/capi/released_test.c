/* SPDX-License-Identifier: Apache-2.0
 * released_test MODEL: a program of the first release. It is compiled with the header in released/
 * and never changes; whatever the library has become, it has to answer this as it did. */
#include <stdio.h>
#include <string.h>

#include <vitalis/vitalis.h>

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      fprintf(stderr, "%d: %s: %s\n", __LINE__, #condition, vitalis_last_error()); \
      return 1;                                                                    \
    }                                                                              \
  } while (0)

static int tokens_and_back(vitalis_tokenizer* tokenizer) {
  static const char kText[] = "Hello, world <|end|>";
  vitalis_encode_options options = VITALIS_ENCODE_OPTIONS_INIT;
  vitalis_decoder* decoder = NULL;
  vitalis_text piece;
  uint32_t tokens[64];
  char back[64];
  size_t count = 0, i, used = 0;
  CHECK(vitalis_tokenizer_encode(tokenizer, kText, sizeof kText - 1, &options, tokens, NULL, 64,
                                 &count) == VITALIS_OK);
  CHECK(count > 3 && count <= 64);
  CHECK(vitalis_decoder_create(tokenizer, &decoder) == VITALIS_OK);
  for (i = 0; i < count; ++i) {
    CHECK(vitalis_decoder_push(decoder, tokens[i], &piece) == VITALIS_OK);
    CHECK(used + piece.size <= sizeof back);
    memcpy(back + used, piece.data, piece.size);
    used += piece.size;
  }
  CHECK(vitalis_decoder_finish(decoder, &piece) == VITALIS_OK);
  CHECK(used == sizeof kText - 1 && memcmp(back, kText, used) == 0);
  vitalis_decoder_release(decoder);
  return 0;
}

static int answer(vitalis_model* model) {
  vitalis_session_options session_options = VITALIS_SESSION_OPTIONS_INIT;
  vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
  vitalis_message question = VITALIS_MESSAGE_INIT;
  vitalis_system system = VITALIS_SYSTEM_INIT;
  vitalis_event event = VITALIS_EVENT_INIT;
  vitalis_usage usage;
  vitalis_conversation* conversation = NULL;
  vitalis_session* session = NULL;
  char text[256];
  size_t used = 0, before;
  int32_t status, reason = -1;
  memset(&usage, 0, sizeof usage);
  usage.struct_size = sizeof usage;
  session_options.context = 1024;
  CHECK(vitalis_session_create(model, &session_options, &session) == VITALIS_OK);
  CHECK(vitalis_conversation_create(&conversation) == VITALIS_OK);
  CHECK(vitalis_conversation_set_system(conversation, &system) == VITALIS_OK);
  question.text = "What is the capital of France?";
  question.text_size = VITALIS_NUL;
  CHECK(vitalis_conversation_add_message(conversation, &question) == VITALIS_OK);
  before = vitalis_conversation_size(conversation);
  options.sampling = VITALIS_SAMPLE_GREEDY;
  options.max_tokens = 100;
  CHECK(vitalis_session_start(session, conversation, &options) == VITALIS_OK);
  while ((status = vitalis_session_next(session, &event)) == VITALIS_OK) {
    if (event.kind == VITALIS_EVENT_FINISHED) reason = event.finish_reason;
    if (event.kind != VITALIS_EVENT_TEXT || event.channel != VITALIS_CHANNEL_FINAL) continue;
    CHECK(used + event.text.size < sizeof text);
    memcpy(text + used, event.text.data, event.text.size);
    used += event.text.size;
  }
  text[used] = '\0';
  CHECK(status == VITALIS_DONE && reason == VITALIS_FINISH_STOP);
  CHECK(strcmp(text, "The capital of France is Paris.") == 0);
  CHECK(vitalis_session_get_usage(session, &usage) == VITALIS_OK);
  CHECK(usage.generated_tokens > 0 && usage.prompt_tokens > 0);
  CHECK(vitalis_session_add_reply(session, conversation) == VITALIS_OK);
  CHECK(vitalis_conversation_size(conversation) > before);
  vitalis_conversation_release(conversation);
  vitalis_session_release(session);
  return 0;
}

int main(int argc, char** argv) {
  vitalis_engine_options engine_options = VITALIS_ENGINE_OPTIONS_INIT;
  vitalis_model_options model_options = VITALIS_MODEL_OPTIONS_INIT;
  vitalis_model_info info;
  vitalis_engine* engine = NULL;
  vitalis_model* model = NULL;
  vitalis_tokenizer* tokenizer = NULL;
  if (argc != 2) return 2;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  CHECK(vitalis_abi_version() == VITALIS_ABI_VERSION);
  engine_options.threads = 2;
  CHECK(vitalis_engine_create(&engine_options, &engine) == VITALIS_OK);
  CHECK(vitalis_model_open(engine, "/nowhere", &model_options, &model) < 0);
  CHECK(strstr(vitalis_last_error(), "/nowhere") != NULL);
  CHECK(vitalis_model_open(engine, argv[1], &model_options, &model) == VITALIS_OK);
  CHECK(vitalis_model_get_info(model, &info) == VITALIS_OK && info.layers > 0);
  CHECK(vitalis_model_get_tokenizer(model, &tokenizer) == VITALIS_OK);
  if (tokens_and_back(tokenizer) != 0 || answer(model) != 0) return 1;
  vitalis_engine_release(engine);
  vitalis_model_release(model);
  vitalis_tokenizer_release(tokenizer);
  return 0;
}
