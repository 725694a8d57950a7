/* SPDX-License-Identifier: Apache-2.0
 *
 * Vitalis: inference for OpenAI's gpt-oss models on CPUs. The C interface; it is the library's only
 * binary interface, and it never breaks.
 *
 * Conventions
 *
 *  1. Errors. Every function that can fail returns an int32_t status: VITALIS_OK, a positive value
 *     that is no error, or a negative error, of which vitalis_last_error() has a sentence. Comments
 *     name errors without their prefix, and leave out those that every function may give:
 *     INVALID_ARGUMENT (a null that may not be, a value out of range, text that is not UTF-8),
 *     OUT_OF_MEMORY, BUSY (convention 6) and INTERNAL (a mistake of the library's own).
 *
 *  2. Outputs come last, and are zeroed or nulled on failure; what arrays hold then is not said.
 *
 *  3. Text is UTF-8, as pointer and size in bytes; VITALIS_NUL as size means "ends with a NUL", and
 *     null is the empty text if the size is 0. Text without a size beside it, as in structs, ends
 *     with a NUL. Paths go to the system as they are. What you hand in is read during the call and
 *     not kept, unless said.
 *
 *  4. Structs begin with struct_size. Set it with the VITALIS_*_INIT macro, or with the init
 *     function, which takes sizeof(the struct) as you know it and does nothing for a size that no
 *     version has. Of a struct that you fill, a zero field means its default, and a null pointer to
 *     options all of them. Of a struct that we fill, no more than struct_size is written. New
 *     fields are only ever added at the end.
 *
 *  5. Ownership has three forms. Handles are counted: what create, open, clone, fork and the like
 *     give has one reference, which is yours; retain takes another and returns its argument,
 *     release gives one back, and both take null. The order of releases is free, since objects keep
 *     what they need. Borrowed text (a vitalis_text that we give) is valid until the next call on
 *     the same object, and ends with a NUL that its size does not count only where said. Arrays go
 *     into your buffer: at most its capacity is written, the needed count is reported, and a buffer
 *     that is too small is no error. It may be null if the capacity is 0.
 *
 *  6. Threads. An engine, a model and a tokenizer may be used from any number of threads at once.
 *     Any other object belongs to one thread at a time: a second one gets BUSY. Retain, release,
 *     cancel, the init functions and functions without an object may be called from anywhere, any
 *     time.
 *
 *  7. The library prints nothing, exits never, installs no signal handlers and reads one
 *     environment variable, VITALIS_ISA (see vitalis_engine_options).
 *
 *  8. What has no other version in its comment is there since 1.0 of this interface.
 */
#ifndef VITALIS_VITALIS_H
#define VITALIS_VITALIS_H

#include <stddef.h>
#include <stdint.h>

/* Marks what the library exports. */
#if defined(_WIN32)
#define VITALIS_API
#elif defined(__GNUC__)
#define VITALIS_API __attribute__((visibility("default")))
#else
#define VITALIS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- library ---- */

#define VITALIS_ABI_VERSION 1u /* of this header; the number in the library's SONAME */
#define VITALIS_NUL SIZE_MAX   /* as the size of a text: it ends with a NUL */

#define VITALIS_OK 0        /* success, or an iterator gave something */
#define VITALIS_DONE 1      /* an iterator has nothing more to give */
#define VITALIS_CANCELLED 2 /* a cancel function took effect; the object stays usable */
#define VITALIS_AGAIN 3     /* of a session in a batch: nothing to tell yet */

#define VITALIS_ERROR_INTERNAL (-1)         /* a mistake of the library's own */
#define VITALIS_ERROR_INVALID_ARGUMENT (-2) /* what the caller gave cannot be meant */
#define VITALIS_ERROR_NOT_FOUND (-3)        /* a file, a model, an index or a name is not there */
#define VITALIS_ERROR_IO (-4)               /* the system failed to read or write; a full disk */
#define VITALIS_ERROR_MALFORMED (-5)        /* a file or text breaks the rules of its format */
#define VITALIS_ERROR_UNSUPPORTED (-6)      /* valid, but not for this build or this CPU */
#define VITALIS_ERROR_OUT_OF_MEMORY (-7)    /* the system, or a memory budget, has not enough */
#define VITALIS_ERROR_CONTEXT_FULL (-8)     /* more tokens than the session holds */
#define VITALIS_ERROR_BUSY (-9)             /* in use by another thread, or another process */
#define VITALIS_ERROR_NETWORK (-10)         /* no connection, or one that failed too often */
#define VITALIS_ERROR_DENIED (-11)          /* no permission: a file's, the hub's, or a pin's */
#define VITALIS_ERROR_INTEGRITY (-12)       /* bytes that are not those that they should be */

/* The ABI that the loaded library speaks; equal to VITALIS_ABI_VERSION if it fits this header. */
VITALIS_API uint32_t vitalis_abi_version(void);
/* The library's version, "0.1.0"; lives as long as the library is loaded. */
VITALIS_API const char* vitalis_version_string(void);
/* A status in words, "context full"; "unknown status" for others; lives as long as the library is
 * loaded. */
VITALIS_API const char* vitalis_status_name(int32_t status);
/* What went wrong in this thread's last call that can fail: a sentence or, of several problems, a
 * line for each; "" after a success. Ends with a NUL, never null, at most 4095 bytes. Valid until
 * this thread's next call of the library; other threads have their own. */
VITALIS_API const char* vitalis_last_error(void);

/* Text, or bytes where said, that is lent out or handed in. */
typedef struct vitalis_text {
  const char* data; /* may be null if size is 0 */
  size_t size;      /* in bytes; handed in, it may be VITALIS_NUL */
} vitalis_text;

/* ---- engine: threads and kernels ---- */

/* Worker threads, which work only while a call of yours does, and the kernels chosen for this CPU.
 * One serves any number of models. */
typedef struct vitalis_engine vitalis_engine;

#define VITALIS_NUMERICS_FAITHFUL 0 /* bf16 into products, fp32 accumulation, bf16 KV cache */
#define VITALIS_NUMERICS_FLOAT32 1  /* fp32 throughout; slow, to judge the other by */

/* How vitalis_engine_create makes an engine. */
typedef struct vitalis_engine_options {
  uint32_t struct_size;
  int32_t threads; /* 1 to 1024; default: the cores that this process may use */
  /* "portable", "avx2", "avx512", "avx512bf16", "amx"; default: VITALIS_ISA, else the fastest here.
     For "amx" the system is asked to let the whole process use its registers. */
  const char* tier;
  int32_t numerics; /* VITALIS_NUMERICS_* */
} vitalis_engine_options;
#define VITALIS_ENGINE_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_engine_options), 0, NULL, 0 }
/* See convention 4. */
VITALIS_API void vitalis_engine_options_init(vitalis_engine_options* options, size_t size);

/* Makes an engine. UNSUPPORTED for a tier that is unknown or that this CPU lacks, with those that
 * it has. */
VITALIS_API int32_t vitalis_engine_create(const vitalis_engine_options* options,
                                          vitalis_engine** engine_out);
/* One more reference; returns `engine`. */
VITALIS_API vitalis_engine* vitalis_engine_retain(vitalis_engine* engine);
/* One reference less. Models keep their engine. */
VITALIS_API void vitalis_engine_release(vitalis_engine* engine);

/* What an engine became, defaults filled in. */
typedef struct vitalis_engine_info {
  uint32_t struct_size;
  int32_t threads;  /* that work in a call, the caller's among them */
  const char* tier; /* as in the options; lives as long as the library is loaded */
} vitalis_engine_info;
#define VITALIS_ENGINE_INFO_INIT \
  { (uint32_t)sizeof(vitalis_engine_info), 0, NULL }
/* Tells the threads and the tier of an engine. */
VITALIS_API int32_t vitalis_engine_get_info(const vitalis_engine* engine,
                                            vitalis_engine_info* info);

/* ---- model: mapped weights and tokenizer, immutable ---- */

/* A checkpoint's files, mapped, with their tokenizer. */
typedef struct vitalis_model vitalis_model;

/* How vitalis_model_open opens a model. */
typedef struct vitalis_model_options {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  /* for the compiled tokenizer, see vitalis_tokenizer_open; default: none */
  const char* cache_folder;
} vitalis_model_options;
#define VITALIS_MODEL_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_model_options), 0, NULL }
/* See convention 4. */
VITALIS_API void vitalis_model_options_init(vitalis_model_options* options, size_t size);
/* Opens a checkpoint in any form that gpt-oss is published in: `path` is a folder with config.json,
 * model.safetensors or its shards, and tokenizer.json there or above it (Hugging Face's, or
 * OpenAI's original/); a GGUF file, the first if there are several parts; or metal/model.bin. The
 * last two hold their tokenizer. The files are mapped and used in place; they must not be changed
 * while the model is open, but may be replaced. NOT_FOUND, DENIED or IO if a file cannot be opened,
 * UNSUPPORTED if it is of another kind, model or version, MALFORMED if it breaks its format's
 * rules. All that is wrong with the weights is told in one message. */
VITALIS_API int32_t vitalis_model_open(vitalis_engine* engine, const char* path,
                                       const vitalis_model_options* options,
                                       vitalis_model** model_out);
/* One more reference; returns `model`. */
VITALIS_API vitalis_model* vitalis_model_retain(vitalis_model* model);
/* One reference less. Sessions and batches keep their model. */
VITALIS_API void vitalis_model_release(vitalis_model* model);

