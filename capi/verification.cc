// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "handles.h"
#include "session/verify.h"

using namespace vitalis;        // NOLINT(google-build-using-namespace)
using namespace vitalis::capi;  // NOLINT(google-build-using-namespace)

extern "C" {

int32_t vitalis_verification_create(const char* path, const char* manifest,
                                    vitalis_verification** verification_out) {
  return guard([&]() -> Status {
    if (!verification_out) return missing("verification_out");
    *verification_out = nullptr;
    if (!path) return missing("path");
    VITALIS_ASSIGN(auto verification,
                   session::ModelVerification::create(path, manifest ? manifest : ""));
    auto handle = std::make_unique<vitalis_verification>();
    handle->verification.emplace(std::move(verification));
    *verification_out = handle.release();
    return {};
  });
}

vitalis_verification* vitalis_verification_retain(vitalis_verification* verification) {
  return retain(verification);
}
void vitalis_verification_release(vitalis_verification* verification) {
  release(verification);
}

int32_t vitalis_verification_next(vitalis_verification* verification,
                                  vitalis_verify_progress* progress) {
  clear_struct(progress);
  return with(verification, "verification", [&](vitalis_verification& of) -> Result<int32_t> {
    if (!progress) return missing("progress");
    if (of.cancelled.exchange(false)) return VITALIS_CANCELLED;
    session::ModelVerification& v = *of.verification;
    VITALIS_ASSIGN(const auto turn, v.next());
    if (turn.done) VITALIS_TRY(v.status());
    vitalis_verify_progress out = {};
    out.files = static_cast<uint32_t>(v.files().size());
    out.bytes_done = turn.bytes_done;
    out.bytes_total = turn.bytes_total;
    const auto under_way = std::find_if(v.files().begin(), v.files().end(),
                                        [&](const auto& file) { return file.path == turn.path; });
    if (under_way != v.files().end()) out.file = borrowed(under_way->path);
    out.release = borrowed(v.release());
    VITALIS_TRY(write_struct(out, progress, "progress"));
    return turn.done ? VITALIS_DONE : VITALIS_OK;
  });
}

void vitalis_verification_cancel(vitalis_verification* verification) {
  if (verification) verification->cancelled = true;
}

int32_t vitalis_verification_get_file(const vitalis_verification* verification, size_t index,
                                      vitalis_verified_file* file) {
  clear_struct(file);
  return with(verification, "verification", [&](const vitalis_verification& of) -> Status {
    if (!file) return missing("file");
    const auto& files = of.verification->files();
    if (index >= files.size()) {
      return error(Code::kNotFound, files.size(), " files are compared; there is no ", index);
    }
    vitalis_verified_file out = {};
    out.outcome = static_cast<int32_t>(files[index].outcome);
    out.size = files[index].size;
    out.path = borrowed(files[index].path);
    out.detail = borrowed(files[index].detail);
    return write_struct(out, file, "file");
  });
}

}  // extern "C"
