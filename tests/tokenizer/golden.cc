// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/golden.h"

#include <gtest/gtest.h>
#include <memory>
#include <openssl/sha.h>
#include <simdjson.h>

#include "tokenizer/base64.h"

namespace vitalis {
namespace {

using simdjson::dom::element;

std::string golden(std::string_view file) {
  return std::string(VITALIS_SOURCE_DIR "/tests/goldens/tokenizer/").append(file);
}

// simdjson's exceptions are welcome here: a golden that cannot be read must fail the test.
std::string text_of(const element& e) {
  return std::string(std::string_view(e));
}

template <class T>
std::vector<T> numbers(const element& list) {
  std::vector<T> out;
  for (const element item : list) out.push_back(static_cast<T>(uint64_t(item)));
  return out;
}

std::vector<std::string> strings(const element& list) {
  std::vector<std::string> out;
  for (const element item : list) out.push_back(text_of(item));
  return out;
}

std::string bytes_of_base64(const element& e) {
  const std::string_view text = e;
  std::string out(text.size(), '\0');
  out.resize(tokenizer::decode_base64(text, out.data()).value());
  return out;
}

std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if ((c & 0xC0) != 0x80) out.emplace_back();
    out.back() += c;
  }
  return out;
}

std::string input(const element& c) {
  element value;
  if (c["text"].get(value) == simdjson::SUCCESS) return text_of(value);
  if (c["b64"].get(value) == simdjson::SUCCESS) return bytes_of_base64(value);
  std::string out;
  if (c["repeat"].get(value) == simdjson::SUCCESS) {
    const std::string unit = text_of(value.at(0));
    for (uint64_t i = 0; i < uint64_t(value.at(1)); ++i) out += unit;
    return out;
  }
  value = c["lcg"];
  uint64_t x = value.at(0);
  const auto alphabet = characters(std::string_view(value.at(2)));
  for (uint64_t i = 0; i < uint64_t(value.at(1)); ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    out += alphabet[(x >> 33) % alphabet.size()];
  }
  return out;
}

EncodeCase encode_case(const element& c) {
  EncodeCase out;
  element value;
  out.name = text_of(c["name"]);
  out.mode = text_of(c["mode"]);
  out.text = input(c);
  if (c["ids"].get(value) == simdjson::SUCCESS) out.ids = numbers<Token>(value);
  if (c["pieces"].get(value) == simdjson::SUCCESS) out.pieces = numbers<size_t>(value);
  if (c["allowed"].get(value) == simdjson::SUCCESS) out.allowed = strings(value);
  if (c["disallowed"].get(value) == simdjson::SUCCESS && value.is_array()) {
    out.disallowed = strings(value);
  }
  if (c["n"].get(value) == simdjson::SUCCESS) {
    out.n = uint64_t(value);
    out.ids_sha256 = text_of(c["ids_sha256"]);
  }
  if (c["error"].get(value) == simdjson::SUCCESS) {
    out.error_token = text_of(value["token"]);
    out.error_byte = uint64_t(value["byte"]);
  }
  return out;
}

std::unique_ptr<Tokenizer> open(const std::string& path) {
  Result<Tokenizer> tokenizer = Tokenizer::open(path);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().message()
                              << " (tests/fetch_data.sh fetches what the tree does not hold)";
  return tokenizer.ok() ? std::make_unique<Tokenizer>(tokenizer.take()) : nullptr;
}

}  // namespace

std::vector<EncodeCase> encode_cases() {
  std::vector<EncodeCase> out;
  simdjson::dom::parser parser;
  for (const element c : parser.load_many(golden("encode.jsonl"), 1 << 24)) {
    out.push_back(encode_case(c));
  }
  return out;
}

std::vector<DecodeCase> decode_cases() {
  std::vector<DecodeCase> out;
  simdjson::dom::parser parser;
  for (const element c : parser.load_many(golden("decode_stream.jsonl"), 1 << 24)) {
    out.push_back({text_of(c["name"]), bytes_of_base64(c["bytes_b64"]), text_of(c["flush"]),
                   numbers<Token>(c["ids"]), strings(c["chunks"])});
  }
  return out;
}

std::string sha256(const std::vector<Token>& ids) {
  std::string bytes;
  for (const Token id : ids) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(id >> shift);
  }
  return sha256(bytes);
}

std::string sha256(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  std::string out;
  for (const unsigned char byte : digest) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

const Tokenizer* published() {
  static const auto tokenizer = open(VITALIS_TEST_DATA "/tokenizer.json");
  return tokenizer.get();
}

const Tokenizer* tiny() {
  static const auto tokenizer =
      open(VITALIS_SOURCE_DIR "/examples/models/vitalis-tiny/tokenizer.json");
  return tokenizer.get();
}

}  // namespace vitalis
