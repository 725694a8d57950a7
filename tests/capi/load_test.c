/* SPDX-License-Identifier: Apache-2.0
 * load_test LIBRARY COPY MODEL: opens the library at run time, has a model answer, and closes it,
 * twenty times; then with a second copy of the library, its own globals and all, in the same
 * process. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <vitalis/vitalis.h>

struct api {
  int32_t (*engine_create)(const vitalis_engine_options*, vitalis_engine**);
  int32_t (*model_open)(vitalis_engine*, const char*, const vitalis_model_options*,
                        vitalis_model**);
  int32_t (*conversation_create)(vitalis_conversation**);
  int32_t (*conversation_add_message)(vitalis_conversation*, const vitalis_message*);
  int32_t (*session_create)(vitalis_model*, const vitalis_session_options*, vitalis_session**);
  int32_t (*session_start)(vitalis_session*, const vitalis_conversation*,
                           const vitalis_generate_options*);
  int32_t (*session_next)(vitalis_session*, vitalis_event*);
  void (*session_release)(vitalis_session*);
  void (*conversation_release)(vitalis_conversation*);
  void (*model_release)(vitalis_model*);
  void (*engine_release)(vitalis_engine*);
};

/* ISO C has no cast from an object's pointer to a function's. */
static int find(void* library, const char* name, void* into) {
  void* symbol = dlsym(library, name);
  memcpy(into, &symbol, sizeof symbol);
  if (symbol == NULL) fprintf(stderr, "%s\n", dlerror());
  return symbol != NULL;
}

static void* load(const char* path, struct api* api) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return NULL;
  }
  if (!find(library, "vitalis_engine_create", &api->engine_create) ||
      !find(library, "vitalis_model_open", &api->model_open) ||
      !find(library, "vitalis_conversation_create", &api->conversation_create) ||
      !find(library, "vitalis_conversation_add_message", &api->conversation_add_message) ||
      !find(library, "vitalis_session_create", &api->session_create) ||
      !find(library, "vitalis_session_start", &api->session_start) ||
      !find(library, "vitalis_session_next", &api->session_next) ||
      !find(library, "vitalis_session_release", &api->session_release) ||
      !find(library, "vitalis_conversation_release", &api->conversation_release) ||
      !find(library, "vitalis_model_release", &api->model_release) ||
      !find(library, "vitalis_engine_release", &api->engine_release)) {
    return NULL;
  }
  return library;
}

/* Writes the answer's text, of all channels, into `answer`; 0 if all went well. */
static int ask(const struct api* api, const char* path, char* answer, size_t capacity) {
  vitalis_engine_options engine_options = VITALIS_ENGINE_OPTIONS_INIT;
  vitalis_generate_options options = VITALIS_GENERATE_OPTIONS_INIT;
  vitalis_message question = VITALIS_MESSAGE_INIT;
  vitalis_event event = VITALIS_EVENT_INIT;
  vitalis_engine* engine = NULL;
  vitalis_model* model = NULL;
  vitalis_conversation* conversation = NULL;
  vitalis_session* session = NULL;
  size_t used = 0;
  int32_t status = VITALIS_ERROR_INTERNAL;
  engine_options.threads = 2;
  options.sampling = VITALIS_SAMPLE_GREEDY;
  options.max_tokens = 24;
  question.text = "What is the capital of France?";
  question.text_size = VITALIS_NUL;
  if (api->engine_create(&engine_options, &engine) == VITALIS_OK &&
      api->model_open(engine, path, NULL, &model) == VITALIS_OK &&
      api->conversation_create(&conversation) == VITALIS_OK &&
      api->conversation_add_message(conversation, &question) == VITALIS_OK &&
      api->session_create(model, NULL, &session) == VITALIS_OK &&
      api->session_start(session, conversation, &options) == VITALIS_OK) {
    while ((status = api->session_next(session, &event)) == VITALIS_OK) {
      if (event.kind == VITALIS_EVENT_TEXT && used + event.text.size < capacity) {
        memcpy(answer + used, event.text.data, event.text.size);
        used += event.text.size;
      }
    }
  }
  answer[used] = '\0';
  api->engine_release(engine);
  api->model_release(model);
  api->conversation_release(conversation);
  api->session_release(session);
  return status != VITALIS_DONE || used == 0;
}

int main(int argc, char** argv) {
  struct api api, other;
  char first[4096], answer[4096];
  void *library, *copy;
  int round;
  if (argc != 4) return 2;
  for (round = 0; round < 20; ++round) {
    if ((library = load(argv[1], &api)) == NULL) return 1;
    if (ask(&api, argv[3], round == 0 ? first : answer, sizeof answer)) {
      fprintf(stderr, "no answer in round %d\n", round);
      return 1;
    }
    if (round > 0 && strcmp(first, answer) != 0) {
      fprintf(stderr, "round %d answered '%s', not '%s'\n", round, answer, first);
      return 1;
    }
    dlclose(library);
  }
  if ((library = load(argv[1], &api)) == NULL || (copy = load(argv[2], &other)) == NULL) return 1;
  if (api.engine_create == other.engine_create) {
    fprintf(stderr, "%s is not a copy of its own\n", argv[2]);
    return 1;
  }
  if (ask(&api, argv[3], answer, sizeof answer) || strcmp(first, answer) != 0 ||
      ask(&other, argv[3], answer, sizeof answer) || strcmp(first, answer) != 0) {
    fprintf(stderr, "two copies answered otherwise\n");
    return 1;
  }
  dlclose(copy);
  dlclose(library);
  return 0;
}