/* The shape of a model, as its configuration has it, and its size. */
typedef struct vitalis_model_info {
  uint32_t struct_size;
  uint32_t layers;            /* of attention and experts; even ones see a sliding window */
  uint32_t hidden;            /* width of the stream between layers */
  uint32_t intermediate;      /* width inside an expert */
  uint32_t heads;             /* of queries */
  uint32_t kv_heads;          /* of keys and values, each for heads / kv_heads queries */
  uint32_t head_dim;          /* width of a head */
  uint32_t experts;           /* in a layer */
  uint32_t experts_per_token; /* of them, those that compute a token */
  uint32_t vocab;             /* logits in a row; more than vitalis_tokenizer_size, or as many */
  uint32_t sliding_window;    /* tokens that a sliding layer sees */
  uint32_t context;           /* tokens, the longest the model was made for */
  uint64_t parameters;        /* of all tensors together */
  uint64_t mapped_bytes;      /* of the weight files */
  uint64_t decode_bytes;      /* weights read for one token */
  size_t tensors;             /* see vitalis_model_get_tensor */
  const char* format; /* "safetensors", "GGUF" and so on; lives as long as the library is loaded */
} vitalis_model_info;
/* Tells the shape and size of a model. */
VITALIS_API int32_t vitalis_model_get_info(const vitalis_model* model, vitalis_model_info* info);

/* A tensor as its file has it. */
typedef struct vitalis_tensor_info {
  uint32_t struct_size;
  uint32_t dimensions; /* entries of shape that count */
  uint64_t shape[8];   /* outermost first */
  uint64_t bytes;      /* in the file */
  vitalis_text name;   /* borrowed from the model, for its life; ends with a NUL, as the next two */
  vitalis_text dtype;  /* in the words of the file's format */
  vitalis_text file;   /* its name */
} vitalis_tensor_info;
/* Tells of the tensor at `index`, in the order of the files; NOT_FOUND if index is not below
 * vitalis_model_info.tensors. */
VITALIS_API int32_t vitalis_model_get_tensor(const vitalis_model* model, size_t index,
                                             vitalis_tensor_info* info);

/* ---- plan: what running a model would take, from its headers alone ---- */

#define VITALIS_PLAN_PROBE 1u /* measure this machine's speed, for two seconds */

/* What vitalis_engine_plan plans for. */
typedef struct vitalis_plan_options {
  uint32_t struct_size;
  uint32_t context;           /* as in vitalis_session_options */
  uint32_t chunk;             /* as in vitalis_session_options */
  uint32_t sequences;         /* sessions at once, at most 65536; default 1 */
  uint32_t flags;             /* VITALIS_PLAN_* */
  uint32_t memory_budget_mib; /* fit is judged by it; default: what this machine has free */
} vitalis_plan_options;
#define VITALIS_PLAN_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_plan_options), 0, 0, 0, 0, 0 }
/* See convention 4. */
VITALIS_API void vitalis_plan_options_init(vitalis_plan_options* options, size_t size);

#define VITALIS_FIT_WHOLE 0 /* the peak fits, or it is not known what there is */
#define VITALIS_FIT_PAGED 1 /* sessions fit; weights would be read from disk again and again */
#define VITALIS_FIT_NONE 2  /* sessions alone do not fit */

/* What running a model would take. */
typedef struct vitalis_plan {
  uint32_t struct_size;
  uint32_t context;          /* the options', defaults filled in */
  uint32_t chunk;            /* the options', defaults filled in */
  uint32_t sequences;        /* the options', defaults filled in */
  int32_t fit;               /* VITALIS_FIT_* */
  uint32_t largest_context;  /* whose peak fits; 0: none */
  uint64_t mapped_bytes;     /* of the weight files */
  uint64_t hot_bytes;        /* of them, what tokens read again and again: all but the embedding */
  uint64_t kv_bytes;         /* keys and values of all sequences */
  uint64_t scratch_bytes;    /* of all sequences */
  uint64_t peak_bytes;       /* hot, kv and scratch: what a run keeps in memory, besides the program
                              * and the tokenizer, some tens of megabytes */
  uint64_t decode_bytes;     /* weights read for one token */
  uint64_t memory_total;     /* of the machine; 0: not known */
  uint64_t memory_limit;     /* of the control groups of this process; 0: none */
  uint64_t memory_available; /* now; 0: not known */
  uint64_t room_bytes;       /* what fit was judged by: the budget or what is available */
  double tokens_per_second;  /* of one sequence that begins; 0 without VITALIS_PLAN_PROBE */
  double tokens_per_second_full; /* of one with a full context; 0 likewise */
} vitalis_plan;
/* Tells what sessions on the model at `path`, as in vitalis_model_open, would take with this
 * engine. No weight is read and no tokenizer is needed. Errors are those of vitalis_model_open.
 * VITALIS_PLAN_PROBE keeps the engine's threads busy. */
VITALIS_API int32_t vitalis_engine_plan(const vitalis_engine* engine, const char* path,
                                        const vitalis_plan_options* options, vitalis_plan* plan);

/* ---- verification: whether a model's files are whole ---- */

/* A check of a model's files, in progress; pulled as an answer is. */
typedef struct vitalis_verification vitalis_verification;

/* Begins to verify the model at `path`, as in vitalis_model_open; its structure is checked here,
 * with the errors of that function. `manifest` (may be null) is the path of a JSON file
 * {"schema":1,"repo":"","commit":"","files":[{"path":"","size":0,"sha256":""}]} whose paths are
 * those below the model's folder, each of which must be there: NOT_FOUND, DENIED, IO, MALFORMED or
 * UNSUPPORTED if it cannot be read. Without it, files are held to the release that they are from,
 * if the library knows that. */
VITALIS_API int32_t vitalis_verification_create(const char* path, const char* manifest,
                                                vitalis_verification** verification_out);
/* One more reference; returns `verification`. */
VITALIS_API vitalis_verification* vitalis_verification_retain(vitalis_verification* verification);
/* One reference less. */
VITALIS_API void vitalis_verification_release(vitalis_verification* verification);

/* How far a verification is. */
typedef struct vitalis_verify_progress {
  uint32_t struct_size;
  uint32_t files; /* that are compared; 0: no release is known, and the structure is all there is */
  uint64_t bytes_done;  /* hashed so far */
  uint64_t bytes_total; /* to be hashed */
  vitalis_text file;    /* being hashed; borrowed, as the next */
  vitalis_text release; /* "openai/gpt-oss-20b at 6cee5e8"; empty if none is known */
} vitalis_verify_progress;
/* Hashes for about a tenth of a second; the first call only tells how much there is. OK while there
 * is more, DONE when all is as it should be, CANCELLED once after a cancel. At the end INTEGRITY,
 * or NOT_FOUND if files are only missing, with a line for each. */
VITALIS_API int32_t vitalis_verification_next(vitalis_verification* verification,
                                              vitalis_verify_progress* progress);
/* Makes the call of vitalis_verification_next after the one under way give CANCELLED. */
VITALIS_API void vitalis_verification_cancel(vitalis_verification* verification);

#define VITALIS_FILE_PENDING 0      /* not compared yet */
#define VITALIS_FILE_GOOD 1         /* as it should be */
#define VITALIS_FILE_MISSING 2      /* not there */
#define VITALIS_FILE_WRONG_SIZE 3   /* longer or shorter */
#define VITALIS_FILE_WRONG_DIGEST 4 /* of the right size, with other bytes */
#define VITALIS_FILE_UNREADABLE 5   /* there, and the system does not give it */

/* A file that is compared. */
typedef struct vitalis_verified_file {
  uint32_t struct_size;
  int32_t outcome;     /* VITALIS_FILE_PENDING to VITALIS_FILE_UNREADABLE */
  uint64_t size;       /* as it should be */
  vitalis_text path;   /* below the model's folder; borrowed, as the next */
  vitalis_text detail; /* what is wrong; empty if nothing is */
} vitalis_verified_file;
/* Tells of the file at `index`; NOT_FOUND if index is not below vitalis_verify_progress.files. */
VITALIS_API int32_t vitalis_verification_get_file(const vitalis_verification* verification,
                                                  size_t index, vitalis_verified_file* file);

/* ---- quantize: a model's dense part in eight bits ---- */

/* A model that is written again. */
typedef struct vitalis_quantization vitalis_quantization;

#define VITALIS_QUANTIZE_NO_COMPARISON 1u /* do not run both models on the built-in text */
#define VITALIS_QUANTIZE_PROBE 2u         /* measure this machine's speed, for four seconds */

/* What is told of a quantized model besides its bytes. */
typedef struct vitalis_quantize_options {
  uint32_t struct_size;
  uint32_t flags; /* VITALIS_QUANTIZE_* */
} vitalis_quantize_options;
#define VITALIS_QUANTIZE_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_quantize_options), 0 }
/* See convention 4. */
VITALIS_API void vitalis_quantize_options_init(vitalis_quantize_options* options, size_t size);

/* Begins to write the model in the folder `path` again into the folder `out`: q, k, v, o, the
 * embedding and the head in eight bits, all else byte for byte, shared on disk where the file
 * system can. `out` appears when all is done; until then the files grow in `out` + ".partial",
 * where the same call goes on after any end of the process. options may be null. `path` holds
 * safetensors with a bf16 dense part, else UNSUPPORTED; `out` is not there, or empty, else
 * INVALID_ARGUMENT; BUSY if another process writes it; IO if the disk has no room for it. Belongs
 * to one thread at a time, but for cancel. Since 1.0. */
VITALIS_API int32_t vitalis_quantization_create(const vitalis_engine* engine, const char* path,
                                                const char* out,
                                                const vitalis_quantize_options* options,
                                                vitalis_quantization** quantization_out);
/* One reference more; gives `quantization` back. */
VITALIS_API vitalis_quantization* vitalis_quantization_retain(vitalis_quantization* quantization);
/* One reference less; a run that is not done leaves what it has written for another. Null is fine.
 */
