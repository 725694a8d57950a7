# SPDX-License-Identifier: Apache-2.0
"""The C interface, as ctypes sees it.

Written by bindings/python/generate_abi.py from vitalis.h; not to be edited.
"""

from ctypes import (POINTER, Structure, c_char_p, c_double, c_float, c_int32, c_size_t,
                    c_uint32, c_uint64, c_void_p)

ABI_VERSION = 1
NUL = 2**64 - 1
OK = 0
DONE = 1
CANCELLED = 2
AGAIN = 3
ERROR_INTERNAL = -1
ERROR_INVALID_ARGUMENT = -2
ERROR_NOT_FOUND = -3
ERROR_IO = -4
ERROR_MALFORMED = -5
ERROR_UNSUPPORTED = -6
ERROR_OUT_OF_MEMORY = -7
ERROR_CONTEXT_FULL = -8
ERROR_BUSY = -9
ERROR_NETWORK = -10
ERROR_DENIED = -11
ERROR_INTEGRITY = -12
NUMERICS_FAITHFUL = 0
NUMERICS_FLOAT32 = 1
PLAN_PROBE = 1
FIT_WHOLE = 0
FIT_PAGED = 1
FIT_NONE = 2
FILE_PENDING = 0
FILE_GOOD = 1
FILE_MISSING = 2
FILE_WRONG_SIZE = 3
FILE_WRONG_DIGEST = 4
FILE_UNREADABLE = 5
QUANTIZE_NO_COMPARISON = 1
QUANTIZE_PROBE = 2
QUANTIZE_WRITING = 0
QUANTIZE_COMPARING = 1
QUANTIZE_MEASURING = 2
QUANTIZE_DONE = 3
ENCODE_SPECIAL = 1
ENCODE_STRICT = 2
EFFORT_DEFAULT = 0
EFFORT_LOW = 1
EFFORT_MEDIUM = 2
EFFORT_HIGH = 3
TOOL_CHOICE_AUTO = 0
TOOL_CHOICE_NONE = 1
TOOL_CHOICE_REQUIRED = 2
TOOL_CHOICE_FUNCTION = 3
TOOL_CHOICE_FREE = 4
ROLE_SYSTEM = 0
ROLE_DEVELOPER = 1
ROLE_USER = 2
ROLE_ASSISTANT = 3
ROLE_TOOL = 4
JSON_CHAT = 0
JSON_RESPONSES = 1
JSON_HARMONY = 2
RENDER_COMPLETION = 0
RENDER_CONVERSATION = 1
RENDER_TRAINING = 2
SAMPLE_DEFAULT = 0
SAMPLE_GREEDY = 1
GENERATE_SEED = 1
GENERATE_LOGPROBS = 2
EVENT_PREFILL = 1
EVENT_MESSAGE_BEGIN = 2
EVENT_TEXT = 3
EVENT_TOOL_CALL = 4
EVENT_MESSAGE_END = 5
EVENT_DIAGNOSTIC = 6
EVENT_FINISHED = 7
CHANNEL_NONE = 0
CHANNEL_ANALYSIS = 1
CHANNEL_COMMENTARY = 2
CHANNEL_FINAL = 3
CHANNEL_OTHER = 4
FINISH_STOP = 1
FINISH_TOOL_CALL = 2
FINISH_LENGTH = 3
JSON_STATE_NONE = 0
JSON_STATE_INCOMPLETE = 1
JSON_STATE_COMPLETE = 2
JSON_STATE_INVALID = 3
FORWARD_ALL = 1
PARSE_RESILIENT = 0
PARSE_STRICT = 1
PARSE_LENIENT = 2
CONFIG_HARMLESS = 1
SETTING_BOOLEAN = 1
SETTING_INTEGER = 2
SETTING_REAL = 3
SETTING_TEXT = 4
SETTING_CHOICE = 5
SETTING_SIZE = 6
POLICY_PINNED = 0
POLICY_NOTIFY = 1
POLICY_CONFIG_ONLY = 2
POLICY_AUTO = 3
DOWNLOAD_ALL = 1
TRANSFER_LOCKED = 0
TRANSFER_WORKING = 1
TRANSFER_PAUSED = 2
TRANSFER_DONE = 3
TRANSFER_CANCELLED = 4
FILE_WAITING = 0
FILE_FETCHING = 1
FILE_VERIFYING = 2
FILE_DONE = 3


