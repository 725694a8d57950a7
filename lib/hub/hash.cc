// SPDX-License-Identifier: Apache-2.0
#include "hub/hash.h"

#include <openssl/evp.h>

namespace vitalis::hub {

struct Hasher::State {
  State() : context(EVP_MD_CTX_new()) {}
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  EVP_MD_CTX* context;
  bool good = false;
};

namespace {

template <class State>
std::unique_ptr<State> start(const EVP_MD* algorithm) {
  auto state = std::make_unique<State>();
  state->good = state->context && EVP_DigestInit_ex(state->context, algorithm, nullptr) == 1;
  return state;
}

}  // namespace

Hasher::Hasher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hasher::Hasher(Hasher&& other) noexcept = default;
Hasher& Hasher::operator=(Hasher&& other) noexcept = default;
Hasher::~Hasher() = default;

Hasher Hasher::sha256() {
  return Hasher(start<State>(EVP_sha256()));
}

Hasher Hasher::sha1() {
  return Hasher(start<State>(EVP_sha1()));
}

Hasher Hasher::of(const File& file) {
  if (!file.sha256.empty()) return sha256();
  Hasher hasher = sha1();
  hasher.update(text("blob ", file.size, '\0'));
  return hasher;
}

void Hasher::update(std::span<const std::byte> bytes) {
  if (!state_->good) return;
  state_->good = EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1;
}

std::string Hasher::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!state_->good || EVP_DigestFinal_ex(state_->context, digest, &size) != 1) return {};
  state_->good = false;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

std::string sha256_of(std::string_view bytes) {
  Hasher hasher = Hasher::sha256();
  hasher.update(bytes);
  return hasher.hex();
}

}  // namespace vitalis::hub
