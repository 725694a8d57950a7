// SPDX-License-Identifier: Apache-2.0
// synthetic_checkpoint OUT_DIR [--layers N]: a checkpoint of the widths of gpt-oss-20b with N
// layers (24 unless told, 13.8 GB; two layers take 3.2 GB) whose logits are among the goldens.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "synthetic/checkpoint_writer.h"

int main(int argc, char** argv) {
  unsigned layers = 24;
  bool understood = argc == 2;
  if (argc == 4 && std::strcmp(argv[2], "--layers") == 0) {
    const char* end = argv[3] + std::strlen(argv[3]);
    const auto [stop, failure] = std::from_chars(argv[3], end, layers);
    understood = failure == std::errc() && stop == end && layers >= 1 && layers <= 1024;
  }
  if (!understood) {
    std::fprintf(stderr, "usage: synthetic_checkpoint OUT_DIR [--layers N]\n");
    return 2;
  }
  std::error_code failure;
  std::filesystem::create_directories(argv[1], failure);
  if (failure) {
    std::fprintf(stderr, "cannot make %s: %s\n", argv[1], failure.message().c_str());
    return 1;
  }
  const vitalis::Status status =
      vitalis::synthetic::write_checkpoint(vitalis::synthetic::gpt_oss_20b(layers), argv[1], 3);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
