// SPDX-License-Identifier: Apache-2.0
// What memory a process may use, by files as the system writes them.
#include "cpu/memory.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace vitalis::cpu {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kGiB = uint64_t{1} << 30;

class MemoryOf : public testing::Test {
 protected:
  const fs::path root =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();

  void TearDown() override { fs::remove_all(root); }
  void write(const std::string& path, const std::string& content) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << content;
  }
  Memory read() const { return memory(root.string()); }
};

TEST_F(MemoryOf, AMachineWithoutGroups) {
  write("proc/meminfo",
        "MemTotal:       25165824 kB\nMemFree: 1 kB\nMemAvailable:   20971520 kB\n");
  EXPECT_EQ(read().total, 24 * kGiB);
  EXPECT_EQ(read().available, 20 * kGiB);
  EXPECT_EQ(read().limit, 0U);
}

TEST_F(MemoryOf, NothingIsTold) {
  EXPECT_EQ(read().total, 0U);
  EXPECT_EQ(read().available, 0U);
  EXPECT_EQ(read().limit, 0U);
}

// The least limit counts, and cached files make room.
TEST_F(MemoryOf, GroupsOfVersionTwo) {
  write("proc/meminfo", "MemTotal: 25165824 kB\nMemAvailable: 20971520 kB\n");
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/memory.max", "8589934592\n");
  write("sys/fs/cgroup/outer/memory.current", "3221225472\n");
  write("sys/fs/cgroup/outer/memory.stat", "anon 1073741824\nfile 2147483648\n");
  write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  EXPECT_EQ(read().limit, 8 * kGiB);
  EXPECT_EQ(read().available, 7 * kGiB);
}

TEST_F(MemoryOf, GroupsOfVersionOne) {
  write("proc/meminfo", "MemTotal: 25165824 kB\nMemAvailable: 20971520 kB\n");
  write("proc/self/cgroup", "5:cpu,cpuacct:/a\n3:memory:/job\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "4294967296\n");
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1073741824\n");
  write("sys/fs/cgroup/memory/job/memory.stat", "cache 1\ntotal_cache 0\n");
  EXPECT_EQ(read().limit, 4 * kGiB);
  EXPECT_EQ(read().available, 3 * kGiB);
}

TEST(Memory, OfThisMachineIsTold) {
  const Memory here = memory();
  EXPECT_GT(here.total, 0U);
  EXPECT_GT(here.available, 0U);
}

}  // namespace
}  // namespace vitalis::cpu
