/* SPDX-License-Identifier: Apache-2.0
 * The layouts and the numbers of the first release, frozen. A struct may only grow at its end: then
 * its size here is raised and its new offsets are added. No other line of this file ever changes.
 */
#include <limits.h>
#include <stdio.h>

#include <vitalis/vitalis.h>

_Static_assert(CHAR_BIT == 8 && sizeof(void*) == 8, "layouts are those of 64-bit machines");

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define FIELD(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define NUMBER(name, value) _Static_assert((name) == (value), #name)

SIZE(vitalis_text, 16);
FIELD(vitalis_text, data, 0);
FIELD(vitalis_text, size, 8);

SIZE(vitalis_engine_options, 24);
FIELD(vitalis_engine_options, struct_size, 0);
FIELD(vitalis_engine_options, threads, 4);
FIELD(vitalis_engine_options, tier, 8);
FIELD(vitalis_engine_options, numerics, 16);

SIZE(vitalis_engine_info, 16);
FIELD(vitalis_engine_info, struct_size, 0);
FIELD(vitalis_engine_info, threads, 4);
FIELD(vitalis_engine_info, tier, 8);

SIZE(vitalis_model_options, 16);
FIELD(vitalis_model_options, struct_size, 0);
FIELD(vitalis_model_options, reserved, 4);
FIELD(vitalis_model_options, cache_folder, 8);

SIZE(vitalis_model_info, 88);
FIELD(vitalis_model_info, struct_size, 0);
FIELD(vitalis_model_info, layers, 4);
FIELD(vitalis_model_info, hidden, 8);
FIELD(vitalis_model_info, intermediate, 12);
FIELD(vitalis_model_info, heads, 16);
FIELD(vitalis_model_info, kv_heads, 20);
FIELD(vitalis_model_info, head_dim, 24);
FIELD(vitalis_model_info, experts, 28);
FIELD(vitalis_model_info, experts_per_token, 32);
FIELD(vitalis_model_info, vocab, 36);
FIELD(vitalis_model_info, sliding_window, 40);
FIELD(vitalis_model_info, context, 44);
FIELD(vitalis_model_info, parameters, 48);
FIELD(vitalis_model_info, mapped_bytes, 56);
FIELD(vitalis_model_info, decode_bytes, 64);
FIELD(vitalis_model_info, tensors, 72);
FIELD(vitalis_model_info, format, 80);

SIZE(vitalis_tensor_info, 128);
FIELD(vitalis_tensor_info, struct_size, 0);
FIELD(vitalis_tensor_info, dimensions, 4);
FIELD(vitalis_tensor_info, shape, 8);
FIELD(vitalis_tensor_info, bytes, 72);
FIELD(vitalis_tensor_info, name, 80);
FIELD(vitalis_tensor_info, dtype, 96);
FIELD(vitalis_tensor_info, file, 112);

SIZE(vitalis_encode_options, 40);
FIELD(vitalis_encode_options, struct_size, 0);
FIELD(vitalis_encode_options, flags, 4);
FIELD(vitalis_encode_options, allowed, 8);
FIELD(vitalis_encode_options, allowed_count, 16);
FIELD(vitalis_encode_options, refused, 24);
FIELD(vitalis_encode_options, refused_count, 32);

SIZE(vitalis_system, 32);
FIELD(vitalis_system, struct_size, 0);
FIELD(vitalis_system, reasoning_effort, 4);
FIELD(vitalis_system, identity, 8);
FIELD(vitalis_system, knowledge_cutoff, 16);
FIELD(vitalis_system, current_date, 24);

SIZE(vitalis_message, 56);
FIELD(vitalis_message, struct_size, 0);
FIELD(vitalis_message, role, 4);
FIELD(vitalis_message, name, 8);
FIELD(vitalis_message, recipient, 16);
FIELD(vitalis_message, channel, 24);
FIELD(vitalis_message, content_type, 32);
FIELD(vitalis_message, text, 40);
FIELD(vitalis_message, text_size, 48);

SIZE(vitalis_render_options, 16);
FIELD(vitalis_render_options, struct_size, 0);
FIELD(vitalis_render_options, mode, 4);
FIELD(vitalis_render_options, keep_analysis, 8);
FIELD(vitalis_render_options, retokenize, 12);

SIZE(vitalis_template_options, 32);
FIELD(vitalis_template_options, struct_size, 0);
FIELD(vitalis_template_options, no_generation_prompt, 4);
FIELD(vitalis_template_options, current_date, 8);
FIELD(vitalis_template_options, reasoning_effort, 16);
FIELD(vitalis_template_options, model_identity, 24);

SIZE(vitalis_session_options, 16);
FIELD(vitalis_session_options, struct_size, 0);
FIELD(vitalis_session_options, context, 4);
FIELD(vitalis_session_options, chunk, 8);
FIELD(vitalis_session_options, memory_budget_mib, 12);

SIZE(vitalis_session_memory, 24);
FIELD(vitalis_session_memory, struct_size, 0);
FIELD(vitalis_session_memory, context, 4);
FIELD(vitalis_session_memory, kv_bytes, 8);
FIELD(vitalis_session_memory, scratch_bytes, 16);

SIZE(vitalis_plan_options, 24);
FIELD(vitalis_plan_options, struct_size, 0);
FIELD(vitalis_plan_options, context, 4);
FIELD(vitalis_plan_options, chunk, 8);
FIELD(vitalis_plan_options, sequences, 12);
FIELD(vitalis_plan_options, flags, 16);
FIELD(vitalis_plan_options, memory_budget_mib, 20);

SIZE(vitalis_plan, 120);
FIELD(vitalis_plan, struct_size, 0);
FIELD(vitalis_plan, context, 4);
FIELD(vitalis_plan, chunk, 8);
FIELD(vitalis_plan, sequences, 12);
FIELD(vitalis_plan, fit, 16);
FIELD(vitalis_plan, largest_context, 20);
FIELD(vitalis_plan, mapped_bytes, 24);
FIELD(vitalis_plan, hot_bytes, 32);
FIELD(vitalis_plan, kv_bytes, 40);
FIELD(vitalis_plan, scratch_bytes, 48);
FIELD(vitalis_plan, peak_bytes, 56);
FIELD(vitalis_plan, decode_bytes, 64);
FIELD(vitalis_plan, memory_total, 72);
FIELD(vitalis_plan, memory_limit, 80);
FIELD(vitalis_plan, memory_available, 88);
FIELD(vitalis_plan, room_bytes, 96);
FIELD(vitalis_plan, tokens_per_second, 104);
FIELD(vitalis_plan, tokens_per_second_full, 112);

SIZE(vitalis_quantize_options, 8);
FIELD(vitalis_quantize_options, struct_size, 0);
FIELD(vitalis_quantize_options, flags, 4);

SIZE(vitalis_quantize_progress, 40);
FIELD(vitalis_quantize_progress, struct_size, 0);
FIELD(vitalis_quantize_progress, stage, 4);
FIELD(vitalis_quantize_progress, done, 8);
FIELD(vitalis_quantize_progress, total, 16);
FIELD(vitalis_quantize_progress, file, 24);

SIZE(vitalis_quantize_report, 96);
FIELD(vitalis_quantize_report, struct_size, 0);
FIELD(vitalis_quantize_report, tokens, 4);
FIELD(vitalis_quantize_report, source_bytes, 8);
FIELD(vitalis_quantize_report, target_bytes, 16);
FIELD(vitalis_quantize_report, shared_bytes, 24);
FIELD(vitalis_quantize_report, resumed_bytes, 32);
FIELD(vitalis_quantize_report, decode_bytes_before, 40);
FIELD(vitalis_quantize_report, decode_bytes_after, 48);
FIELD(vitalis_quantize_report, divergence, 56);
FIELD(vitalis_quantize_report, divergence_worst, 64);
FIELD(vitalis_quantize_report, agreement, 72);
FIELD(vitalis_quantize_report, tokens_per_second_before, 80);
FIELD(vitalis_quantize_report, tokens_per_second_after, 88);

SIZE(vitalis_logit_bias, 8);
FIELD(vitalis_logit_bias, token, 0);
FIELD(vitalis_logit_bias, value, 4);

SIZE(vitalis_generate_options, 72);
FIELD(vitalis_generate_options, struct_size, 0);
FIELD(vitalis_generate_options, sampling, 4);
FIELD(vitalis_generate_options, temperature, 8);
FIELD(vitalis_generate_options, top_p, 12);
FIELD(vitalis_generate_options, min_p, 16);
FIELD(vitalis_generate_options, top_k, 20);
FIELD(vitalis_generate_options, seed, 24);
FIELD(vitalis_generate_options, max_tokens, 32);
FIELD(vitalis_generate_options, flags, 36);
FIELD(vitalis_generate_options, repetition_penalty, 40);
FIELD(vitalis_generate_options, presence_penalty, 44);
FIELD(vitalis_generate_options, frequency_penalty, 48);
FIELD(vitalis_generate_options, alternatives, 52);
FIELD(vitalis_generate_options, bias, 56);
FIELD(vitalis_generate_options, bias_count, 64);

SIZE(vitalis_logprob, 12);
FIELD(vitalis_logprob, token, 0);
FIELD(vitalis_logprob, before, 4);
FIELD(vitalis_logprob, after, 8);

SIZE(vitalis_progress, 24);
FIELD(vitalis_progress, struct_size, 0);
FIELD(vitalis_progress, done, 8);
FIELD(vitalis_progress, total, 16);

SIZE(vitalis_batch_options, 12);
FIELD(vitalis_batch_options, struct_size, 0);
FIELD(vitalis_batch_options, sessions, 4);
FIELD(vitalis_batch_options, chunk, 8);

SIZE(vitalis_event, 152);
FIELD(vitalis_event, struct_size, 0);
FIELD(vitalis_event, kind, 4);
FIELD(vitalis_event, channel, 8);
FIELD(vitalis_event, finish_reason, 12);
FIELD(vitalis_event, done, 16);
FIELD(vitalis_event, total, 24);
FIELD(vitalis_event, text, 32);
FIELD(vitalis_event, recipient, 48);
FIELD(vitalis_event, channel_name, 64);
FIELD(vitalis_event, content_type, 80);
FIELD(vitalis_event, complete, 96);
FIELD(vitalis_event, role, 100);
FIELD(vitalis_event, name, 104);
FIELD(vitalis_event, path, 120);
FIELD(vitalis_event, json, 136);
FIELD(vitalis_event, message, 140);
FIELD(vitalis_event, token_begin, 144);
FIELD(vitalis_event, token_end, 148);

SIZE(vitalis_usage, 56);
FIELD(vitalis_usage, struct_size, 0);
FIELD(vitalis_usage, context_used, 4);
FIELD(vitalis_usage, prompt_tokens, 8);
FIELD(vitalis_usage, reused_tokens, 12);
FIELD(vitalis_usage, generated_tokens, 16);
FIELD(vitalis_usage, reasoning_tokens, 20);
FIELD(vitalis_usage, seed, 24);
FIELD(vitalis_usage, prefill_seconds, 32);
FIELD(vitalis_usage, first_token_seconds, 40);
FIELD(vitalis_usage, decode_seconds, 48);

SIZE(vitalis_parser_options, 32);
FIELD(vitalis_parser_options, struct_size, 0);
FIELD(vitalis_parser_options, policy, 4);
FIELD(vitalis_parser_options, from_start, 8);
FIELD(vitalis_parser_options, reserved, 12);
FIELD(vitalis_parser_options, functions, 16);
FIELD(vitalis_parser_options, function_count, 24);

SIZE(vitalis_setting, 192);
FIELD(vitalis_setting, struct_size, 0);
FIELD(vitalis_setting, type, 4);
FIELD(vitalis_setting, harmless, 8);
FIELD(vitalis_setting, is_set, 12);
FIELD(vitalis_setting, key, 16);
FIELD(vitalis_setting, default_value, 32);
FIELD(vitalis_setting, otherwise, 48);
FIELD(vitalis_setting, choices, 64);
FIELD(vitalis_setting, flag, 80);
FIELD(vitalis_setting, variable, 96);
FIELD(vitalis_setting, help, 112);
FIELD(vitalis_setting, environment, 128);
FIELD(vitalis_setting, expected, 144);
FIELD(vitalis_setting, value, 160);
FIELD(vitalis_setting, origin, 176);

SIZE(vitalis_hub_options, 104);
FIELD(vitalis_hub_options, struct_size, 0);
FIELD(vitalis_hub_options, offline, 4);
FIELD(vitalis_hub_options, endpoint, 8);
FIELD(vitalis_hub_options, token, 16);
FIELD(vitalis_hub_options, token_path, 24);
FIELD(vitalis_hub_options, cache_folder, 32);
FIELD(vitalis_hub_options, proxy, 40);
FIELD(vitalis_hub_options, no_proxy, 48);
FIELD(vitalis_hub_options, ca_file, 56);
FIELD(vitalis_hub_options, ca_folder, 64);
FIELD(vitalis_hub_options, user_agent, 72);
FIELD(vitalis_hub_options, rate_limit, 80);
FIELD(vitalis_hub_options, connections, 88);
FIELD(vitalis_hub_options, connect_timeout, 92);
FIELD(vitalis_hub_options, stall_timeout, 96);
FIELD(vitalis_hub_options, retries, 100);

SIZE(vitalis_download_options, 88);
FIELD(vitalis_download_options, struct_size, 0);
FIELD(vitalis_download_options, flags, 4);
FIELD(vitalis_download_options, revision, 8);
FIELD(vitalis_download_options, local_folder, 16);
FIELD(vitalis_download_options, includes, 24);
FIELD(vitalis_download_options, include_count, 32);
FIELD(vitalis_download_options, excludes, 40);
FIELD(vitalis_download_options, exclude_count, 48);
FIELD(vitalis_download_options, adopt_from, 56);
FIELD(vitalis_download_options, adopt_count, 64);
FIELD(vitalis_download_options, pin, 72);
FIELD(vitalis_download_options, manifest, 80);

SIZE(vitalis_transfer_progress, 80);
FIELD(vitalis_transfer_progress, struct_size, 0);
FIELD(vitalis_transfer_progress, stage, 4);
FIELD(vitalis_transfer_progress, bytes_total, 8);
FIELD(vitalis_transfer_progress, bytes_landed, 16);
FIELD(vitalis_transfer_progress, bytes_verified, 24);
FIELD(vitalis_transfer_progress, bytes_fetched, 32);
FIELD(vitalis_transfer_progress, bytes_per_second, 40);
FIELD(vitalis_transfer_progress, seconds_left, 48);
FIELD(vitalis_transfer_progress, connections, 56);
FIELD(vitalis_transfer_progress, files, 60);
FIELD(vitalis_transfer_progress, note, 64);

SIZE(vitalis_transfer_file, 48);
FIELD(vitalis_transfer_file, struct_size, 0);
FIELD(vitalis_transfer_file, state, 4);
FIELD(vitalis_transfer_file, size, 8);
FIELD(vitalis_transfer_file, landed, 16);
FIELD(vitalis_transfer_file, verified, 24);
FIELD(vitalis_transfer_file, path, 32);

SIZE(vitalis_verify_progress, 56);
FIELD(vitalis_verify_progress, struct_size, 0);
FIELD(vitalis_verify_progress, files, 4);
FIELD(vitalis_verify_progress, bytes_done, 8);
FIELD(vitalis_verify_progress, bytes_total, 16);
FIELD(vitalis_verify_progress, file, 24);
FIELD(vitalis_verify_progress, release, 40);

SIZE(vitalis_verified_file, 48);
FIELD(vitalis_verified_file, struct_size, 0);
FIELD(vitalis_verified_file, outcome, 4);
FIELD(vitalis_verified_file, size, 8);
FIELD(vitalis_verified_file, path, 16);
FIELD(vitalis_verified_file, detail, 32);

NUMBER(VITALIS_FILE_PENDING, 0);
NUMBER(VITALIS_FILE_GOOD, 1);
NUMBER(VITALIS_FILE_MISSING, 2);
NUMBER(VITALIS_FILE_WRONG_SIZE, 3);
NUMBER(VITALIS_FILE_WRONG_DIGEST, 4);
NUMBER(VITALIS_FILE_UNREADABLE, 5);
NUMBER(VITALIS_PLAN_PROBE, 1);
NUMBER(VITALIS_FIT_WHOLE, 0);
NUMBER(VITALIS_FIT_PAGED, 1);
NUMBER(VITALIS_FIT_NONE, 2);
NUMBER(VITALIS_ABI_VERSION, 1);
NUMBER(VITALIS_NUL, SIZE_MAX);
NUMBER(VITALIS_OK, 0);
NUMBER(VITALIS_DONE, 1);
NUMBER(VITALIS_CANCELLED, 2);
NUMBER(VITALIS_ERROR_INTERNAL, -1);
NUMBER(VITALIS_ERROR_INVALID_ARGUMENT, -2);
NUMBER(VITALIS_ERROR_NOT_FOUND, -3);
NUMBER(VITALIS_ERROR_IO, -4);
NUMBER(VITALIS_ERROR_MALFORMED, -5);
NUMBER(VITALIS_ERROR_UNSUPPORTED, -6);
NUMBER(VITALIS_ERROR_OUT_OF_MEMORY, -7);
NUMBER(VITALIS_ERROR_CONTEXT_FULL, -8);
NUMBER(VITALIS_ERROR_BUSY, -9);
NUMBER(VITALIS_ERROR_NETWORK, -10);
NUMBER(VITALIS_ERROR_DENIED, -11);
NUMBER(VITALIS_ERROR_INTEGRITY, -12);
NUMBER(VITALIS_NUMERICS_FAITHFUL, 0);
NUMBER(VITALIS_NUMERICS_FLOAT32, 1);
NUMBER(VITALIS_ENCODE_SPECIAL, 1);
NUMBER(VITALIS_ENCODE_STRICT, 2);
NUMBER(VITALIS_EFFORT_DEFAULT, 0);
NUMBER(VITALIS_EFFORT_LOW, 1);
NUMBER(VITALIS_EFFORT_MEDIUM, 2);
NUMBER(VITALIS_EFFORT_HIGH, 3);
NUMBER(VITALIS_ROLE_SYSTEM, 0);
NUMBER(VITALIS_ROLE_DEVELOPER, 1);
NUMBER(VITALIS_ROLE_USER, 2);
NUMBER(VITALIS_ROLE_ASSISTANT, 3);
NUMBER(VITALIS_ROLE_TOOL, 4);
NUMBER(VITALIS_JSON_CHAT, 0);
NUMBER(VITALIS_JSON_RESPONSES, 1);
NUMBER(VITALIS_JSON_HARMONY, 2);
NUMBER(VITALIS_RENDER_COMPLETION, 0);
NUMBER(VITALIS_RENDER_CONVERSATION, 1);
NUMBER(VITALIS_RENDER_TRAINING, 2);
NUMBER(VITALIS_SAMPLE_DEFAULT, 0);
NUMBER(VITALIS_SAMPLE_GREEDY, 1);
NUMBER(VITALIS_EVENT_PREFILL, 1);
NUMBER(VITALIS_EVENT_MESSAGE_BEGIN, 2);
NUMBER(VITALIS_EVENT_TEXT, 3);
NUMBER(VITALIS_EVENT_TOOL_CALL, 4);
NUMBER(VITALIS_EVENT_MESSAGE_END, 5);
NUMBER(VITALIS_EVENT_DIAGNOSTIC, 6);
NUMBER(VITALIS_EVENT_FINISHED, 7);
NUMBER(VITALIS_CHANNEL_NONE, 0);
NUMBER(VITALIS_CHANNEL_ANALYSIS, 1);
NUMBER(VITALIS_CHANNEL_COMMENTARY, 2);
NUMBER(VITALIS_CHANNEL_FINAL, 3);
NUMBER(VITALIS_CHANNEL_OTHER, 4);
NUMBER(VITALIS_FINISH_STOP, 1);
NUMBER(VITALIS_FINISH_TOOL_CALL, 2);
NUMBER(VITALIS_FINISH_LENGTH, 3);
NUMBER(VITALIS_JSON_STATE_NONE, 0);
NUMBER(VITALIS_JSON_STATE_INCOMPLETE, 1);
NUMBER(VITALIS_JSON_STATE_COMPLETE, 2);
NUMBER(VITALIS_JSON_STATE_INVALID, 3);
NUMBER(VITALIS_FORWARD_ALL, 1);
NUMBER(VITALIS_PARSE_RESILIENT, 0);
NUMBER(VITALIS_PARSE_STRICT, 1);
NUMBER(VITALIS_PARSE_LENIENT, 2);
NUMBER(VITALIS_CONFIG_HARMLESS, 1);
NUMBER(VITALIS_SETTING_BOOLEAN, 1);
NUMBER(VITALIS_SETTING_INTEGER, 2);
NUMBER(VITALIS_SETTING_REAL, 3);
NUMBER(VITALIS_SETTING_TEXT, 4);
NUMBER(VITALIS_SETTING_CHOICE, 5);
NUMBER(VITALIS_SETTING_SIZE, 6);
NUMBER(VITALIS_POLICY_PINNED, 0);
NUMBER(VITALIS_POLICY_NOTIFY, 1);
NUMBER(VITALIS_POLICY_CONFIG_ONLY, 2);
NUMBER(VITALIS_POLICY_AUTO, 3);
NUMBER(VITALIS_DOWNLOAD_ALL, 1);
NUMBER(VITALIS_TRANSFER_LOCKED, 0);
NUMBER(VITALIS_TRANSFER_WORKING, 1);
NUMBER(VITALIS_TRANSFER_PAUSED, 2);
NUMBER(VITALIS_TRANSFER_DONE, 3);
NUMBER(VITALIS_TRANSFER_CANCELLED, 4);
NUMBER(VITALIS_FILE_WAITING, 0);
NUMBER(VITALIS_FILE_FETCHING, 1);
NUMBER(VITALIS_FILE_VERIFYING, 2);
NUMBER(VITALIS_FILE_DONE, 3);

int main(void) {
  puts("The compiler has checked all of it.");
  return 0;
}