class Text(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("size", c_size_t),
    ]


class EngineOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("threads", c_int32),
        ("tier", c_char_p),
        ("numerics", c_int32),
    ]


class EngineInfo(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("threads", c_int32),
        ("tier", c_char_p),
    ]


class ModelOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("cache_folder", c_char_p),
    ]


class ModelInfo(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("layers", c_uint32),
        ("hidden", c_uint32),
        ("intermediate", c_uint32),
        ("heads", c_uint32),
        ("kv_heads", c_uint32),
        ("head_dim", c_uint32),
        ("experts", c_uint32),
        ("experts_per_token", c_uint32),
        ("vocab", c_uint32),
        ("sliding_window", c_uint32),
        ("context", c_uint32),
        ("parameters", c_uint64),
        ("mapped_bytes", c_uint64),
        ("decode_bytes", c_uint64),
        ("tensors", c_size_t),
        ("format", c_char_p),
    ]


class TensorInfo(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("dimensions", c_uint32),
        ("shape", c_uint64 * 8),
        ("bytes", c_uint64),
        ("name", Text),
        ("dtype", Text),
        ("file", Text),
    ]


class PlanOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("context", c_uint32),
        ("chunk", c_uint32),
        ("sequences", c_uint32),
        ("flags", c_uint32),
        ("memory_budget_mib", c_uint32),
    ]


class Plan(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("context", c_uint32),
        ("chunk", c_uint32),
        ("sequences", c_uint32),
        ("fit", c_int32),
        ("largest_context", c_uint32),
        ("mapped_bytes", c_uint64),
        ("hot_bytes", c_uint64),
        ("kv_bytes", c_uint64),
        ("scratch_bytes", c_uint64),
        ("peak_bytes", c_uint64),
        ("decode_bytes", c_uint64),
        ("memory_total", c_uint64),
        ("memory_limit", c_uint64),
        ("memory_available", c_uint64),
        ("room_bytes", c_uint64),
        ("tokens_per_second", c_double),
        ("tokens_per_second_full", c_double),
    ]


class VerifyProgress(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("files", c_uint32),
        ("bytes_done", c_uint64),
        ("bytes_total", c_uint64),
        ("file", Text),
        ("release", Text),
    ]


class VerifiedFile(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("outcome", c_int32),
        ("size", c_uint64),
        ("path", Text),
        ("detail", Text),
    ]


class QuantizeOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
    ]


class QuantizeProgress(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("stage", c_int32),
        ("done", c_uint64),
        ("total", c_uint64),
        ("file", Text),
    ]


class QuantizeReport(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("tokens", c_uint32),
        ("source_bytes", c_uint64),
        ("target_bytes", c_uint64),
        ("shared_bytes", c_uint64),
        ("resumed_bytes", c_uint64),
        ("decode_bytes_before", c_uint64),
        ("decode_bytes_after", c_uint64),
        ("divergence", c_double),
        ("divergence_worst", c_double),
        ("agreement", c_double),
        ("tokens_per_second_before", c_double),
        ("tokens_per_second_after", c_double),
    ]


class EncodeOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("allowed", c_void_p),
        ("allowed_count", c_size_t),
        ("refused", c_void_p),
        ("refused_count", c_size_t),
    ]


class System(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reasoning_effort", c_int32),
        ("identity", c_char_p),
        ("knowledge_cutoff", c_char_p),
        ("current_date", c_char_p),
    ]


class Message(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("role", c_int32),
        ("name", c_char_p),
        ("recipient", c_char_p),
        ("channel", c_char_p),
        ("content_type", c_char_p),
        ("text", c_char_p),
        ("text_size", c_size_t),
    ]


class RenderOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("mode", c_int32),
        ("keep_analysis", c_int32),
        ("retokenize", c_int32),
    ]


class TemplateOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("no_generation_prompt", c_int32),
        ("current_date", c_char_p),
        ("reasoning_effort", c_char_p),
        ("model_identity", c_char_p),
    ]


class SessionOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("context", c_uint32),
        ("chunk", c_uint32),
        ("memory_budget_mib", c_uint32),
    ]


class SessionMemory(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("context", c_uint32),
        ("kv_bytes", c_uint64),
        ("scratch_bytes", c_uint64),
    ]


class LogitBias(Structure):
    _fields_ = [
        ("token", c_uint32),
        ("value", c_float),
    ]


class GenerateOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("sampling", c_int32),
        ("temperature", c_float),
        ("top_p", c_float),
        ("min_p", c_float),
        ("top_k", c_uint32),
        ("seed", c_uint64),
        ("max_tokens", c_uint32),
        ("flags", c_uint32),
        ("repetition_penalty", c_float),
        ("presence_penalty", c_float),
        ("frequency_penalty", c_float),
        ("alternatives", c_uint32),
        ("bias", c_void_p),
        ("bias_count", c_size_t),
    ]


class Event(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("channel", c_int32),
        ("finish_reason", c_int32),
        ("done", c_uint64),
        ("total", c_uint64),
        ("text", Text),
        ("recipient", Text),
        ("channel_name", Text),
        ("content_type", Text),
        ("complete", c_int32),
        ("role", c_int32),
        ("name", Text),
        ("path", Text),
        ("json", c_int32),
        ("message", c_uint32),
        ("token_begin", c_uint32),
        ("token_end", c_uint32),
    ]


class Usage(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("context_used", c_uint32),
        ("prompt_tokens", c_uint32),
        ("reused_tokens", c_uint32),
        ("generated_tokens", c_uint32),
        ("reasoning_tokens", c_uint32),
        ("seed", c_uint64),
        ("prefill_seconds", c_double),
        ("first_token_seconds", c_double),
        ("decode_seconds", c_double),
    ]


class Logprob(Structure):
    _fields_ = [
        ("token", c_uint32),
        ("before", c_float),
        ("after", c_float),
    ]


class Progress(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("done", c_uint64),
        ("total", c_uint64),
    ]


class BatchOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("sessions", c_uint32),
        ("chunk", c_uint32),
    ]


class ParserOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("policy", c_int32),
        ("from_start", c_int32),
        ("reserved", c_uint32),
        ("functions", c_void_p),
        ("function_count", c_size_t),
    ]


class Setting(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("type", c_int32),
        ("harmless", c_int32),
        ("is_set", c_int32),
        ("key", Text),
        ("default_value", Text),
        ("otherwise", Text),
        ("choices", Text),
        ("flag", Text),
        ("variable", Text),
        ("help", Text),
        ("environment", Text),
        ("expected", Text),
        ("value", Text),
        ("origin", Text),
    ]


class HubOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("offline", c_int32),
        ("endpoint", c_char_p),
        ("token", c_char_p),
        ("token_path", c_char_p),
        ("cache_folder", c_char_p),
        ("proxy", c_char_p),
        ("no_proxy", c_char_p),
        ("ca_file", c_char_p),
        ("ca_folder", c_char_p),
        ("user_agent", c_char_p),
        ("rate_limit", c_uint64),
        ("connections", c_uint32),
        ("connect_timeout", c_uint32),
        ("stall_timeout", c_uint32),
        ("retries", c_uint32),
    ]


class DownloadOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("revision", c_char_p),
        ("local_folder", c_char_p),
        ("includes", c_void_p),
        ("include_count", c_size_t),
        ("excludes", c_void_p),
        ("exclude_count", c_size_t),
        ("adopt_from", c_void_p),
        ("adopt_count", c_size_t),
        ("pin", c_char_p),
        ("manifest", c_char_p),
    ]


class TransferProgress(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("stage", c_int32),
        ("bytes_total", c_uint64),
        ("bytes_landed", c_uint64),
        ("bytes_verified", c_uint64),
        ("bytes_fetched", c_uint64),
        ("bytes_per_second", c_double),
        ("seconds_left", c_double),
        ("connections", c_uint32),
        ("files", c_uint32),
        ("note", Text),
    ]


class TransferFile(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("state", c_int32),
        ("size", c_uint64),
        ("landed", c_uint64),
        ("verified", c_uint64),
        ("path", Text),
    ]