VITALIS_API void vitalis_quantization_release(vitalis_quantization* quantization);

#define VITALIS_QUANTIZE_WRITING 0   /* done and total count bytes of weight files */
#define VITALIS_QUANTIZE_COMPARING 1 /* done and total count tokens of both models */
#define VITALIS_QUANTIZE_MEASURING 2 /* and giving the folder its name */
#define VITALIS_QUANTIZE_DONE 3      /* the folder is there */

/* How far it is. */
typedef struct vitalis_quantize_progress {
  uint32_t struct_size;
  int32_t stage;     /* VITALIS_QUANTIZE_* */
  uint64_t done;     /* of the stage: bytes, or tokens */
  uint64_t total;    /* of the stage */
  vitalis_text file; /* being written; borrowed until the next call */
} vitalis_quantize_progress;
/* Works until there is news. OK while there is more, DONE when `out` is there. After CANCELLED the
 * next call goes on; after an error there is none (INVALID_ARGUMENT), and what is written stays for
 * another run. IO for a full disk, MALFORMED for numbers that eight bits cannot hold, INTEGRITY if
 * the model changed. */
VITALIS_API int32_t vitalis_quantization_next(vitalis_quantization* quantization,
                                              vitalis_quantize_progress* progress);
/* From any thread: the next() under way, or the next one, is CANCELLED. */
VITALIS_API void vitalis_quantization_cancel(vitalis_quantization* quantization);

/* What came of it. */
typedef struct vitalis_quantize_report {
  uint32_t struct_size;
  uint32_t tokens;                 /* of the text that both models read; 0: not compared */
  uint64_t source_bytes;           /* of weight files, as the next three */
  uint64_t target_bytes;           /* of `out` */
  uint64_t shared_bytes;           /* of these, that take no room of their own */
  uint64_t resumed_bytes;          /* of these, that an earlier run had written */
  uint64_t decode_bytes_before;    /* weights that the model reads for one token */
  uint64_t decode_bytes_after;     /* weights that `out` reads for one token */
  double divergence;               /* mean KL divergence from the model's distributions, in nats */
  double divergence_worst;         /* of one token */
  double agreement;                /* share of tokens with the same most probable next one */
  double tokens_per_second_before; /* of the model, foretold; 0 without VITALIS_QUANTIZE_PROBE */
  double tokens_per_second_after;  /* of `out`, likewise */
} vitalis_quantize_report;
/* Tells what came of it; INVALID_ARGUMENT before next() has said DONE. */
VITALIS_API int32_t vitalis_quantization_get_report(const vitalis_quantization* quantization,
                                                    vitalis_quantize_report* report);

/* ---- tokenizer: text to tokens and back; immutable, useful without weights ---- */

/* A vocabulary, o200k_harmony's or one like it. Text that it encodes may be any bytes: an
 * ill-formed part of UTF-8 counts as U+FFFD, and what spells a special token is text, unless
 * options say otherwise. */
typedef struct vitalis_tokenizer vitalis_tokenizer;

/* Gives a reference to the model's own tokenizer. */
VITALIS_API int32_t vitalis_model_get_tokenizer(const vitalis_model* model,
                                                vitalis_tokenizer** tokenizer_out);
/* Opens a tokenizer alone. `path`: a tokenizer.json, a folder with one in it or above it, a GGUF
 * file or a model.bin. With a cache_folder (may be null) a compiled form is kept there and mapped
 * the next time; a stale or damaged one is replaced, and failing to write one is no error.
 * NOT_FOUND, DENIED or IO if a file cannot be opened, or NOT_FOUND if special tokens of the harmony
 * format are missing; UNSUPPORTED for another kind of tokenizer, MALFORMED for a broken one. */
VITALIS_API int32_t vitalis_tokenizer_open(const char* path, const char* cache_folder,
                                           vitalis_tokenizer** tokenizer_out);
/* One more reference; returns `tokenizer`. */
VITALIS_API vitalis_tokenizer* vitalis_tokenizer_retain(vitalis_tokenizer* tokenizer);
/* One reference less. Decoders and parsers keep their tokenizer. */
VITALIS_API void vitalis_tokenizer_release(vitalis_tokenizer* tokenizer);
/* One more than the highest id that the file names; 0 for null. */
VITALIS_API uint32_t vitalis_tokenizer_size(const vitalis_tokenizer* tokenizer);

#define VITALIS_ENCODE_SPECIAL 1u /* every special token that the text spells becomes one */
#define VITALIS_ENCODE_STRICT 2u  /* ill-formed UTF-8 is INVALID_ARGUMENT, with its offset */

/* What vitalis_tokenizer_encode does with special tokens and ill-formed text. */
typedef struct vitalis_encode_options {
  uint32_t struct_size;
  uint32_t flags;          /* VITALIS_ENCODE_* */
  const uint32_t* allowed; /* special tokens that become tokens where the text spells them */
  size_t allowed_count;    /* of `allowed` */
  const uint32_t* refused; /* special tokens whose spelling is INVALID_ARGUMENT, less the allowed */
  size_t refused_count;    /* of `refused` */
} vitalis_encode_options;
#define VITALIS_ENCODE_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_encode_options), 0, NULL, 0, NULL, 0 }
/* See convention 4. */
VITALIS_API void vitalis_encode_options_init(vitalis_encode_options* options, size_t size);

/* Encodes a text. Writes at most `capacity` tokens, and with `ends` (may be null) where each ends,
 * as a byte offset in text; offsets are given without options only. *count_out is how many tokens
 * there are: no more than the text has bytes, unless it is ill-formed. */
VITALIS_API int32_t vitalis_tokenizer_encode(const vitalis_tokenizer* tokenizer, const char* text,
                                             size_t size, const vitalis_encode_options* options,
                                             uint32_t* tokens, size_t* ends, size_t capacity,
                                             size_t* count_out);
/* Counts the tokens that encode gives without options; nothing is stored. */
VITALIS_API int32_t vitalis_tokenizer_count(const vitalis_tokenizer* tokenizer, const char* text,
                                            size_t size, size_t* count_out);
/* Encodes whole words from the front as long as they make at most `capacity` tokens. *bytes_out:
 * how much of the text that is. */
VITALIS_API int32_t vitalis_tokenizer_encode_up_to(const vitalis_tokenizer* tokenizer,
                                                   const char* text, size_t size, uint32_t* tokens,
                                                   size_t capacity, size_t* count_out,
                                                   size_t* bytes_out);
/* Encodes many texts with the engine's threads (null: the calling thread alone). Their tokens are
 * written one text after another, at most `capacity`; counts[i], of text_count, is how many text i
 * has, *count_out their sum. */
VITALIS_API int32_t vitalis_tokenizer_encode_batch(const vitalis_tokenizer* tokenizer,
                                                   const vitalis_engine* engine,
                                                   const vitalis_text* texts, size_t text_count,
                                                   uint32_t* tokens, size_t capacity,
                                                   size_t* counts, size_t* count_out);
/* Decodes tokens to bytes, at most `capacity`; *size_out is how many there are. They need not be
 * UTF-8: a decoder gives text. Ids without text give nothing. */
VITALIS_API int32_t vitalis_tokenizer_decode(const vitalis_tokenizer* tokenizer,
                                             const uint32_t* tokens, size_t count, char* bytes,
                                             size_t capacity, size_t* size_out);
/* Lends the bytes of one token, a special token's name; empty for ids without text. They live as
 * long as the tokenizer. */
VITALIS_API int32_t vitalis_tokenizer_token_bytes(const vitalis_tokenizer* tokenizer,
                                                  uint32_t token, vitalis_text* bytes_out);
/* Finds the ordinary token that stands for exactly these bytes; NOT_FOUND if there is none. */
VITALIS_API int32_t vitalis_tokenizer_find(const vitalis_tokenizer* tokenizer, const char* bytes,
                                           size_t size, uint32_t* token_out);
/* Finds the special token of a name, "<|start|>"; NOT_FOUND if there is none. */
VITALIS_API int32_t vitalis_tokenizer_special(const vitalis_tokenizer* tokenizer, const char* name,
                                              size_t size, uint32_t* token_out);

/* Tokens to text one at a time: what comes out is whole characters, and an ill-formed part is one
 * U+FFFD. */
typedef struct vitalis_decoder vitalis_decoder;
/* Makes a decoder that keeps the tokenizer. */
VITALIS_API int32_t vitalis_decoder_create(vitalis_tokenizer* tokenizer,
                                           vitalis_decoder** decoder_out);
/* One more reference; returns `decoder`. */
VITALIS_API vitalis_decoder* vitalis_decoder_retain(vitalis_decoder* decoder);
/* One reference less. */
VITALIS_API void vitalis_decoder_release(vitalis_decoder* decoder);
/* Takes a token and lends the text that became whole, which may be empty. */
VITALIS_API int32_t vitalis_decoder_push(vitalis_decoder* decoder, uint32_t token,
                                         vitalis_text* text_out);
/* The end: lends what was held back. The decoder may be used again. */
VITALIS_API int32_t vitalis_decoder_finish(vitalis_decoder* decoder, vitalis_text* text_out);

/* ---- conversation: who said what; text only ---- */

/* Settings, tools, and messages in their order. */
typedef struct vitalis_conversation vitalis_conversation;

/* Makes a conversation without messages, with the default system message. */
VITALIS_API int32_t vitalis_conversation_create(vitalis_conversation** conversation_out);
/* One more reference; returns `conversation`. */
VITALIS_API vitalis_conversation* vitalis_conversation_retain(vitalis_conversation* conversation);
/* One reference less. */
VITALIS_API void vitalis_conversation_release(vitalis_conversation* conversation);

