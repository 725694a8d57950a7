// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compiled_file.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/file.h"
#include "tokenizer/fingerprint.h"

namespace vitalis::tokenizer {
namespace {

// A new layout of the header or of the block is a new number. Read in another byte order it is
// another number too.
constexpr uint64_t kMagic = 0x01'00'6B'6F'74'54'49'56;
constexpr size_t kBlockAt = 4096;
constexpr size_t kSample = 512;
constexpr size_t kSamples = 32;

// The beginning, the end, and places evenly between.
std::optional<uint64_t> sample(int file, uint64_t size) {
  std::string samples;
  for (size_t i = 0; i < kSamples; ++i) {
    char buffer[kSample];
    const uint64_t last = size > kSample ? size - kSample : 0;
    const ssize_t n = ::pread(file, buffer, kSample, static_cast<off_t>(last / (kSamples - 1) * i));
    if (n < 0) return std::nullopt;
    samples.append(buffer, static_cast<size_t>(n));
  }
  return fingerprint(samples);
}

Status write_all(int file, const void* data, size_t size, off_t at) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::pwrite(file, from, size, at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return error(Code::kIo, "cannot write a compiled vocabulary");
    from += n;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return {};
}

std::string hexadecimal(uint64_t n) {
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; n >>= 4) out[i] = "0123456789abcdef"[n & 15];
  return out;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct CompiledFile::Header {
  uint64_t magic;
  uint64_t source_path, source_bytes, source_time, source_samples;
  uint64_t block_bytes, block_sum;
  uint64_t sum;  // of the fields above

  uint64_t expected_sum() const {
    return fingerprint({reinterpret_cast<const char*>(this), offsetof(Header, sum)});
  }
};

std::optional<CompiledFile> CompiledFile::for_source(const std::string& source,
                                                     const std::string& folder) {
  const Descriptor file(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (file.number() < 0 || ::fstat(file.number(), &info) != 0) return std::nullopt;
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(source, failed);
  const auto samples = sample(file.number(), static_cast<uint64_t>(info.st_size));
  if (failed || !samples) return std::nullopt;
  CompiledFile out;
  out.source_bytes_ = static_cast<uint64_t>(info.st_size);
  out.source_time_ = static_cast<uint64_t>(info.st_mtim.tv_sec) * 1'000'000'000u +
                     static_cast<uint64_t>(info.st_mtim.tv_nsec);
  out.source_samples_ = *samples;
  out.source_path_ = fingerprint(absolute.native());
  out.folder_ = folder;
  out.path_ = folder + "/tokenizer-" + hexadecimal(out.source_path_) + ".vitalis";
  return out;
}

Result<Vocabulary> CompiledFile::read() const {
  VITALIS_ASSIGN(MappedFile file, MappedFile::open(path_));
  const std::span<const std::byte> bytes = file.bytes();
  Header header;
  if (bytes.size() < kBlockAt) return error(Code::kMalformed, path_, " is too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) return error(Code::kUnsupported, path_, " is of another version");
  if (header.sum != header.expected_sum() || header.block_bytes != bytes.size() - kBlockAt) {
    return error(Code::kIntegrity, path_, " has a damaged header");
  }
  if (header.source_path != source_path_ || header.source_bytes != source_bytes_ ||
      header.source_time != source_time_ || header.source_samples != source_samples_) {
    return error(Code::kIntegrity, path_, " was made from another file");
  }
  if (fingerprint(text_of(bytes.subspan(kBlockAt))) != header.block_sum) {
    return error(Code::kIntegrity, path_, " is damaged");
  }
  return Vocabulary::adopt(std::move(file), kBlockAt);
}

Status CompiledFile::write(const Vocabulary& vocabulary) const {
  Header header{kMagic,
                source_path_,
                source_bytes_,
                source_time_,
                source_samples_,
                vocabulary.block().size(),
                fingerprint(text_of(vocabulary.block())),
                0};
  header.sum = header.expected_sum();
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  std::string temporary = path_ + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.number() < 0) return error(Code::kIo, "cannot create ", temporary);
  Status status = write_all(file.number(), &header, sizeof header, 0);
  if (status.ok()) {
    status =
        write_all(file.number(), vocabulary.block().data(), vocabulary.block().size(), kBlockAt);
  }
  if (status.ok() && ::rename(temporary.c_str(), path_.c_str()) != 0) {
    status = error(Code::kIo, "cannot rename ", temporary, " to ", path_);
  }
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

}  // namespace vitalis::tokenizer
