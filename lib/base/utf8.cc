// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <algorithm>
#include <cstring>

namespace vitalis::utf8 {
namespace {

uint8_t byte_at(std::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

// Length announced by a lead byte, 0 if it is none; the allowed range of the second byte keeps out
// overlong forms, surrogates and values above U+10FFFF.
struct Lead {
  uint8_t size, low, high;
};
Lead lead(uint8_t b) {
  if (b < 0x80) return {1, 0, 0};
  if (b < 0xC2) return {0, 0, 0};
  if (b < 0xE0) return {2, 0x80, 0xBF};
  if (b < 0xF0) {
    return {3, static_cast<uint8_t>(b == 0xE0 ? 0xA0 : 0x80),
            static_cast<uint8_t>(b == 0xED ? 0x9F : 0xBF)};
  }
  if (b < 0xF5) {
    return {4, static_cast<uint8_t>(b == 0xF0 ? 0x90 : 0x80),
            static_cast<uint8_t>(b == 0xF4 ? 0x8F : 0xBF)};
  }
  return {0, 0, 0};
}

size_t ascii_run(std::string_view bytes, size_t i) {
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (i < bytes.size() && byte_at(bytes, i) < 0x80) ++i;
  return i;
}

}  // namespace

Piece next(std::string_view bytes) {
  const uint8_t first = byte_at(bytes, 0);
  const Lead rule = lead(first);
  if (rule.size == 1) return {Piece::kCharacter, 1, first};
  if (rule.size == 0) return {Piece::kIllFormed, 1, 0xFFFD};
  char32_t value = first & (0x7Fu >> rule.size);
  for (uint8_t i = 1; i < rule.size; ++i) {
    if (i == bytes.size()) return {Piece::kIncomplete, i, 0xFFFD};
    const uint8_t b = byte_at(bytes, i);
    const bool good = i == 1 ? b >= rule.low && b <= rule.high : (b & 0xC0) == 0x80;
    if (!good) return {Piece::kIllFormed, i, 0xFFFD};
    value = value << 6 | (b & 0x3F);
  }
  return {Piece::kCharacter, rule.size, value};
}

size_t valid_prefix(std::string_view bytes) {
  size_t i = 0;
  while ((i = ascii_run(bytes, i)) < bytes.size()) {
    const Piece piece = next(bytes.substr(i));
    if (piece.kind != Piece::kCharacter) return i;
    i += piece.size;
  }
  return bytes.size();
}

std::string replace_ill_formed(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  Stream stream;
  stream.push(bytes, out);
  stream.finish(out);
  return out;
}

void append(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

size_t Stream::push(std::string_view bytes, std::string& out) {
  size_t replaced = 0;
  // Finish the held character first; it takes at most three bytes of the new ones.
  while (size_ > 0 && !bytes.empty()) {
    held_[size_++] = bytes.front();
    const Piece piece = next({held_, size_});
    if (piece.kind == Piece::kIncomplete) {
      bytes.remove_prefix(1);
    } else if (piece.kind == Piece::kCharacter) {
      out.append(held_, size_);
      size_ = 0;
      bytes.remove_prefix(1);
    } else {
      // The new byte is what broke the held part; it is looked at again by itself.
      out += kReplacement;
      ++replaced;
      size_ = 0;
    }
  }
  size_t i = 0;
  while (i < bytes.size()) {
    const size_t good = valid_prefix(bytes.substr(i));
    out.append(bytes.substr(i, good));
    i += good;
    if (i == bytes.size()) return replaced;
    const Piece piece = next(bytes.substr(i));
    if (piece.kind == Piece::kIncomplete) {
      std::copy_n(bytes.data() + i, piece.size, held_);
      size_ = piece.size;
      return replaced;
    }
    out += kReplacement;
    ++replaced;
    i += piece.size;
  }
  return replaced;
}

size_t Stream::finish(std::string& out) {
  const size_t replaced = size_ > 0 ? 1 : 0;
  if (replaced > 0) out += kReplacement;
  size_ = 0;
  return replaced;
}

}  // namespace vitalis::utf8