#define VITALIS_EFFORT_DEFAULT 0 /* medium */
#define VITALIS_EFFORT_LOW 1     /* little reasoning */
#define VITALIS_EFFORT_MEDIUM 2  /* some */
#define VITALIS_EFFORT_HIGH 3    /* much */

/* The system message, always first. The library has no clock: the date is yours, and none is shown
 * if it is null. */
typedef struct vitalis_system {
  uint32_t struct_size;
  int32_t reasoning_effort;     /* VITALIS_EFFORT_* */
  const char* identity;         /* default: the one that the model was trained with */
  const char* knowledge_cutoff; /* default: 2024-06 */
  const char* current_date;     /* for example 2026-01-31 */
} vitalis_system;
#define VITALIS_SYSTEM_INIT \
  { (uint32_t)sizeof(vitalis_system), 0, NULL, NULL, NULL }
/* See convention 4. */
VITALIS_API void vitalis_system_init(vitalis_system* system, size_t size);
/* Sets the system message; what was set before is replaced, defaults included. Null: the default
 * one. */
VITALIS_API int32_t vitalis_conversation_set_system(vitalis_conversation* conversation,
                                                    const vitalis_system* system);
/* Sets the developer's instructions ("system prompt" elsewhere); empty text takes them away. */
VITALIS_API int32_t vitalis_conversation_set_instructions(vitalis_conversation* conversation,
                                                          const char* text, size_t size);
/* Declares a function that the model may call, as the recipient "functions.NAME". `description` and
 * `parameters`, a JSON Schema object, may be null. INVALID_ARGUMENT if there is a tool of that
 * name, MALFORMED if `parameters` is no JSON. */
VITALIS_API int32_t vitalis_conversation_add_tool(vitalis_conversation* conversation,
                                                  const char* name, const char* description,
                                                  const char* parameters);

#define VITALIS_TOOL_CHOICE_AUTO 0     /* calls or an answer; the default */
#define VITALIS_TOOL_CHOICE_NONE 1     /* an answer */
#define VITALIS_TOOL_CHOICE_REQUIRED 2 /* a call */
#define VITALIS_TOOL_CHOICE_FUNCTION 3 /* a call of the function `name` */
#define VITALIS_TOOL_CHOICE_FREE 4     /* whatever the model says: nothing is held */

/* Sets what answers are held to, from the next vitalis_session_start on, until it is set again.
 * Where there are tools, calls can only be of them, with arguments that satisfy their schemas;
 * reasoning stays free. `name` is null but for VITALIS_TOOL_CHOICE_FUNCTION; whether there is such
 * a tool is looked at by vitalis_session_start. */
VITALIS_API int32_t vitalis_conversation_set_tool_choice(vitalis_conversation* conversation,
                                                         int32_t choice, const char* name);
/* Holds the text of the final message to a JSON Schema, from the next vitalis_session_start on; a
 * null schema takes that away. With a name, the instructions show the model name and schema; null
 * if your own instructions do. MALFORMED if the schema is no JSON; which keywords can be held is
 * looked at by vitalis_session_start. */
VITALIS_API int32_t vitalis_conversation_set_response_schema(vitalis_conversation* conversation,
                                                             const char* name, const char* schema,
                                                             size_t size);

#define VITALIS_ROLE_SYSTEM 0    /* the system's words; vitalis_conversation_set_system has more */
#define VITALIS_ROLE_DEVELOPER 1 /* the application's instructions */
#define VITALIS_ROLE_USER 2      /* a person's */
#define VITALIS_ROLE_ASSISTANT 3 /* the model's */
#define VITALIS_ROLE_TOOL 4      /* what a tool has to say */

/* A message; what is null is not in its header. */
typedef struct vitalis_message {
  uint32_t struct_size;
  int32_t role;             /* VITALIS_ROLE_*; the init macro and function say USER */
  const char* name;         /* a tool's full name, "functions.get_weather"; else an author's */
  const char* recipient;    /* whom an assistant calls; tools answer to "assistant" */
  const char* channel;      /* "analysis", "commentary", "final" */
  const char* content_type; /* "<|constrain|>json" */
  const char* text;         /* the content; what spells control tokens in it stays text */
  size_t text_size;         /* bytes of it, or VITALIS_NUL */
} vitalis_message;
#define VITALIS_MESSAGE_INIT \
  { (uint32_t)sizeof(vitalis_message), VITALIS_ROLE_USER, NULL, NULL, NULL, NULL, NULL, 0 }
/* See convention 4. */
VITALIS_API void vitalis_message_init(vitalis_message* message, size_t size);
/* Adds a message at the end. INVALID_ARGUMENT for a tool's message without a name. */
VITALIS_API int32_t vitalis_conversation_add_message(vitalis_conversation* conversation,
                                                     const vitalis_message* message);
/* Adds a tool's result: the message that answers the call to `name`, "functions.get_weather". */
VITALIS_API int32_t vitalis_conversation_add_tool_result(vitalis_conversation* conversation,
                                                         const char* name, const char* text,
                                                         size_t size);

#define VITALIS_JSON_CHAT 0 /* OpenAI's chat completions: {"messages": [...], "tools": [...]} */
#define VITALIS_JSON_RESPONSES 1 /* OpenAI's responses: {"input": ..., "instructions": ...} */
#define VITALIS_JSON_HARMONY 2   /* the format's own terms, without loss; see docs/harmony.md */

/* Adds messages, tools and settings from JSON of a form, VITALIS_JSON_*. VITALIS_JSON_HARMONY
 * replaces the settings and tools by what stands at its head, and clears those that do not. Of the
 * other forms "tool_choice" and "response_format" are heeded, as by set_tool_choice and
 * set_response_schema. MALFORMED if it is no JSON, INVALID_ARGUMENT if it is of another shape,
 * UNSUPPORTED for content other than text and tools other than functions; the message begins with
 * the place, messages[3].tool_calls[0], and the conversation is as before. */
VITALIS_API int32_t vitalis_conversation_load_json(vitalis_conversation* conversation, int32_t form,
                                                   const char* json, size_t size);
/* Gives the conversation as VITALIS_JSON_HARMONY; at most `capacity` bytes are written, *size_out
 * is how many there are. */
VITALIS_API int32_t vitalis_conversation_to_json(const vitalis_conversation* conversation,
                                                 char* json, size_t capacity, size_t* size_out);
/* How many messages there are after the system's and the developer's; 0 for null, and while another
 * thread uses the conversation. */
VITALIS_API size_t vitalis_conversation_size(const vitalis_conversation* conversation);
/* Leaves the first `size` messages; settings and tools stay. INVALID_ARGUMENT if there are fewer.
 */
VITALIS_API int32_t vitalis_conversation_truncate(vitalis_conversation* conversation, size_t size);

#define VITALIS_RENDER_COMPLETION 0   /* ends in the start of the assistant's message */
#define VITALIS_RENDER_CONVERSATION 1 /* the messages alone */
#define VITALIS_RENDER_TRAINING 2     /* a last final message ends in <|return|> */

/* How vitalis_conversation_render renders. */
typedef struct vitalis_render_options {
  uint32_t struct_size;
  int32_t mode;          /* VITALIS_RENDER_* */
  int32_t keep_analysis; /* 1: also the reasoning of finished turns */
  int32_t retokenize; /* 1: replies are rendered from their fields, not from their sampled tokens */
} vitalis_render_options;
#define VITALIS_RENDER_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_render_options), 0, 0, 0 }
/* See convention 4. */
VITALIS_API void vitalis_render_options_init(vitalis_render_options* options, size_t size);
/* Gives the conversation as tokens; by default the prompt that makes the assistant answer, as
 * vitalis_session_start takes it. Writes at most `capacity` tokens; *count_out is how many there
 * are. */
VITALIS_API int32_t vitalis_conversation_render(const vitalis_conversation* conversation,
                                                const vitalis_tokenizer* tokenizer,
                                                const vitalis_render_options* options,
                                                uint32_t* tokens, size_t capacity,
                                                size_t* count_out);

/* What the template shows besides the messages. */
typedef struct vitalis_template_options {
  uint32_t struct_size;
  int32_t no_generation_prompt; /* 1: does not end in the start of the assistant's message */
  const char* current_date;     /* YYYY-MM-DD; the template always shows one */
  const char* reasoning_effort; /* any word; default "medium" */
  const char* model_identity;   /* default: the template's */
} vitalis_template_options;
#define VITALIS_TEMPLATE_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_template_options), 0, NULL, NULL, NULL }
/* See convention 4. */
VITALIS_API void vitalis_template_options_init(vitalis_template_options* options, size_t size);
/* Gives the prompt as the model's chat_template.jinja makes it, from chat-completions JSON: to
 * compare with programs that use it. Text in it that spells control tokens becomes control tokens
 * when it is encoded with VITALIS_ENCODE_SPECIAL; vitalis_conversation_render has no such hole.
 * Writes at most `capacity` bytes; *size_out is how many there are. MALFORMED if it is no JSON,
 * INVALID_ARGUMENT for what the template refuses. */
VITALIS_API int32_t vitalis_template_render(const char* json, size_t json_size,
                                            const vitalis_template_options* options, char* text,
                                            size_t capacity, size_t* size_out);

/* ---- session: a context's memory, and generation ---- */

/* The tokens of one context with their keys and values, and the answer in progress. */
typedef struct vitalis_session vitalis_session;