# Struct: (size, the offset of each field).
LAYOUTS = {
    Text: (16, {"data": 0, "size": 8}),
    EngineOptions: (24, {"struct_size": 0, "threads": 4, "tier": 8, "numerics": 16}),
    EngineInfo: (16, {"struct_size": 0, "threads": 4, "tier": 8}),
    ModelOptions: (16, {"struct_size": 0, "reserved": 4, "cache_folder": 8}),
    ModelInfo: (88, {"struct_size": 0, "layers": 4, "hidden": 8, "intermediate": 12, "heads": 16,
        "kv_heads": 20, "head_dim": 24, "experts": 28, "experts_per_token": 32, "vocab": 36,
        "sliding_window": 40, "context": 44, "parameters": 48, "mapped_bytes": 56, "decode_bytes":
        64, "tensors": 72, "format": 80}),
    TensorInfo: (128, {"struct_size": 0, "dimensions": 4, "shape": 8, "bytes": 72, "name": 80,
        "dtype": 96, "file": 112}),
    PlanOptions: (24, {"struct_size": 0, "context": 4, "chunk": 8, "sequences": 12, "flags": 16,
        "memory_budget_mib": 20}),
    Plan: (120, {"struct_size": 0, "context": 4, "chunk": 8, "sequences": 12, "fit": 16,
        "largest_context": 20, "mapped_bytes": 24, "hot_bytes": 32, "kv_bytes": 40,
        "scratch_bytes": 48, "peak_bytes": 56, "decode_bytes": 64, "memory_total": 72,
        "memory_limit": 80, "memory_available": 88, "room_bytes": 96, "tokens_per_second": 104,
        "tokens_per_second_full": 112}),
    VerifyProgress: (56, {"struct_size": 0, "files": 4, "bytes_done": 8, "bytes_total": 16, "file":
        24, "release": 40}),
    VerifiedFile: (48, {"struct_size": 0, "outcome": 4, "size": 8, "path": 16, "detail": 32}),
    QuantizeOptions: (8, {"struct_size": 0, "flags": 4}),
    QuantizeProgress: (40, {"struct_size": 0, "stage": 4, "done": 8, "total": 16, "file": 24}),
    QuantizeReport: (96, {"struct_size": 0, "tokens": 4, "source_bytes": 8, "target_bytes": 16,
        "shared_bytes": 24, "resumed_bytes": 32, "decode_bytes_before": 40, "decode_bytes_after":
        48, "divergence": 56, "divergence_worst": 64, "agreement": 72, "tokens_per_second_before":
        80, "tokens_per_second_after": 88}),
    EncodeOptions: (40, {"struct_size": 0, "flags": 4, "allowed": 8, "allowed_count": 16,
        "refused": 24, "refused_count": 32}),
    System: (32, {"struct_size": 0, "reasoning_effort": 4, "identity": 8, "knowledge_cutoff": 16,
        "current_date": 24}),
    Message: (56, {"struct_size": 0, "role": 4, "name": 8, "recipient": 16, "channel": 24,
        "content_type": 32, "text": 40, "text_size": 48}),
    RenderOptions: (16, {"struct_size": 0, "mode": 4, "keep_analysis": 8, "retokenize": 12}),
    TemplateOptions: (32, {"struct_size": 0, "no_generation_prompt": 4, "current_date": 8,
        "reasoning_effort": 16, "model_identity": 24}),
    SessionOptions: (16, {"struct_size": 0, "context": 4, "chunk": 8, "memory_budget_mib": 12}),
    SessionMemory: (24, {"struct_size": 0, "context": 4, "kv_bytes": 8, "scratch_bytes": 16}),
    LogitBias: (8, {"token": 0, "value": 4}),
    GenerateOptions: (72, {"struct_size": 0, "sampling": 4, "temperature": 8, "top_p": 12, "min_p":
        16, "top_k": 20, "seed": 24, "max_tokens": 32, "flags": 36, "repetition_penalty": 40,
        "presence_penalty": 44, "frequency_penalty": 48, "alternatives": 52, "bias": 56,
        "bias_count": 64}),
    Event: (152, {"struct_size": 0, "kind": 4, "channel": 8, "finish_reason": 12, "done": 16,
        "total": 24, "text": 32, "recipient": 48, "channel_name": 64, "content_type": 80,
        "complete": 96, "role": 100, "name": 104, "path": 120, "json": 136, "message": 140,
        "token_begin": 144, "token_end": 148}),
    Usage: (56, {"struct_size": 0, "context_used": 4, "prompt_tokens": 8, "reused_tokens": 12,
        "generated_tokens": 16, "reasoning_tokens": 20, "seed": 24, "prefill_seconds": 32,
        "first_token_seconds": 40, "decode_seconds": 48}),
    Logprob: (12, {"token": 0, "before": 4, "after": 8}),
    Progress: (24, {"struct_size": 0, "reserved": 4, "done": 8, "total": 16}),
    BatchOptions: (12, {"struct_size": 0, "sessions": 4, "chunk": 8}),
    ParserOptions: (32, {"struct_size": 0, "policy": 4, "from_start": 8, "reserved": 12,
        "functions": 16, "function_count": 24}),
    Setting: (192, {"struct_size": 0, "type": 4, "harmless": 8, "is_set": 12, "key": 16,
        "default_value": 32, "otherwise": 48, "choices": 64, "flag": 80, "variable": 96, "help":
        112, "environment": 128, "expected": 144, "value": 160, "origin": 176}),
    HubOptions: (104, {"struct_size": 0, "offline": 4, "endpoint": 8, "token": 16, "token_path":
        24, "cache_folder": 32, "proxy": 40, "no_proxy": 48, "ca_file": 56, "ca_folder": 64,
        "user_agent": 72, "rate_limit": 80, "connections": 88, "connect_timeout": 92,
        "stall_timeout": 96, "retries": 100}),
    DownloadOptions: (88, {"struct_size": 0, "flags": 4, "revision": 8, "local_folder": 16,
        "includes": 24, "include_count": 32, "excludes": 40, "exclude_count": 48, "adopt_from": 56,
        "adopt_count": 64, "pin": 72, "manifest": 80}),
    TransferProgress: (80, {"struct_size": 0, "stage": 4, "bytes_total": 8, "bytes_landed": 16,
        "bytes_verified": 24, "bytes_fetched": 32, "bytes_per_second": 40, "seconds_left": 48,
        "connections": 56, "files": 60, "note": 64}),
    TransferFile: (48, {"struct_size": 0, "state": 4, "size": 8, "landed": 16, "verified": 24,
        "path": 32}),
}

