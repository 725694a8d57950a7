// SPDX-License-Identifier: Apache-2.0
// Writes what AMX tiles compute of the inputs of cases.h, as little-endian floats one after
// another.
//
//   make_tiles FOLDER     writes steps.f32, products.f32, attention.f32 and machine.txt there
//
// A static program for any x86-64 Linux. Exits with 3 where the CPU or the system has no tiles.
#include <cstdio>
#include <fstream>
#include <immintrin.h>
#include <string>
#include <vector>

#include "cpu/features.h"
#include "goldens/tiles/cases.h"
#include "goldens/tiles/native_steps.h"
#include "kernels/x86/amx.h"

namespace {

bool write(const std::string& path, const std::vector<float>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  file.close();
  if (file) std::printf("%s: %zu values\n", path.c_str(), values.size());
  return static_cast<bool>(file);
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line;
  }
  return "model name: unknown";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace vitalis;
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_tiles FOLDER\n");
    return 2;
  }
  if (const Status granted = cpu::request_tiles(); !granted.ok()) {
    std::fprintf(stderr, "make_tiles: nothing written: %s\n", granted.message().c_str());
    return 3;
  }
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flushes denormals, as the engine does around the tables
  const std::string folder = argv[1];
  const std::vector<float> steps = goldens::all_steps([](goldens::Steps& s) {
    goldens::native_steps(s.rows, s.blocks, s.left.data(), s.right.data(), s.sums.data());
  });
  bool written = write(folder + "/steps.f32", steps);
  written = write(folder + "/products.f32", goldens::all_products(kernels::amx::table)) && written;
  written =
      write(folder + "/attention.f32", goldens::all_attention(kernels::amx::table)) && written;
  std::ofstream machine(folder + "/machine.txt");
  machine << processor() << '\n';
  machine.close();
  if (written && machine) return 0;
  std::fprintf(stderr, "make_tiles: cannot write to %s\n", folder.c_str());
  return 1;
}