/* How much memory a session takes; all of it at its creation. */
typedef struct vitalis_session_options {
  uint32_t struct_size;
  uint32_t context; /* tokens; default 16384 or the model's own limit if that is lower */
  uint32_t chunk;   /* prompt tokens in one step, at most 8192; default 512 */
  /* What the weights in use and the session may take together; default any number. Without a
   * context, the largest that the budget holds is taken where the default is too large; else what
   * it does not hold is refused with OUT_OF_MEMORY and the plan in the message. */
  uint32_t memory_budget_mib;
} vitalis_session_options;
#define VITALIS_SESSION_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_session_options), 0, 0, 0 }
/* See convention 4. */
VITALIS_API void vitalis_session_options_init(vitalis_session_options* options, size_t size);

/* What a session takes, besides the mapped weights. */
typedef struct vitalis_session_memory {
  uint32_t struct_size;
  uint32_t context;       /* tokens, the default filled in */
  uint64_t kv_bytes;      /* keys and values */
  uint64_t scratch_bytes; /* what a step computes with */
} vitalis_session_memory;
/* Tells what a session with these options would take; nothing is allocated. INVALID_ARGUMENT for a
 * context beyond the model's, OUT_OF_MEMORY for one beyond the budget. */
VITALIS_API int32_t vitalis_session_plan(const vitalis_model* model,
                                         const vitalis_session_options* options,
                                         vitalis_session_memory* memory);

/* Makes a session without tokens. Errors are those of vitalis_session_plan; UNSUPPORTED for a model
 * of a shape that no kernel has, INTEGRITY if a file of the weights was changed since it was
 * opened. */
VITALIS_API int32_t vitalis_session_create(vitalis_model* model,
                                           const vitalis_session_options* options,
                                           vitalis_session** session_out);
/* One more reference; returns `session`. */
VITALIS_API vitalis_session* vitalis_session_retain(vitalis_session* session);
/* One reference less; an answer in progress goes with the last. */
VITALIS_API void vitalis_session_release(vitalis_session* session);

#define VITALIS_SAMPLE_DEFAULT 0 /* by temperature, top_k, top_p and min_p */
#define VITALIS_SAMPLE_GREEDY 1  /* the most probable token, the lowest id of equals */

#define VITALIS_GENERATE_SEED 1u     /* seed counts even if it is 0 */
#define VITALIS_GENERATE_LOGPROBS 2u /* keep what vitalis_session_get_logprobs tells */

/* What is added to a token's logit. */
typedef struct vitalis_logit_bias {
  uint32_t token; /* below vitalis_tokenizer_size */
  float value;    /* a number, or -INFINITY, which bans the token */
} vitalis_logit_bias;

/* How an answer is sampled. Logits are changed in this order: penalties, bias; then, unless
 * sampling is greedy, temperature, top_k, top_p, min_p. A value out of its range is
 * INVALID_ARGUMENT. */
typedef struct vitalis_generate_options {
  uint32_t struct_size;
  int32_t sampling;    /* VITALIS_SAMPLE_* */
  float temperature;   /* above 0, at most 100; default 1 */
  float top_p;         /* above 0, at most 1; default 1 */
  float min_p;         /* 0 to 1; default 0 */
  uint32_t top_k;      /* default: all */
  uint64_t seed;       /* default: a new one each time, see vitalis_usage.seed */
  uint32_t max_tokens; /* of the answer; default: what the context holds */
  uint32_t flags;      /* VITALIS_GENERATE_* */
  /* Of tokens in the prompt or the answer, a positive logit is divided by it, another multiplied;
   * above 0, at most 100; default 1. */
  float repetition_penalty;
  float presence_penalty;  /* a token in the answer loses it once; -2 to 2; default 0 */
  float frequency_penalty; /* a token in the answer loses it for each time; -2 to 2; default 0 */
  uint32_t alternatives;   /* VITALIS_GENERATE_LOGPROBS: how many besides each token; at most 20 */
  const vitalis_logit_bias* bias; /* a token that is in it twice gets both */
  size_t bias_count;              /* of `bias`; at most 1048576 */
} vitalis_generate_options;
#define VITALIS_GENERATE_OPTIONS_INIT                                                              \
  {                                                                                                \
    (uint32_t)sizeof(vitalis_generate_options), 0, 0.0f, 0.0f, 0.0f, 0, 0, 0, 0, 0.0f, 0.0f, 0.0f, \
        0, NULL, 0                                                                                 \
  }
/* See convention 4. */
VITALIS_API void vitalis_generate_options_init(vitalis_generate_options* options, size_t size);

/* Begins an answer to the conversation, and ends the one in progress. What the prompt shares with
 * the tokens that the session holds is not computed again. Nothing is computed yet: next() does.
 * The conversation is read now and may change later. CONTEXT_FULL if the prompt does not fit, or
 * the shortest answer that schemas allow; INVALID_ARGUMENT for a tool choice without such a tool or
 * a schema that nothing satisfies; UNSUPPORTED, with keyword and path, for a schema that cannot be
 * held (docs/constrained-output.md lists what can), MALFORMED for one that breaks JSON Schema's
 * rules. After an error the session is as it was. */
VITALIS_API int32_t vitalis_session_start(vitalis_session* session,
                                          const vitalis_conversation* conversation,
                                          const vitalis_generate_options* options);

#define VITALIS_EVENT_PREFILL 1 /* done of total prompt tokens are in the cache */
#define VITALIS_EVENT_MESSAGE_BEGIN                                                            \
  2                                 /* channel, channel_name; a call's recipient, content_type \
                                     */
#define VITALIS_EVENT_TEXT 3        /* text: whole characters, on `channel` */
#define VITALIS_EVENT_TOOL_CALL 4   /* text: a part of the arguments for `recipient`; path, json */
#define VITALIS_EVENT_MESSAGE_END 5 /* complete, json */
#define VITALIS_EVENT_DIAGNOSTIC 6  /* text: what was repaired in the model's output */
#define VITALIS_EVENT_FINISHED 7    /* finish_reason; the next call gives VITALIS_DONE */

#define VITALIS_CHANNEL_NONE 0       /* none was named */
#define VITALIS_CHANNEL_ANALYSIS 1   /* reasoning: not for users */
#define VITALIS_CHANNEL_COMMENTARY 2 /* calls, and words between them */
#define VITALIS_CHANNEL_FINAL 3      /* the answer */
#define VITALIS_CHANNEL_OTHER 4      /* see channel_name */

#define VITALIS_FINISH_STOP 1      /* the model ended its answer */
#define VITALIS_FINISH_TOOL_CALL 2 /* the model waits for a tool's result */
#define VITALIS_FINISH_LENGTH 3    /* max_tokens, or the context is full */

/* What next() tells, of a session, a batch or a parser. Text is borrowed until the session or the
 * parser is used again. The kinds say which fields count; others are zero or of the message. */
typedef struct vitalis_event {
  uint32_t struct_size;
  int32_t kind;              /* VITALIS_EVENT_* */
  int32_t channel;           /* VITALIS_CHANNEL_* of the message */
  int32_t finish_reason;     /* VITALIS_FINISH_* */
  uint64_t done;             /* prompt tokens in the cache */
  uint64_t total;            /* prompt tokens */
  vitalis_text text;         /* a piece of the message, its characters whole */
  vitalis_text recipient;    /* whom the message calls, "functions.get_weather"; or empty */
  vitalis_text channel_name; /* the channel as the model wrote it */
  vitalis_text content_type; /* "<|constrain|>json"; or empty */
  int32_t complete;          /* 0: the message was cut off */
  int32_t role;              /* VITALIS_ROLE_* of the message */
  vitalis_text name;         /* of a tool or a named author */
  vitalis_text path;         /* TOOL_CALL: JSON Pointer of the value that the text is part of */
  int32_t json;              /* VITALIS_JSON_STATE_* of a call's arguments so far */
  uint32_t message;          /* which message of the answer, from 0 */
  uint32_t token_begin;      /* the first token that this is about, from the answer's first */
  uint32_t token_end;        /* one past the last */
} vitalis_event;
#define VITALIS_EVENT_INIT                                                                         \
  {                                                                                                \
    (uint32_t)sizeof(vitalis_event), 0, 0, 0, 0, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, 0, \
        0, {NULL, 0}, {NULL, 0}, 0, 0, 0, 0                                                        \
  }

#define VITALIS_JSON_STATE_NONE 0       /* nothing yet */
#define VITALIS_JSON_STATE_INCOMPLETE 1 /* the beginning of a JSON text */
#define VITALIS_JSON_STATE_COMPLETE 2   /* a JSON text */
#define VITALIS_JSON_STATE_INVALID 3    /* none, and no beginning of one */

/* Computes until something is to be told: VITALIS_OK and an event, VITALIS_DONE after FINISHED or
 * if no answer is in progress, VITALIS_CANCELLED if cancel() was called since start(). After
 * CANCELLED and after an error the answer is over, its tokens so far are kept, and the session may
 * be started again. Only the errors of convention 1 come. */
VITALIS_API int32_t vitalis_session_next(vitalis_session* session, vitalis_event* event);
/* Stops the answer, the vitalis_session_forward, the save or the restore in progress within one
 * layer's time; does nothing if there is none. Null is fine. */
VITALIS_API void vitalis_session_cancel(vitalis_session* session);
/* Adds the messages of the answer so far to a conversation, with their tokens as they were sampled,
 * so that the next prompt repeats them exactly. */
VITALIS_API int32_t vitalis_session_add_reply(const vitalis_session* session,
                                              vitalis_conversation* conversation);
/* Forgets all tokens, and ends an answer in progress; memory is kept. */
VITALIS_API int32_t vitalis_session_reset(vitalis_session* session);

