// SPDX-License-Identifier: Apache-2.0
// vitalis verify: whether a model's files are whole.
#include <memory>
#include <string>

#include "commands.h"
#include "json_writer.h"
#include "library.h"
#include "text.h"

namespace vitalis::cli {

namespace {

struct Release {
  void operator()(vitalis_verification* v) const { vitalis_verification_release(v); }
};
using Verification = std::unique_ptr<vitalis_verification, Release>;

constexpr const char* kOutcomes[] = {"not read",   "good",         "missing",
                                     "wrong size", "wrong digest", "unreadable"};

std::string files_as_json(const vitalis_verification* verification, uint32_t count,
                          const Options& options, const std::string& release, bool whole) {
  JsonWriter json;
  json.begin_object().key("path").value(options.model).key("release");
  if (release.empty()) {
    json.null();
  } else {
    json.value(release);
  }
  json.key("whole").boolean(whole).key("files").begin_array();
  for (uint32_t i = 0; i < count; ++i) {
    vitalis_verified_file file = {};
    file.struct_size = sizeof file;
    if (vitalis_verification_get_file(verification, i, &file) != VITALIS_OK) break;
    json.begin_object().key("path").value(view(file.path)).key("size").value(file.size);
    json.key("outcome").value(kOutcomes[file.outcome]).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace

int verify(const Options& options, Output& output) {
  vitalis_verification* handle = nullptr;
  const int32_t created = vitalis_verification_create(
      options.model.c_str(), options.manifest.empty() ? nullptr : options.manifest.c_str(),
      &handle);
  if (!succeeded(created, output)) return kExitError;
  const Verification verification(handle);
  std::string release;
  uint32_t files = 0;
  uint64_t bytes = 0;
  int32_t status = VITALIS_OK;
  while (status == VITALIS_OK) {
    vitalis_verify_progress progress = {};
    progress.struct_size = sizeof progress;
    status = vitalis_verification_next(handle, &progress);
    if (status < VITALIS_OK) break;
    release = view(progress.release);
    files = progress.files;
    bytes = progress.bytes_total;
    if (progress.bytes_total > 0 && status == VITALIS_OK) {
      output.show_progress(std::string(view(progress.file)) + "  " +
                           std::to_string(100 * progress.bytes_done / progress.bytes_total) + " %");
    }
  }
  output.clear_progress();
  const std::string problem = vitalis_last_error();
  if (options.json) {
    output.print(files_as_json(handle, files, options, release, status == VITALIS_DONE));
  } else if (status == VITALIS_DONE && files == 0) {
    output.print("the structure is whole; the release is not known, so no digests were compared\n");
  } else if (status == VITALIS_DONE) {
    output.print(std::to_string(files) + " files, " + size_for_people(bytes) + ", are those of " +
                 release + "\n");
  }
  if (status == VITALIS_DONE) return output.exit_code(kExitOk);
  output.error(problem);
  return kExitError;
}

}  // namespace vitalis::cli
