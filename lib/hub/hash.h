// SPDX-License-Identifier: Apache-2.0
// Digests of a stream, as the hub lists them. The only place that includes OpenSSL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hub/listing.h"

namespace vitalis::hub {

class Hasher {
 public:
  static Hasher sha256();
  static Hasher sha1();
  // What `file.etag()` is the digest of: SHA-256 of the content, or git's SHA-1 of the blob, which
  // depends on the size as well.
  static Hasher of(const File& file);

  Hasher(Hasher&& other) noexcept;
  Hasher& operator=(Hasher&& other) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes) { update(std::as_bytes(std::span(bytes))); }
  std::string hex();  // of all so far; ends the stream. Empty if OpenSSL failed: equal to no digest

 private:
  struct State;
  explicit Hasher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

std::string sha256_of(std::string_view bytes);

}  // namespace vitalis::hub