/* Counts and times of the answer in progress or the last one. Seconds are of wall time. */
typedef struct vitalis_usage {
  uint32_t struct_size;
  uint32_t context_used;      /* tokens in the cache */
  uint32_t prompt_tokens;     /* of the conversation as it was rendered */
  uint32_t reused_tokens;     /* of prompt_tokens, found in the cache */
  uint32_t generated_tokens;  /* of the answer */
  uint32_t reasoning_tokens;  /* of generated_tokens, on the analysis channel */
  uint64_t seed;              /* that it was sampled with */
  double prefill_seconds;     /* of the prompt, inside next() */
  double first_token_seconds; /* from start() to the first token */
  double decode_seconds;      /* of the tokens after the first, inside next() */
} vitalis_usage;
/* Tells counts and times. */
VITALIS_API int32_t vitalis_session_get_usage(const vitalis_session* session, vitalis_usage* usage);

#define VITALIS_FORWARD_ALL 1u /* a row for each token, and not for the last alone */

/* Appends 1 or more tokens to the cache and gives raw logits: one row of vitalis_model_info.vocab
 * floats for each token with VITALIS_FORWARD_ALL, else one for the last. capacity counts floats;
 * INVALID_ARGUMENT if it is too small. Ends an answer in progress. CONTEXT_FULL if the tokens do
 * not fit, and then nothing is appended; VITALIS_CANCELLED after some of them. For evaluation, and
 * for hosts with a sampler of their own. */
VITALIS_API int32_t vitalis_session_forward(vitalis_session* session, const uint32_t* tokens,
                                            size_t count, uint32_t flags, float* logits,
                                            size_t capacity);

/* Natural log-probabilities of a token. */
typedef struct vitalis_logprob {
  uint32_t token; /* its id */
  float before;   /* by the model alone */
  float after;    /* in what was sampled from, after penalties, bias and the rest; or -INFINITY */
} vitalis_logprob;
/* Tells of token `index` of the answer, counted as an event's token_begin: the token itself, then
 * the most probable ones before sampling changed anything, the sampled one among them if it is.
 * Writes at most `capacity`; *count_out is how many there are. NOT_FOUND if there is no such token,
 * or VITALIS_GENERATE_LOGPROBS was not set. */
VITALIS_API int32_t vitalis_session_get_logprobs(const vitalis_session* session, size_t index,
                                                 vitalis_logprob* entries, size_t capacity,
                                                 size_t* count_out);

/* ---- sessions kept, forked, and answered together ---- */

/* Writes all that a session is, an answer in progress included, to a file that takes the place of
 * an older one when it is whole and on the disk; only its owner may read it. `note` is yours, any
 * bytes, for example the conversation as JSON; it may be null. IO, DENIED, or NOT_FOUND if the
 * folder is not there. VITALIS_CANCELLED after vitalis_session_cancel from another thread. In each
 * of these cases the older file stays, and the answer in progress as it was. */
VITALIS_API int32_t vitalis_session_save(vitalis_session* session, const char* path,
                                         const char* note, size_t note_size);
/* Makes the session what a file holds: what follows is what would have followed without a pause, an
 * answer in progress goes on with vitalis_session_next. Context and chunk stay the session's own.
 * Else the session stays as it was: MALFORMED if it is no session file, INTEGRITY if it is damaged
 * or of another model, UNSUPPORTED if it is of another version or numeric class, CONTEXT_FULL if
 * its tokens do not fit, NOT_FOUND, DENIED, IO; VITALIS_CANCELLED as for vitalis_session_save. For
 * the time of the call there is memory for two sessions. */
VITALIS_API int32_t vitalis_session_restore(vitalis_session* session, const char* path);
/* Lends the note of the last save or restore; empty if there was none. */
VITALIS_API int32_t vitalis_session_get_note(const vitalis_session* session,
                                             vitalis_text* note_out);

/* How far something is. */
typedef struct vitalis_progress {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  uint64_t done;     /* bytes */
  uint64_t total;    /* bytes; 0: not known yet */
} vitalis_progress;
/* Tells how far the save or restore in progress is, or the last one. Any thread, at any time. */
VITALIS_API int32_t vitalis_session_get_progress(const vitalis_session* session,
                                                 vitalis_progress* progress);

/* Makes another session that is all that this one is, an answer in progress included, with memory
 * of its own. The keys and values in use are copied, and nothing is computed. INTEGRITY as in
 * vitalis_session_create. */
VITALIS_API int32_t vitalis_session_fork(const vitalis_session* session,
                                         vitalis_session** session_out);

/* Answers of several sessions made together: one step computes a token of each, so that the weights
 * are read once for all. Each session gets the tokens that it gets alone. */
typedef struct vitalis_batch vitalis_batch;

/* How much a batch takes on. */
typedef struct vitalis_batch_options {
  uint32_t struct_size;
  uint32_t sessions; /* the most in one call, at most 256; default 8 */
  uint32_t chunk;    /* tokens in one step, of prompts and answers together, at most 8192; default
                      * 512 */
} vitalis_batch_options;
#define VITALIS_BATCH_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_batch_options), 0, 0 }
/* See convention 4. */
VITALIS_API void vitalis_batch_options_init(vitalis_batch_options* options, size_t size);
/* Makes a batch for sessions of a model, with scratch memory of its own. */
VITALIS_API int32_t vitalis_batch_create(vitalis_model* model, const vitalis_batch_options* options,
                                         vitalis_batch** batch_out);
/* One more reference; returns `batch`. */
VITALIS_API vitalis_batch* vitalis_batch_retain(vitalis_batch* batch);
/* One reference less. Sessions are not touched. */
VITALIS_API void vitalis_batch_release(vitalis_batch* batch);
/* As vitalis_session_next for `count` sessions of the batch's model, which may be others in each
 * call. statuses[i] is that of sessions[i]: VITALIS_OK and events[i]; VITALIS_DONE;
 * VITALIS_CANCELLED; or VITALIS_AGAIN if it has nothing to tell yet. The events stand side by side,
 * all with the struct_size of the first. As long as a session has an event to tell, nothing is
 * computed. Returns VITALIS_DONE if all answers are over. INVALID_ARGUMENT for a session of another
 * model or one given twice, BUSY for one in use: nothing was computed. After INTERNAL and
 * OUT_OF_MEMORY the answers in progress are over. */
VITALIS_API int32_t vitalis_batch_next(vitalis_batch* batch, vitalis_session* const* sessions,
                                       size_t count, vitalis_event* events, int32_t* statuses);

/* ---- parser: a model's tokens to events, for hosts with an engine of their own ---- */

/* Reads tokens that a model sampled. push() or finish(), then next() until it gives VITALIS_DONE.
 */
typedef struct vitalis_parser vitalis_parser;

#define VITALIS_PARSE_RESILIENT 0 /* never fails, loses no text, reports each repair */
#define VITALIS_PARSE_STRICT 1    /* as openai/harmony, errors and oddities included */
#define VITALIS_PARSE_LENIENT 2   /* as its lenient mode */

/* How a parser reads. */
typedef struct vitalis_parser_options {
  uint32_t struct_size;
  int32_t policy; /* VITALIS_PARSE_* */
  /* 1: the tokens begin with <|start|>; 0: with what follows <|start|>assistant */
  int32_t from_start;
  uint32_t reserved;            /* 0 */
  const char* const* functions; /* names of declared functions, to repair names with */
  size_t function_count;        /* of `functions` */
} vitalis_parser_options;
#define VITALIS_PARSER_OPTIONS_INIT \
  { (uint32_t)sizeof(vitalis_parser_options), 0, 0, 0, NULL, 0 }
/* See convention 4. */
VITALIS_API void vitalis_parser_options_init(vitalis_parser_options* options, size_t size);
/* Makes a parser that keeps the tokenizer. */
VITALIS_API int32_t vitalis_parser_create(vitalis_tokenizer* tokenizer,
                                          const vitalis_parser_options* options,
                                          vitalis_parser** parser_out);
/* Makes a snapshot: a second parser in the same state. */
VITALIS_API int32_t vitalis_parser_clone(const vitalis_parser* parser, vitalis_parser** parser_out);
/* One more reference; returns `parser`. */
VITALIS_API vitalis_parser* vitalis_parser_retain(vitalis_parser* parser);
/* One reference less. */
VITALIS_API void vitalis_parser_release(vitalis_parser* parser);
/* Takes one token; events that were not taken by next() are dropped. MALFORMED under a compatible
 * policy only, with the reference's kind of error and the token's index. */
VITALIS_API int32_t vitalis_parser_push(vitalis_parser* parser, uint32_t token);
/* The end of the tokens: closes what is open. Errors are those of push. */
VITALIS_API int32_t vitalis_parser_finish(vitalis_parser* parser);
/* Tells what became known by the last push or finish: VITALIS_OK and an event, or VITALIS_DONE. */
VITALIS_API int32_t vitalis_parser_next(vitalis_parser* parser, vitalis_event* event);

/* ---- config: what a user may set, as files, environments and command lines have it ---- */

/* One table of settings with a name, a type, a default and a range each; docs/configuration.md
 * lists it. The library reads no file and no environment for it: hand in what you have, the weakest
 * first, since a later value replaces an earlier. */
typedef struct vitalis_config vitalis_config;

/* Makes a config in which every default holds. */
VITALIS_API int32_t vitalis_config_create(vitalis_config** config_out);
/* One more reference; returns `config`. */
VITALIS_API vitalis_config* vitalis_config_retain(vitalis_config* config);
/* One reference less. Options that were filled from it lose their text with the last. */
VITALIS_API void vitalis_config_release(vitalis_config* config);

/* Refuse settings that decide what is sent or kept where: for files that came with a folder of
 * others. */
#define VITALIS_CONFIG_HARMLESS 1u