# Function: (result, arguments).
FUNCTIONS = {
    "vitalis_abi_version": (c_uint32, []),
    "vitalis_version_string": (c_char_p, []),
    "vitalis_status_name": (c_char_p, [c_int32]),
    "vitalis_last_error": (c_char_p, []),
    "vitalis_engine_options_init": (None, [POINTER(EngineOptions), c_size_t]),
    "vitalis_engine_create": (c_int32, [POINTER(EngineOptions), POINTER(c_void_p)]),
    "vitalis_engine_retain": (c_void_p, [c_void_p]),
    "vitalis_engine_release": (None, [c_void_p]),
    "vitalis_engine_get_info": (c_int32, [c_void_p, POINTER(EngineInfo)]),
    "vitalis_model_options_init": (None, [POINTER(ModelOptions), c_size_t]),
    "vitalis_model_open": (c_int32, [c_void_p, c_char_p, POINTER(ModelOptions),
        POINTER(c_void_p)]),
    "vitalis_model_retain": (c_void_p, [c_void_p]),
    "vitalis_model_release": (None, [c_void_p]),
    "vitalis_model_get_info": (c_int32, [c_void_p, POINTER(ModelInfo)]),
    "vitalis_model_get_tensor": (c_int32, [c_void_p, c_size_t, POINTER(TensorInfo)]),
    "vitalis_plan_options_init": (None, [POINTER(PlanOptions), c_size_t]),
    "vitalis_engine_plan": (c_int32, [c_void_p, c_char_p, POINTER(PlanOptions), POINTER(Plan)]),
    "vitalis_verification_create": (c_int32, [c_char_p, c_char_p, POINTER(c_void_p)]),
    "vitalis_verification_retain": (c_void_p, [c_void_p]),
    "vitalis_verification_release": (None, [c_void_p]),
    "vitalis_verification_next": (c_int32, [c_void_p, POINTER(VerifyProgress)]),
    "vitalis_verification_cancel": (None, [c_void_p]),
    "vitalis_verification_get_file": (c_int32, [c_void_p, c_size_t, POINTER(VerifiedFile)]),
    "vitalis_quantize_options_init": (None, [POINTER(QuantizeOptions), c_size_t]),
    "vitalis_quantization_create": (c_int32, [c_void_p, c_char_p, c_char_p,
        POINTER(QuantizeOptions), POINTER(c_void_p)]),
    "vitalis_quantization_retain": (c_void_p, [c_void_p]),
    "vitalis_quantization_release": (None, [c_void_p]),
    "vitalis_quantization_next": (c_int32, [c_void_p, POINTER(QuantizeProgress)]),
    "vitalis_quantization_cancel": (None, [c_void_p]),
    "vitalis_quantization_get_report": (c_int32, [c_void_p, POINTER(QuantizeReport)]),
    "vitalis_model_get_tokenizer": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "vitalis_tokenizer_open": (c_int32, [c_char_p, c_char_p, POINTER(c_void_p)]),
    "vitalis_tokenizer_retain": (c_void_p, [c_void_p]),
    "vitalis_tokenizer_release": (None, [c_void_p]),
    "vitalis_tokenizer_size": (c_uint32, [c_void_p]),
    "vitalis_encode_options_init": (None, [POINTER(EncodeOptions), c_size_t]),
    "vitalis_tokenizer_encode": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(EncodeOptions),
        POINTER(c_uint32), POINTER(c_size_t), c_size_t, POINTER(c_size_t)]),
    "vitalis_tokenizer_count": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)]),
    "vitalis_tokenizer_encode_up_to": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_uint32),
        c_size_t, POINTER(c_size_t), POINTER(c_size_t)]),
    "vitalis_tokenizer_encode_batch": (c_int32, [c_void_p, c_void_p, POINTER(Text), c_size_t,
        POINTER(c_uint32), c_size_t, POINTER(c_size_t), POINTER(c_size_t)]),
    "vitalis_tokenizer_decode": (c_int32, [c_void_p, POINTER(c_uint32), c_size_t, c_char_p,
        c_size_t, POINTER(c_size_t)]),
    "vitalis_tokenizer_token_bytes": (c_int32, [c_void_p, c_uint32, POINTER(Text)]),
    "vitalis_tokenizer_find": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_uint32)]),
    "vitalis_tokenizer_special": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_uint32)]),
    "vitalis_decoder_create": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "vitalis_decoder_retain": (c_void_p, [c_void_p]),
    "vitalis_decoder_release": (None, [c_void_p]),
    "vitalis_decoder_push": (c_int32, [c_void_p, c_uint32, POINTER(Text)]),
    "vitalis_decoder_finish": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_conversation_create": (c_int32, [POINTER(c_void_p)]),
    "vitalis_conversation_retain": (c_void_p, [c_void_p]),
    "vitalis_conversation_release": (None, [c_void_p]),
    "vitalis_system_init": (None, [POINTER(System), c_size_t]),
    "vitalis_conversation_set_system": (c_int32, [c_void_p, POINTER(System)]),
    "vitalis_conversation_set_instructions": (c_int32, [c_void_p, c_char_p, c_size_t]),
    "vitalis_conversation_add_tool": (c_int32, [c_void_p, c_char_p, c_char_p, c_char_p]),
    "vitalis_conversation_set_tool_choice": (c_int32, [c_void_p, c_int32, c_char_p]),
    "vitalis_conversation_set_response_schema": (c_int32, [c_void_p, c_char_p, c_char_p,
        c_size_t]),
    "vitalis_message_init": (None, [POINTER(Message), c_size_t]),
    "vitalis_conversation_add_message": (c_int32, [c_void_p, POINTER(Message)]),
    "vitalis_conversation_add_tool_result": (c_int32, [c_void_p, c_char_p, c_char_p, c_size_t]),
    "vitalis_conversation_load_json": (c_int32, [c_void_p, c_int32, c_char_p, c_size_t]),
    "vitalis_conversation_to_json": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)]),
    "vitalis_conversation_size": (c_size_t, [c_void_p]),
    "vitalis_conversation_truncate": (c_int32, [c_void_p, c_size_t]),
    "vitalis_render_options_init": (None, [POINTER(RenderOptions), c_size_t]),
    "vitalis_conversation_render": (c_int32, [c_void_p, c_void_p, POINTER(RenderOptions),
        POINTER(c_uint32), c_size_t, POINTER(c_size_t)]),
    "vitalis_template_options_init": (None, [POINTER(TemplateOptions), c_size_t]),
    "vitalis_template_render": (c_int32, [c_char_p, c_size_t, POINTER(TemplateOptions), c_char_p,
        c_size_t, POINTER(c_size_t)]),
    "vitalis_session_options_init": (None, [POINTER(SessionOptions), c_size_t]),
    "vitalis_session_plan": (c_int32, [c_void_p, POINTER(SessionOptions), POINTER(SessionMemory)]),
    "vitalis_session_create": (c_int32, [c_void_p, POINTER(SessionOptions), POINTER(c_void_p)]),
    "vitalis_session_retain": (c_void_p, [c_void_p]),
    "vitalis_session_release": (None, [c_void_p]),
    "vitalis_generate_options_init": (None, [POINTER(GenerateOptions), c_size_t]),
    "vitalis_session_start": (c_int32, [c_void_p, c_void_p, POINTER(GenerateOptions)]),
    "vitalis_session_next": (c_int32, [c_void_p, POINTER(Event)]),
    "vitalis_session_cancel": (None, [c_void_p]),
    "vitalis_session_add_reply": (c_int32, [c_void_p, c_void_p]),
    "vitalis_session_reset": (c_int32, [c_void_p]),
    "vitalis_session_get_usage": (c_int32, [c_void_p, POINTER(Usage)]),
    "vitalis_session_forward": (c_int32, [c_void_p, POINTER(c_uint32), c_size_t, c_uint32,
        POINTER(c_float), c_size_t]),
    "vitalis_session_get_logprobs": (c_int32, [c_void_p, c_size_t, POINTER(Logprob), c_size_t,
        POINTER(c_size_t)]),
    "vitalis_session_save": (c_int32, [c_void_p, c_char_p, c_char_p, c_size_t]),
    "vitalis_session_restore": (c_int32, [c_void_p, c_char_p]),
    "vitalis_session_get_note": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_session_get_progress": (c_int32, [c_void_p, POINTER(Progress)]),
    "vitalis_session_fork": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "vitalis_batch_options_init": (None, [POINTER(BatchOptions), c_size_t]),
    "vitalis_batch_create": (c_int32, [c_void_p, POINTER(BatchOptions), POINTER(c_void_p)]),
    "vitalis_batch_retain": (c_void_p, [c_void_p]),
    "vitalis_batch_release": (None, [c_void_p]),
    "vitalis_batch_next": (c_int32, [c_void_p, POINTER(c_void_p), c_size_t, POINTER(Event),
        POINTER(c_int32)]),
    "vitalis_parser_options_init": (None, [POINTER(ParserOptions), c_size_t]),
    "vitalis_parser_create": (c_int32, [c_void_p, POINTER(ParserOptions), POINTER(c_void_p)]),
    "vitalis_parser_clone": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "vitalis_parser_retain": (c_void_p, [c_void_p]),
    "vitalis_parser_release": (None, [c_void_p]),
    "vitalis_parser_push": (c_int32, [c_void_p, c_uint32]),
    "vitalis_parser_finish": (c_int32, [c_void_p]),
    "vitalis_parser_next": (c_int32, [c_void_p, POINTER(Event)]),
    "vitalis_config_create": (c_int32, [POINTER(c_void_p)]),
    "vitalis_config_retain": (c_void_p, [c_void_p]),
    "vitalis_config_release": (None, [c_void_p]),
    "vitalis_config_load_json": (c_int32, [c_void_p, c_char_p, c_size_t, c_char_p, c_uint32]),
    "vitalis_config_set": (c_int32, [c_void_p, c_char_p, c_char_p, c_char_p]),
    "vitalis_config_to_json": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)]),
    "vitalis_config_get": (c_int32, [c_void_p, c_size_t, POINTER(Setting)]),
    "vitalis_config_find": (c_int32, [c_void_p, c_char_p, POINTER(Setting)]),
    "vitalis_config_engine_options": (c_int32, [c_void_p, POINTER(EngineOptions)]),
    "vitalis_config_session_options": (c_int32, [c_void_p, POINTER(SessionOptions)]),
    "vitalis_config_generate_options": (c_int32, [c_void_p, POINTER(GenerateOptions)]),
    "vitalis_config_system": (c_int32, [c_void_p, POINTER(System)]),
    "vitalis_hub_options_init": (None, [POINTER(HubOptions), c_size_t]),
    "vitalis_config_hub_options": (c_int32, [c_void_p, POINTER(HubOptions)]),
    "vitalis_hub_create": (c_int32, [POINTER(HubOptions), POINTER(c_void_p)]),
    "vitalis_hub_retain": (c_void_p, [c_void_p]),
    "vitalis_hub_release": (None, [c_void_p]),
    "vitalis_hub_cancel": (None, [c_void_p]),
    "vitalis_hub_notices": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_hub_login": (c_int32, [c_void_p, c_char_p, c_size_t, c_char_p, POINTER(Text)]),
    "vitalis_hub_whoami": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_hub_tokens": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_hub_switch": (c_int32, [c_void_p, c_char_p]),
    "vitalis_hub_logout": (c_int32, [c_void_p, c_char_p]),
    "vitalis_hub_begin_login": (c_int32, [c_void_p, c_char_p, c_char_p, POINTER(Text)]),
    "vitalis_hub_poll_login": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_hub_locate": (c_int32, [c_void_p, c_char_p, c_char_p, POINTER(Text)]),
    "vitalis_hub_models": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_hub_remove": (c_int32, [c_void_p, c_char_p, c_char_p, c_int32, POINTER(Text)]),
    "vitalis_hub_prune": (c_int32, [c_void_p, c_char_p, c_uint32, c_int32, POINTER(Text)]),
    "vitalis_hub_activate": (c_int32, [c_void_p, c_char_p, c_char_p, c_char_p]),
    "vitalis_hub_rollback": (c_int32, [c_void_p, c_char_p, c_char_p, POINTER(Text)]),
    "vitalis_hub_pin": (c_int32, [c_void_p, c_char_p, c_char_p]),
    "vitalis_hub_audit": (c_int32, [c_void_p, c_char_p, POINTER(Text)]),
    "vitalis_hub_list": (c_int32, [c_void_p, c_char_p, c_char_p, POINTER(Text)]),
    "vitalis_hub_check": (c_int32, [c_void_p, c_char_p, c_char_p, c_int32, POINTER(Text)]),
    "vitalis_download_options_init": (None, [POINTER(DownloadOptions), c_size_t]),
    "vitalis_hub_download": (c_int32, [c_void_p, c_char_p, POINTER(DownloadOptions),
        POINTER(c_void_p)]),
    "vitalis_hub_update": (c_int32, [c_void_p, POINTER(c_void_p)]),
    "vitalis_transfer_retain": (c_void_p, [c_void_p]),
    "vitalis_transfer_release": (None, [c_void_p]),
    "vitalis_transfer_plan": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_transfer_next": (c_int32, [c_void_p, POINTER(TransferProgress)]),
    "vitalis_transfer_get_file": (c_int32, [c_void_p, c_size_t, POINTER(TransferFile)]),
    "vitalis_transfer_notices": (c_int32, [c_void_p, POINTER(Text)]),
    "vitalis_transfer_pause": (None, [c_void_p]),
    "vitalis_transfer_resume": (None, [c_void_p]),
    "vitalis_transfer_cancel": (None, [c_void_p]),
    "vitalis_transfer_set_rate_limit": (None, [c_void_p, c_uint64]),
}
