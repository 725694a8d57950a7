// SPDX-License-Identifier: Apache-2.0
// Whether a model's files are whole: their structure first, then each file's size and SHA-256 by a
// manifest. Pull, as everything long: next() hashes for about a tenth of a second.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "hub/manifest.h"

namespace vitalis::session {

class ModelVerification {
 public:
  // `path` as for Model::open. `manifest` is a file in the form of hub::parse_manifest whose paths
  // are those below the folder of `path` (that of a file: the folder it lies in); every file that
  // it names must be there. Empty: the built-in manifest of the release whose config, index or
  // weights these are, if there is one, for the files that the model is read from; original/ and
  // metal/ are known by their places in a release. Errors are those of Model::open: what is wrong
  // with the structure is told before anything is hashed.
  static Result<ModelVerification> create(const std::string& path, const std::string& manifest);

  // "openai/gpt-oss-20b at 6cee5e8", or of a manifest what it says; empty: no manifest, and nothing
  // is hashed.
  const std::string& release() const { return release_; }

  // The first call only tells how much there is.
  Result<hub::VerifyProgress> next();
  const std::vector<hub::VerifyFile>& files() const;
  // When done: ok, or kIntegrity (kNotFound if files are only missing) with a line for each that is
  // not as it should be.
  Status status() const;
  void cancel();  // any thread

 private:
  ModelVerification() = default;
  std::string release_;
  bool begun_ = false;
  std::vector<hub::VerifyFile> none_;
  std::optional<hub::Verification> digests_;
};

}  // namespace vitalis::session