/* Sets values from a tree of sections, {"runtime": {"threads": 4}}. `origin` (may be null) is what
 * vitalis_setting.origin says of them, for example the file's path; flags are VITALIS_CONFIG_*.
 * Every problem is told, and with a problem nothing is changed: MALFORMED if it is no such tree,
 * NOT_FOUND for an unknown name, with the nearest known one, INVALID_ARGUMENT for a value out of
 * range, DENIED for what VITALIS_CONFIG_HARMLESS refuses, UNSUPPORTED for another "schema";
 * MALFORMED for problems of several kinds. */
VITALIS_API int32_t vitalis_config_load_json(vitalis_config* config, const char* json, size_t size,
                                             const char* origin, uint32_t flags);
/* Sets one value from text, "4" or "true"; null takes back what was set. `origin` as above.
 * NOT_FOUND, with the nearest key, if there is no such setting. */
VITALIS_API int32_t vitalis_config_set(vitalis_config* config, const char* key, const char* value,
                                       const char* origin);
/* Gives all values, defaults included, as load_json takes them; at most `capacity` bytes are
 * written, *size_out is how many there are. */
VITALIS_API int32_t vitalis_config_to_json(const vitalis_config* config, char* json,
                                           size_t capacity, size_t* size_out);

#define VITALIS_SETTING_BOOLEAN 1 /* "true" or "false" */
#define VITALIS_SETTING_INTEGER 2 /* "4" */
#define VITALIS_SETTING_REAL 3    /* "0.5" */
#define VITALIS_SETTING_TEXT 4    /* any */
#define VITALIS_SETTING_CHOICE 5  /* one of `choices` */
#define VITALIS_SETTING_SIZE 6    /* bytes: "500kB", "2MiB/s" */

/* A setting and its value. */
typedef struct vitalis_setting {
  uint32_t struct_size;
  int32_t type;               /* VITALIS_SETTING_* */
  int32_t harmless;           /* 0: refused with VITALIS_CONFIG_HARMLESS */
  int32_t is_set;             /* 0: the default holds */
  vitalis_text key;           /* this and the next six live as long as the library is loaded */
  vitalis_text default_value; /* empty if there is none */
  vitalis_text otherwise;   /* what holds without a value, in words; empty if default_value says */
  vitalis_text choices;     /* "low|medium|high" */
  vitalis_text flag;        /* of the program: "--threads"; empty if there is none */
  vitalis_text variable;    /* other programs' names for it in the environment, between spaces */
  vitalis_text help;        /* what it is for, a phrase */
  vitalis_text environment; /* "VITALIS_RUNTIME_THREADS"; for the config's life, as the next */
  vitalis_text expected;    /* "a number, 1 to 1024" */
  vitalis_text value;       /* in force; until the next change, as the next; end with a NUL */
  vitalis_text origin;      /* of the value; empty if the default holds */
} vitalis_setting;
/* Tells of the setting at `index`, in the order of sections; NOT_FOUND past the last. */
VITALIS_API int32_t vitalis_config_get(const vitalis_config* config, size_t index,
                                       vitalis_setting* setting);
/* Tells of the setting of that key; NOT_FOUND, with the nearest key, if there is none. */
VITALIS_API int32_t vitalis_config_find(const vitalis_config* config, const char* key,
                                        vitalis_setting* setting);

/* Fills in what settings say of an engine: threads and tier. Here and in the functions of this kind
 * the other fields of your struct stay, and text is borrowed until the next change of the config.
 */
VITALIS_API int32_t vitalis_config_engine_options(const vitalis_config* config,
                                                  vitalis_engine_options* options);
/* Fills in what settings say of a session: context and memory budget. */
VITALIS_API int32_t vitalis_config_session_options(const vitalis_config* config,
                                                   vitalis_session_options* options);
/* Fills in what settings say of sampling: all but alternatives, bias and the flag of
 * log-probabilities. */
VITALIS_API int32_t vitalis_config_generate_options(const vitalis_config* config,
                                                    vitalis_generate_options* options);
/* Fills in what settings say of the system message: the reasoning effort. */
VITALIS_API int32_t vitalis_config_system(const vitalis_config* config, vitalis_system* system);

/* ---- hub: models from Hugging Face's hub or a mirror, and those on this machine ---- */

/* Signing in, the store, listings and updates. It reads no environment: options say all,
 * vitalis_config_hub_options fills them.
 *
 * A NAME is "openai/gpt-oss-20b", an alias ("gpt-oss-20b"), either with "@REVISION", or
 * "hf://ORG/NAME[@REVISION][/PATH]"; what is none is INVALID_ARGUMENT. `revision` (may be null)
 * stands over the name's own, else it is "main". Functions that tell more than a number give JSON,
 * borrowed until the next call on the same object and ending with a NUL; docs/models.md describes
 * it. A token is never in it, nor in a message, and goes to the endpoint's own host only.
 *
 * What needs the network may give NETWORK: no connection, or it failed too often, or offline;
 * DENIED: not signed in, or no permission; NOT_FOUND: no such model, revision or file; and
 * MALFORMED: an answer that no hub gives. What needs the disk may give IO and DENIED, and BUSY if a
 * transfer, of another process too, is at the model. Comments name what there is beyond. */
typedef struct vitalis_hub vitalis_hub;

/* Where models come from and lie, and how they are fetched. */
typedef struct vitalis_hub_options {
  uint32_t struct_size;
  int32_t offline;          /* 1: whatever needs the network fails with NETWORK */
  const char* endpoint;     /* default "https://huggingface.co" */
  const char* token;        /* default: the one that token_path holds, if any */
  const char* token_path;   /* "token" of the Hugging Face home, or null: nobody is signed in */
  const char* cache_folder; /* "hub" of the Hugging Face home; shared with its tools */
  const char* proxy;        /* http, https or socks5; default: none */
  const char* no_proxy;     /* hosts that go without it, between commas */
  const char* ca_file;      /* certificates, PEM; default: the system's */
  const char* ca_folder;    /* of certificates by their hashes; default: the system's */
  const char* user_agent;   /* of your program: "name/version"; shown to the hub */
  uint64_t rate_limit;      /* bytes in a second; default: none */
  uint32_t connections;     /* of a transfer; default 4, at most 16 */
  uint32_t connect_timeout; /* seconds; default 10 */
  uint32_t stall_timeout;   /* seconds without a byte; default 10 */
  uint32_t retries;         /* in a row without progress; default 5 */
} vitalis_hub_options;
#define VITALIS_HUB_OPTIONS_INIT                                                              \
  {                                                                                           \
    (uint32_t)sizeof(vitalis_hub_options), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
        NULL, 0, 0, 0, 0, 0                                                                   \
  }
/* See convention 4. */
VITALIS_API void vitalis_hub_options_init(vitalis_hub_options* options, size_t size);
/* Fills in what settings say of the hub, as vitalis_config_engine_options does: all but the token
 * and the user agent. */
VITALIS_API int32_t vitalis_config_hub_options(const vitalis_config* config,
                                               vitalis_hub_options* options);

/* Makes a hub object; the options are kept. Connects to nothing yet. */
VITALIS_API int32_t vitalis_hub_create(const vitalis_hub_options* options, vitalis_hub** hub_out);
/* One more reference; returns `hub`. */
VITALIS_API vitalis_hub* vitalis_hub_retain(vitalis_hub* hub);
/* One reference less. Transfers go on without it. */
VITALIS_API void vitalis_hub_release(vitalis_hub* hub);
/* Makes the request under way fail with NETWORK, and each later one until login, switch or logout
 * begin anew; transfers have a cancel of their own. Does nothing before the first request. */
VITALIS_API void vitalis_hub_cancel(vitalis_hub* hub);
/* Tells what people should hear, each once, as a JSON array of sentences: a renamed repository, a
 * token that the hub does not know (a public model is then read without it), the hub's own
 * warnings. */
VITALIS_API int32_t vitalis_hub_notices(vitalis_hub* hub, vitalis_text* json_out);

/* Checks a token with the hub and stores it under `name` (null: what its owner called it), where
 * Hugging Face's tools find it too; it is then the active one. json_out: as whoami. Network and
 * disk. INVALID_ARGUMENT, here and below, if there is no token_path. */
VITALIS_API int32_t vitalis_hub_login(vitalis_hub* hub, const char* token, size_t size,
                                      const char* name, vitalis_text* json_out);
/* Tells who the token in force belongs to. DENIED if there is none. Network. */
VITALIS_API int32_t vitalis_hub_whoami(vitalis_hub* hub, vitalis_text* json_out);
/* Tells the tokens stored, masked. Disk; MALFORMED if their file is. */
VITALIS_API int32_t vitalis_hub_tokens(vitalis_hub* hub, vitalis_text* json_out);
/* Makes a stored token the active one. Disk; NOT_FOUND tells the names there are. */
VITALIS_API int32_t vitalis_hub_switch(vitalis_hub* hub, const char* name);
/* Forgets a stored token, or all of them if `name` is null. Disk; NOT_FOUND as above. */
VITALIS_API int32_t vitalis_hub_logout(vitalis_hub* hub, const char* name);
/* Begins to sign in by a code that a person types into a browser. `client_id` is your
 * application's, registered with the hub, `scope` what it asks for. json_out: user_code,
 * verification_uri and the seconds between polls. Network. */
VITALIS_API int32_t vitalis_hub_begin_login(vitalis_hub* hub, const char* client_id,
                                            const char* scope, vitalis_text* json_out);
/* Asks whether the person has decided. Empty text while not; as whoami when signed in, and the
 * token is stored; DENIED if refused or too late, INVALID_ARGUMENT if nothing was begun. Network
 * and disk. */
VITALIS_API int32_t vitalis_hub_poll_login(vitalis_hub* hub, vitalis_text* json_out);

