/* SPDX-License-Identifier: Apache-2.0
 * Each init function writes what its macro does, byte for byte, and null is fine. In C, where the
 * macros are used most. */
#include <stdio.h>
#include <string.h>

#include <vitalis/vitalis.h>

static int differences = 0;

#define CHECK(type, macro)                                    \
  do {                                                        \
    type by_function, by_macro;                               \
    static const type value = macro;                          \
    memset(&by_function, 0, sizeof(type));                    \
    memset(&by_macro, 0, sizeof(type));                       \
    memcpy(&by_macro, &value, sizeof(type));                  \
    type##_init(&by_function, sizeof(type));                  \
    if (memcmp(&by_function, &by_macro, sizeof(type)) != 0 || \
        by_function.struct_size != sizeof(type)) {            \
      fprintf(stderr, #type "_init and " #macro " differ\n"); \
      ++differences;                                          \
    }                                                         \
    type##_init(NULL, sizeof(type));                          \
  } while (0)

int main(void) {
  CHECK(vitalis_engine_options, VITALIS_ENGINE_OPTIONS_INIT);
  CHECK(vitalis_model_options, VITALIS_MODEL_OPTIONS_INIT);
  CHECK(vitalis_plan_options, VITALIS_PLAN_OPTIONS_INIT);
  CHECK(vitalis_quantize_options, VITALIS_QUANTIZE_OPTIONS_INIT);
  CHECK(vitalis_encode_options, VITALIS_ENCODE_OPTIONS_INIT);
  CHECK(vitalis_render_options, VITALIS_RENDER_OPTIONS_INIT);
  CHECK(vitalis_template_options, VITALIS_TEMPLATE_OPTIONS_INIT);
  CHECK(vitalis_parser_options, VITALIS_PARSER_OPTIONS_INIT);
  CHECK(vitalis_system, VITALIS_SYSTEM_INIT);
  CHECK(vitalis_message, VITALIS_MESSAGE_INIT);
  CHECK(vitalis_session_options, VITALIS_SESSION_OPTIONS_INIT);
  CHECK(vitalis_generate_options, VITALIS_GENERATE_OPTIONS_INIT);
  CHECK(vitalis_batch_options, VITALIS_BATCH_OPTIONS_INIT);
  CHECK(vitalis_hub_options, VITALIS_HUB_OPTIONS_INIT);
  CHECK(vitalis_download_options, VITALIS_DOWNLOAD_OPTIONS_INIT);
  return differences;
}