/* Tells where a model lies: a NAME, or a path that exists. NOT_FOUND if it is not on this machine.
 * Disk. INVALID_ARGUMENT, here and below, if there is no cache_folder. */
VITALIS_API int32_t vitalis_hub_locate(vitalis_hub* hub, const char* name, const char* revision,
                                       vitalis_text* json_out);
/* Tells the models in the cache folder. Disk. */
VITALIS_API int32_t vitalis_hub_models(vitalis_hub* hub, vitalis_text* json_out);
/* Removes one commit of a model and what no other needs, or with null the whole model; tells what
 * went. dry_run: 1 tells what would go. Disk; NOT_FOUND if it is not here. */
VITALIS_API int32_t vitalis_hub_remove(vitalis_hub* hub, const char* name, const char* commit,
                                       int32_t dry_run, vitalis_text* json_out);
/* Removes unfinished downloads and commits that no revision stands for, but for the `keep` newest,
 * of one model or, if `name` is null, of all; tells what went. dry_run as above. Disk; NOT_FOUND if
 * the model is not here. */
VITALIS_API int32_t vitalis_hub_prune(vitalis_hub* hub, const char* name, uint32_t keep,
                                      int32_t dry_run, vitalis_text* json_out);
/* Lets a revision stand for a commit whose files are here. Models that are open keep what they have
 * mapped. Disk; NOT_FOUND if files are missing, DENIED if another commit is pinned. */
VITALIS_API int32_t vitalis_hub_activate(vitalis_hub* hub, const char* name, const char* revision,
                                         const char* commit);
/* Goes back to the commit before, which is told. The one left is not offered again. Disk; NOT_FOUND
 * if there is none, DENIED if another commit is pinned. */
VITALIS_API int32_t vitalis_hub_rollback(vitalis_hub* hub, const char* name, const char* revision,
                                         vitalis_text* commit_out);
/* Pins a model: updates and downloads of a branch may not leave this commit of 40 digits; null:
 * any. Disk. */
VITALIS_API int32_t vitalis_hub_pin(vitalis_hub* hub, const char* name, const char* commit);
/* Tells what was done to the model here, oldest first: JSON, a line each. Empty if nothing was.
 * Disk. */
VITALIS_API int32_t vitalis_hub_audit(vitalis_hub* hub, const char* name, vitalis_text* lines_out);

/* Tells the files that the hub has at a revision now. Network. */
VITALIS_API int32_t vitalis_hub_list(vitalis_hub* hub, const char* name, const char* revision,
                                     vitalis_text* json_out);

#define VITALIS_POLICY_PINNED 0      /* nothing is told or installed */
#define VITALIS_POLICY_NOTIFY 1      /* tell what matters */
#define VITALIS_POLICY_CONFIG_ONLY 2 /* install unless weights change, else tell */
#define VITALIS_POLICY_AUTO 3        /* install what matters */

/* Tells what changed at the hub since the commit that is here: two small requests that count as no
 * download. "action" in json_out is what the policy makes of it: nothing, tell or install. `name`
 * may be the path of a local folder. Network and disk; NOT_FOUND if the model is not here. */
VITALIS_API int32_t vitalis_hub_check(vitalis_hub* hub, const char* name, const char* revision,
                                      int32_t policy, vitalis_text* json_out);

/* A download in progress, pulled as an answer is: next() works and returns about ten times a
 * second. What landed stays, for the next one to go on from, whatever ends it. */
typedef struct vitalis_transfer vitalis_transfer;

#define VITALIS_DOWNLOAD_ALL 1u /* every file; default: what inference needs */

/* What vitalis_hub_download fetches, and where to. */
typedef struct vitalis_download_options {
  uint32_t struct_size;
  uint32_t flags;                /* VITALIS_DOWNLOAD_* */
  const char* revision;          /* over the name's own; default: that, else "main" */
  const char* local_folder;      /* the files themselves go here, not into the cache */
  const char* const* includes;   /* globs of paths; '*' crosses '/' */
  size_t include_count;          /* of `includes` */
  const char* const* excludes;   /* globs of what is left out of those */
  size_t exclude_count;          /* of `excludes` */
  const char* const* adopt_from; /* folders that may hold some of the files already */
  size_t adopt_count;            /* of `adopt_from` */
  const char* pin;               /* commit: anything else is DENIED */
  const char* manifest;          /* JSON: whatever differs from it is INTEGRITY */
} vitalis_download_options;
#define VITALIS_DOWNLOAD_OPTIONS_INIT                                                           \
  {                                                                                             \
    (uint32_t)sizeof(vitalis_download_options), 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, \
        NULL                                                                                    \
  }
/* See convention 4. */
VITALIS_API void vitalis_download_options_init(vitalis_download_options* options, size_t size);
/* Freezes the commit, lists, and plans: nothing is fetched yet. Network and disk; IO if the disk
 * has not the space, DENIED if a pin is not met, INTEGRITY if a listing is not that of the manifest
 * or of the release, NOT_FOUND if the globs leave no file, MALFORMED for a broken manifest. */
VITALIS_API int32_t vitalis_hub_download(vitalis_hub* hub, const char* name,
                                         const vitalis_download_options* options,
                                         vitalis_transfer** transfer_out);
/* Plans to fetch what the last vitalis_hub_check of this hub object found, beside what is there.
 * The revision moves when you call vitalis_hub_activate, after a test of your own; in a local
 * folder, where files have one place only, at once. NOT_FOUND if there is nothing new, DENIED if
 * another commit is pinned, INVALID_ARGUMENT without a check; else as vitalis_hub_download. */
VITALIS_API int32_t vitalis_hub_update(vitalis_hub* hub, vitalis_transfer** transfer_out);
/* One more reference; returns `transfer`. */
VITALIS_API vitalis_transfer* vitalis_transfer_retain(vitalis_transfer* transfer);
/* One reference less; with the last nothing more is fetched. */
VITALIS_API void vitalis_transfer_release(vitalis_transfer* transfer);
/* Tells commit, folder, bytes and files, as JSON. */
VITALIS_API int32_t vitalis_transfer_plan(vitalis_transfer* transfer, vitalis_text* json_out);

#define VITALIS_TRANSFER_LOCKED 0    /* another process is at it; `note` says which */
#define VITALIS_TRANSFER_WORKING 1   /* bytes come, or are verified */
#define VITALIS_TRANSFER_PAUSED 2    /* vitalis_transfer_pause was called */
#define VITALIS_TRANSFER_DONE 3      /* published: the folder is complete */
#define VITALIS_TRANSFER_CANCELLED 4 /* vitalis_transfer_cancel was called */

/* How far a transfer is. */
typedef struct vitalis_transfer_progress {
  uint32_t struct_size;
  int32_t stage;           /* VITALIS_TRANSFER_* */
  uint64_t bytes_total;    /* of all files */
  uint64_t bytes_landed;   /* on this machine */
  uint64_t bytes_verified; /* of whole files */
  uint64_t bytes_fetched;  /* over the network, by this transfer */
  double bytes_per_second; /* over the last seconds */
  double seconds_left;     /* -1: unknown */
  uint32_t connections;    /* that bytes come through now */
  uint32_t files;          /* see vitalis_transfer_get_file */
  vitalis_text note;       /* why it waits, or empty; borrowed */
} vitalis_transfer_progress;
/* Works until there is news. VITALIS_DONE when all is published, VITALIS_CANCELLED after cancel().
 * An error is final: NETWORK, DENIED, NOT_FOUND, IO with what is free on a full disk, INTEGRITY for
 * bytes that are not those listed, which are not kept. */
VITALIS_API int32_t vitalis_transfer_next(vitalis_transfer* transfer,
                                          vitalis_transfer_progress* progress);

#define VITALIS_FILE_WAITING 0   /* for a connection */
#define VITALIS_FILE_FETCHING 1  /* bytes come */
#define VITALIS_FILE_VERIFYING 2 /* being hashed */
#define VITALIS_FILE_DONE 3      /* whole and verified */

/* A file of a transfer. */
typedef struct vitalis_transfer_file {
  uint32_t struct_size;
  int32_t state;     /* VITALIS_FILE_WAITING to VITALIS_FILE_DONE */
  uint64_t size;     /* bytes */
  uint64_t landed;   /* bytes on this machine */
  uint64_t verified; /* bytes hashed */
  vitalis_text path; /* in the repository; borrowed */
} vitalis_transfer_file;
/* Tells of the file at `index` as of the last next(). NOT_FOUND past the last file. */
VITALIS_API int32_t vitalis_transfer_get_file(vitalis_transfer* transfer, size_t index,
                                              vitalis_transfer_file* file);
/* Tells what people should hear, as vitalis_hub_notices. */
VITALIS_API int32_t vitalis_transfer_notices(vitalis_transfer* transfer, vitalis_text* json_out);
/* Pauses a transfer: next() goes on returning, with the stage PAUSED, and what landed stays locked.
 * Any thread, as the next three; null is fine. */
VITALIS_API void vitalis_transfer_pause(vitalis_transfer* transfer);
/* Goes on with a paused transfer. */
VITALIS_API void vitalis_transfer_resume(vitalis_transfer* transfer);
/* Ends a transfer for good: next() gives VITALIS_CANCELLED. */
VITALIS_API void vitalis_transfer_cancel(vitalis_transfer* transfer);
/* Sets how many bytes a second may come, from now on; 0: any number. */
VITALIS_API void vitalis_transfer_set_rate_limit(vitalis_transfer* transfer,
                                                 uint64_t bytes_per_second);

#ifdef __cplusplus
}
#endif

#endif /* VITALIS_VITALIS_H */
